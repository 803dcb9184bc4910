"""Checkpoints of a training run: written aside, synced, renamed; their names hold their checksums.

The last two and the best are kept. Each is a safetensors file that other programs can open.
"""

import errno
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from regrow.media.files import MediaError, reason, sync_folder
from regrow.messages.message import say

_NAME = re.compile(r"step-(\d+)\.([0-9a-f]{32})\.safetensors")


class DiskFullError(MediaError):
    """A checkpoint did not fit on the disk; those before it are untouched."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything needed to continue a run: named tensors, and facts as JSON (step, seconds, settings)."""

    tensors: dict[str, Tensor]
    facts: dict


def write_checkpoint(folder: Path, checkpoint: Checkpoint, best: bool = False) -> Path:
    """Write `step-N.CHECKSUM.safetensors` and drop all but the last two and the best.

    Args:
        folder: of the run.
        checkpoint: see `Checkpoint`.
        best: whether this one is also stored as `best.safetensors`.

    Raises:
        DiskFullError: there is not enough room; the earlier checkpoints are untouched.
        MediaError: it cannot be written for another reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / ".checkpoint.part"
    try:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
        save_file(tensors, aside, {"facts": json.dumps(checkpoint.facts)})
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
            checksum = hashlib.file_digest(file, _blake2b).hexdigest()
        path = folder / f"step-{checkpoint.facts['step']:08d}.{checksum}.safetensors"
        aside.rename(path)
        if best:
            _also_known_as(path, folder / "best.safetensors")
        sync_folder(folder, deep=False)
    except Exception as problem:  # safetensors has its own class for errors of the system
        aside.unlink(missing_ok=True)
        full = getattr(problem, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(problem)
        if full:
            raise DiskFullError(say("disk_full", folder=folder)) from problem
        raise MediaError(say("checkpoint_not_written", folder=folder, reason=reason(problem))) from problem
    # a checkpoint of a later step must be damaged, as the run resumed from an earlier one
    before = [old for old in _newest_first(folder) if _step(old) < _step(path)]
    for old in _newest_first(folder):
        if old not in (path, *before[:1]) and not old.is_dir():
            old.unlink()
    return path


def read_newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest undamaged checkpoint, and messages about damaged ones that were skipped."""
    notes = []
    for path in _newest_first(folder):
        if not _is_sound(path):
            notes.append(say("checkpoint_passed_over", path=path))
            continue
        return read_checkpoint(path), notes
    if notes:
        notes.append(say("no_sound_checkpoint", folder=folder))
    return None, notes


def _is_sound(path: Path) -> bool:
    """Return whether a file's content matches the checksum in its name; opening a pipe would block."""
    match = _NAME.fullmatch(path.name)
    if match is None or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, _blake2b).hexdigest() == match[2]


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the contents of one file, unchecked."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        return Checkpoint(tensors, json.loads(file.metadata()["facts"]))


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state as tensors; names consist of group, index in the group, and name of the state."""
    return {
        f"optimizer.{g}.{i}.{name}": tensor
        for g, group in enumerate(optimizer.param_groups)
        for i, parameter in enumerate(group["params"])
        for name, tensor in optimizer.state[parameter].items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restore the optimizer's state from `optimizer_tensors`, in place."""
    for g, group in enumerate(optimizer.param_groups):
        for i, parameter in enumerate(group["params"]):
            prefix = f"optimizer.{g}.{i}."
            found = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
            # torch's AdamW keeps its step count on the CPU, wherever its parameters are
            moved = {name: t if name == "step" else t.to(parameter.device) for name, t in found.items()}
            optimizer.state[parameter].update(moved)


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("step-*.safetensors") if _NAME.fullmatch(path.name)), reverse=True)


def _step(path: Path) -> int:
    return int(path.name.split("-")[1].split(".")[0])


def _blake2b() -> Any:
    return hashlib.blake2b(digest_size=16)


def _also_known_as(path: Path, name: Path) -> None:
    """Add a hard link to a file, which takes no space and outlives the first name; copy it if links are impossible."""
    aside = name.with_suffix(".part")
    aside.unlink(missing_ok=True)
    try:
        os.link(path, aside)
    except OSError:
        shutil.copyfile(path, aside)
    aside.replace(name)
