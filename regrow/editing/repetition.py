"""Repeat the notes of a sound in their own beat, to condition the part that is added.

The grid is the widest on which all onsets lie. What is repeated is a whole number of its steps: one period where the
notes already repeat, else all notes.
"""

import math
from collections.abc import Sequence

import numpy as np

from regrow.media.audio.piano_roll import WITHIN, PlayedNote, Sounding

NEAR = 8.0
"""Seconds beside what is added in which the beat is looked for: players drift."""
FEWEST = 2
"""Least number of onsets from which a beat is found."""
ASTRAY = 0.1
"""The fraction of onsets that may be off the grid, as a transcriber also reports wrong ones."""
STEPS = np.arange(0.10, 1.20, 0.002)
"""Seconds between the lines of grids that are tried."""
OFF = 0.03
"""Seconds that the others may be off it, in the root of their mean square."""
ENOUGH = 3
"""Notes that a repetition can be told from."""
ROUNDED = 1e-6
"""Seconds by which sums of onsets are off, by the rounding of this machine or that."""
ALIKE = 0.75
"""The share of notes that come again, from which on they are said to."""


def going_on(notes: Sequence[Sounding], length: float, seconds: float, before: bool) -> tuple[PlayedNote, ...]:
    """Notes of a sound, and what comes after or before them if they are repeated; none where they have no beat.

    Args:
        notes: of the known sound.
        length: seconds of it.
        seconds: that are added.
        before: whether before it, not after it.
    """
    begin, end = (0.0, min(NEAR, length)) if before else (max(0.0, length - NEAR), length)
    near = [note for note in notes if begin <= note.onset < end]
    step = grid_of([note.onset for note in near])
    if step is None:
        return ()
    period = _period(near, end - begin, end - min(note.onset for note in near), step)
    found = [PlayedNote(note.onset, note.duration, note.pitch) for note in notes]
    # the last period is what comes next, the first what came before
    first, last = (begin, begin + period) if before else (end - period, end)
    again = [note for note in near if first - ROUNDED <= note.onset < last - ROUNDED]
    begins, ends = (-seconds - WITHIN, -WITHIN) if before else (length - WITHIN, length + seconds - ROUNDED)
    for i in range(1, math.ceil(seconds / period) + 2):
        for note in again:
            onset = note.onset - i * period if before else note.onset + i * period
            if begins <= onset < ends:
                found.append(PlayedNote(onset, note.duration, note.pitch))
    return tuple(sorted(found, key=lambda note: (note.onset, note.pitch)))


def grid_of(onsets: Sequence[float]) -> float | None:
    """Seconds between the lines of the widest grid on which all onsets lie; None where there is none, or too few."""
    times = np.unique(np.round(np.asarray(onsets) / WITHIN).astype(int))
    if len(times) < FEWEST:
        return None
    apart = np.asarray(onsets) - min(onsets)
    turns = np.exp(2j * np.pi * apart[:, None] / STEPS)
    centre = np.angle(turns.mean(0)) / (2 * np.pi)
    off = apart[:, None] / STEPS - centre
    nearest = np.sort(np.abs(off - off.round()), axis=0)[: len(off) - int(ASTRAY * len(off))]
    error = STEPS * np.sqrt(np.square(nearest).mean(0))
    # at its best, for one that is as wide as the error allows is too wide; and on lines close together lies anything
    best = (error[1:-1] <= error[:-2]) & (error[1:-1] <= error[2:])
    fits = np.nonzero(best & (error < OFF)[1:-1] & (error < STEPS / 8)[1:-1])[0]
    if not len(fits):
        return None
    found = fits[-1] + 1
    lines = off[:, found].round()
    # between the steps that were tried: the slope of the line through the onsets
    return float(np.polyfit(lines, apart, 1)[0]) if np.ptp(lines) else float(STEPS[found])


def _period(notes: Sequence[Sounding], span: float, held: float, step: float) -> float:
    """Seconds after which the notes come again: a whole number of steps, of those from the first note to the end."""
    first, best = min(note.onset for note in notes), (0.0, 0.0)
    for count in range(max(1, math.ceil(span / 4 / step)), math.floor((held + ROUNDED) / step) + 1):
        period = count * step
        later = [note for note in notes if note.onset >= first + period - WITHIN]
        if len(later) < ENOUGH:
            break
        score = sum(_played_before(note, notes, period) for note in later) / len(later)
        best = max(best, (round(score, 2), period))
    return best[1] if best[0] >= ALIKE else max(1, math.ceil((held - WITHIN) / step)) * step


def _played_before(note: Sounding, notes: Sequence[Sounding], period: float) -> float:
    """1 if the same note is heard a period before, half of that for another one."""
    there = [other.pitch == note.pitch for other in notes if abs(other.onset + period - note.onset) < WITHIN]
    return 1.0 if any(there) else 0.5 if there else 0.0
