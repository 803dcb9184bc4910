"""The interface of a codec: from frames (pictures, mels or waves as a model takes them) to latents and back."""

from collections.abc import Sequence
from typing import Literal, Protocol

from jaxtyping import Float
from torch import Tensor

Way = Literal["encode", "decode"]
"""Direction of a codec: frames to latents, or back."""


class CodecEngine(Protocol):
    """An engine that may compute a codec's networks instead of torch."""

    @property
    def name(self) -> str:
        """Its name in recipes: the library and the precision."""
        ...

    def coded(self, way: Way, x: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"] | None:
        """Return the network's output for frames, or for latents in its own scale; None leaves it to torch."""
        ...


class Codec(Protocol):
    """Frames `b channels *extent` to latents `b latent_channels *places`, scaled as in training, and back."""

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        ...

    @property
    def factor(self) -> int:
        """Pixels, mel cells or samples that one latent cell spans along each side."""
        ...

    @property
    def part(self) -> str | None:
        """The checkpoint's part that computes it; None where the latents are the frames."""
        ...

    def encode(
        self, frames: Float[Tensor, "b channels *extent"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c *places"]:
        """Return latents without sampling: of a posterior, the mean."""
        ...

    def decode(
        self, latents: Float[Tensor, "b c *places"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels *extent"]:
        """Return frames, clamped to their range."""
        ...

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        """Return the extent of frames whose latents have these cells."""
        ...


class Identity:
    """No codec: the latents are the frames.

    Args:
        channels: channels of frames and latents.
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
