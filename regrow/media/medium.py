"""Medium: what a file becomes for a model, and how what the model makes goes back into a file.

Each folder of this room that holds a `medium.py` with a `MEDIUM` is one: pictures and sounds. Whatever differs between
them is asked of that object, so that a third medium is a third folder. A medium sees requests and models through the
attributes that it reads, for it may import neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.sound_codec import SoundCodec
from regrow.media.captions.listing import Kind
from regrow.media.image.sheet import Cell, Row

Recipe = Mapping[str, Any]
Distance = dict[str, float | None]
"""Named figures of how far two frames are apart; None where they are equal."""


class MediumModel(Protocol):
    """What a medium needs of a model."""

    name: str
    size: tuple[int, int]
    multiple: int
    factor: int

    @property
    def medium(self) -> "Medium":
        """What it makes."""
        ...

    @property
    def sound(self) -> SoundCodec:
        """How it takes waves; a ValueError in one sentence where it makes no sounds."""
        ...

    def encode(self, pictures: Float[Tensor, "b channels *places"]) -> Float[Tensor, "b c *cells"]:
        """Frames to latents."""
        ...

    def decode(self, latents: Float[Tensor, "b c *cells"]) -> Float[Tensor, "b channels *places"]:
        """Latents to frames."""
        ...

    def latent_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Channels and places of the latent of a frame of this size."""
        ...


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


