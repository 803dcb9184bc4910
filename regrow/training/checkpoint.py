"""Checkpoints of a training run: written aside, synced, renamed; their names hold their checksums.

The last two and the best are kept. Each is a safetensors file that anything can open.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from regrow.media.files import MediaError, reason, sync_folder

_NAME = re.compile(r"step-(\d+)\.([0-9a-f]{32})\.safetensors")


class DiskFullError(MediaError):
    """A checkpoint did not fit on the disk; those before it are untouched."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything a run needs to go on: named tensors, and small facts as JSON (step, seconds, settings)."""

    tensors: dict[str, Tensor]
    facts: dict


def write_checkpoint(folder: Path, checkpoint: Checkpoint, best: bool = False) -> Path:
    """Write `step-N.CHECKSUM.safetensors` and drop all but the last two and the best.

    Args:
        folder: of the run.
        checkpoint: see `Checkpoint`.
        best: whether this one takes the name `best.safetensors`, too.

    Raises:
        DiskFullError: there is not enough room; the earlier checkpoints are untouched.
        MediaError: the disk refused for another reason.
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
    except Exception as problem:  # safetensors has its own class for what the system refuses
        aside.unlink(missing_ok=True)
        full = getattr(problem, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(problem)
        if full:
            raise DiskFullError(f"The disk of {folder} is full, and nothing is lost yet; free some space.") from problem
        raise MediaError(f"A checkpoint could not be written to {folder} ({reason(problem)}).") from problem
    # what is called later is damaged, or this one would not have been made after it
    before = [old for old in _newest_first(folder) if _step(old) < _step(path)]
    for old in _newest_first(folder):
        if old not in (path, *before[:1]):
            old.unlink()
    return path


def read_newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest undamaged checkpoint, and sentences: on each damaged one that was passed over, and if none is left."""
    notes = []
    for path in _newest_first(folder):
        match = _NAME.fullmatch(path.name)
        with path.open("rb") as file:
            if match is None or hashlib.file_digest(file, _blake2b).hexdigest() != match[2]:
                notes.append(f"{path} is damaged and is passed over.")
                continue
        return read_checkpoint(path), notes
    if notes:
        notes.append(f"No undamaged checkpoint is left in {folder}: starting again from step 0.")
    return None, notes


def read_checkpoint(path: Path) -> Checkpoint:
    """The contents of one file, unchecked."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        return Checkpoint(tensors, json.loads(file.metadata()["facts"]))


@contextmanager
def only_one(folder: Path, doing: str = "training") -> Iterator[None]:
    """Hold a folder for this process; if nothing was written into it in the end, it goes away.

    Args:
        folder: of a run, or of something else that one process may write at a time.
        doing: what a process does that holds it, for the sentence.

    Raises:
        ValueError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise ValueError(f"Another process is {doing} {folder.name} right now; stop it first.") from problem
        try:
            yield
        finally:
            (folder / "lock").unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's state as named tensors: group, place in the group, name of the state."""
    return {
        f"optimizer.{g}.{i}.{name}": tensor
        for g, group in enumerate(optimizer.param_groups)
        for i, parameter in enumerate(group["params"])
        for name, tensor in optimizer.state[parameter].items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`, in place."""
    for g, group in enumerate(optimizer.param_groups):
        for i, parameter in enumerate(group["params"]):
            prefix = f"optimizer.{g}.{i}."
            found = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
            # AdamW of torch keeps its step count on the CPU wherever its parameters are
            moved = {name: t if name == "step" else t.to(parameter.device) for name, t in found.items()}
            optimizer.state[parameter].update(moved)


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("step-*.safetensors") if _NAME.fullmatch(path.name)), reverse=True)


def _step(path: Path) -> int:
    return int(path.name.split("-")[1].split(".")[0])


def _blake2b() -> Any:
    return hashlib.blake2b(digest_size=16)


def _also_known_as(path: Path, name: Path) -> None:
    """A second name for a file: it costs no room and outlives the first. Where a disk has no such names, a copy."""
    aside = name.with_suffix(".part")
    aside.unlink(missing_ok=True)
    try:
        os.link(path, aside)
    except OSError:
        shutil.copyfile(path, aside)
    aside.replace(name)
