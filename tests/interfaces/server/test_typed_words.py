"""What the page is told about words while they are typed."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.messages.message import worded
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.prompts.places_of_words import places_of
from regrow.prompts.reading import read
from regrow.prompts.typed import in_words, typed, value_in_words
from regrow.worlds.world import WORLDS


@pytest.fixture(scope="module")
def storybook() -> Model:
    return open_model("storybook")


def states(model: Model, text: str, source: str = "") -> dict[str, tuple[str, str | None]]:
    return {part.text: (part.state, part.nearest) for part in typed(model, text, source).parts}


def test_words_are_known_corrected_guessed_or_unknown(storybook: Model) -> None:
    assert states(storybook, "A Dog on a baech") == {
        "Dog": ("known", None), "on": ("known", None), "baech": ("corrected", "beach"),
    }  # fmt: skip
    assert states(storybook, "a purple wolf")["purple"] == ("unknown", None)
    assert states(storybook, "a yellow cat")["yellow"] == ("guess", "orange")
    assert states(storybook, "沙滩上的紫色小狗")["紫色"] == ("unknown", None)


def test_an_instruction_means_the_source_changed(storybook: Model) -> None:
    found = typed(storybook, "make it a dog", "an orange cat on a beach")
    assert (found.kind, found.interpretation, found.guess) == ("instruction", "an orange puppy on a beach", False)
    assert typed(storybook, "把它变成小狗", "沙滩上的橘猫").interpretation == "沙滩上的橘色小狗"
    assert typed(storybook, "make it a dog").interpretation == "puppy"
    assert typed(storybook, "turn the cat into a dog").interpretation == "puppy"  # also before the picture is described
    assert typed(storybook, "a white rabbit in the snow", edits=False).interpretation == "a white rabbit in the snow"


def test_words_that_are_not_known_are_quoted_as_the_language_quotes(storybook: Model) -> None:
    note = typed(storybook, "a purple dragon", "an orange cat on a beach").notes[0]
    assert '"purple", "dragon"' in worded(note, "en")
    assert "“purple”、“dragon”" in worded(note, "zh")


def test_a_guess_says_what_was_not_heeded(storybook: Model) -> None:
    found = typed(storybook, "a purple dragon", "an orange cat on a beach")
    assert found.guess
    assert any("does not know" in note for note in found.notes)
    assert not typed(storybook, "a grey cat", "an orange cat on a beach").guess


def test_each_line_is_a_target_of_its_own(storybook: Model) -> None:
    text = "make it a dog\n\nmake it a fox"
    found = typed(storybook, text, "an orange cat on a beach")
    assert found.interpretation == "an orange puppy on a beach\nan orange fox on a beach"
    assert all(text[part.start : part.end] == part.text for part in found.parts)


def test_a_model_without_a_world_takes_words_as_they_are(storybook: Model, tmp_path: Path) -> None:
    from copy import copy

    plain = copy(storybook)
    plain.folder, plain.name = tmp_path, "some-model"
    found = typed(plain, "replace the cat with a dog", "a cat on a beach")
    assert (found.interpretation, found.kind) == ("a dog on a beach", "instruction")
    assert {part.state for part in found.parts} == {"known"}
    assert found.notes == ("some-model has no list of the words it knows, so your words are used unchanged.",)
    assert typed(plain, "a flying castle").interpretation is None
    refused = typed(plain, "replace the horse with a dog", "a cat on a beach")
    assert refused.guess
    assert '", which is not in the source "' in refused.notes[0]


@settings(deadline=None, max_examples=150)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            ["make", "it", "a", "DOG", "baech", "小狗", "貓", "hat,", "snow-white", "cat’s", "→", "ｃａｔ", "éé"]
        )
    ).map(" ".join)
)
def test_parts_stand_where_they_say(text: str) -> None:
    for world in WORLDS.values():
        items = read(world.lexicon, text)
        end = 0
        for place in places_of(text, [item.text for item in items]):
            if place is not None:
                assert end <= place[0] < place[1] <= len(text)
                end = place[1]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(["a", "dog", "cat", "beach", "with", "hat", "baech", "purple", "snow", "at", "night"])))
def test_no_english_word_loses_its_place(words: list[str]) -> None:
    items = read(WORLDS["storybook"].lexicon, " ".join(words))
    assert None not in list(places_of(" ".join(words), [item.text for item in items]))


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_value_has_words(name: str, language: str) -> None:
    world = WORLDS[name]
    for attribute, values in world.attributes.items():
        for value in values:
            words = value_in_words(world, attribute, value, language)  # pyright: ignore[reportArgumentType]
            assert words
            if language == "en" and (attribute, value) in world.lexicon.listed.items():
                assert interpretable(world, words)
    assert in_words(world, world.default, world.attributes, language)  # pyright: ignore[reportArgumentType]


def interpretable(world, words: str) -> bool:
    from regrow.prompts.interpretation import interpret

    return bool(interpret(world, words).values)


def test_it_is_fast_enough_to_be_called_while_typing(storybook: Model) -> None:
    typed(storybook, "make it a dog", "an orange cat on a beach")
    began = time.perf_counter()
    typed(storybook, "put a red scarf on the penguin and move it into the city", "an orange cat on a beach")
    assert time.perf_counter() - began < 0.2
