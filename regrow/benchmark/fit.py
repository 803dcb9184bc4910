"""Measure time and memory of one call of full-size networks, with random weights.

Nothing is downloaded: the values of the weights do not change the cost of a call. Memory is measured on the CPU, as the
peak of the process above what it held before. A graphics card holds the same tensors; its driver needs some more.
"""

import gc
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import torch

from regrow.benchmark.cost import Cost, cost_of_run
from regrow.benchmark.estimates import print_rows
from regrow.benchmark.peak import flops_of, matrix_peak
from regrow.core.progress import Progress
from regrow.models.engines.names import Precision
from regrow.models.engines.network import Network, example_inputs
from regrow.models.engines.openvino import OpenVino
from regrow.models.full_size.pictures import PICTURES, PictureShape
from regrow.models.sound_shapes import SHAPES, SoundShape

Shape = PictureShape | SoundShape
GB = 1e9
CARDS = (8, 12, 16, 24)
"""Memory of common graphics cards, in units of 1024^3 bytes."""
LEFT = 0.9
"""Share of a card's memory that weights and activations may take; the rest is for driver and other programs."""


@dataclass(frozen=True)
class Fit:
    """The time and memory that a checkpoint needs in one precision.

    Attributes:
        shape: the checkpoint's name.
        precision: of weights and activations.
        about: what a call computes: seconds of sound, or the size of a picture.
        flops: of a call of the network.
        peak: flops per second of a matrix product in this precision, measured just before.
        words: bytes of the weights of all parts that encode prompts.
        network: bytes of the weights of the network.
        codec: bytes of the weights of the codec.
        call: cost of a network call with one sample; its memory does not include the weights.
        decode: cost of decoding latents to a picture or a wave, likewise.
        compiled: cost of a call by OpenVINO after a warm-up; None if it was not measured.
    """

    shape: str
    precision: Precision
    about: str
    flops: float
    peak: float
    words: int
    network: int
    codec: int
    call: Cost
    decode: Cost
    compiled: Cost | None = None

    @property
    def share(self) -> float:
        """The share of the peak that a call reaches."""
        return self.flops / self.call.elapsed / self.peak

    @property
    def together(self) -> int:
        """Bytes needed if all parts are in memory at once."""
        return self.words + self.network + self.codec + max(self.call.memory or 0, self.decode.memory or 0)

    @property
    def in_turn(self) -> int:
        """Bytes needed if each part is released after use."""
        return max(self.words, self.network + (self.call.memory or 0), self.codec + (self.decode.memory or 0))


def card_for(needed: int) -> int | None:
    """Return the smallest of `CARDS` that holds this many bytes, in units of 1024^3; None if none does."""
    return next((card for card in CARDS if needed <= LEFT * card * 2**30), None)


def bench_fit(
    names: Sequence[str],
    precisions: Sequence[Precision],
    seconds: float,
    openvino: bool = False,
    shapes: Mapping[str, Shape] | None = None,
) -> Generator[Progress, None, tuple[Fit, ...]]:
    """Measure one call of the network and one decoding of each checkpoint.

    Args:
        names: of checkpoints.
        precisions: to measure of each checkpoint.
        seconds: duration of sounds; at most what a network takes at once.
        openvino: whether to measure a call by OpenVINO too, where the precision is float32.
        shapes: the checkpoints to choose from, by name; all known ones if not given.

    Raises:
        ValueError: an unknown name, or more seconds than a network takes.
    """
    known: Mapping[str, Shape] = shapes or {**PICTURES, **SHAPES}
    for name in names:
        if name not in known:
            raise ValueError(f"There is no full-size shape named {name!r}; there are {', '.join(known)}.")
        if name in SHAPES and not 0 < seconds <= SHAPES[name].longest:
            raise ValueError(
                f"--seconds must be above 0, and at most the {SHAPES[name].longest:.1f} s that {name} takes at once; "
                f"got {seconds:g}."
            )
    found, total = [], len(names) * len(precisions)
    for name in names:
        for precision in precisions:
            yield Progress(f"{name}, {precision}", len(found), total)
            found.append(_fit(known[name], precision, seconds, openvino))
    yield Progress("fit", total, total)
    return tuple(found)


