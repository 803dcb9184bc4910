"""What an engine is: something that computes a checkpoint's networks in torch's stead."""

from collections.abc import Sequence
from typing import Protocol

from jaxtyping import Float, Int
from torch import Tensor

from regrow.models.codecs.codec import CodecEngine, Way


class Engine(CodecEngine, Protocol):
    """What computes networks in torch's stead. What is not overridden is left to torch."""

    def __call__(
        self, x_t: Float[Tensor, "b c *places"], labels: Float[Tensor, " b"], condition: Sequence[Tensor]
    ) -> Float[Tensor, "b c *places"]:
        """Return what the denoising network returns.

        Args:
            x_t: noisy latents, with whatever stands beside them.
            labels: one a sample.
            condition: `Condition.tensors`, one row a sample.
        """
        ...

    def coded(self, way: Way, x: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"] | None:
        """Return what the codec returns, of frames or of latents in its own scale; None leaves it to torch."""
        return None

    def encoded_words(self, ids: Int[Tensor, "b tokens"]) -> Float[Tensor, "b tokens dim"] | None:
        """Return what the text encoder returns for token ids; None leaves it to torch."""
        return None
