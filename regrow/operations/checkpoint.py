"""Checkpoints of a training run: written aside, synced, renamed, checked on reading; the last two are kept."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from regrow.media.files import write_whole


@dataclass(frozen=True)
class Checkpoint:
    """Everything a run needs to go on: named tensors, and small facts as JSON (step, seconds, settings)."""

    tensors: dict[str, Tensor]
    facts: dict


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write `step-N.checkpoint` (a safetensors file behind a line with its BLAKE2b) and drop all but two.

    Raises:
        MediaError: the disk refused; the earlier checkpoints are untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().contiguous() for name, tensor in checkpoint.tensors.items()}
    body = save(tensors, {"facts": json.dumps(checkpoint.facts)})
    path = folder / f"step-{checkpoint.facts['step']:08d}.checkpoint"
    write_whole(path, hashlib.blake2b(body).hexdigest().encode() + b"\n" + body)
    for old in sorted(folder.glob("step-*.checkpoint"))[:-2]:
        old.unlink()
    return path


def read_newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest undamaged checkpoint, and a sentence for each damaged one that was passed over."""
    notes = []
    for path in sorted(folder.glob("step-*.checkpoint"), reverse=True):
        checksum, _, body = path.read_bytes().partition(b"\n")
        if hashlib.blake2b(body).hexdigest().encode() != checksum:
            notes.append(f"{path} is damaged; going back to the checkpoint before it.")
            continue
        header = json.loads(body[8 : 8 + int.from_bytes(body[:8], "little")])
        return Checkpoint(load(body), json.loads(header["__metadata__"]["facts"])), notes
    return None, notes


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
            optimizer.state[parameter].update(found)