@torch.no_grad()
def _fit(shape: Shape, precision: Precision, seconds: float, openvino: bool) -> Fit:
    dtype, latents = getattr(torch, precision), shape.latents(seconds)
    peak = matrix_peak(precision)
    # torch cannot count the flops of packed weights
    flops = flops_of(shape.plain(dtype, latents[-1])) if isinstance(shape, PictureShape) else None
    counted, weights, call, compiled = _called(shape.network(dtype, latents[-1]), dtype, openvino, flops)
    gc.collect()  # the network is freed before the codec is made
    codec = shape.codec(dtype)
    x = torch.randn(1, *latents, generator=torch.Generator().manual_seed(0)).to(dtype)
    decode = _once_warm(lambda: codec.decode(x))
    words = sum(shape.others().values()) * dtype.itemsize
    about = shape.about(seconds)
    return Fit(shape.name, precision, about, counted, peak, words, weights, _bytes(codec), call, decode, compiled)


def _bytes(module: torch.nn.Module) -> int:
    return sum(parameter.numel() * parameter.element_size() for parameter in module.parameters())


def _called(
    network: Network, dtype: torch.dtype, openvino: bool, flops: float | None
) -> tuple[float, int, Cost, Cost | None]:
    """Return the flops of a call, the bytes of the weights, and what a call costs, by torch and by OpenVINO."""
    module, inputs = network.module(), [part.to(dtype) for part in example_inputs(network, network.sides, 1)]
    call, compiled = _once_warm(lambda: module(*inputs)), None
    if openvino and dtype == torch.float32:
        with TemporaryDirectory(prefix="regrow-fit-") as folder:
            engine = OpenVino(network, "float32", Path(folder))
            compiled = _once_warm(lambda: engine(inputs[0], inputs[1], inputs[2:]))
    return flops or flops_of(network), _bytes(module), call, compiled


def _once_warm(run: Callable[[], object]) -> Cost:
    """Measure the second of two runs: the first loads weights into memory and selects kernels."""
    run()
    return cost_of_run(run)


def print_table(found: Sequence[Fit], out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    print(f"{torch.get_num_threads()} threads; random weights; one call with one sample\n", file=out)
    heads = ("Tflop", "call", "peak", "decode", "words", "network", "+call", "codec", "+dec", "in turn", "at once")
    print_rows([("", heads)], 24, 8, out)
    for one in found:
        sizes = (one.words, one.network, one.call.memory, one.codec, one.decode.memory, one.in_turn, one.together)
        cells = (
            f"{one.flops / 1e12:.2f}",
            f"{one.call.elapsed:.1f}",
            f"{one.share:.0%}",
            f"{one.decode.elapsed:.1f}",
            *("-" if size is None else f"{size / GB:.2f}" for size in sizes),
        )
        print_rows([(f"{one.shape}, {one.precision.replace('float', 'f')}", cells)], 24, 8, out)
    print(
        "\n(Tflop of a call; call, decode: seconds, of the processor with one thread; peak: share of what a matrix "
        "product\nreaches here; words, network, codec: GB of weights; +call, +dec: GB on top of them while it runs; "
        "in turn:\nGB where each part is released after use; at once: where all are held)",
        file=out,
    )
    for one in found:
        cards = [(how, card_for(needed)) for how, needed in (("in turn", one.in_turn), ("at once", one.together))]
        says = "; ".join(f"{how}: {f'a card of {card} GB' if card else 'none of 24 GB or less'}" for how, card in cards)
        print(f"{one.about} of {one.shape} in {one.precision}, parts {says}", file=out)
        if one.compiled:
            print(f"  by OpenVINO a call takes {one.compiled.elapsed:.1f} s", file=out)
