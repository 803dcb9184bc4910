"""The tokenizer of new models: one token for each word and for each Chinese character."""

from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from regrow.models.new import new_tokenizer
from regrow.worlds.storybook.drawing import CHARACTERS, VOCABULARY, Scene, captions

SCENES = [Scene.random(seed) for seed in range(300)]
ENGLISH = [text for scene in SCENES for text in captions(scene)]
CHINESE = [text for scene in SCENES for text in captions(scene, "zh")]


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return new_tokenizer(VOCABULARY, characters=CHARACTERS)


def pieces(tokenizer: CLIPTokenizer, prompt: str) -> list[str]:
    """What each token of a prompt stands for, without start and end."""
    return [str(tokenizer.decode([i])) for i in tokenizer(prompt).input_ids[1:-1]]


def test_every_character_is_one_token_wherever_it_stands(tokenizer: CLIPTokenizer) -> None:
    for text in [*CHINESE, *CHARACTERS, "".join(CHARACTERS[:15]), "猫橘的上滩沙"]:
        assert pieces(tokenizer, text) == list(text)
    assert max(len(tokenizer(text).input_ids) for text in CHINESE) <= tokenizer.model_max_length


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("沙滩上的橘猫, happy", [*"沙滩上的橘猫", ",", "happy"]),
        ("a happy 橘猫 on a beach", ["a", "happy", "橘", "猫", "on", "a", "beach"]),
        ("沙滩上，橘猫，，", [*"沙滩上，橘猫，，"]),
        ("橘cat", ["橘", "cat"]),
    ],
)
def test_mixed_prompts(tokenizer: CLIPTokenizer, prompt: str, expected: list[str]) -> None:
    assert pieces(tokenizer, prompt) == expected


def test_unknown_characters_fall_into_bytes_and_spoil_no_neighbour(tokenizer: CLIPTokenizer) -> None:
    assert pieces(tokenizer, "沙滩上的汽车")[:4] == list("沙滩上的")
    assert tokenizer.decode(tokenizer("汽车, 橘猫").input_ids, skip_special_tokens=True) == "汽车 , 橘猫"


def test_characters_change_no_english_prompt(tokenizer: CLIPTokenizer) -> None:
    plain = new_tokenizer(VOCABULARY)
    for text in [*ENGLISH, "a wombat's 12 cars, on the café!"]:
        assert tokenizer.tokenize(text) == plain.tokenize(text)
    assert all(tokenizer.tokenize(word) == [word + "</w>"] for word in VOCABULARY)
    assert len(plain) == 641


def test_the_same_arguments_give_the_same_tokenizer(tokenizer: CLIPTokenizer) -> None:
    for _ in range(3):  # a resumed training makes it anew, and its text encoder knows the words by number
        again = new_tokenizer(VOCABULARY, characters=CHARACTERS)
        assert again.get_vocab() == tokenizer.get_vocab()
        assert again.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()


def test_it_is_the_same_after_saving(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    for text in [*ENGLISH, *CHINESE, "沙滩上的橘猫, happy", "汽车"]:
        assert again(text).input_ids == tokenizer(text).input_ids
    assert again.model_max_length == 32
