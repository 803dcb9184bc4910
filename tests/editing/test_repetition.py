"""How notes go on: scores whose beat and form are known."""

from random import Random

import pytest

from regrow.editing.repetition import going_on, grid_of
from regrow.media.audio.piano_roll import PlayedNote
from regrow.worlds.bandstand.composition import notes
from regrow.worlds.bandstand.phrase import TEMPOS
from regrow.worlds.bandstand.playing import Phrase


def bar(times: int, beat: float = 0.5) -> list[PlayedNote]:
    """Two beats of three notes, again and again."""
    tune = [(0.0, 60), (0.8, 64), (1.2, 67)]
    return [PlayedNote((2 * i + at) * beat, 0.4 * beat, key) for i in range(times) for at, key in tune]


def test_what_comes_again_goes_on_from_where_it_is() -> None:
    known, longer = bar(3), bar(7)
    found = going_on([note for note in known if note.onset < 2.8], 2.8, 4.1, before=False)
    assert [(note.pitch, round(note.onset, 1)) for note in found] == [
        (note.pitch, round(note.onset, 1)) for note in longer if note.onset < 6.9
    ]


def test_what_comes_before_is_what_would_lead_there() -> None:
    found = going_on(bar(3), 3.0, 2.0, before=True)
    earlier = [note for note in found if note.onset < 0]
    assert [(note.pitch, round(note.onset, 1)) for note in earlier] == [
        (60, -2.0), (64, -1.6), (67, -1.4), (60, -1.0), (64, -0.6), (67, -0.4),
    ]  # fmt: skip
    assert found[len(earlier) :] == tuple(bar(3))


def test_the_grid_of_nearly_every_score_is_a_simple_part_of_its_beat() -> None:
    right = []
    for seed in range(200):
        phrase = Phrase.random(seed)
        onsets = sorted({note.onset + Random(seed).uniform(-0.012, 0.012) for note in notes(phrase, 4.0)})
        step = grid_of(onsets)
        if len(onsets) > 3:
            beats = (step or 0) * TEMPOS[phrase.tempo] / 60
            right.append(min(abs(beats - part) for part in (0.25, 0.5, 0.75, 1, 1.5, 2, 3)) < 0.02)
    assert len(right) > 150
    assert sum(right) > 0.93 * len(right)


@pytest.mark.parametrize("onsets", [[], [0.5], [0.5, 0.51]])
def test_one_onset_has_no_beat(onsets: list[float]) -> None:
    assert grid_of(onsets) is None
    assert going_on([PlayedNote(onset, 0.2, 60) for onset in onsets], 2.0, 1.0, before=False) == ()


@pytest.mark.parametrize("beat", [0.5, 0.5 - 1e-12, 0.5 + 1e-12])
def test_without_a_repetition_all_of_it_comes_again_however_a_machine_rounds(beat: float) -> None:
    tune = [PlayedNote(beat * i, 0.4, key) for i, key in enumerate((60, 62, 67, 64, 71))]
    found = going_on(tune, 2.5, 2.5, before=False)
    assert [note.pitch for note in found] == [60, 62, 67, 64, 71] * 2
    assert [round(note.onset, 2) for note in found] == [0.5 * i for i in range(10)]


@pytest.mark.parametrize("before", [False, True])
def test_a_chord_at_the_very_end_and_a_long_file_come_to_an_end(before: bool) -> None:
    going_on([PlayedNote(2.974, 0.02, 60), PlayedNote(2.976, 0.02, 64)], 3.0, 4.0, before)
    found = going_on(bar(600), 600.0, 4.0, before)
    assert len(found) == pytest.approx(1800 + 12, abs=1)
