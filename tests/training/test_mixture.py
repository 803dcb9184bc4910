"""A folder and a world as one: every item keeps its caption, and what is held out stays held out."""

import numpy as np
import pytest

from regrow.requests.train import Train
from regrow.training.training_data import Data, mixed


def numbers(first: int, count: int, held_out: int, word: str) -> Data:
    """Pictures of one pixel whose value is their number."""
    items = np.arange(first, first + count, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    return Data(items, None, lambda i, seed: f"{word} {first + i} {seed}", held_out, word, (word,), ())


@pytest.mark.parametrize("held_out", [0, 2])
def test_every_item_keeps_its_caption_and_its_side(held_out: int) -> None:
    own, known = numbers(0, 5, held_out, "bear"), numbers(100, 9, 3, "cat")
    both = mixed(own, known, "mixed")
    values = both.items[:, 0, 0, 0].tolist()
    for i, value in enumerate(values):
        assert both.caption(i, 7) == f"{'bear' if value < 100 else 'cat'} {value} 7"
    assert both.held_out == held_out + 3
    assert set(values[: both.trained_on]) == {*range(5 - held_out), *range(100, 106)}
    assert set(values[both.trained_on :]) == {*range(5 - held_out, 5), *range(106, 109)}
    assert (both.words, both.notes) == (("bear", "cat"), ("mixed",))
    assert both.content != own.content
    assert both.notes_of is None  # or a new network would wait for the notes of pictures


def test_nothing_to_train_on_is_named() -> None:
    with pytest.raises(
        ValueError, match="There is nothing to train on: name a folder of pictures or sounds, or a --world"
    ):
        Train(name="mine")
