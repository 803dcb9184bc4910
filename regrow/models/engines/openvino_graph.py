"""What torch computes, converted for OpenVINO (https://docs.openvino.ai) and compiled for this CPU.

What it takes long to make is kept below `home()/cache/engine`, one folder a graph:

    network.xml, network.bin   the graph in OpenVINO's own form, for any batch and size
    *.blob                     compiled for one shape, precision and CPU; small, for the weights stay where they are

Both are written aside and renamed. What is damaged is made again.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from regrow.media.files import MediaError, write_whole
from regrow.models.engines.openvino_runtime import compile_for, core, library, settings
from regrow.models.errors import ModelError
from regrow.models.folder import reason
from regrow.models.names import Precision

Sides = tuple[int, int]

CACHE_BYTES = 16 << 30
"""The networks unused for longest are dropped when all of them together exceed this."""

TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "bfloat16": 0.2}
"""How far a converted network may be from torch's, in RMS relative to its output. Measured 1e-6 in float32; in bfloat16
0.01 for the embedded networks and 0.06 for Stable Diffusion 1.5's with random weights, which is all rounding."""

ABANDONED = 24 * 3600
"""Seconds after which a network that is not written to the end was given up."""

_DIGEST = 16


@dataclass(frozen=True, eq=False)
class Graph:
    """What is to be computed.

    Attributes:
        name: of what it belongs to, for messages.
        content: a hash of what it was read from, and of which part of that it is.
        module: opens tensors in, a tensor out; on the CPU and in float32.
        example: such tensors, the first of them `b c y x` of the sides that are given.
        multiple: of the sides of the first, below which another graph is traced: what halves sides takes another path
            where they cannot be halved so often, and tracing sees one path. 0 where every size takes its own.
    """

    name: str
    content: str
    module: Callable[[], nn.Module]
    example: Callable[[Sides], tuple[Tensor, ...]]
    multiple: int


class Compiled:
    """A graph, compiled for each shape when that is first asked for.

    Args:
        graph: what it computes.
        precision: inside; what goes in and comes out is float32.
        root: where what it makes is kept.
        sides: that it is converted for at once, so that what cannot be is told.

    Raises:
        ModelError: the graph cannot be converted, or what came of it does not compute what torch does.
    """

    def __init__(self, graph: Graph, precision: Precision, root: Path, sides: Sides) -> None:
        self._of, self._root = graph, root
        self._precision: Precision = precision
        self._compiled: dict[tuple[Any, ...], Any] = {}
        self._converted(sides)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """What comes out.

        Raises:
            ModelError: this size cannot be compiled.
        """
        arrays = [part.detach().float().contiguous().numpy() for part in inputs]
        key = (torch.get_num_threads(), *(part.shape for part in arrays))
        if key not in self._compiled:
            try:
                self._compiled[key] = self._compile([part.shape for part in arrays]).create_infer_request()
            except RuntimeError as error:
                raise ModelError(_failed(self._of, error)) from error
        return torch.from_numpy(self._compiled[key].infer(arrays)[0])

    def _compile(self, shapes: Sequence[tuple[int, ...]]) -> Any:
        height, width = shapes[0][2:]
        folder = self._converted((height, width))
        blob = folder / f"{_hash([shapes, self._precision, core().get_property('CPU', 'FULL_DEVICE_NAME')])}.blob"
        if compiled := self._from_blob(blob):
            return compiled
        try:
            network = core().read_model(folder / "network.xml")
        except RuntimeError:
            shutil.rmtree(folder, ignore_errors=True)
            network = core().read_model(self._converted((height, width)) / "network.xml")
        compiled = compile_for(network, shapes, self._precision)
        data = compiled.export_model().getvalue()
        # a full disk keeps nobody from editing
        with suppress(MediaError):
            write_whole(blob, hashlib.blake2b(data, digest_size=_DIGEST).digest() + data)
        return compiled

    def _from_blob(self, blob: Path) -> Any:
        """What was compiled before; None where there is nothing, or nothing sound."""
        if not blob.is_file():
            return None
        whole = blob.read_bytes()
        digest, data = whole[:_DIGEST], whole[_DIGEST:]
        if hashlib.blake2b(data, digest_size=_DIGEST).digest() != digest:
            return None
        used = settings(self._precision) | {"WEIGHTS_PATH": str(blob.with_name("network.bin"))}
        try:
            return core().import_model(io.BytesIO(data), "CPU", used)
        except RuntimeError:  # of another CPU by the same name
            return None

    def _converted(self, sides: Sides) -> Path:
        """The folder of the graph for these sides, converted if it is not there yet.

        Raises:
            ModelError: it cannot be converted.
        """
        graph = self._of
        regular = graph.multiple > 0 and not any(side % graph.multiple for side in sides)
        traced = (2 * graph.multiple, 2 * graph.multiple) if regular else sides
        made_of = [graph.content, version("openvino"), version("diffusers"), None if regular else sides]
        folder = self._root / _hash(made_of)
        if not (folder / "network.bin").is_file():
            try:
                _convert(graph, traced, self._precision, folder)
            except ModelError:
                raise
            except Exception as error:  # of torch's tracer, of the converter, of the disk
                raise ModelError(_failed(graph, error)) from error
            _drop_old(folder)
        with suppress(OSError):  # another process has just dropped it; it is then made again
            os.utime(folder)
        return folder


def _convert(graph: Graph, sides: Sides, precision: Precision, folder: Path) -> None:
    """Trace a graph on noise, compare what came of it with torch, and write it down.

    Raises:
        ModelError: the two differ.
    """
    openvino = library()
    example = graph.example(sides)
    module = graph.module().eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, on every branch that it takes for good
        converted = openvino.convert_model(module, example_input=example)
        expected = module(*example)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{secrets.token_hex(8)}.part")
    aside.mkdir()
    try:
        openvino.save_model(converted, aside / "network.xml", compress_to_fp16=False)
        checked: tuple[Precision, ...] = ("float32",) if precision == "float32" else ("float32", precision)
        for one in checked:  # the first tells whether it is the same network, whatever the other rounds
            compiled = compile_for(converted, [tuple(part.shape) for part in example], one)
            found = torch.from_numpy(compiled([part.numpy() for part in example])[0])
            off = float((found - expected).norm() / expected.norm())
            if not off <= TOLERANCE[one]:
                raise ModelError(_failed(graph, f"its output in {one} is {off:.1e} off torch's"))
        with suppress(OSError):  # another process was first
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _drop_old(newest: Path) -> None:
    """Drop the networks unused for longest where there are too many, and what killed processes left half-written."""
    found: list[tuple[float, Path, int]] = []
    for folder in newest.parent.iterdir():
        with suppress(OSError):  # another process renames or drops it just now
            found.append((folder.stat().st_mtime, folder, sum(path.stat().st_size for path in folder.iterdir())))
    total = 0
    for used, folder, size in sorted(found, reverse=True):
        if folder.name.startswith("."):  # another process may be at it
            surplus = time.time() - used > ABANDONED
        else:
            total += size
            surplus = total > CACHE_BYTES and folder != newest
        if surplus:
            shutil.rmtree(folder, ignore_errors=True)


def _hash(made_of: Any) -> str:
    return hashlib.blake2b(json.dumps(made_of).encode(), digest_size=16).hexdigest()


def _failed(graph: Graph, why: Any) -> str:
    said = why if isinstance(why, str) else reason(why)
    return f"OpenVINO cannot compute the network of {graph.name} ({said}); use --engine torch."
