"""What a prompt leaves open is drawn by the seed as the world has it, and the model is told all of it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.prompts.expand_generate import Full, condition_on_tunes, in_full, thing_from_prompt
from regrow.prompts.interpretation import interpret
from regrow.requests.generate import Generate
from regrow.worlds.storybook.drawing import Scene
from regrow.worlds.world import WORLDS

pytestmark = pytest.mark.usefixtures("home")
BOOK = WORLDS["storybook"]
ASKED = Generate("a white penguin on a beach", steps=2, guidance=1.0)


@pytest.fixture(scope="module")
def storybook() -> Model:
    return open_model("storybook")


@given(st.sampled_from(sorted(WORLDS)), st.integers(0, 10**9), st.integers(0, 10**9), st.booleans(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_whatever_a_caption_says_is_so_in_what_is_imagined(world, number, seed, chinese, random) -> None:
    conditioned, language = WORLDS[world], "zh" if chinese else "en"
    words = random.choice(conditioned.captions(conditioned.random(number), language))
    thing = thing_from_prompt(conditioned, words, interpret(conditioned, words), seed)
    assert words in conditioned.captions(thing, language)


def test_what_is_left_open_is_as_frequent_as_in_the_world() -> None:
    prompt = "a cat on a beach"
    things = [thing_from_prompt(BOOK, prompt, interpret(BOOK, prompt), seed) for seed in range(300)]
    assert all((thing.animal, thing.place) == ("cat", "beach") for thing in things)
    drawn = [Scene.random(seed) for seed in range(3000)]
    drawn = [scene for scene in drawn if scene.place == "beach"]
    for name in ("colour", "weather", "time", "pose", "facing", "accessory", "expression"):
        here, there = (Counter(getattr(one, name) for one in some) for some in (things, drawn))
        for value in BOOK.attributes[name]:
            # four standard deviations of the share of 300
            assert abs(here[value] / len(things) - there[value] / len(drawn)) < 0.12, (name, value)


def test_each_result_has_details_of_its_own_which_its_seed_gives_alone(storybook: Model) -> None:
    found = in_full(replace(ASKED, count=4), storybook)
    full, things, notes = found.prompts, found.things, found.notes
    assert full == tuple(BOOK.captions(thing, "en")[-1] for thing in things)
    assert len(set(full)) > 1
    assert all("white penguin" in words and "beach" in words and words != ASKED.prompt for words in full)
    assert full == tuple(in_full(replace(ASKED, seed=seed), storybook).prompts[0] for seed in range(4))
    assert notes == tuple(f'Expanded prompt: "{words}".' for words in dict.fromkeys(full))


def test_a_picture_of_short_words_is_the_one_of_the_full_words_it_names(storybook: Model) -> None:
    (words,) = in_full(ASKED, storybook).prompts
    short, full = (finish(generate(request, storybook)) for request in (ASKED, replace(ASKED, prompt=words)))
    assert torch.equal(short.frames, full.frames)
    assert short.notes == (f'Expanded prompt: "{words}".',)
    assert full.notes == ()
    assert not torch.equal(finish(generate(replace(ASKED, prompt_expansion="off"), storybook)).frames, short.frames)


@pytest.mark.parametrize("negative", ["hat, night", "帽子，夜", "hat，夜"])
def test_nothing_is_drawn_that_the_negative_words_name(storybook: Model, negative: str) -> None:
    many = replace(ASKED, count=40)
    free = in_full(many, storybook).prompts
    avoiding = in_full(replace(many, negative=negative), storybook)
    kept, notes = avoiding.prompts, avoiding.notes
    for word in ("hat", "night"):
        assert any(word in words for words in free)
        assert not any(word in words for words in kept)
    assert len(notes) == len(set(kept))
    # what was without it stays
    assert all(a == b for a, b in zip(free, kept, strict=True) if "hat" not in a and "night" not in a)
    # what the prompt itself asks for is drawn in any case
    hat = replace(ASKED, prompt="a black cat with a blue hat in the snow", negative=negative)
    assert "hat" in in_full(hat, storybook).prompts[0]


@pytest.mark.parametrize("changes", [{"prompt_expansion": "off"}, {"melody": Path("tune.wav")}])
def test_other_prompts_stay_as_they_are(storybook: Model, changes: dict) -> None:
    request = replace(ASKED, count=2, **changes)
    assert in_full(request, storybook) == Full((request.prompt,) * 2)


def test_it_is_said_where_there_is_no_prompt(storybook: Model) -> None:
    said = "There is no prompt, so the result is anything that storybook knows."
    assert in_full(replace(ASKED, count=2, prompt=" "), storybook) == Full((" ",) * 2, notes=(said,))
    assert in_full(replace(ASKED, prompt="", melody=Path("tune.wav")), storybook) == Full(("",))


@pytest.mark.parametrize(
    ("prompt", "drawn", "guessed"),
    [
        ("a gray bunny at the seaside", "grey rabbit", ()),
        ("a red car", "", ("red", "car")),
        ("a cat and a fox", "cat", ("fox",)),
        ("a wolf in the snow", "fox", ("wolf",)),
        ("a rainy night in the snow", "snow", ("rainy night",)),
    ],
)
def test_what_is_not_known_is_left_out_and_said(storybook: Model, prompt: str, drawn: str, guessed: tuple) -> None:
    found = in_full(replace(ASKED, prompt=prompt), storybook)
    assert drawn in found.prompts[0]
    assert set(found.guessed) == set(guessed)
    assert all(any(f'"{word}"' in note for note in found.notes) for word in guessed)


def test_a_result_that_is_a_guess_says_so_in_its_recipe(storybook: Model) -> None:
    made = finish(generate(replace(ASKED, prompt="a white penguin with an umbrella"), storybook))
    assert made.recipes[0]["guess"] == ["umbrella"]
    assert any('does not know "umbrella"' in note for note in made.notes)
    assert finish(generate(ASKED, storybook)).recipes[0]["guess"] == []


def test_a_model_of_no_known_world_is_told_the_words_as_they_are(model: Model) -> None:
    assert in_full(Generate("a cat on a beach"), model) == Full(("a cat on a beach",))


def test_a_tune_is_drawn_too_for_whatever_length_and_told() -> None:
    bandstand = open_model("bandstand")
    full = in_full(Generate("a slow sad violin melody", count=2), bandstand)
    conditioned = condition_on_tunes(bandstand, full.things, 9.0, 52)
    assert bandstand.note_conditioning is None
    assert conditioned.note_conditioning is not None
    assert conditioned.piano_roll is not None
    assert tuple(conditioned.note_conditioning.shape) == (
        2,
        conditioned.piano_roll.channels(conditioned.factor),
        128 // conditioned.factor,
        52,
    )
    for thing, contour_of_it in zip(full.things, conditioned.note_conditioning, strict=True):
        assert (thing.instrument, thing.scale, thing.tempo) == ("violin", "minor", "slow")
        assert contour_of_it[:-1].any()
    assert not torch.equal(conditioned.note_conditioning[0], conditioned.note_conditioning[1])
    assert condition_on_tunes(bandstand, (), 9.0, 52) is bandstand
