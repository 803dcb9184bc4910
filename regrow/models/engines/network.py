"""A checkpoint's networks in the form that engines take: tensors in, a tensor out, opened only to be converted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from regrow.messages.message import say
from regrow.models.codecs.autoencoder import Autoencoder
from regrow.models.codecs.codec import Way
from regrow.models.errors import ModelError
from regrow.models.model import Model


@dataclass(frozen=True, eq=False)
class CodecNetwork:
    """The two networks of a codec.

    Attributes:
        module: opens the network of one direction; on the CPU and in float32.
        channels: channels of the input, by direction.
        multiple: number that divides the input's sides, by direction.
        rounds: whether it may be computed below float32; if not, results must equal torch's.
    """

    module: Callable[[Way], nn.Module]
    channels: dict[Way, int]
    multiple: dict[Way, int]
    rounds: bool


@dataclass(frozen=True, eq=False)
class Network:
    """The networks that an engine computes.

    Attributes:
        name: for messages.
        content: hash of the files that it was read from.
        module: `(x_t, labels, *condition) -> output`, on the CPU and in float32.
        condition: returns the condition's tensors for one sample.
        channels: channels of `x_t`.
        sides: sides of the latents that it was made for.
        multiple: see `Model.network_multiple`.
        weights: number of its weights.
        codec: the codec's networks; None leaves the codec to torch.
        words: opens the text encoder, from token ids to vectors; None leaves it to torch.
    """

    name: str
    content: str
    module: Callable[[], nn.Module]
    condition: Callable[[], tuple[Tensor, ...]]
    channels: int
    sides: tuple[int, ...]
    multiple: int
    weights: int
    codec: CodecNetwork | None = None
    words: Callable[[], nn.Module] | None = None


class _Forward(nn.Module):
    """A model's `forward` with tensors in and a tensor out, as tracing needs it."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model, self.network = model, model.network
        self.like = model.unconditional(1) if model.takes_words else model.condition([""])

    def forward(self, x_t: Tensor, labels: Tensor, *condition: Tensor) -> Tensor:
        return self.model.forward(x_t, labels, self.like.with_tensors(condition))


class _Coding(nn.Module):
    """One direction of AutoencoderTiny, likewise."""

    def __init__(self, codec: Any, way: Way) -> None:
        super().__init__()
        self.codec, self.way = codec, way

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self.codec, self.way)(x, return_dict=False)[0]


class _Words(nn.Module):
    """The text encoder, from ids to vectors."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.encoders = nn.ModuleList(model.text_encoders)

    def forward(self, ids: Tensor) -> Tensor:
        return self.model.encode_tokens(ids).tokens


def network_of(model: Model) -> Network:
    """Return the networks of a checkpoint.

    Raises:
        ModelError: no engine can compute networks of this family.
    """
    if not model.engine_graph:
        raise ModelError(say("no_engine_for_family", name=model.name, family=model.family))
    channels, height, width = model.latent_shape(*model.size)
    beside = model.piano_roll.channels(model.codec.factor) if model.piano_roll else 0
    plain = model.using(None)

    def condition() -> tuple[Tensor, ...]:
        return (plain.unconditional(1) if plain.takes_words else plain.condition([""])).tensors

    return Network(
        model.name,
        model.content_hash,
        lambda: _Forward(plain),
        condition,
        channels + beside,
        (height, width),
        model.network_multiple,
        model.parts.weights(model.NETWORK),
        _codec_of(plain),
        (lambda: _Words(plain)) if model.encodes_tokens_alone else None,
    )


def _codec_of(model: Model) -> CodecNetwork | None:
    """Return the networks of an AutoencoderTiny, which an engine speeds up; None for other codecs."""
    codec = model.codec
    if not isinstance(codec, Autoencoder) or not codec.tiny:
        return None
    part = codec.part
    config = codec.parts.config(part)
    multiples: dict[Way, int] = {"encode": codec.factor, "decode": 1}
    channels: dict[Way, int] = {"encode": config["in_channels"], "decode": codec.latent_channels}
    return CodecNetwork(lambda way: _Coding(codec.parts[part], way), channels, multiples, codec.rounds)


def example_inputs(network: Network, sides: tuple[int, ...], batch: int = 2) -> tuple[Tensor, ...]:
    """Return noise of these sides, labels and one prompt, as a network takes them."""
    generator = torch.Generator().manual_seed(0)
    x_t = torch.randn(batch, network.channels, *sides, generator=generator)
    labels = torch.tensor([500.0, 20.0] * batch)[:batch]
    condition = (tensor.expand(batch, *tensor.shape[1:]).contiguous() for tensor in network.condition())
    return x_t, labels, *condition
