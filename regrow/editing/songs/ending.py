"""The end of an edited song."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from regrow.worlds.songbook.alignment import FRAME, align
from regrow.worlds.songbook.score import read_score


def cut_to_scores(
    waves: Sequence[Float[Tensor, "channels n"]], scores: Sequence[str], rate: int
) -> tuple[Float[Tensor, "channels m"], ...]:
    """Return waves that end where their scores do; after a faster or shorter song, the rest of the file is silent.

    Args:
        waves: edited songs, at least as long as their scores.
        scores: what each sings, as text.
        rate: samples per second.
    """
    seconds = [align(read_score(score)).frames * FRAME for score in scores]
    return tuple(wave[:, : round(length * rate)] for wave, length in zip(waves, seconds, strict=True))
