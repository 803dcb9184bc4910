"""The inverted path of an edit: from memory, a file or the disk cache, or inverted now."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core.levels import Level
from regrow.core.methods.method import Method, PathSettings
from regrow.core.progress import Progress
from regrow.core.trajectory import Trajectory
from regrow.editing.invert import describe, source_denoiser, watched
from regrow.editing.trajectories import from_cache, load_trajectory, to_cache
from regrow.media.files import MediaError
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.requests.edit import Edit


def inverted_path(
    request: Edit,
    chosen: Method,
    model: Model,
    latents: Float[Tensor, "1 c h w"],
    levels: Sequence[Level],
    paths: dict[str, Trajectory],
) -> Generator[Progress, None, tuple[Trajectory, int, bool]]:
    """Return the inverted path up to `levels[0]`, the evaluations it took, and whether it was there already.

    Raises:
        MediaError: the request's trajectory file cannot be used.
    """
    made_of = describe(request, model)
    key = json.dumps(made_of, sort_keys=True)
    if key in paths and levels[0] in paths[key].levels:
        return paths[key], 0, True
    trajectory, evaluations = None, 0
    if request.trajectory:
        trajectory = _from_file(request.trajectory, made_of, latents, levels[0])
    elif request.cache:
        trajectory = from_cache(made_of, levels[0])
    reused = trajectory is not None
    if trajectory is None:
        assert chosen.invert
        denoise = source_denoiser(model, request.source, request.invert_guidance)
        settings = PathSettings(request.label, request.tolerance, [request.seed])
        trajectory = yield from watched(chosen.invert(denoise, latents, levels[::-1], settings), "invert")
        evaluations = denoise.evaluations
        if request.cache:
            to_cache(made_of, trajectory)
    paths[key] = trajectory
    return trajectory, evaluations, reused


def _from_file(path: Path, made_of: dict[str, Any], latents: Float[Tensor, "1 c h w"], start: Level) -> Trajectory:
    trajectory, stored = load_trajectory(path)
    keys = {*made_of, *(stored.keys() & {"engine"})}  # which torch's paths do not name
    different = sorted(key for key in keys if stored.get(key) != _as_json(made_of.get(key)))
    if different:
        raise MediaError(say("inverted_with_other_settings", path=path, different=", ".join(different)))
    if trajectory.states[0].shape != latents.shape:
        raise MediaError(say("path_of_other_size", path=path))
    if start not in trajectory.levels:
        raise MediaError(say("path_too_short", path=path))
    return trajectory


def _as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
