import hashlib
import subprocess
import sys
from dataclasses import fields
from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.worlds.storybook import drawing as storybook
from regrow.worlds.storybook.drawing import (
    ACCESSORIES,
    ANIMALS,
    COLOURS,
    EXPRESSIONS,
    FACINGS,
    PLACES,
    POSES,
    TIMES,
    VOCABULARY,
    WEATHERS,
    Drawing,
    Scene,
    caption,
    captions,
    draw,
    draw_many,
)

SCENES = st.integers(0, 10**9).map(Scene.random)
EXCHANGED = [("animal", ANIMALS), ("colour", COLOURS), ("expression", EXPRESSIONS)]
FINGERPRINT = (
    "import hashlib; from regrow.worlds.storybook.drawing import Scene, draw\n"
    "pixels = b''.join(draw(Scene.random(n), 64).picture.tobytes() for n in range(12))\n"
    "print(hashlib.sha256(pixels).hexdigest())"
)


def outside(*drawings: Drawing) -> np.ndarray:
    """Where none of the drawings has its animal."""
    return np.all([drawing.mask == 0 for drawing in drawings], axis=0)


def test_the_same_seed_gives_the_same_pixels_in_another_process():
    other = subprocess.run([sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, check=True)
    pixels = b"".join(draw(Scene.random(n), 64).picture.tobytes() for n in range(12))
    assert other.stdout.strip() == hashlib.sha256(pixels).hexdigest()


@settings(max_examples=25, deadline=None)
@given(SCENES, st.sampled_from(EXCHANGED), st.data())
def test_a_counterfactual_changes_nothing_outside_the_two_masks(scene, field, data):
    name, allowed = field
    first = draw(scene, 96)
    second = draw(scene.replace(**{name: data.draw(st.sampled_from(allowed))}), 96)
    free = outside(first, second)
    assert free.any()
    assert np.array_equal(first.picture[free], second.picture[free])


@pytest.mark.parametrize("worn", ["red scarf", "blue hat"])
def test_what_is_worn_belongs_to_the_mask(worn):
    for animal, pose in product(ANIMALS, POSES):
        bare = Scene(animal=animal, pose=pose)
        first, second = draw(bare, 96), draw(bare.replace(accessory=worn), 96)
        free = outside(first, second)
        assert np.array_equal(first.picture[free], second.picture[free])
        assert (first.picture != second.picture).any()


@pytest.mark.parametrize("animal", ANIMALS)
def test_the_ball_stays_and_is_no_part_of_the_animal(animal):
    bare, with_ball = draw(Scene(animal=animal)), draw(Scene(animal=animal, accessory="ball"))
    changed = (bare.picture != with_ball.picture).any(axis=2)
    assert changed.sum() > 100
    assert (with_ball.mask[changed] < 255).all()


@pytest.mark.parametrize(("animal", "pose"), list(product(ANIMALS, POSES)))
def test_the_five_colours_differ_widely_and_only_inside_one_common_mask(animal, pose):
    drawings = [draw(Scene(animal=animal, pose=pose, colour=colour), 96) for colour in COLOURS]
    mask = drawings[0].mask
    for first, second in product(drawings, drawings):
        assert np.array_equal(first.mask, second.mask)
        if first is second:
            continue
        difference = np.abs(first.picture.astype(int) - second.picture.astype(int)).mean(axis=2)
        assert difference[mask == 0].max() == 0
        assert difference[mask == 255].mean() > 12


def test_the_animals_are_large_and_mostly_inside_the_picture():
    shares = []
    for seed in range(60):
        mask = draw(Scene.random(seed), 64).mask
        rows = np.flatnonzero(mask.max(axis=1))
        shares.append((rows[-1] - rows[0] + 1) / 64)
        edge = np.count_nonzero(mask[:, [0, -1]]) + np.count_nonzero(mask[[0, -1]])
        assert edge < 24
    assert min(shares) > 0.4
    assert 0.55 < np.mean(shares) < 0.85


def test_every_fitting_place_weather_and_time_draws():
    seen = set()
    for place in PLACES:
        for weather, time in product(WEATHERS[place], TIMES[place]):
            drawing = draw(Scene(place=place, weather=weather, time=time), 48)
            seen.add(drawing.picture.tobytes())
    assert len(seen) == sum(len(WEATHERS[place]) * len(TIMES[place]) for place in PLACES)


@pytest.mark.parametrize("size", [16, 17, 100, 513, (16, 300), (200, 48), (2048, 16), (1025, 1030)])
def test_any_size_draws(size):
    drawing = draw(Scene(), size)
    shape = size if isinstance(size, tuple) else (size, size)
    assert drawing.picture.shape == (*shape, 3)
    assert drawing.mask.shape == shape
    assert drawing.picture.dtype == drawing.mask.dtype == np.uint8
    assert drawing.mask.max() > 0


@pytest.mark.parametrize("size", [15, 2049, 0, -1, 64.0, True, (64, 8), "64"])
def test_a_bad_size_is_named(size):
    with pytest.raises(ValueError, match=r"^size is .* from 16 to 2048\.$"):
        draw(Scene(), size)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("animal", "dog", ANIMALS),
        ("colour", "blue", COLOURS),
        ("pose", "lying", POSES),
        ("facing", "up", FACINGS),
        ("expression", "angry", EXPRESSIONS),
        ("place", "moon", PLACES),
        ("weather", "snowy", WEATHERS["beach"]),
        ("time", "noon", TIMES["beach"]),
        ("accessory", "crown", ACCESSORIES),
    ],
)
def test_a_bad_word_is_answered_in_one_sentence_with_the_allowed_words(field, value, allowed):
    with pytest.raises(ValueError, match="must be one of") as caught:
        Scene(**{field: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"{field} is {value!r}, but must be one of ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert all(repr(word) in sentence for word in allowed)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("x", -0.1),
        ("x", float("nan")),
        ("y", 1.2),
        ("size", 0.0),
        ("size", "big"),
        ("layout", -1),
        ("layout", 1.5),
    ],
)
def test_a_bad_number_is_named(field, value):
    with pytest.raises(ValueError, match=f"^{field} is .*, but must be a .*\\.$"):
        Scene(**{field: value})


