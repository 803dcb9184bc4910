"""A checkpoint's networks computed by OpenVINO instead of torch."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regrow.media.home import home
from regrow.models.codecs.codec import Way
from regrow.models.engines.engine import Engine
from regrow.models.engines.names import Precision
from regrow.models.engines.network import CodecNetwork, Network, example_inputs
from regrow.models.engines.openvino_graph import Compiled, Graph, Sides
from regrow.models.engines.traced import Traced, trace_file

LARGE = 64 << 20
"""Number of weights from which samples are computed one by one, as each compiled shape holds its own copy of them."""
WAYS: tuple[Way, ...] = ("encode", "decode")


class OpenVino(Engine):
    """A compiled network; called like `Model.forward`, with `Condition.tensors` as the condition.

    Samples are computed in groups of 4, 2 and 1 (large networks: one by one). Each group size is compiled when it is
    first needed, so that a batch of twelve needs no compilation of its own.

    Mel codecs and text encoders return exactly torch's numbers (`traced`): mels range over 100 dB, where rounding is
    audible.

    Args:
        network: the network to compute.
        precision: inside the network; inputs and outputs are float32.
        root: folder for its files; `home()/cache/engine` if not given.

    Raises:
        ModelError: the network cannot be converted, or its results differ from torch's.
    """

    def __init__(self, network: Network, precision: Precision, root: Path | None = None) -> None:
        root = root or home() / "cache" / "engine"
        self._name = f"openvino {precision}"
        self._groups = (1,) if network.weights >= LARGE else (4, 2, 1)
        graph = Graph(network.name, network.content, network.module, partial(example_inputs, network), network.multiple)
        self._network = Compiled(graph, precision, root, network.sides)
        self._codec: dict[Way, Compiled | Traced] = {}
        if network.codec is not None:
            for way in WAYS:
                self._codec[way] = _coding(network, network.codec, way, precision, root)
        self._words: Traced | None = None
        if network.words is not None:
            file = trace_file(root, network.content, "words")
            self._words = Traced(file, network.words, partial(_examples, network))

    @property
    def name(self) -> str:
        return self._name

    def __call__(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Sequence[Tensor]
    ) -> Float[Tensor, "b c y x"]:
        """Return the network's output.

        Raises:
            ModelError: this size cannot be compiled.
        """
        return self._grouped(self._network, [x_t, labels, *condition])

    def coded(self, way: Way, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k h w"] | None:
        """Return the codec's output; None leaves it to torch.

        Raises:
            ModelError: this size cannot be compiled.
        """
        network = self._codec.get(way)
        if network is None or isinstance(network, Traced):
            return network and network(x)
        return self._grouped(network, [x])

    def encoded_words(self, ids: Int[Tensor, "b tokens"]) -> Float[Tensor, "b tokens dim"] | None:
        return self._words and self._words(ids)

    def _grouped(self, compiled: Compiled, inputs: Sequence[Tensor]) -> Tensor:
        done: list[Tensor] = []
        at = 0
        for size in self._groups:
            while len(inputs[0]) - at >= size:
                done.append(compiled(*(part[at : at + size] for part in inputs)))
                at += size
        return torch.cat(done)


def _coding(network: Network, codec: CodecNetwork, way: Way, precision: Precision, root: Path) -> Compiled | Traced:
    def example(sides: Sides, batch: int = 2) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        return (torch.randn(batch, codec.channels[way], *sides, generator=generator).clamp(-1, 1),)

    multiple = codec.multiple[way]
    if not codec.rounds:
        sides = (8 * multiple, 8 * multiple)
        examples = [example(sides), example((8 * multiple, 13 * multiple), 1), example(sides, 3)]
        return Traced(trace_file(root, network.content, way), partial(codec.module, way), lambda: examples)
    graph = Graph(network.name, f"{network.content} {way}", partial(codec.module, way), example, multiple)
    return Compiled(graph, precision, root, (multiple, multiple))


def _examples(network: Network) -> list[tuple[Tensor]]:
    """Return token ids that every tokenizer has, as long as the network's prompts."""
    # a trace of 1 token would lack the causal mask, which only longer prompts reveal
    length = network.condition()[0].shape[1]
    return [(torch.arange(batch * length).reshape(batch, length) % 7,) for batch in (2, 1, 3, 5)]
