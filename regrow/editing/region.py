"""Region: where a wish may change a picture, in the picture's pixels and in the model's latents."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.edit_localization import COPIES, LOG_SNRS, differences, mean_map, shape_of
from regrow.core.progress import Progress
from regrow.editing.recipe import file_hash, picture_hash
from regrow.media.files import MediaError
from regrow.media.image.framing import Fitted, Placement, apply, unfit
from regrow.media.image.masking import LEAST, box_mask, load_mask
from regrow.models.model import Model
from regrow.requests.edit import Edit

GRID = 50
"""Steps of the path on which the levels are found that a difference is taken at."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where a picture may change: 1 may, 0 may not, between that much.

    Attributes:
        pixels: of the picture's own size, `m 1 h w`, one for all pictures of a batch or one a picture.
        latents: the same in the model's latents, `m 1 y x`.
        file: the mask's, and the hash of its bytes; None without one.
        evaluations: that it took to find it, for one wish.
        notes: sentences on what was done to a mask.
    """

    pixels: Float[Tensor, "m 1 h w"]
    latents: Float[Tensor, "m 1 y x"]
    file: tuple[Path, str] | None = None
    evaluations: int = 0
    notes: tuple[str, ...] = ()

    def picture(self, index: int) -> Float[Tensor, "3 h w"]:
        """The mask of a picture of the batch as a picture in [-1, 1] that `--mask` takes."""
        return self.pixels[min(index, len(self.pixels) - 1)].expand(3, -1, -1) * 2 - 1

    def facts(self, index: int) -> dict[str, Any]:
        """What a recipe says of it: the mask's hash, the share of the picture that it is, and its file."""
        mask = self.picture(index)
        facts = {"hash": picture_hash(mask), "share": round(float((mask[0] > -1).float().mean()), 4)}
        return facts | ({"file": str(self.file[0]), "file_hash": self.file[1]} if self.file else {})


def region_of(
    request: Edit,
    model: Model,
    fitted: Fitted,
    latents: Float[Tensor, "1 c y x"],
    targets: Sequence[str],
    shapes: dict[str, Float[Tensor, "1 1 y x"]],
) -> Generator[Progress, None, Region | None]:
    """The region that a request names, or that its wishes act on; None where all may change.

    Args:
        request: what is asked for.
        model: the checkpoint.
        fitted: the picture in the model's frame.
        latents: of the picture.
        targets: of the pictures of the batch.
        shapes: found for wishes on this picture before, by their words; new ones are added.

    Raises:
        MediaError: the mask cannot be read, or nothing of it lies where the model looks.
        ValueError: the model takes no words, so none can be found.
    """
    size = fitted.placement.original
    pixels, notes, file, evaluations = torch.ones(1, 1, *size), (), None, 0
    if request.mask is None and request.box is None:
        return None
    if request.mask == "auto":
        new = tuple(dict.fromkeys(target for target in targets if target not in shapes))
        if new:
            found = yield from _found(request, model, latents, new)
            shapes.update(zip(new, found.split(1), strict=True))
            evaluations = 2 * COPIES * len(LOG_SNRS)
        pixels = _whole(torch.cat([shapes[target] for target in targets]), fitted.placement)
    elif request.mask is not None:
        mask, notes = load_mask(request.mask, size)
        pixels, file = mask[None], (request.mask.resolve(), file_hash(request.mask))
    if request.box is not None:
        pixels = pixels * box_mask(request.box, size)
    return Region(pixels, _cells(pixels, model, fitted.placement), file, evaluations, notes)


def _found(
    request: Edit, model: Model, latents: Float[Tensor, "1 c y x"], wishes: Sequence[str]
) -> Generator[Progress, None, Float[Tensor, "wishes 1 y x"]]:
    """Where each wish and the source disagree, above 0 where the wish acts."""
    if model.text_encoder is None:
        raise ValueError(f"{model.name} takes no prompts, so no mask can be found from them: give --region or --mask.")
    prompts = [prompt for prompt in (*wishes, request.source) for _ in range(COPIES)]
    denoise = model.denoiser(model.condition(prompts))
    grid = model.schedule.grid(GRID)[:-1]
    levels = [min(grid, key=lambda level, wanted=wanted: abs(level.log_snr - wanted)) for wanted in LOG_SNRS]
    maps = []
    for found in differences(denoise, latents, levels, len(wishes), request.seed, COPIES):
        maps.append(found.maps)
        yield Progress("mask", found.index, found.steps)
    shapes = shape_of(mean_map(maps))
    for wish, shape in zip(wishes, shapes, strict=True):
        if not (shape > 0).any():
            raise MediaError(f'"{wish}" and the source see the same, so there is no mask to find: change --target.')
    return shapes


def _whole(shapes: Float[Tensor, "wishes 1 y x"], placement: Placement) -> Float[Tensor, "wishes 1 h w"]:
    """Shapes in latents, above 0 inside, as masks of 0 and 1 of the picture's size; 0 where the model did not look."""
    frame = F.interpolate(shapes.float(), size=placement.frame, mode="bicubic", align_corners=False)
    outside = torch.full((1, *placement.original), -1.0)
    return (unfit(frame, placement, outside) > 0).float()


def _cells(pixels: Float[Tensor, "m 1 h w"], model: Model, placement: Placement) -> Float[Tensor, "m 1 y x"]:
    """A mask of the picture as one of the latents: a cell may change as much as its most free pixel.

    Raises:
        MediaError: nothing of a mask lies where the model looks.
    """
    frame = apply(pixels, placement)
    frame = torch.where(frame > LEAST, frame, 0)
    if not frame.flatten(1).any(1).all():
        raise MediaError(
            "Nothing may change: no white of mask and region lies in the part of the picture that the model sees; "
            "make them larger, or take --frame pad."
        )
    return F.max_pool2d(frame, model.factor)
