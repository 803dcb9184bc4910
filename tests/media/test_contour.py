"""Contours in closed form, and notes that are the same."""

import math
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regrow.media.audio.mel import MelSettings, shares_of, to_mel
from regrow.media.audio.piano_roll import FADES, PianoRollSettings, PlayedNote, matches, piano_roll, raster

SMALL = PianoRollSettings(lowest=60, keys=4, steps=2)


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


def test_a_note_is_drawn_where_a_mel_shows_it() -> None:
    """A sawtooth's loudest bands are those that its key is drawn in, cell by cell, and while it sounds."""
    settings, factor, mel = PianoRollSettings(), 16, MelSettings()
    found = piano_roll([PlayedNote(1.0, 1.5, 64)], 32, factor, settings, mel)
    assert found.shape == (settings.channels(factor), 8, 32)
    assert torch.equal(found[-1], torch.ones(8, 32))
    pictures = torch.zeros(2, 128, 32 * 8)
    for row, cell, band, step in product(range(8), range(32), range(16), range(8)):
        for picture in range(2):
            value = found[(picture * 16 + band) * 8 + step, row, cell]
            pictures[picture, row * 16 + band, cell * 8 + step] = value

    hertz = 440 * 2 ** ((64 - 69) / 12)
    time = torch.arange(22_050 * 3, dtype=torch.float64) / 22_050
    partials = range(1, 17)
    wave = sum(torch.sin(2 * math.pi * p * hertz * time) for p in partials) / 20
    heard = to_mel(wave.float()[None, None], mel)[0, 0, :, 120]
    column = int(2.0 / (256 * 2 / 22_050))
    assert int(pictures[0, :, column].argmax()) == int(heard[:18].argmax())
    for p in partials[:10]:  # above, they lie closer than the bands
        band = int(shares_of(torch.tensor([p * hertz]), mel)[0].argmax())
        assert pictures[1, band, column] > 0.2
        assert heard[band] > heard.max() - 12
    between = int(shares_of(torch.tensor([1.5 * hertz]), mel)[0].argmax())
    assert pictures[1, between, column] == 0
    assert heard[between] < heard.max() - 20
    sounds = pictures[0].amax(0) > 0
    assert sounds.nonzero()[0] * 2 * 256 / 22_050 == pytest.approx(1.0, abs=0.03)
    assert sounds.nonzero()[-1] * 2 * 256 / 22_050 == pytest.approx(2.5, abs=0.03)


def test_of_notes_at_once_each_is_drawn() -> None:
    settings, mel = PianoRollSettings(), MelSettings()
    notes = [PlayedNote(0.0, 0.5, 50), PlayedNote(0.2, 0.6, 57)]
    both, *each = (piano_roll(some, 8, 16, settings, mel) for some in (notes, notes[:1], notes[1:]))
    assert torch.equal(both, torch.maximum(*each))


def test_notes_match_within_their_key_and_at_most_once() -> None:
    score = [PlayedNote(0.0, 0.1, 60), PlayedNote(0.5, 0.1, 60), PlayedNote(0.5, 0.1, 64)]
    assert matches(score, score) == 3
    assert matches([PlayedNote(0.04, 1, 60), PlayedNote(0.02, 1, 60)], score) == 1
    assert matches([PlayedNote(0.56, 1, 60), PlayedNote(0.0, 1, 61)], score) == 0


@pytest.mark.parametrize(("name", "value"), [("keys", 0), ("lowest", 128), ("steps", True), ("partials", "9")])
def test_a_raster_that_is_none_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a whole number from 1 to"):
        PianoRollSettings(**{name: value})  # pyright: ignore[reportArgumentType]
