"""What people type, written down by others than the author of the code, each with what it means.

A line of `phrasings/WORLD-LANGUAGE.jsonl` has a text; for an edit, `before`: how the thing differs from the world's
default before it; `means`: the attributes that the text sets; `says`: words that must be named to the user, since the
world cannot do what they ask; `taken`: misspelt words.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from regrow.prompts.captioned import meant
from regrow.prompts.interpretation import Interpretation, interpret
from regrow.prompts.word_index import index_of
from regrow.worlds.lexicon import key_of
from regrow.worlds.world import WORLDS, World, changed_to

FOLDER = Path(__file__).parent / "phrasings"
NAMES = ("storybook-en", "storybook-zh", "bandstand-en", "bandstand-zh")


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def understood(world: World, line: dict[str, Any]) -> tuple[bool, Interpretation]:
    """Whether the text sets what it means, and nothing else; where words must be named, what is certain of it."""
    before = None if "before" not in line else world.default.replace(**line["before"])
    found = interpret(world, line["text"], before)
    wanted = line["means"]
    if before is None:
        named = (
            {name: value for name, value in found.values.items() if name in wanted} if "says" in line else found.values
        )
        return named == wanted, found
    after = changed_to(before, dict(found.values))
    if "says" in line:
        return all(getattr(after, name) == value for name, value in wanted.items()), found
    return after == before.replace(**wanted), found


@pytest.mark.parametrize("name", NAMES)
def test_phrasings_are_understood_or_it_is_said_what_was_not(name: str) -> None:
    world = WORLDS[name.split("-")[0]]
    right, silent = 0, []
    for line in lines(name):
        is_right, found = understood(world, line)
        named = {*found.guessed, *found.denied, *found.taken}
        missed = [word for word in line.get("says", ()) if not any(word in one for one in named)]
        if "taken" in line and not found.taken and not is_right and not named:
            missed += line["taken"]
        right += is_right and not missed
        if missed or not (is_right or named):
            silent.append((line, found))
    assert not silent
    assert right >= 0.98 * len(lines(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_phrasings_are_many_and_no_captions(name: str) -> None:
    world = WORLDS[name.split("-")[0]]
    captions = {text for seed in range(300) for text in world.captions(world.random(seed), name[-2:])}
    texts = {line["text"] for line in lines(name)}
    assert len(texts - captions) == len(lines(name)) >= 300


@pytest.mark.parametrize("name", WORLDS)
def test_every_caption_means_what_it_is_a_caption_of(name: str) -> None:
    """Nothing of it is unknown, and another thing of the world becomes one that it is a caption of."""
    world = WORLDS[name]
    for seed in range(12):
        thing, other = world.random(seed), world.random(seed + 1000)
        for language in ("en", "zh"):
            for caption in world.captions(thing, language):
                found = interpret(world, caption)
                assert not found.is_guess, caption
                assert not found.taken, caption
                assert all(getattr(thing, attribute) == value for attribute, value in found.values.items()), caption
                assert caption in world.captions(meant(world, other, caption, found), language)


@pytest.mark.parametrize("name", WORLDS)
def test_each_word_of_the_tables_means_the_value_that_it_is_listed_under(name: str) -> None:
    world = WORLDS[name]
    for attribute, values in world.lexicon.listed.items():
        for value, words in values.items():
            assert value in world.attributes[attribute]
            for word in words:
                assert interpret(world, word).values.get(attribute) == value, word


FOX = {"animal": "fox", "accessory": "blue hat"}
RAIN = {"weather": "rainy", "time": "night"}
BALL = {"colour": "black", "accessory": "ball"}
SAD = {"instrument": "violin", "scale": "minor"}


@pytest.mark.parametrize(
    ("name", "before", "text", "changes"),
    [
        ("storybook", FOX, "don't remove the hat", {}),
        ("storybook", FOX, "别把帽子拿掉", {}),
        ("storybook", FOX, "turn it into a cat, but don't lose the hat", {"animal": "cat"}),
        ("storybook", FOX, "换成猫，但帽子别摘", {"animal": "cat"}),
        ("storybook", FOX, "不要把狐狸换成猫", {}),
        ("storybook", FOX, "take the hat off and make it rain", {"accessory": "none", "weather": "rainy"}),
        ("storybook", FOX, "change the fox to a cat, not the hat", {"animal": "cat"}),
        ("storybook", FOX, "与其戴帽子，不如围条围巾", {"accessory": "red scarf"}),
        ("storybook", BALL, "make the cat white and the sky cloudy", {"colour": "white", "weather": "cloudy"}),
        ("storybook", RAIN, "too much rain", {"weather": "clear"}),
        ("storybook", RAIN, "don't stop the rain", {}),
        ("bandstand", SAD, "don't make it faster", {}),
        ("bandstand", SAD, "太慢了", {"tempo": "fast"}),
        ("bandstand", SAD, "it is too fast", {"tempo": "slow"}),
        ("bandstand", SAD, "less sad, please", {"scale": "major"}),
        ("bandstand", SAD, "turn it into a beat", {"instrument": "drum kit", "pattern": "beat"}),
    ],
)
def test_what_a_sentence_denies_or_compares(name: str, before: dict, text: str, changes: dict) -> None:
    world = WORLDS[name]
    thing = world.default.replace(**before)
    assert changed_to(thing, dict(interpret(world, text, thing).values)) == thing.replace(**changes)


@pytest.mark.parametrize(
    ("name", "before", "text", "named"),
    [
        ("storybook", FOX, "把帽子换成白色", "白色"),
        ("storybook", FOX, "give the hat a white colour", "white"),
        ("storybook", BALL, "make the sky orange", "orange"),
        ("storybook", BALL, "same cat, different colour", "colour"),
        ("storybook", BALL, "再来一只猫", "猫"),
        ("storybook", RAIN, "雨小一点", "小一点"),
        ("bandstand", SAD, "same tune, other instrument", "instrument"),
        ("bandstand", {"pattern": "bass line", "register": "low"}, "an octave up", "octave up"),
    ],
)
def test_what_cannot_be_done_to_it_is_named_and_nothing_else_is_done(
    name: str, before: dict, text: str, named: str
) -> None:
    world = WORLDS[name]
    thing = world.default.replace(**before)
    found = interpret(world, text, thing)
    assert named in found.guessed
    assert changed_to(thing, dict(found.values)) == thing


@pytest.mark.parametrize("name", NAMES)
def test_a_word_of_a_long_prompt_is_compared_with_all_others_once(name: str) -> None:
    index = index_of(WORLDS[name.split("-")[0]].lexicon)
    text = " ".join(line["text"] for line in lines(name))
    words = key_of(text)
    index.corrected(words)
    compared = index.near.cache_info().misses, index.in_window.cache_info().misses
    assert index.corrected(words * 3)[: len(words)] == index.corrected(words)
    again = index.near.cache_info().misses, index.in_window.cache_info().misses
    assert again[0] == compared[0]
    assert again[1] <= compared[1] + 2 * index.reach + 2  # where the last words meet the first
