"""Networks of torch, converted for OpenVINO (https://docs.openvino.ai) and compiled for this CPU.

Slow results are cached below `home()/cache/engine`, one folder per graph:

    network.xml, network.bin   the graph in OpenVINO's own form, for any batch and size
    checksums                  of both
    *.blob                     compiled for one shape, precision and CPU; small, as the weights stay in network.bin

All files are written under a temporary name and renamed; damaged ones are made again. If the home cannot be written,
they go into a temporary folder of this process.
"""

import hashlib
import io
import json
import os
import shutil
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from regrow.media.cache import cannot_keep, keep, kept
from regrow.messages.message import say
from regrow.models.engines.graph_files import drop_old, is_sound, temporary, write_graph
from regrow.models.engines.names import Precision
from regrow.models.engines.openvino_runtime import compile_for, core, library, settings
from regrow.models.errors import ModelError
from regrow.models.folder import reason

Sides = tuple[int, ...]

TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "bfloat16": 0.2}
"""Largest RMS difference between a converted network and torch, relative to the output. Measured: 1e-6 in float32; in
bfloat16 0.01 for the embedded networks and 0.06 for Stable Diffusion 1.5 with random weights, all of it rounding."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A network to convert.

    Attributes:
        name: the model's name, for messages.
        content: hash of the files that it was read from, with the part.
        module: opens the network, tensors in and a tensor out; on the CPU and in float32.
        example: returns input tensors, the first of them `b c y x` with the given sides.
        multiple: one graph serves all inputs whose sides are multiples of this. Other sides take another path through a
            network that halves them, and need a graph of their own. 0 = every size needs its own.
    """

    name: str
    content: str
    module: Callable[[], nn.Module]
    example: Callable[[Sides], tuple[Tensor, ...]]
    multiple: int


class Compiled:
    """A graph, compiled for each shape when it is first needed.

    Args:
        graph: the network.
        precision: inside the network; inputs and outputs are float32.
        root: folder for its files.
        sides: sides that it is converted for at once, so that errors show early.

    Raises:
        ModelError: the graph cannot be converted, or its results differ from torch's.
    """

    def __init__(self, graph: Graph, precision: Precision, root: Path, sides: Sides) -> None:
        self._of, self._root = graph, root
        self._sound: set[Path] = set()
        self._precision: Precision = precision
        self._compiled: dict[tuple[Any, ...], Any] = {}
        self._converted(sides)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the output.

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
            self._sound.discard(folder)
            shutil.rmtree(folder, ignore_errors=True)
            network = core().read_model(self._converted((height, width)) / "network.xml")
        compiled = compile_for(network, shapes, self._precision)
        keep(blob, compiled.export_model().getvalue())
        return compiled

    def _from_blob(self, blob: Path) -> Any:
        """Return a cached compilation; None if there is none, or it is damaged."""
        data = kept(blob)
        if data is None:
            return None
        used = settings(self._precision) | {"WEIGHTS_PATH": str(blob.with_name("network.bin"))}
        try:
            return core().import_model(io.BytesIO(data), "CPU", used)
        except RuntimeError:  # compiled on another CPU of the same name
            return None

    def _converted(self, sides: Sides) -> Path:
        """Return the folder of the graph for these sides; convert it if it is not there yet.

        Raises:
            ModelError: it cannot be converted.
        """
        graph = self._of
        regular = graph.multiple > 0 and not any(side % graph.multiple for side in sides)
        traced = (2 * graph.multiple, 2 * graph.multiple) if regular else sides
        made_of = [graph.content, version("openvino"), version("diffusers"), None if regular else sides]
        folder = self._root / _hash(made_of)
        if folder not in self._sound and not is_sound(folder):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                _convert(graph, traced, self._precision, folder)
                drop_old(folder)
            except OSError as error:
                if self._root == temporary():
                    raise ModelError(_failed(graph, error)) from error
                cannot_keep(error)
                self._root = temporary()
                return self._converted(sides)
        self._sound.add(folder)
        with suppress(OSError):  # another process has just deleted it; it is then made again
            os.utime(folder)
        return folder


def _convert(graph: Graph, sides: Sides, precision: Precision, folder: Path) -> None:
    """Trace a network on noise, compare the converted one with torch, and write it.

    Raises:
        ModelError: it cannot be converted, or its results differ from torch's.
        OSError: it cannot be written.
    """
    openvino = library()
    try:
        example = graph.example(sides)
        module = graph.module().eval()
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer, about every branch that it fixes
            converted = openvino.convert_model(module, example_input=example)
            expected = module(*example)
        checked: tuple[Precision, ...] = ("float32",) if precision == "float32" else ("float32", precision)
        for one in checked:  # float32 shows whether it is the same network, before bfloat16 rounds
            compiled = compile_for(converted.clone(), [tuple(part.shape) for part in example], one)
            found = torch.from_numpy(compiled([part.numpy() for part in example])[0])
            off = float((found - expected).norm() / expected.norm())
            if not off <= TOLERANCE[one]:
                raise ModelError(_failed(graph, f"its output in {one} is {off:.1e} off torch's"))
    except ModelError:
        raise
    except Exception as error:  # of torch's tracer or of the converter
        raise ModelError(_failed(graph, error)) from error
    write_graph(converted, 4 * sum(p.numel() for p in module.parameters()), folder)


def _hash(made_of: Any) -> str:
    return hashlib.blake2b(json.dumps(made_of).encode(), digest_size=16).hexdigest()


def _failed(graph: Graph, why: Any) -> str:
    said = why if isinstance(why, str) else reason(why)
    return say("openvino_cannot_compute", name=graph.name, reason=said)
