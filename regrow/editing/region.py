"""The region that may change: given by the request, or found where source and targets disagree."""

from collections.abc import Generator, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.edit_localization import COPIES, LOG_SNRS, differences, mean_map, shape_of
from regrow.core.progress import Progress
from regrow.media.files import MediaError
from regrow.media.frame import Frame, Region
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.requests.edit import Edit

GRID = 50
"""Steps of the path on which the levels are found that a difference is taken at."""


def region_of(
    request: Edit,
    model: Model,
    frame: Frame,
    latents: Float[Tensor, "1 c y x"],
    targets: Sequence[str],
    shapes: dict[str, Float[Tensor, "1 1 y x"]],
) -> Generator[Progress, None, Region | None]:
    """The region that a request names, or that its targets act on; None where all may change.

    Args:
        request: of the edit.
        model: the checkpoint.
        frame: the file in the model's frame.
        latents: of the file.
        targets: of the results of the batch.
        shapes: found for targets on this file before, by their words; new ones are added.

    Raises:
        MediaError: the mask cannot be read, or nothing of it lies where the model looks.
        ValueError: the model takes no words, so none can be found.
    """
    if request.mask != "auto":
        return model.medium.region(request, frame, model, latents)
    new = tuple(dict.fromkeys(target for target in targets if target not in shapes))
    if new:
        new_masks = yield from _masks(request, model, latents, new)
        shapes.update(zip(new, new_masks.split(1), strict=True))
    masks = torch.cat([shapes[target] for target in targets])
    region = model.medium.region(request, frame, model, latents, masks)
    return replace(region, evaluations=2 * COPIES * len(LOG_SNRS)) if region and new else region


def _masks(
    request: Edit, model: Model, latents: Float[Tensor, "1 c y x"], targets: Sequence[str]
) -> Generator[Progress, None, Float[Tensor, "targets 1 y x"]]:
    """Where each target and the source disagree, above 0 where the target acts."""
    if not model.takes_words:
        raise ValueError(say("no_prompts_for_mask", name=model.name))
    prompts = [prompt for prompt in (*targets, request.source) for _ in range(COPIES)]
    denoise = model.denoiser(model.condition(prompts))
    grid = model.grid(GRID, shape=latents.shape[1:])[:-1]
    levels = [min(grid, key=lambda level, wanted=wanted: abs(level.log_snr - wanted)) for wanted in LOG_SNRS]
    maps = []
    for state in differences(denoise, latents, levels, len(targets), request.seed, COPIES):
        maps.append(state.maps)
        yield Progress("mask", state.index, state.steps)
    shapes = shape_of(mean_map(maps))
    for target, shape in zip(targets, shapes, strict=True):
        if not (shape > 0).any():
            raise MediaError(say("no_mask_to_find", target=target))
    return shapes
