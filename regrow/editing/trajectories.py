"""Inverted paths on disk: saved, loaded, and a bounded cache of the last ones, keyed by content."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from regrow.core.levels import Level
from regrow.core.trajectory import Convergence, Trajectory
from regrow.media.files import MediaError, readable, write_whole
from regrow.media.home import home
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
    write_whole(path, save(tensors, {"regrow trajectory": json.dumps(facts)}))


def load_trajectory(path: Path) -> tuple[Trajectory, dict[str, Any]]:
    """Read what `save_trajectory` wrote.

    Raises:
        MediaError: the file is missing, damaged, or no trajectory.
    """
    try:
        with safe_open(readable(path), "pt") as file:
            facts = json.loads((file.metadata() or {})["regrow trajectory"])
            levels = tuple(Level(*pair) for pair in facts["levels"])
            states = tuple(file.get_tensor(f"state.{i}") for i in range(len(levels)))
            names = list(file.keys())
            offsets, partners = (
                tuple(file.get_tensor(f"{part}{i}") for i in range(sum(name.startswith(part) for name in names)))
                for part in ("offset.", "partner.")
            )
    except (SafetensorError, KeyError, ValueError, TypeError):
        raise MediaError(f"{path} is not a trajectory that regrow saved, or it is damaged; invert again.") from None
    convergence = tuple(Convergence(Level(*level), *rest) for level, *rest in facts["convergence"])
    return Trajectory(levels, states, offsets, convergence, partners), current(facts["made_of"])


def cached_path(made_of: dict[str, Any]) -> Path:
    """Where the path made of these things is kept."""
    key = hashlib.blake2b(json.dumps(made_of, sort_keys=True).encode(), digest_size=16).hexdigest()
    return home() / "cache" / "trajectories" / f"{key}.safetensors"


def from_cache(made_of: dict[str, Any], start: Level) -> Trajectory | None:
    """The kept path made of these things, if it reaches up to `start`."""
    path = cached_path(made_of)
    if not path.exists():
        return None
    try:
        trajectory, _ = load_trajectory(path)
    except MediaError:
        path.unlink(missing_ok=True)
        return None
    os.utime(path)
    return trajectory if start in trajectory.levels else None


def to_cache(made_of: dict[str, Any], trajectory: Trajectory) -> None:
    """Keep a path, and drop the ones unused for longest where there are too many."""
    path = cached_path(made_of)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_trajectory(path, trajectory, made_of)
    kept = sorted(path.parent.glob("*.safetensors"), key=lambda p: p.stat().st_mtime, reverse=True)
    total = 0
    for old in kept:
        total += old.stat().st_size
        if total > CACHE_BYTES and old != path:
            old.unlink(missing_ok=True)
