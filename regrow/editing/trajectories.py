"""Inverted paths on disk: saved, loaded, and a bounded cache of the last ones, keyed by content."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from regrow.core.levels import Level
from regrow.core.trajectory import Convergence, Trajectory
from regrow.media.cache import cannot_keep
from regrow.media.files import MediaError, readable, write_whole
from regrow.media.home import home
from regrow.messages.message import say
from regrow.requests.aliases import current

CACHE_BYTES = 2 << 30
"""The oldest paths are dropped when all of them together exceed this."""


def save_trajectory(path: Path, trajectory: Trajectory, made_of: dict[str, Any]) -> None:
    """Write a path as one safetensors file, with what it was made of (model hash, input hash, settings)."""
    parts = {"state": trajectory.states, "offset": trajectory.offsets, "partner": trajectory.partners}
    # clones, for a safetensors file refuses two names for one tensor: two coupled states start as one
    tensors = {f"{name}.{i}": x.clone() for name, part in parts.items() for i, x in enumerate(part)}
    facts = {
        "levels": [[level.alpha, level.sigma] for level in trajectory.levels],
        "convergence": [
            [[c.level.alpha, c.level.sigma], c.iterations, c.residual, c.converged] for c in trajectory.convergence
        ],
        "made_of": made_of,
    }
    facts["checksum"] = _checksum(facts, tensors)
    write_whole(path, save(tensors, {"regrow trajectory": json.dumps(facts)}))


def _checksum(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """Of all that a file holds: of its facts, and of names, shapes and numbers of its tensors."""
    whole = hashlib.blake2b(json.dumps(facts).encode(), digest_size=16)
    for name, tensor in sorted(tensors.items()):
        whole.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        whole.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def load_trajectory(path: Path, unchecked: bool = True) -> tuple[Trajectory, dict[str, Any]]:
    """Read what `save_trajectory` wrote.

    Args:
        path: of the file.
        unchecked: whether it may be without a checksum, as older versions wrote it.

    Raises:
        MediaError: the file is missing, damaged, or no trajectory.
    """
    try:
        with safe_open(readable(path), "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        facts = json.loads(metadata["regrow trajectory"])
        found = facts.pop("checksum", None)
        sound = found == _checksum(facts, tensors) or (found is None and unchecked)
        levels = tuple(Level(*map(float, pair)) for pair in facts["levels"])
        states = tuple(tensors[f"state.{i}"] for i in range(len(levels)))
        offsets, partners = (
            tuple(tensors[f"{part}{i}"] for i in range(sum(name.startswith(part) for name in tensors)))
            for part in ("offset.", "partner.")
        )
        convergence = tuple(Convergence(Level(*level), *rest) for level, *rest in facts["convergence"])
        made_of = current(facts["made_of"])
    except (SafetensorError, ArithmeticError, KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise MediaError(say("trajectory_unreadable", path=path)) from None
    if not sound:
        raise MediaError(say("trajectory_checksum", path=path))
    steps = len(states) - 1
    whole = steps > 0 and len(offsets) in (0, steps) and len(partners) in (0, steps + 1)
    if not whole or len({part.shape for part in tensors.values()}) > 1:
        raise MediaError(say("trajectory_incomplete", path=path))
    return Trajectory(levels, states, offsets, convergence, partners), made_of


def cached_path(made_of: dict[str, Any]) -> Path:
    """Return where the path made of these things is kept."""
    key = hashlib.blake2b(json.dumps(made_of, sort_keys=True).encode(), digest_size=16).hexdigest()
    return home() / "cache" / "trajectories" / f"{key}.safetensors"


def from_cache(made_of: dict[str, Any], start: Level) -> Trajectory | None:
    """Return the kept path made of these things, if it reaches up to `start`."""
    path = cached_path(made_of)
    if not os.path.isfile(path):
        return None
    try:
        trajectory, stored = load_trajectory(path, unchecked=False)
    except MediaError:
        return None
    if stored != json.loads(json.dumps(made_of)):  # another one in its place
        return None
    with suppress(OSError):
        os.utime(path)
    return trajectory if start in trajectory.levels else None


def to_cache(made_of: dict[str, Any], trajectory: Trajectory) -> None:
    """Keep a path, and drop the ones unused for longest where there are too many."""
    path = cached_path(made_of)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_trajectory(path, trajectory, made_of)
        kept = sorted(path.parent.glob("*.safetensors"), key=lambda p: p.stat().st_mtime, reverse=True)
        total = 0
        for old in kept:
            total += old.stat().st_size
            if total > CACHE_BYTES and old != path:
                old.unlink(missing_ok=True)
    except (OSError, MediaError) as problem:
        cannot_keep(problem)
