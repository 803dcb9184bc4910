"""Pictures as a medium: files of any size, which are fitted to a model's frame and pasted back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from regrow.media.captions.listing import PICTURES
from regrow.media.files import file_hash
from regrow.media.frame import Distance, Extent, Frame, Frames, Latents, Layout, Page, Pair, Picture, Region, Restored
from regrow.media.image import picture
from regrow.media.image.distance import psnr, ssim
from regrow.media.image.framing import Placement, apply, unfit
from regrow.media.image.masking import box_mask, load_mask, paste, paste_on_layer
from regrow.media.image.placing import placed, usual
from regrow.media.image.region import PictureRegion, cells_of, framed_mask, paste_weight, whole_of
from regrow.media.image.sheet import Cell, Row
from regrow.media.medium import Medium, MediumModel, Recipe
from regrow.messages.message import say

_OF_SOUNDS = ("loop", "melody")


@dataclass(frozen=True, eq=False)
class PictureFrame(Frame):
    """A picture in a model's frame, with the file's own pixels and how they were placed, and its alpha, if any."""

    original: Picture
    placement: Placement
    layer: UInt8[Tensor, "4 h w"] | None

    @property
    def settings(self) -> dict[str, Any]:
        return {"frame": self.placement.mode}


class PictureMedium(Medium):
    """Pictures `3 h w` in [-1, 1]; frames are pictures, too."""

    name = "picture"
    kind = PICTURES
    ending = PICTURES.ending
    embedded = "storybook"
    sized = True
    layout = Layout(256, 7, say("distances_to_source"))

    def check(self, request: Any, model: MediumModel) -> None:
        self.require(model)
        if getattr(request, "span", None) is not None:
            raise ValueError(say("span_only_for_sounds"))
        if getattr(request, "duration", None) is None and not any(getattr(request, name, None) for name in _OF_SOUNDS):
            return
        if hasattr(request, "melody"):
            raise ValueError(say("model_makes_pictures", name=model.name))
        raise ValueError(say("duration_only_for_sounds"))

    def load(self, path: Path, model: MediumModel, request: Any) -> PictureFrame:
        loaded = picture.load(path)
        placement = placed(request, (loaded.pixels.shape[-2], loaded.pixels.shape[-1]), model)
        notes = (*loaded.notes, placement.note) if placement.note else loaded.notes
        content = apply(loaded.pixels, placement)
        return PictureFrame(content, notes, loaded.pixels, placement, loaded.layer)

    def region(
        self, request: Any, frame: Frame, model: MediumModel, latents: Latents, mask: Tensor | None = None
    ) -> PictureRegion | None:
        assert isinstance(frame, PictureFrame)
        size, placement = frame.placement.original, frame.placement
        pixels, notes, file = torch.ones(1, 1, *size), (), None
        if request.mask is None and request.box is None:
            return None
        if mask is not None:
            pixels = whole_of(mask, placement)
        elif request.mask is not None:
            loaded, notes = load_mask(request.mask, size)
            pixels, file = loaded[None], (request.mask.resolve(), file_hash(request.mask))
        if request.box is not None:
            pixels = pixels * box_mask(request.box, size)
        framed = framed_mask(pixels, placement)
        cells = cells_of(framed, model.factor)
        return PictureRegion(latents=cells, frame=framed, notes=notes, pixels=pixels, file=file)

    def restore(
        self, frame: Frame, decoded: Frames, model: MediumModel, request: Any, region: Region | None
    ) -> Restored:
        assert isinstance(frame, PictureFrame)
        assert region is None or isinstance(region, PictureRegion)
        whole = made = unfit(decoded, frame.placement, frame.original)
        weight = paste_weight(region, frame.placement, request.feather)
        if weight is not None:
            whole = paste(made, frame.original, weight)
        items = whole
        if weight is not None and frame.layer is not None:
            items = paste_on_layer(made, frame.layer, weight)
        # with a region, what the model made outside it is of no interest
        return Restored(tuple(items), apply(whole, frame.placement) if region else decoded)

    def extent(self, request: Any, model: MediumModel, like: Frame | None = None) -> Extent:
        height, width = request.size or model.size
        if height % model.multiple or width % model.multiple:
            near = " ".join(str(max(round(side / model.multiple), 1) * model.multiple) for side in (height, width))
            raise ValueError(say("size_no_multiple", multiple=model.multiple, height=height, width=width, near=near))
        return Extent(model.latent_shape(height, width))

    def like_first(self, request: Any, first: Frame) -> Any:
        height, width = first.content.shape[-2:]
        return replace(request, size=(height, width), frame="crop" if request.frame == "auto" else request.frame)

    def pair(self, first: Frame, second: Frame, shares: Sequence[float]) -> Pair:
        return Pair(torch.stack([first.content, second.content]), Extent(()), (*first.notes, *second.notes))

    def render(self, latents: Latents, decoded: Frames, model: MediumModel, extent: Extent) -> tuple[Picture, ...]:
        return tuple(decoded)

    def rate(self, model: MediumModel) -> None:
        return None

    def save(self, path: Path, item: Picture, recipe: Recipe | None = None, rate: int | None = None) -> tuple[str, ...]:
        return picture.save(path, item, recipe)

    def check_savable(self, path: Path) -> None:
        picture.check_savable(path)

    def replayed_ending(self, path: Path) -> str:
        return self.ending  # jpg, which loses, would hide whether it is the same

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        return picture.read_recipe(path)

    def result_hash(self, item: Picture) -> str:
        return picture.picture_hash(item)

    def distance(self, a: Picture, b: Picture, model: MediumModel) -> Distance:
        decibels = float(psnr(a, b))
        return {"psnr": None if math.isinf(decibels) else round(decibels, 2), "ssim": round(float(ssim(a, b)), 4)}

    def distance_text(self, distance: Distance) -> str:
        decibels = "equal" if distance["psnr"] is None else f"PSNR {distance['psnr']} dB"
        return f"{decibels}, SSIM {distance['ssim']}"

    def distance_caption(self, distance: Distance) -> str:
        decibels = "equal" if distance["psnr"] is None else f"PSNR {distance['psnr']:.1f} dB"
        return f"{decibels}, SSIM {distance['ssim']:.3f}"

    def distance_short(self, distance: Distance) -> str:
        return "equal" if distance["psnr"] is None else f"{distance['psnr']} dB"

    def codec_psnr(self, decoded: Picture, content: Picture) -> float:
        return float(psnr(decoded, content))

    def pictures(self, frames: Frames, model: MediumModel) -> Frames:
        return frames

    def preview(self, item: Picture, rate: int | None, model: MediumModel) -> None:
        return None

    def original(self, frame: Frame) -> tuple[Picture, None]:
        return frame.content, None

    def facts(self, path: Path) -> dict[str, Any]:
        loaded = picture.load(path)
        return {
            "file": str(path), "kind": self.name, "height": loaded.pixels.shape[1], "width": loaded.pixels.shape[2],
            "hash": file_hash(path), "notes": list(loaded.notes), "recipe": picture.read_recipe(path),
        }  # fmt: skip

    def page(self, path: Path, model: MediumModel | None) -> Page | None:
        if model is None:
            return None
        loaded = picture.load(path)
        placement = usual((loaded.pixels.shape[-2], loaded.pixels.shape[-1]), model)
        content = apply(loaded.pixels, placement)
        notes = (*loaded.notes, placement.note) if placement.note else loaded.notes
        latents = model.encode(content[None])
        decoded = model.decode(latents)[0]
        lost = self.distance(decoded, content, model)
        decibels = f"PSNR {'inf' if lost['psnr'] is None else lost['psnr']} dB"
        row = Row(
            "The picture, what the model's codec makes of it, and four times the difference",
            [
                Cell(content, ["as the model sees it", *notes]),
                Cell(decoded, ["codec", f"{decibels}, SSIM {lost['ssim']}"]),
                Cell((4 * (decoded - content)).clamp(-1, 1), ["difference x 4"]),
            ],
        )
        return Page({"codec": lost, "notes": [*loaded.notes, *notes]}, [row], latents, {"codec": lost}, 192)


MEDIUM = PictureMedium()