def test_replace_names_an_unknown_field_and_moves_to_a_place_with_other_weather():
    with pytest.raises(ValueError, match=r"^field is 'species', but must be one of 'animal'"):
        Scene().replace(species="cat")
    rainy = Scene(weather="rainy", layout=5)
    moved = rainy.replace(place="snow")
    assert (moved.weather, moved.time) == ("clear", "day")
    assert rainy.replace(place="night city").time == "night"
    assert rainy.replace(place="meadow").weather == "rainy"
    with pytest.raises(ValueError, match=r"^weather is 'rainy'"):
        rainy.replace(place="snow", weather="rainy")


@pytest.mark.parametrize(
    ("scene", "plainest"),
    [
        (Scene(), "an orange cat on a beach"),
        (Scene(animal="penguin", colour="black", place="snow"), "a black penguin in the snow"),
        (Scene(animal="rabbit", colour="white", place="meadow"), "a white rabbit in a meadow"),
        (Scene("fox", "grey", place="night city", time="night"), "a grey fox in a city at night"),
        (Scene(animal="puppy", colour="brown", place="living room"), "a brown puppy in a living room"),
    ],
)
def test_the_plainest_caption(scene, plainest):
    assert captions(scene)[0] == draw(scene, 16).caption == plainest


def test_fuller_captions():
    assert "a happy orange cat sitting on a sunny beach" in captions(Scene(expression="happy"))
    evening = Scene(accessory="red scarf", time="sunset")
    assert "an orange cat with a red scarf on a beach at sunset" in captions(evening)


@settings(max_examples=200, deadline=None)
@given(SCENES)
def test_captions_are_true_and_spelled_from_the_vocabulary(scene):
    values = {str(getattr(scene, field.name)) for field in fields(scene)}
    exclusive = {*ANIMALS, *COLOURS, *POSES, *FACINGS, *EXPRESSIONS, "cloudy", "rainy", "snowy", "sunset"}
    found = captions(scene)
    assert len(set(found)) == len(found) >= 6
    for text in found:
        words = text.replace(",", "").split()
        assert set(words) <= set(VOCABULARY)
        assert scene.animal in words
        assert {words[1], words[2]} & {scene.colour}
        # "red" and "blue" are only ever worn, so all other such words must be values of the scene.
        assert {word for word in words if word in exclusive} <= values
        assert ("sunny" not in words) or (scene.weather, scene.time) == ("clear", "day")
        assert ("night" not in words) or scene.time == "night"
        assert ("scarf" not in words) or scene.accessory == "red scarf"
        assert ("hat" not in words) or scene.accessory == "blue hat"
        assert ("ball" not in words) or scene.accessory == "ball"
    assert list(VOCABULARY) == sorted(set(VOCABULARY))


def test_the_plainest_caption_is_chosen_in_about_40_percent():
    scene = Scene.random(1)
    chosen = [caption(scene, seed) for seed in range(1000)]
    assert chosen == [caption(scene, seed) for seed in range(1000)]
    assert 0.35 < chosen.count(captions(scene)[0]) / 1000 < 0.45
    assert set(chosen) == set(captions(scene))


def test_the_distribution_of_random_scenes():
    scenes = [Scene.random(seed) for seed in range(2000)]
    outdoors = [scene for scene in scenes if scene.place != "night city"]
    assert 0.66 < np.mean([scene.accessory == "none" for scene in scenes]) < 0.74
    assert 0.56 < np.mean([scene.weather == "clear" for scene in scenes]) < 0.64
    assert 0.66 < np.mean([scene.time == "day" for scene in outdoors]) < 0.74
    for name, allowed in (("animal", ANIMALS), ("colour", COLOURS), ("place", PLACES)):
        for value in allowed:
            assert 0.16 < np.mean([getattr(scene, name) == value for scene in scenes]) < 0.24


def test_draw_many_keeps_the_order_of_endless_scenes_on_several_processes():
    def endless():
        seed = 0
        while True:
            yield Scene.random(seed)
            seed += 1

    drawn = list(islice(draw_many(endless(), size=32, processes=2), 40))
    alone = list(islice(draw_many(endless(), size=32, processes=1), 40))
    assert [one.caption for one in drawn] == [one.caption for one in alone]
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(drawn, alone, strict=True))


def test_draw_many_of_nothing_is_nothing():
    assert list(storybook.draw_many([], processes=1)) == []
