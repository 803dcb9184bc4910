"""The interface of a medium: convert files to a model's frames, and results back to files.

Each folder here with a `medium.py` that offers `MEDIUM` is a medium: pictures and sounds. All differences between them
are behind that object, so a third medium is a third folder. A medium may not import requests or models, and uses only
their attributes.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from regrow.media.audio.sound_codec import SoundCodec
from regrow.media.captions.listing import Kind
from regrow.media.content import content_at
from regrow.media.frame import Distance, Extent, Frame, Frames, Latents, Layout, Page, Pair, Picture, Region, Restored
from regrow.media.names import EditMode
from regrow.messages.message import say

Recipe = Mapping[str, Any]


class MediumModel(Protocol):
    """What a medium needs of a model."""

    name: str
    size: tuple[int, int]
    multiple: int
    longest: int | None
    edit_frame: EditMode

    @property
    def factor(self) -> int:
        """How much of each side of a frame one cell of a latent spans."""
        ...

    @property
    def usual_length(self) -> int:
        """Of what is generated where no length is asked for: frames along the last axis."""
        ...

    @property
    def medium(self) -> "Medium":
        """What it makes."""
        ...

    @property
    def sound(self) -> SoundCodec:
        """How it takes waves; a ValueError in one sentence where it makes no sounds."""
        ...

    def encode(self, frames: Frames) -> Latents:
        """Frames to latents."""
        ...

    def decode(self, latents: Latents) -> Frames:
        """Latents to frames."""
        ...

    def latent_shape(self, *extent: int) -> tuple[int, ...]:
        """Channels and places of the latent of a frame of this extent."""
        ...


class Medium(Protocol):
    """All operations that differ between pictures and sounds.

    Errors are one sentence: a MediaError for a file, a ValueError for a setting.

    Attributes:
        name: for sentences: "picture".
        kind: the suffixes of its files.
        ending: the suffix of a result whose name is not given.
        embedded: the model that regrow carries for it.
        sized: whether a size in pixels can be asked for.
        layout: of sheets.
    """

    name: str
    kind: Kind
    ending: str
    embedded: str
    sized: bool
    layout: Layout

    def __str__(self) -> str:
        return self.name

    def require(self, model: MediumModel) -> None:
        """Refuse a model of another medium by a ValueError."""
        if model.medium is not self:
            raise ValueError(
                say("model_of_medium", name=model.name, medium=model.medium, other=self, embedded=self.embedded)
            )

    def check(self, request: Any, model: MediumModel) -> None:
        """Refuse a model of another medium, and settings that only another medium has."""
        ...

    def load(self, path: Path, model: MediumModel, request: Any) -> Frame:
        """Read a file, and fit it to a model as the request says."""
        ...

    def region(
        self, request: Any, frame: Frame, model: MediumModel, latents: Latents, mask: Tensor | None = None
    ) -> Region | None:
        """Return where the file may change; None where everywhere.

        Args:
            request: that says so.
            frame: the file.
            model: the checkpoint.
            latents: of the file.
            mask: a mask from the prompts, one channel, above 0 where the file may change.
        """
        ...

    def restore(
        self, frame: Frame, decoded: Frames, model: MediumModel, request: Any, region: Region | None
    ) -> Restored:
        """Put results back into the file: its size, rate, channels and level, bit for bit what may not change."""
        ...

    def extent(self, request: Any, model: MediumModel, like: Frame | None = None) -> Extent:
        """Return how large what a request asks for is; as large as another file, where one is given."""
        ...

    def like_first(self, request: Any, first: Frame) -> Any:
        """Return the request by which the second file of a pair is loaded, once the first is."""
        ...

    def pair(self, first: Frame, second: Frame, shares: Sequence[float]) -> Pair:
        """Put two files together as one batch, for what lies between them at these shares of the second."""
        ...

    def render(self, latents: Latents, decoded: Frames, model: MediumModel, extent: Extent) -> tuple[Tensor, ...]:
        """Make results of what a model made without a file."""
        ...

    def rate(self, model: MediumModel) -> int | None:
        """Return samples a second of what a model makes; None where it has no rate."""
        ...

    def save(self, path: Path, item: Tensor, recipe: Recipe | None = None, rate: int | None = None) -> tuple[str, ...]:
        """Write a result, whole or not at all, and return sentences on what that lost."""
        ...

    def check_savable(self, path: Path) -> None:
        """Refuse a name that `save` would refuse, before the work is done."""
        ...

    def replayed_ending(self, path: Path) -> str:
        """Return the suffix of a result that is made again from a file, where no name is given."""
        ...

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """Return the recipe that a saved result carries, or None where it carries none."""
        ...

    def result_hash(self, item: Tensor) -> str:
        """Return the hash of a result as it is stored, 32 hexadecimal digits."""
        ...

    def distance(self, a: Tensor, b: Tensor, model: MediumModel) -> Distance:
        """Return how far two frames, without a batch, are apart."""
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

    def codec_psnr(self, decoded: Tensor, content: Tensor) -> float | None:
        """Return in dB how well a codec gives a frame back, on the scale of its training; None where it has none."""
        ...

    def pictures(self, frames: Frames, model: MediumModel) -> Tensor:
        """Return frames as pictures `b 3 h w` to look at."""
        ...

    def preview(self, item: Tensor, rate: int | None, model: MediumModel) -> Picture | None:
        """Return a picture that shows a result; None where the result is one."""
        ...

    def original(self, frame: Frame) -> tuple[Tensor, int | None]:
        """Return what is shown beside an edit as the file before it, and its rate."""
        ...

    def facts(self, path: Path) -> dict[str, Any]:
        """Return what a file says without any model."""
        ...

    def page(self, path: Path, model: MediumModel | None) -> Page | None:
        """Return what a page shows of a file, and of what a model loses of it; None where that needs a model."""
        ...


@cache
def media() -> tuple[Medium, ...]:
    """Return every medium, by the names of their folders."""
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/medium.py"))
    return tuple(import_module(f"regrow.media.{folder}.medium").MEDIUM for folder in folders)


def medium_named(path: Path | str | None) -> Medium | None:
    """Return the medium that a file's suffix names, as it counts for results; None where it names none."""
    suffix = Path(path).suffix.lower() if path is not None else ""
    return next((medium for medium in media() if suffix in medium.kind.suffixes), None)


def medium_at(path: Path | str | None) -> Medium | None:
    """Return the medium of a file by its content; by its suffix where the content says nothing; None where neither."""
    content = content_at(path) if path is not None else None
    return next((medium for medium in media() if content and medium.name == content.medium), medium_named(path))


def medium_of(path: Path | str) -> Medium:
    """Return the medium of a file, pictures where nothing says which: what it is said to be then is their business."""
    from regrow.media.image.medium import MEDIUM as PICTURE  # which imports this module

    return medium_at(path) or PICTURE
