"""What a codec is: from frames, which are pictures, mels or waves as a model takes them, to latents and back."""

from collections.abc import Sequence
from typing import Literal, Protocol

from jaxtyping import Float
from torch import Tensor

Way = Literal["encode", "decode"]
"""Of a codec: from frames to latents, or back."""


class CodecEngine(Protocol):
    """What may compute a codec's networks in torch's stead."""

    @property
    def name(self) -> str:
        """As recipes name it: the library, and what it computes in."""
        ...

    def coded(self, way: Way, x: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"] | None:
        """Return what the network returns, of frames or of latents in its own scale; None leaves it to torch."""
        ...


class Codec(Protocol):
    """From frames `b channels *extent` to latents `b latent_channels *places` as the network was trained on them."""

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        ...

    @property
    def factor(self) -> int:
        """How much of each side of a frame one cell of a latent spans."""
        ...

    @property
    def part(self) -> str | None:
        """The checkpoint's part that computes it; None where the latents are the frames."""
        ...

    def encode(
        self, frames: Float[Tensor, "b channels *extent"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c *places"]:
        """Return latents, free of chance: of a posterior the mean."""
        ...

    def decode(
        self, latents: Float[Tensor, "b c *places"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels *extent"]:
        """Return frames, clamped to what frames may be."""
        ...

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        """Return the extent of the frames of latents of this many cells."""
        ...


class Identity:
    """No codec: the latents are the frames.

    Args:
        channels: of both.
    """

    factor = 1
    part = None

    def __init__(self, channels: int) -> None:
        self.latent_channels = channels

    def encode(
        self, frames: Float[Tensor, "b c *extent"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c *extent"]:
        return frames

    def decode(
        self, latents: Float[Tensor, "b c *extent"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c *extent"]:
        return latents.clamp(-1, 1)

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(places)
