"""A checkpoint's networks computed by OpenVINO instead of torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.models.engines.openvino_graph import Compiled, Graph, Sides
from regrow.models.model import Model, Way
from regrow.models.names import Precision

LARGE = 256 << 20
"""Bytes of weights from which on samples are computed one by one: each shape holds its own copy of the weights."""


@dataclass(frozen=True, eq=False)
class Network:
    """What is to be computed.

    Attributes:
        name: for messages.
        content: a hash of what it was read from.
        unet: of diffusers, on the CPU and in float32.
        sides: height and width of the latents that it is made for.
        words: tokens of a prompt and length of their vectors; None for networks that take no words.
        codec: AutoencoderTiny of pictures, to be computed likewise; None leaves the codec to torch.
    """

    name: str
    content: str
    unet: Any
    sides: Sides
    words: tuple[int, int] | None
    codec: Any = None


def network_of(model: Model) -> Network:
    """The network of a checkpoint.

    A codec that is small gains from it, too. Those of mels stay in torch: their range is 100 dB, and what is rounded
    in them is heard.
    """
    # diffusers takes seconds to load, and the page is open before that
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

    height, width = model.size
    tokens, length = model.condition([""]).tokens.shape[1:]
    words = (tokens, length) if tokens else None
    sides = height // model.factor, width // model.factor
    codec = model.codec if model.mel is None and isinstance(model.codec, AutoencoderTiny) else None
    return Network(model.name, model.content_hash, model.unet, sides, words, codec)


class OpenVino:
    """A network, compiled; called as `Model.output` is, with the words' vectors for a condition.

    Samples are computed in groups of 4, 2 and 1 (of large networks one by one), each of which is compiled when it is
    first needed, so that a sheet of twelve cells takes no compilation of its own.

    Args:
        network: what it computes.
        precision: inside the network; what goes in and comes out is float32.
        root: where what it makes is kept; `home()/cache/engine` if not given.

    Raises:
        ModelError: the network cannot be converted, or what came of it does not compute what torch does.
    """

    def __init__(self, network: Network, precision: Precision, root: Path | None = None) -> None:
        self.name = f"openvino {precision}"
        weights = sum(p.numel() * p.element_size() for p in network.unet.parameters())
        self._groups = (1,) if weights >= LARGE else (4, 2, 1)
        self._network = Compiled(_denoising(network), precision, root, network.sides)
        self._codec: dict[Way, Compiled] = {}
        if network.codec is not None:
            ways: tuple[Way, ...] = ("encode", "decode")
            for way in ways:
                graph = _coding(network, way)
                self._codec[way] = Compiled(graph, precision, root, (graph.multiple, graph.multiple))

    def __call__(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], tokens: Float[Tensor, "b n dim"]
    ) -> Float[Tensor, "b c y x"]:
        """What the network returns.

        Raises:
            ModelError: this size cannot be compiled.
        """
        return self._grouped(self._network, [part for part in (x_t, labels, tokens) if part.numel()])

    def coded(self, way: Way, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k h w"] | None:
        """What the codec returns; None where that is left to torch.

        Raises:
            ModelError: this size cannot be compiled.
        """
        return self._grouped(self._codec[way], [x]) if way in self._codec else None

    def _grouped(self, compiled: Compiled, inputs: Sequence[Tensor]) -> Tensor:
        done: list[Tensor] = []
        at = 0
        for size in self._groups:
            while len(inputs[0]) - at >= size:
                done.append(compiled(*(part[at : at + size] for part in inputs)))
                at += size
        return torch.cat(done)


class _Plain(nn.Module):
    """The network with tensors in and a tensor out, as tracing needs it."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x_t: Tensor, labels: Tensor, *tokens: Tensor) -> Tensor:
        return self.unet(x_t, labels, *tokens, return_dict=False)[0]


class _Coding(nn.Module):
    """One way of a codec, likewise."""

    def __init__(self, codec: Any, way: Way) -> None:
        super().__init__()
        self.codec, self.way = codec, way

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self.codec, self.way)(x, return_dict=False)[0]


def _denoising(network: Network) -> Graph:
    config = network.unet.config

    def example(sides: Sides) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        x_t = torch.randn(2, config.in_channels, *sides, generator=generator)
        words = [torch.randn(2, *network.words, generator=generator)] if network.words else []
        return x_t, torch.tensor([500.0, 20.0]), *words

    multiple = 2 ** (len(config.block_out_channels) - 1)
    return Graph(network.name, network.content, _Plain(network.unet), example, multiple)


def _coding(network: Network, way: Way) -> Graph:
    config = network.codec.config
    channels = config.in_channels if way == "encode" else config.latent_channels

    def example(sides: Sides) -> tuple[Tensor, ...]:
        return (torch.randn(2, channels, *sides, generator=torch.Generator().manual_seed(0)).clamp(-1, 1),)

    multiple = 2 ** (len(config.block_out_channels) - 1) if way == "encode" else 1
    return Graph(network.name, f"{network.content} {way}", _Coding(network.codec, way), example, multiple)
