"""The kept path: inverted as far as it goes before the first edit, so that the slider never pays for it again."""

from collections.abc import Generator

from jaxtyping import Float
from torch import Tensor

from regrow.core.methods.method import PathSettings
from regrow.core.methods.registry import method
from regrow.editing.invert import describe, source_denoiser, watched
from regrow.editing.song import as_songs
from regrow.editing.steps import with_own_method, with_steps
from regrow.editing.trajectories import from_cache, to_cache
from regrow.interfaces.web.jobs import At
from regrow.interfaces.web.worker import steps_of
from regrow.models.model import Model
from regrow.prompts.expand_edit import with_expanded_prompts
from regrow.requests.edit import Edit


def rewound(request: Edit, model: Model, latents: Float[Tensor, "1 c *cells"]) -> Generator[At, None, int]:
    """Invert up to pure noise, so that every place of the slider finds its path in the cache.

    Args:
        request: the edit.
        model: that it asks for.
        latents: of its picture or sound.

    Returns:
        The evaluations that it took.
    """
    request, _ = with_own_method(request, model)
    chosen = method(request.method)
    if not chosen.invert or chosen.start_in_key:  # whose paths hold from their own end alone
        return 0
    if chosen.follows_path and not model.deterministic_path:  # which the edit refuses in a sentence
        return 0
    if request.source in ("", "auto"):  # whose words are not known yet
        return 0
    request, steps = with_steps(request, model)
    model = model.of_length(latents.shape[-1] * model.factor)
    request = as_songs(with_expanded_prompts(request, model, latents), request, model).request
    levels = model.grid(steps, request.spacing, latents.shape[1:])[::-1]
    made_of = describe(request, model)
    if from_cache(made_of, levels[-1]):
        return 0
    denoise = source_denoiser(model, request.source, request.invert_guidance)
    walk = chosen.invert(denoise, latents, levels, PathSettings(request.label, request.tolerance, [request.seed]))
    to_cache(made_of, (yield from steps_of(watched(walk, "invert"), model)))
    return denoise.evaluations
