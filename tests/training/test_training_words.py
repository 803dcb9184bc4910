"""Captions in any script are learned as words, and what cannot be learned is told once."""

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from regrow.models.model import Model
from regrow.models.new import new_tokenizer
from regrow.models.vocabulary import Words, unknown_words
from regrow.training.training_words import lost_words, without_warnings, words_in

CAPTIONS = ["Schöne große Kätzchen", "Белая кошка", "don't, the cat's 2 toys", "沙滩上的橘猫", "हिन्दी", "🐱 고양이"]


def test_the_words_of_any_script_are_found() -> None:
    words, characters = words_in([*CAPTIONS, "SCHÖNE Kätzchen"])
    assert {"schöne", "große", "kätzchen", "белая", "кошка", "don't", "don", "t", "cat", "2", "고양이"} <= set(words)
    assert characters == tuple(sorted("沙滩上的橘猫"))
    assert words_in(["a cat", "a dog"]) == (("a", "cat", "dog"), ())
    assert words_in(["a b c", "b c", "c"], 2)[0] == ("b", "c")


def test_what_captions_say_is_known_and_each_word_is_one_token() -> None:
    words, characters = words_in(CAPTIONS)
    known = Words(frozenset(words), frozenset(characters))
    assert all(unknown_words(known, caption) == () for caption in CAPTIONS)
    assert unknown_words(known, "eine weiße Katze") == ("eine", "weiße", "katze")
    tokenizer = new_tokenizer(words, characters=characters)
    for word in ("Schöne", "große", "Kätzchen", "Белая", "кошка", "고양이", "🐱"):
        assert tokenizer.tokenize(word) == [tokenizer.tokenize(word.lower())[0]]


def test_what_a_model_cuts_off_is_told_once(model: Model) -> None:
    room = model.tokenize([""]).shape[1] - 2
    long = " ".join(["cat"] * room + ["кошка"])
    lost, (first, second) = lost_words(model, ["cat", long, long])
    assert lost == {"кошка"}
    assert first.startswith(f"2 of 3 captions are longer than {room} tokens, so their ends are not learned")
    assert second == "These words cannot be learned, as they are cut off or have no tokens: кошка."
    assert lost_words(model, ["cat"]) == lost_words(model, []) == (frozenset(), ())


def test_words_without_tokens_are_told() -> None:
    def spell(texts: list[str]) -> Any:
        ids = [[1, *(3 if word.isascii() else 0 for word in text.split()), 2] for text in texts]
        return SimpleNamespace(input_ids=ids)

    spell.unk_token_id = 0
    model: Any = SimpleNamespace(
        parts={"tokenizer": spell},
        name="theirs",
        tokenizer=spell,
        tokenize=lambda prompts: torch.zeros(len(prompts), 9),
    )
    assert lost_words(model, ["a кошка", "a cat"])[0] == {"кошка"}


def test_prompts_are_cut_without_a_warning_each() -> None:
    def tokenize(prompts: list[str]) -> torch.Tensor:
        warnings.warn("tokens of a prompt; these words were ignored", stacklevel=1)
        return torch.zeros(len(prompts), 9)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(without_warnings(tokenize)(["a", "b"])) == 2  # pyright: ignore[reportArgumentType]
        with pytest.raises(UserWarning):
            tokenize(["a"])
