"""Find the frames of a song that may change when its score changes."""

import numpy as np
from jaxtyping import Bool

from regrow.worlds.songbook.alignment import align
from regrow.worlds.songbook.score import Score

MARGIN = 5
"""Frames around a change in a score that may change in the sound, too, as neighbouring phones affect each other."""


def changed_frames(old: Score, new: Score) -> Bool[np.ndarray, " frames"] | None:
    """Return the frames that may change between two scores, with a margin of `MARGIN`; None if all may.

    Frames whose phone stays, but lasts longer or shorter, do not count: counting them changed samples needlessly
    (LOG.md).
    """
    first, second = align(old), align(new)
    same_voice = (new.singer, new.vibrato, new.glide) == (old.singer, old.vibrato, old.glide)
    if second.frames != first.frames or not same_voice:
        return None
    changed = first.phones()[:, 0] != second.phones()[:, 0]
    changed |= (np.abs(first.pitch - second.pitch) > 0.01) | (np.abs(first.level - second.level) > 0.01)
    return np.convolve(changed, np.ones(2 * MARGIN + 1), "same") > 0.5


def runs_of(frames: Bool[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """Return the runs of True in a mask: the first frame of each, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames.astype(int), [0]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
