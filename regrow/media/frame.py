"""Data between files, models and results: frames, regions, extents, pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from regrow.media.image.sheet import Cell, Row

Frames = Float[Tensor, "b channels *places"]
Latents = Float[Tensor, "b c *cells"]
Picture = Float[Tensor, "channels h w"]
"""`3 h w`, or `4 h w` with alpha, in [-1, 1]."""
Distance = dict[str, float | None]
"""Named figures of how far two frames are apart; None where they are equal."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A file as a model takes it.

    Each medium adds what it needs to undo the fitting.

    Attributes:
        content: what is encoded.
        notes: sentences on what was done to the file.
    """

    content: Float[Tensor, " channels *places"]
    notes: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """Fields of the request as they were settled for this file, so that its recipe says them."""
        return {}


@dataclass(frozen=True, eq=False, kw_only=True)
class Region:
    """The region of a file that may change; each medium adds what it needs to keep the rest.

    Attributes:
        latents: 1 where a cell may change, 0 where not, between that much; one mask for all results or one each.
        frame: the same in the model's frame, for networks that look at it; None where it is no finer than `latents`.
        evaluations: network calls that it took to find it, for one target.
        notes: sentences on what was done to a mask.
    """

    latents: Float[Tensor, "m 1 *cells"]
    frame: Float[Tensor, "m 1 *places"] | None = None
    evaluations: int = 0
    notes: tuple[str, ...] = ()

    def facts(self, index: int) -> dict[str, Any]:
        """Return what the recipe of a result says of it, by the recipe's keys."""
        return {}

    def picture(self, index: int) -> Float[Tensor, "3 h w"] | None:
        """Return the mask of a result as a picture that `--mask` takes; None where the region is no mask."""
        return None


@dataclass(frozen=True)
class Extent:
    """How large new results are.

    Attributes:
        shape: of the latent of each, without the batch.
        samples: of each wave; 0 for pictures.
        seconds: that each lasts; 0 for pictures.
        loop: whether the end leads into the beginning.
        levels: of sounds, what each result is multiplied by, where that is known.
        clipped: whether sounds end at full scale though their level is known.
    """

    shape: tuple[int, ...]
    samples: int = 0
    seconds: float = 0.0
    loop: bool = False
    levels: tuple[float, ...] = ()
    clipped: bool = False


class Restored(NamedTuple):
    """Results in the file's own size, rate and channels, the same in the model's frame, and samples per second."""

    items: tuple[Tensor, ...]
    frames: Float[Tensor, "b channels *places"]
    rate: int | None = None


class Pair(NamedTuple):
    """Two files as one batch, how large what lies between them is, and sentences on what was done to them."""

    content: Float[Tensor, "2 channels *places"]
    extent: Extent
    notes: tuple[str, ...]


class Page(NamedTuple):
    """What `regrow inspect` shows of a file.

    Attributes:
        facts: JSON values, to be added to the file's own.
        rows: of the page.
        latents: whose path to noise the page shows, too; None where it shows none.
        lost: what is lost on the way through a model, as the local page says it.
        cell: pixels of a cell of the page.
    """

    facts: dict[str, Any]
    rows: list[Row]
    latents: Float[Tensor, "1 c *cells"] | None
    lost: dict[str, Any]
    cell: int


class Layout(NamedTuple):
    """Of a comparison sheet: pixels of a cell, how many stand in a row, and what its distances are."""

    cell: int
    columns: int
    caption: str

    def rows(self, title: str, cells: Sequence[Cell]) -> list[Row]:
        """Break cells into rows, the first of which has the title."""
        starts = range(0, len(cells), self.columns)
        return [Row("" if i else title, cells[i : i + self.columns]) for i in starts]
