"""What a world can be asked: which attributes a caption names, and what a thing looks or sounds like."""

import numpy as np
import pytest

from regrow.worlds.bandstand.playing import Phrase, play
from regrow.worlds.storybook.drawing import Scene, draw
from regrow.worlds.world import WORLDS, changed_to

STORYBOOK, BANDSTAND = WORLDS["storybook"], WORLDS["bandstand"]


def test_a_caption_of_a_scene_names_what_it_says() -> None:
    scene = Scene(weather="rainy", accessory="blue hat", pose="standing")
    named = {text: STORYBOOK.named_attributes(scene, text, "en") for text in STORYBOOK.captions(scene, "en")}
    always = {"animal", "colour", "place"}
    assert named["an orange cat on a beach"] == always
    assert named["an orange cat with a blue hat on a beach"] == always | {"accessory"}
    assert named["an orange cat standing on a beach, facing right"] == always | {"pose", "facing"}
    assert named["a calm orange cat standing on a rainy beach"] == always | {"expression", "pose", "weather", "time"}
    city = Scene(place="night city", time="night")
    assert STORYBOOK.named_attributes(city, STORYBOOK.captions(city, "en")[0], "en") == always
    for seed in range(40):
        scene = STORYBOOK.random(seed)
        assert STORYBOOK.named_attributes(scene, STORYBOOK.caption(scene, seed, "zh"), "zh") >= always


def test_a_caption_of_a_phrase_names_what_it_says() -> None:
    phrase = Phrase(instrument="flute", pattern="melody", scale="minor", tempo="slow", register="high")
    named = BANDSTAND.named_attributes(phrase, "a slow sad flute melody", "en")
    assert named == {"instrument", "pattern", "tempo", "scale"}
    assert BANDSTAND.named_attributes(phrase, "a flute melody", "en") == {"instrument", "pattern"}
    for seed in range(20):
        phrase = BANDSTAND.random(seed)
        assert "instrument" in BANDSTAND.named_attributes(phrase, BANDSTAND.caption(phrase, seed, "zh"), "zh")
    phrase = Phrase.random(5)
    other = phrase.replace(tempo=next(t for t in ("slow", "fast") if t != phrase.tempo))
    for text in BANDSTAND.captions(phrase, "en"):
        named = BANDSTAND.named_attributes(phrase, text, "en")
        assert "instrument" in named, text
        assert ("tempo" in named) == (text not in BANDSTAND.captions(other, "en")), text
    assert BANDSTAND.named_attributes(phrase, BANDSTAND.captions(phrase, "en")[-1], "en") >= {"instrument", "pattern"}


def test_what_does_not_go_together_is_no_thing() -> None:
    assert changed_to(Scene(place="beach"), {"weather": "snowy"}) is None
    assert changed_to(Scene(place="beach"), {"weather": "rainy"}) == Scene(place="beach", weather="rainy")


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_the_default_has_a_value_of_every_attribute(name: str) -> None:
    world = WORLDS[name]
    assert all(getattr(world.default, attribute) in values for attribute, values in world.attributes.items())
    assert set(world.captions(world.default, "en")) >= {world.caption(world.default, seed, "en") for seed in range(9)}


def test_things_are_rendered_as_the_world_draws_and_plays_them() -> None:
    assert np.array_equal(STORYBOOK.render(Scene(), (48, 64)), draw(Scene(), (48, 64)).picture)
    assert np.array_equal(BANDSTAND.render(Phrase(), 2.0), play(Phrase(), 2.0).wave)
    assert STORYBOOK.composition is None
    assert BANDSTAND.composition is not None
    assert len(BANDSTAND.composition(Phrase(), 6.0)) > 4
