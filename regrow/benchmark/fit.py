"""What full-size sound checkpoints take: seconds and memory of one call, with random weights.

Nothing is downloaded: a call costs the same whatever the weights are. Memory is measured on the CPU, as what the
process holds at its largest above what it held before; a card holds the same tensors, and its driver some more.
"""

import gc
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TextIO

import torch

from regrow.benchmark.cost import Cost, cost_of_run
from regrow.benchmark.estimates import print_rows
from regrow.benchmark.peak import flops_of
from regrow.core.progress import Progress
from regrow.models.engines.names import Precision
from regrow.models.engines.network import Network, example_inputs
from regrow.models.sound_shapes import SHAPES, SoundShape

GB = 1e9
CARDS = (8, 12, 16, 24)
"""Memory of usual cards, in units of 1024^3 bytes."""
LEFT = 0.9
"""Share of a card's memory that weights and what is computed may take: the driver and other programs have the rest."""


@dataclass(frozen=True)
class Fit:
    """What a checkpoint takes in one precision.

    Attributes:
        shape: its name.
        precision: of weights and what is computed.
        seconds: of sound.
        flops: of a call of the network.
        words: bytes of the weights of all parts that encode words.
        network: bytes of the weights of the network.
        codec: bytes of the weights of the codec.
        call: of the network, with one sample; its memory is what comes on top of the weights.
        decode: of the codec, from latents to a wave, likewise.
    """

    shape: str
    precision: Precision
    seconds: float
    flops: float
    words: int
    network: int
    codec: int
    call: Cost
    decode: Cost

    @property
    def together(self) -> int:
        """Bytes where all parts are held at once."""
        return self.words + self.network + self.codec + max(self.call.memory or 0, self.decode.memory or 0)

    @property
    def in_turn(self) -> int:
        """Bytes where each part is released after it was used."""
        return max(self.words, self.network + (self.call.memory or 0), self.codec + (self.decode.memory or 0))


def card_for(needed: int) -> int | None:
    """Return the smallest of `CARDS` that holds so many bytes, in units of 1024^3; None where none does."""
    return next((card for card in CARDS if needed <= LEFT * card * 2**30), None)


def bench_fit(
    names: Sequence[str], precisions: Sequence[Precision], seconds: float, shapes: dict[str, SoundShape] = SHAPES
) -> Generator[Progress, None, tuple[Fit, ...]]:
    """Measure one call of the network and one decoding of each checkpoint.

    Args:
        names: of checkpoints.
        precisions: of each.
        seconds: of sound; no longer than a network takes at once.
        shapes: to choose from.

    Raises:
        ValueError: an unknown name, or more seconds than a network takes.
    """
    for name in names:
        if name not in shapes:
            raise ValueError(f"There is no full-size shape named {name!r}; there are {', '.join(shapes)}.")
        if not 0 < seconds <= shapes[name].longest:
            raise ValueError(
                f"--seconds must be above 0, and at most the {shapes[name].longest:.1f} s that {name} takes at once; "
                f"got {seconds:g}."
            )
    found, total = [], len(names) * len(precisions)
    for name in names:
        for precision in precisions:
            yield Progress(f"{name}, {precision}", len(found), total)
            found.append(_fit(shapes[name], precision, seconds))
    yield Progress("fit", total, total)
    return tuple(found)


@torch.no_grad()
def _fit(shape: SoundShape, precision: Precision, seconds: float) -> Fit:
    dtype, cells = getattr(torch, precision), shape.cells(seconds)
    flops, weights, call = _called(shape.network(dtype, cells), dtype)  # freed before the codec is made
    gc.collect()
    codec = shape.codec(dtype)
    latents = torch.randn(1, shape.channels, cells, generator=torch.Generator().manual_seed(0)).to(dtype)
    decode = _once_warm(lambda: codec.decode(latents))
    coded = sum(parameter.numel() for parameter in codec.parameters()) * dtype.itemsize
    words = sum(shape.others().values()) * dtype.itemsize
    return Fit(shape.name, precision, seconds, flops, words, weights * dtype.itemsize, coded, call, decode)


def _called(network: Network, dtype: torch.dtype) -> tuple[float, int, Cost]:
    """Return the flops of a call, the number of weights, and what a call costs."""
    module, inputs = network.module(), [part.to(dtype) for part in example_inputs(network, network.sides, 1)]
    return flops_of(network), network.weights, _once_warm(lambda: module(*inputs))


def _once_warm(run: Callable[[], object]) -> Cost:
    """Measure the second of two runs: the first brings weights into memory and chooses how to compute."""
    run()
    return cost_of_run(run)


def print_table(found: Sequence[Fit], out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    print(f"{torch.get_num_threads()} threads; random weights; one call with one sample\n", file=out)
    heads = ("Tflop", "call", "decode", "words", "network", "+ call", "codec", "+ decode", "in turn", "at once")
    print_rows([("", heads)], 28, 9, out)
    for one in found:
        sizes = (one.words, one.network, one.call.memory, one.codec, one.decode.memory, one.in_turn, one.together)
        cells = (
            f"{one.flops / 1e12:.2f}",
            f"{one.call.processor:.1f}",
            f"{one.decode.processor:.1f}",
            *("-" if size is None else f"{size / GB:.2f}" for size in sizes),
        )
        print_rows([(f"{one.shape}, {one.precision}", cells)], 28, 9, out)
    print(
        "\n(Tflop of a call; call, decode: seconds of the processor; words, network, codec: GB of weights; + call, "
        "+ decode:\nGB on top of them while it runs; in turn: GB where each part is released after use; at once: where "
        "all are held)",
        file=out,
    )
    for one in found:
        cards = [(how, card_for(needed)) for how, needed in (("in turn", one.in_turn), ("at once", one.together))]
        says = "; ".join(f"{how}: {f'a card of {card} GB' if card else 'none of 24 GB or less'}" for how, card in cards)
        print(f"{one.seconds:g} s of {one.shape} in {one.precision}, parts {says}", file=out)
