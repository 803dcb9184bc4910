"""Estimate what a checkpoint needs on this machine before downloading it: sizes, memory, seconds."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from regrow.hub.known import Known, known, known_checkpoints, near
from regrow.hub.model_card import read_front_matter
from regrow.hub.sizes import PartSize, sizes_of
from regrow.media.home import home
from regrow.messages.message import say
from regrow.models.memory.free import WORKING, total_memory
from regrow.models.open import folder_of, list_models
from regrow.models.sidecars.training_file import read_training
from regrow.models.single_files.view import check_place
from regrow.models.single_files.weights_file import read_weights_file

SHARE = 0.5
"""Of a matrix product's peak that a network reaches; Stable Diffusion's reach 41 to 85 % (docs/explain/speed.md)."""
PRECISIONS = {"float32": 4, "bfloat16": 2}
CARDS = (8, 12, 24)
"""Gigabytes of graphics cards."""

Verdict = Literal["yes", "network only", "no", "unknown"]


@dataclass(frozen=True)
class FitPart:
    """Of one part.

    Attributes:
        name: of the part.
        role: what it does (`hub.known.ROLES`).
        parameters: its weights; None where unknown.
        origin: where that is from.
        packed: bytes of weights that stay quantised, whatever is computed in; None for plain ones.
    """

    name: str
    role: str
    parameters: int | None
    origin: str
    packed: int | None = None


@dataclass(frozen=True)
class CallTime:
    """An estimate.

    Attributes:
        flops: of a call of the network.
        clip: what that call is for.
        peak: flops a second of a matrix product in float32, measured just now.
        share: of it that is assumed.
        steps: that its makers sample with.
        calls: of the network in them.
    """

    flops: float
    clip: str
    peak: float
    share: float
    steps: int
    calls: int

    @property
    def seconds(self) -> float:
        """Of a call."""
        return self.flops / (self.peak * self.share)


@dataclass(frozen=True)
class Fit:
    """The estimates for a checkpoint on this machine.

    Attributes:
        name: that was asked for.
        family: of its layout.
        licence: of the weights, with how sure that is.
        parts: with their sizes.
        download: bytes still to come; None where unknown; 0 where it is here.
        disk: bytes on disk; None where unknown.
        free: bytes free where models are kept.
        memory: of this machine in bytes; None where that is unknown.
        time: of a call; None where its network's flops are unknown.
        known: its row of the table; None for a model that is here.
        folder: of a model that is here.
    """

    name: str
    family: str
    licence: str
    parts: tuple[FitPart, ...]
    download: int | None
    disk: int | None
    free: int
    memory: int | None
    time: CallTime | None
    known: Known | None = None
    folder: Path | None = None

    def weights(self, precision: str, role: str | None = None) -> int | None:
        """Return the bytes of all parts, or of those of a role, in a precision; None where one is unknown."""
        counts = [part.parameters for part in self.parts if role in (None, part.role)]
        return None if None in counts else sum(count or 0 for count in counts) * PRECISIONS[precision]

    def fits(self, capacity: int, precision: str) -> Verdict:
        """Return whether all parts fit into so many bytes at work, or the network alone."""
        whole, network = self.weights(precision), self.weights(precision, "network")
        if whole is not None and whole * WORKING <= capacity:
            return "yes"
        if network is not None and network * WORKING > capacity:
            return "no"
        return "unknown" if whole is None or network is None else "network only"


def fit(name: str, peak: Callable[[], float]) -> Fit:
    """Look a model up on this machine, else in the table of known checkpoints, and measure the machine.

    Args:
        name: of a model here, a folder, or a name or hub repository of the table.
        peak: measures the flops a second of a matrix product in float32; called where they are needed.

    Raises:
        ModelError: a folder is no model that regrow opens, or is damaged.
        ValueError: there is no model of this name, here or in the table.
    """
    folder = folder_of(name)
    if not folder:
        check_place(Path(os.path.expanduser(name)))
    return _of_folder(name, folder, peak) if folder else _of_known(_checkpoint(name), peak)


def _checkpoint(name: str) -> Known:
    try:
        return known(name)
    except ValueError:
        here = [listed.name for listed in list_models()]
        raise ValueError(say("no_model_nor_checkpoint", name=name, near=near(name, here))) from None


def _of_known(checkpoint: Known, peak: Callable[[], float]) -> Fit:
    parts = tuple(FitPart(part.name, part.role, part.parameters, part.origin) for part in checkpoint.parts)
    size, time = checkpoint.download, _time(checkpoint, peak)
    return Fit(
        checkpoint.name, checkpoint.family, checkpoint.licence_text, parts, size, size, _free(), _memory(), time,
        known=checkpoint,
    )  # fmt: skip


def _of_folder(name: str, folder: Path, peak: Callable[[], float]) -> Fit:
    family, sizes = sizes_of(folder)
    stated = read_front_matter(folder).get("license") or read_training(folder).get("license")
    parts = tuple(FitPart(size.name, size.role, size.parameters, "its weight files", size.packed) for size in sizes)
    network = next((size for size in sizes if size.role == "network"), None)
    alike = next((row for row in known_checkpoints() if network and _is_network(row, network)), None)
    files = {path for path in folder.rglob("*") if path.is_file()}
    for place in read_weights_file(folder).values():  # of a checkpoint in one file, whose folder holds none of it
        files |= {path for path in place.path.rglob("*") if path.is_file()} if place.is_folder else {place.path}
    disk = sum(path.stat().st_size for path in files)
    return Fit(
        name, family.name, str(stated or "not stated"), parts, 0, disk, _free(), _memory(),
        _time(alike, peak) if alike else None, folder=folder,
    )  # fmt: skip


def _is_network(row: Known, network: PartSize) -> bool:
    """Whether a checkpoint of the table has this network: of the same class, and as many weights."""
    known_as = (row.network.kind or "").rpartition(".")[2]
    return (known_as, row.network.parameters) == (network.kind, network.parameters)


def _time(row: Known, peak: Callable[[], float]) -> CallTime | None:
    flops = row.network.flops
    return CallTime(flops, row.clip, peak(), SHARE, row.steps, row.steps * (1 + row.guided)) if flops else None


def _free() -> int:
    """Return the bytes that are free where models are kept."""
    place = home()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def _memory() -> int:
    """Return the machine's memory in bytes."""
    return total_memory(torch.device("cpu"))
