"""A denoising network computed by OpenVINO (https://docs.openvino.ai) instead of torch: compiled for this CPU.

What it takes long to make is kept below `home()/cache/engine`, one folder a network:

    network.xml, network.bin   the network in OpenVINO's own form, for any batch and size
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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.families.folder import reason
from regrow.families.model import Model, ModelError
from regrow.families.names import Precision
from regrow.families.openvino_runtime import compile_for, core, library, settings
from regrow.media.files import MediaError, write_whole
from regrow.media.home import home

Sides = tuple[int, int]

CACHE_BYTES = int(os.environ.get("REGROW_ENGINE_BYTES", 16 << 30))
"""The networks unused for longest are dropped when all of them together exceed this."""

TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "bfloat16": 0.2}
"""How far a converted network may be from torch's, in RMS relative to its output. Measured 1e-6 in float32; in bfloat16
0.01 for the embedded networks and 0.06 for Stable Diffusion 1.5's with random weights, which is all rounding."""

LARGE = 256 << 20
"""Bytes of weights from which on samples are computed one by one: each shape holds its own copy of the weights."""

ABANDONED = 24 * 3600
"""Seconds after which a network that is not written to the end was given up."""

_DIGEST = 16


@dataclass(frozen=True, eq=False)
class Network:
    """What is to be computed.

    Attributes:
        name: for messages.
        content: a hash of what it was read from.
        unet: of diffusers, on the CPU and in float32.
        sides: height and width of the latents that it is made for.
        words: tokens of a prompt and length of their vectors; None for networks that take no words.
    """

    name: str
    content: str
    unet: Any
    sides: Sides
    words: tuple[int, int] | None


def network_of(model: Model) -> Network:
    """The network of a checkpoint."""
    height, width = model.size
    tokens, length = model.condition([""]).tokens.shape[1:]
    words = (tokens, length) if tokens else None
    sides = height // model.factor, width // model.factor
    return Network(model.name, model.content_hash, model.unet, sides, words)


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
        self._of, self._root = network, root or home() / "cache" / "engine"
        self._precision: Precision = precision
        weights = sum(p.numel() * p.element_size() for p in network.unet.parameters())
        self._groups = (1,) if weights >= LARGE else (4, 2, 1)
        self._compiled: dict[tuple[Any, ...], Any] = {}
        self._converted(network.sides)  # what cannot be is told at once

    def __call__(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], tokens: Float[Tensor, "b n dim"]
    ) -> Float[Tensor, "b c y x"]:
        """What the network returns.

        Raises:
            ModelError: this size cannot be compiled.
        """
        done: list[Tensor] = []
        at = 0
        for size in self._groups:
            while len(x_t) - at >= size:
                part = slice(at, at + size)
                done.append(self._group(x_t[part], labels[part], tokens[part]))
                at += size
        return torch.cat(done)

    def _group(self, *inputs: Tensor) -> Tensor:
        asked = [part.detach().float().contiguous().numpy() for part in inputs if part.numel()]
        key = (torch.get_num_threads(), *(part.shape for part in asked))
        if key not in self._compiled:
            try:
                self._compiled[key] = self._compile([part.shape for part in asked]).create_infer_request()
            except RuntimeError as error:
                raise ModelError(_failed(self._of, error)) from error
        return torch.from_numpy(self._compiled[key].infer(asked)[0])

    def _compile(self, shapes: Sequence[tuple[int, ...]]) -> Any:
        height, width = shapes[0][2:]
        folder = self._converted((height, width))
        blob = folder / f"{_hash([shapes, self._precision, core().get_property('CPU', 'FULL_DEVICE_NAME')])}.blob"
        if compiled := self._from_blob(blob):
            return compiled
        try:
            network = core().read_model(folder / "network.xml")
        except RuntimeError:
            shutil.rmtree(folder)
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
        """The folder of the network for latents of these sides, converted if it is not there yet.

        Raises:
            ModelError: it cannot be converted.
        """
        network = self._of
        factor = 2 ** (len(network.unet.config.block_out_channels) - 1)
        # the way up takes another path where sides cannot be halved so often, and tracing sees one path
        regular = not (sides[0] % factor or sides[1] % factor)
        traced = (2 * factor, 2 * factor) if regular else sides
        made_of = [network.content, version("openvino"), version("diffusers"), None if regular else sides]
        folder = self._root / _hash(made_of)
        if not (folder / "network.bin").is_file():
            try:
                _convert(network, traced, self._precision, folder)
            except ModelError:
                raise
            except Exception as error:  # of torch's tracer, of the converter, of the disk
                raise ModelError(_failed(network, error)) from error
            _drop_old(folder)
        os.utime(folder)
        return folder


class _Plain(nn.Module):
    """The network with tensors in and a tensor out, as tracing needs it."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x_t: Tensor, labels: Tensor, *tokens: Tensor) -> Tensor:
        return self.unet(x_t, labels, *tokens, return_dict=False)[0]


def _convert(network: Network, sides: Sides, precision: Precision, folder: Path) -> None:
    """Trace a network on noise, compare what came of it with torch, and write it down.

    Raises:
        ModelError: the two differ.
    """
    openvino = library()
    generator = torch.Generator().manual_seed(0)
    x_t = torch.randn(2, network.unet.config.in_channels, *sides, generator=generator)
    words = [torch.randn(2, *network.words, generator=generator)] if network.words else []
    example = (x_t, torch.tensor([500.0, 20.0]), *words)
    plain = _Plain(network.unet).eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, on every branch that it takes for good
        converted = openvino.convert_model(plain, example_input=example)
        expected = plain(*example)
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
                raise ModelError(_failed(network, f"its output in {one} is {off:.1e} off torch's"))
        with suppress(OSError):  # another process was first
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _drop_old(newest: Path) -> None:
    """Drop the networks unused for longest where there are too many, and what killed processes left half-written."""
    folders = [path for path in newest.parent.iterdir() if path.is_dir()]
    total = 0
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True):
        if folder.name.startswith("."):  # another process may be at it
            surplus = time.time() - folder.stat().st_mtime > ABANDONED
        else:
            total += sum(path.stat().st_size for path in folder.iterdir())
            surplus = total > CACHE_BYTES and folder != newest
        if surplus:
            shutil.rmtree(folder, ignore_errors=True)


def _hash(made_of: Any) -> str:
    return hashlib.blake2b(json.dumps(made_of).encode(), digest_size=16).hexdigest()


def _failed(network: Network, why: Any) -> str:
    said = why if isinstance(why, str) else reason(why)
    return f"OpenVINO cannot compute the network of {network.name} ({said}); use --engine torch."
