"""Choose the strength: the usual one, or the weakest at which the target predicts most of its change."""

from collections.abc import Generator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.edit_localization import differences, mean_map, shape_of
from regrow.core.progress import Progress
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.requests.edit import Edit

USUAL = 0.9
"""Where neither the request nor the model says one."""
STRENGTHS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""That are looked at."""
ENOUGH = 0.8
"""The share of the largest difference at which a level is far enough back."""
COPIES, GRID = 2, 100
"""Noises per level, and steps of the path on which the levels are found."""


def settle(
    request: Edit, model: Model, latents: Float[Tensor, "1 c y x"]
) -> Generator[Progress, None, tuple[Edit, str, int]]:
    """A request whose strength is a number, the sentence that says why, and the evaluations it took.

    At each strength, the predictions of targets and source for noisy copies of the picture are compared. At little
    noise both predict the same picture; at more noise the target changes more. The weakest strength is taken at which
    the mean difference, inside the shape on which the target acts, has reached most of what it reaches anywhere. Of
    several targets the one that needs most decides, for they share a batch.

    Raises:
        ValueError: the model takes no words.
    """
    if request.strength is None:
        return replace(request, strength=USUAL), "", 0
    if request.strength != "auto" or request.start_step is not None:
        return request, "", 0
    if not model.takes_words:
        raise ValueError(say("no_prompts_for_strength", name=model.name))
    targets = tuple(dict.fromkeys(request.target))
    prompts = [prompt for prompt in (*targets, request.source) for _ in range(COPIES)]
    denoise, grid = model.denoiser(model.condition(prompts)), model.grid(GRID, shape=latents.shape[1:])
    levels = [grid[round((1 - strength) * GRID)] for strength in STRENGTHS]
    maps = []
    for found in differences(denoise, latents, levels, len(targets), request.seed, COPIES):
        maps.append(found.maps)
        yield Progress("strength", found.index, found.steps)
    inside = (shape_of(mean_map(maps)) > 0).float()
    change = torch.stack([(each * inside).sum((1, 2, 3)) for each in maps])  # strengths x targets
    share = change / change.amax(0).clamp_min(torch.finfo(change.dtype).tiny)
    index = int((share >= ENOUGH).float().argmax(0).max())
    strength, least = STRENGTHS[index], float(share[index].min())
    why = say("strength_auto_took", strength=strength, least=100 * least)
    if index:
        why += say("strength_auto_below", strength=STRENGTHS[index - 1], share=100 * float(share[index - 1].min()))
    return replace(request, strength=strength), f"{why}.", 2 * COPIES * len(STRENGTHS)
