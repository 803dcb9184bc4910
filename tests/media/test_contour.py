"""Contours in closed form, and notes that are the same."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regrow.media.contour import FADES, ContourSettings, PlayedNote, contour, matches, raster

SMALL = ContourSettings(lowest=60, keys=4, steps=2)


def test_a_held_note_is_the_mean_of_its_curve() -> None:
    """The integral of (1 + exp(-u / f)) / 2 from a to b, over b - a."""
    found = raster([PlayedNote(0.25, 0.5, 61)], 10, 0.1, SMALL)
    assert torch.equal(found[[0, 2, 3]], torch.zeros(3, 10))

    def whole(u: float) -> float:
        return (u + FADES * (1 - math.exp(-u / FADES))) / 2

    edges = [min(max(0.1 * i - 0.25, 0), 0.5) for i in range(11)]
    expected = [(whole(b) - whole(a)) / 0.1 for a, b in pairwise(edges)]
    torch.testing.assert_close(found[1], torch.tensor(expected))
    assert found[1, 3] > found[1, 6] > found[1, 7] > 0  # struck, held, let go
    assert found[1, 8] == 0


@given(st.floats(0, 0.9), st.floats(0.01, 2), st.integers(40, 80))
def test_values_are_shares_and_keys_outside_are_left_out(onset: float, duration: float, pitch: int) -> None:
    found = raster([PlayedNote(onset, duration, pitch)], 12, 0.1, SMALL)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert (float(found.sum()) > 0) == (60 <= pitch < 64)


def test_where_a_note_begins_within_a_column_is_seen() -> None:
    early, late = (raster([PlayedNote(0.1 + x, 1, 60)], 10, 0.1, SMALL)[0, 1] for x in (0.01, 0.02))
    assert float(early - late) == pytest.approx((1 + math.exp(-0.085 / FADES)) / 2 * 0.01 / 0.1, rel=1e-3)


def test_a_cell_has_all_keys_at_all_of_its_steps_and_says_that_it_was_told() -> None:
    notes = [PlayedNote(0.0, 0.1, 60), PlayedNote(0.32, 0.05, 63)]
    found = contour(notes, 3, 0.2, SMALL)
    assert found.shape == (SMALL.channels, 3) == (9, 3)
    assert torch.equal(found[-1], torch.ones(3))
    columns = raster(notes, 6, 0.1, SMALL)
    assert torch.equal(found[:-1, 1].reshape(4, 2), columns[:, 2:4])
    assert (found[:-1, 1] > 0).nonzero().flatten().tolist() == [3 * 2 + 1]


def test_notes_match_within_their_key_and_at_most_once() -> None:
    score = [PlayedNote(0.0, 0.1, 60), PlayedNote(0.5, 0.1, 60), PlayedNote(0.5, 0.1, 64)]
    assert matches(score, score) == 3
    assert matches([PlayedNote(0.04, 1, 60), PlayedNote(0.02, 1, 60)], score) == 1
    assert matches([PlayedNote(0.56, 1, 60), PlayedNote(0.0, 1, 61)], score) == 0


@pytest.mark.parametrize(("name", "value"), [("keys", 0), ("lowest", 128), ("steps", True), ("keys", "64")])
def test_a_raster_that_is_none_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a whole number from 1 to"):
        ContourSettings(**{name: value})  # pyright: ignore[reportArgumentType]
