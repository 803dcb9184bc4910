"""Invert the whole path before the first edit and cache it, so that later positions of the slider reuse it."""

import json
from collections import OrderedDict
from collections.abc import Generator

from jaxtyping import Float
from torch import Tensor

from regrow.core.methods.method import PathSettings
from regrow.core.methods.registry import method
from regrow.core.trajectory import Trajectory
from regrow.editing.invert import describe, source_denoiser, watched
from regrow.editing.songs.lyrics import as_songs
from regrow.editing.steps import with_own_method, with_steps
from regrow.editing.trajectories import from_cache, to_cache
from regrow.interfaces.server.jobs.job import At
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.models.model import Model
from regrow.prompts.expand_edit import with_expanded_prompts
from regrow.requests.edit import Edit


def rewound(
    request: Edit, model: Model, latents: Float[Tensor, "1 c *cells"], paths: OrderedDict[str, Trajectory]
) -> Generator[At, None, int]:
    """Invert up to pure noise, so that every position of the slider finds its path in the cache.

    Args:
        request: the edit.
        model: of the edit.
        latents: of its picture or sound.
        paths: cache in memory, by a hash of what determines a path; the request's path is added as the newest.

    Returns:
        The number of evaluations.
    """
    request, _ = with_own_method(request, model)
    chosen = method(request.method)
    if not chosen.invert or chosen.start_in_key:  # their paths are valid only from their own noisiest level
        return 0
    if chosen.follows_path and not model.deterministic_path:  # the edit itself refuses this with a sentence
        return 0
    if request.source in ("", "auto"):  # its source prompt is not known yet
        return 0
    request, steps = with_steps(request, model)
    model = model.of_length(latents.shape[-1] * model.factor)
    request = as_songs(with_expanded_prompts(request, model, latents), request, model).request
    levels = model.grid(steps, request.spacing, latents.shape[1:])[::-1]
    made_of, evaluations = describe(request, model), 0
    key = json.dumps(made_of, sort_keys=True)
    if key not in paths or levels[-1] not in paths[key].levels:
        path = from_cache(made_of, levels[-1])
        if path is None:
            denoise = source_denoiser(model, request.source, request.invert_guidance)
            settings = PathSettings(request.label, request.tolerance, [request.seed])
            path = yield from steps_of(watched(chosen.invert(denoise, latents, levels, settings), "invert"), model)
            to_cache(made_of, path)
            evaluations = denoise.evaluations
        paths[key] = path
    paths.move_to_end(key)
    return evaluations
