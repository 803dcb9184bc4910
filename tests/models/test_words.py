"""Which words of a prompt a small model does not know."""

import json
from pathlib import Path

import pytest

from regrow.models.model import ModelError
from regrow.models.vocabulary import Words, learn_words, read_words, unknown_words, write_words
from regrow.worlds.storybook.drawing import CHARACTERS, VOCABULARY, Scene, captions

KNOWN = Words(frozenset(VOCABULARY), frozenset(CHARACTERS))


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a car on a beach", ("car",)),
        ("an orange cat on a beach", ()),
        ("", ()),
        (" \n,. !?…，。！“”—'", ()),
        ("A Happy, ORANGE cat; facing left!", ()),
        ("A Car, a CAR and a truck.", ("car", "and", "truck")),
        ("the cat's blue hat, the cat’s ball, 'cat'", ()),
        ("the dog's hat doesn't fit", ("dog", "doesn't", "fit")),
        ("a blue-hat cat/puppy", ()),
        ("2 cats, 12 cats", ("2", "cats", "12")),
        ("cat2", ("2",)),
        ("沙滩上的橘猫", ()),
        ("沙滩上的橘猫，开心。", ()),
        ("沙滩上的汽车", ("汽车",)),
        ("汽车上的猫和飞机，汽车", ("汽车", "和飞机")),
        ("橘猫cat, 汽车car", ("汽车", "car")),
        ("a café with a cafe\u0301", ("café",)),
        ("кот на пляже", ("кот", "на", "пляже")),
        ("ネコ on a beach", ("ネコ",)),
        ("समुद्र", ("समुद्र",)),
        ("a 🐱\ufe0f on a beach", ("🐱",)),
        ("𠀀猫", ("𠀀",)),
    ],
)
def test_unknown_words(prompt: str, unknown: tuple[str, ...]) -> None:
    assert unknown_words(KNOWN, prompt) == unknown


def test_every_caption_is_known() -> None:
    for seed in range(100):
        for text in (*captions(Scene.random(seed)), *captions(Scene.random(seed), "zh")):
            assert unknown_words(KNOWN, text) == ()
            assert unknown_words(KNOWN, text.upper()) == ()


def test_a_model_without_the_file_knows_everything(tmp_path: Path) -> None:
    assert read_words(tmp_path) is None
    assert unknown_words(None, "a car, 汽车") == ()


def test_the_file_is_read(tmp_path: Path) -> None:
    content = {"words": [*VOCABULARY, "Car", "ice cream,"], "characters": CHARACTERS}
    (tmp_path / "words.json").write_text(json.dumps(content), encoding="utf-8")
    known = read_words(tmp_path)
    assert known == Words(frozenset({*VOCABULARY, "car", "ice", "cream"}), frozenset(CHARACTERS))
    assert unknown_words(known, "a car with ice cream on a bus, 橘猫汽车") == ("bus", "汽车")
    (tmp_path / "words.json").write_text('{"words": [], "characters": []}')
    assert unknown_words(read_words(tmp_path), "a cat, 猫") == ("a", "cat", "猫")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "words.json is not valid JSON"),
        ("[]", "words.json does not hold a JSON object"),
        ('{"characters": []}', "words.json holds no list of strings named 'words'"),
        ('{"words": []}', "words.json holds no list of strings named 'characters'"),
        ('{"words": "cat", "characters": []}', "words.json holds no list of strings named 'words'"),
        ('{"words": [], "characters": [1]}', "words.json holds no list of strings named 'characters'"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "words.json").write_text(content)
    with pytest.raises(ModelError, match=sentence):
        read_words(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.json").mkdir()
    with pytest.raises(ModelError, match=r"words\.json is not an ordinary file"):
        read_words(tmp_path)


def test_what_a_model_learns_is_added_to_what_it_knows(tmp_path: Path) -> None:
    learn_words(tmp_path, ["bear"], [])
    assert read_words(tmp_path) is None  # a model that says nothing is taken to know everything, and stays so
    write_words(tmp_path, ["cat", "beach"], "猫")
    learn_words(tmp_path, ["bear", "cat"], ["熊"])
    known = read_words(tmp_path)
    assert known is not None
    assert (known.words, known.characters) == ({"cat", "beach", "bear"}, {"猫", "熊"})
    assert unknown_words(known, "bear, dog, 熊狗") == ("dog", "狗")