@dataclass(frozen=True, eq=False, kw_only=True)
class Region:
    """Where a file may change; each medium adds what it needs to keep the rest.

    Attributes:
        latents: 1 where a cell may change, 0 where not, between that much; one mask for all results or one each.
        evaluations: network calls that it took to find it, for one target.
        notes: sentences on what was done to a mask.
    """

    latents: Float[Tensor, "m 1 *cells"]
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
    """

    shape: tuple[int, ...]
    samples: int = 0
    seconds: float = 0.0
    loop: bool = False
    levels: tuple[float, ...] = ()


class Restored(NamedTuple):
    """Results in the file's own size, rate and channels, the same in the model's frame, and samples a second."""

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


class Medium(Protocol):
    """Everything that pictures and sounds do each in their own way.

    Attributes:
        name: for sentences: "picture".
        kind: the suffixes of its files.
        ending: the suffix of a result whose name is not given.
        embedded: the model that regrow carries for it.
        layout: of sheets.
    """

    name: str
    kind: Kind
    ending: str
    embedded: str
    layout: Layout

    def __str__(self) -> str:
        return self.name

    def check(self, request: Any, model: MediumModel) -> None:
        """Refuse a model of another medium, and settings that only another medium has.

        Raises:
            ValueError: in one sentence.
        """
        ...

    def load(self, path: Path, model: MediumModel, request: Any) -> Frame:
        """Read a file and fit it to a model.

        Args:
            path: of the file.
            model: whose size or rate it gets.
            request: that says how it is fitted.

        Raises:
            MediaError: the file cannot be used.
        """
        ...

    def region(
        self,
        request: Any,
        frame: Frame,
        model: MediumModel,
        latents: Float[Tensor, "1 c *cells"],
        mask: Float[Tensor, "m 1 *cells"] | None = None,
    ) -> Region | None:
        """Return where the file may change; None where everywhere.

        Args:
            request: that says so.
            frame: the file.
            model: the checkpoint.
            latents: of the file.
            mask: a mask from the prompts, above 0 where the file may change.

        Raises:
            MediaError: a mask cannot be read, or nothing of it lies where the model looks.
            ValueError: the file ends before the region begins.
        """
        ...

    def restore(
        self,
        frame: Frame,
        decoded: Float[Tensor, "b channels *places"],
        model: MediumModel,
        request: Any,
        region: Region | None,
    ) -> Restored:
        """Put results back into the file: its size, rate, channels and level, bit for bit what may not change."""
        ...

    def extent(self, request: Any, model: MediumModel, like: Frame | None = None) -> Extent:
        """Return how large what a request asks for is; as large as another file, where one is given.

        Raises:
            ValueError: the size does not fit the model.
        """
        ...

    def pair(self, first: Frame, second: Frame, shares: Sequence[float]) -> Pair:
        """Put two files together as one batch, for what lies between them at these shares of the second."""
        ...

    def render(
        self,
        latents: Float[Tensor, "b c *cells"],
        decoded: Float[Tensor, "b channels *places"],
        model: MediumModel,
        extent: Extent,
    ) -> tuple[Tensor, ...]:
        """Make results of what a model made without a file."""
        ...

    def rate(self, model: MediumModel) -> int | None:
        """Return samples a second of what a model makes; None where it has no rate."""
        ...

    def save(self, path: Path, item: Tensor, recipe: Recipe | None = None, rate: int | None = None) -> tuple[str, ...]:
        """Write a result, whole or not at all, and return sentences on what that lost.

        Raises:
            MediaError: it cannot be written.
        """
        ...

    def check_savable(self, path: Path) -> None:
        """Refuse a name that `save` would refuse, before the work is done.

        Raises:
            MediaError: unknown suffix, or a folder that may not be written in.
        """
        ...

    def replayed_ending(self, path: Path) -> str:
        """Return the suffix of a result that is made again from a file, where no name is given."""
        ...

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """Return the recipe that a saved result carries, or None where it carries none.

        Raises:
            MediaError: the file cannot be read, or its recipe is damaged.
        """
        ...

    def result_hash(self, item: Tensor) -> str:
        """Return the hash of a result as it is stored, 32 hexadecimal digits."""
        ...

    def distance(
        self, a: Float[Tensor, " channels *places"], b: Float[Tensor, " channels *places"], model: MediumModel
    ) -> Distance:
        """Return how far two frames are apart."""
        ...

    def distance_text(self, distance: Distance) -> str:
        """Put a distance into words."""
        ...

    def distance_caption(self, distance: Distance) -> str:
        """Put a distance into a few words, to stand under a cell of a sheet."""
        ...

    def distance_short(self, distance: Distance) -> str:
        """Put the first figure of a distance into words."""
        ...

    def codec_psnr(self, decoded: Float[Tensor, " c *places"], content: Float[Tensor, " c *places"]) -> float | None:
        """Return in dB how well a codec gives a frame back, on the scale of its training; None where it has none."""
        ...

    def pictures(self, frames: Float[Tensor, "b c *places"], model: MediumModel) -> Float[Tensor, "b 3 h w"]:
        """Return frames as pictures to look at."""
        ...

    def preview(self, item: Tensor, rate: int | None, model: MediumModel) -> Float[Tensor, "3 h w"] | None:
        """Return a picture that shows a result; None where the result is one."""
        ...

    def original(self, frame: Frame) -> tuple[Tensor, int | None]:
        """Return what is shown beside an edit as the file before it, and its rate."""
        ...

    def facts(self, path: Path) -> dict[str, Any]:
        """Return what a file says without any model.

        Raises:
            MediaError: it cannot be read.
        """
        ...

    def page(self, path: Path, model: MediumModel | None) -> Page | None:
        """Return what a page shows of a file, and of what a model loses of it; None where that needs a model.

        Raises:
            MediaError: the file cannot be used.
        """
        ...


@cache
def media() -> tuple[Medium, ...]:
    """Return every medium, by the names of their folders."""
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/medium.py"))
    return tuple(import_module(f"regrow.media.{folder}.medium").MEDIUM for folder in folders)


def medium_named(path: Path | str | None) -> Medium | None:
    """Return the medium that a file's suffix names; None where it names none."""
    suffix = Path(path).suffix.lower() if path is not None else ""
    return next((medium for medium in media() if suffix in medium.kind.suffixes), None)


def medium_of(path: Path | str) -> Medium:
    """Return the medium of a file: a suffix that names none may be a picture's, which its content says."""
    from regrow.media.image.medium import MEDIUM as PICTURE  # which imports this module

    return medium_named(path) or PICTURE
