"""Codecs at work on large pictures: whole where that fits into what is free, else one by one, else in tiles.

Tiles are diffusers' own (`enable_tiling`): they overlap by a quarter and are blended, so that what they make differs a
little from the whole. So what was taken is part of a recipe.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from regrow.models.memory.free import LEFT, free_memory
from regrow.models.memory.room import make_room, part_size, releasable

if TYPE_CHECKING:
    from regrow.models.model import Model

AnyModel = TypeVar("AnyModel", bound="Model")

NUMBERS = {4: 11, 2: 17}
"""That an autoencoder holds at its peak for a pixel and a channel of its layer of full size, by the bytes of each:
measured on the CPU with the codec of Stable Diffusion 1.5 (docs/checkpoints.md, "Memory")."""
CHANNELS = 128
"""Of that layer, where a codec's config does not say it."""
SMALLEST = 256
"""Pixels of the side of a tile below which blending shows."""


@dataclass(frozen=True)
class Coding:
    """How a codec computes.

    Attributes:
        one_by_one: the samples of a batch one after the other.
        tile: pixels of the side of the tiles of a picture; 0 for the whole at once.
    """

    one_by_one: bool = False
    tile: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """For recipes; nothing where all is computed at once."""
        return asdict(self) if self != WHOLE else {}

    @property
    def notes(self) -> tuple[str, ...]:
        """For users."""
        if not self.tile:
            return ()
        return (
            f"Memory does not hold the picture at work in the codec, which took it in tiles of {self.tile} x "
            f"{self.tile} pixels: what it makes differs a little from the whole.",
        )


WHOLE = Coding()


def coded_as(model: AnyModel, coding: Coding) -> AnyModel:
    """Return the same opened checkpoint, whose codec computes as a recipe says."""
    other = copy(model)
    other.coding = coding
    return other


def with_codec_room(model: AnyModel, count: int, extent: Sequence[int]) -> tuple[AnyModel, tuple[str, ...]]:
    """Return the same opened checkpoint, whose codec computes in the way for which there is room, and notes on it.

    The rule: `count` frames at once, where what they take is at most `LEFT` of what is free, or would be once all other
    parts are released; else one after the other; else in tiles, the largest of the codec's own size, halved until
    they fit.

    Args:
        model: where it was chosen before, as for a replay, it stays.
        count: of the frames that are decoded at once.
        extent: of each.
    """
    if model.coding is not None:
        return model, model.coding.notes
    coding = _coding(model, count, extent)
    return coded_as(model, coding), coding.notes


def _coding(model: "Model", count: int, extent: Sequence[int]) -> Coding:
    each = _at_work(model, extent)
    if not each:
        return WHOLE
    parts, device = model.parts, model.device
    free = free_memory(device)
    if parts.in_turn and parts.storage == device:
        free += sum(part_size(parts, name) for name in releasable(parts) if name != model.codec.part)
    if count * each <= LEFT * free:
        return WHOLE
    if each <= LEFT * free:
        return Coding(one_by_one=True)
    tile = _own_tile(model)
    if not tile:
        return Coding(one_by_one=True)
    while tile // 2 >= SMALLEST and _at_work(model, (tile, tile)) > LEFT * free:
        tile //= 2
    return Coding(one_by_one=True, tile=tile)


def _at_work(model: "Model", extent: Sequence[int]) -> int:
    """Return the bytes that a codec of pictures takes for one frame, beside its weights; 0 for any other codec."""
    part = model.codec.part
    if part is None or len(extent) != 2:  # codecs of waves go by pieces of their own
        return 0
    config, size = model.parts.config(part), model.dtype.itemsize
    if config.get("force_upcast") and model.dtype == torch.float16:  # which some families heed
        size = torch.float32.itemsize
    channels = config.get("block_out_channels") or config.get("encoder_block_out_channels") or (CHANNELS,)
    return prod(extent) * channels[0] * NUMBERS[size] * size


def _own_tile(model: "Model") -> int:
    """Return pixels of the side of a codec's own tiles; 0 where it has none of one size."""
    return int(getattr(model.codec_network, "tile_sample_min_size", 0) or 0)


@contextmanager
def room_for_codec(model: "Model", count: int, extent: Sequence[int]) -> Generator[int]:
    """Have a codec compute as `Model.coding` says; yields how many samples it takes at once.

    Args:
        model: the checkpoint.
        count: of frames.
        extent: of each.
    """
    coding, parts, part = model.coding or WHOLE, model.parts, model.codec.part
    if part is None:
        yield count
        return
    if parts.in_turn and parts.storage == parts.device:
        held = 1 if coding.one_by_one else count
        sides = (coding.tile, coding.tile) if coding.tile else extent
        make_room(parts, held * _at_work(model, sides), parts.device, part)
    if not coding.tile:
        yield 1 if coding.one_by_one else count
        return
    network = model.codec_network
    before = network.tile_sample_min_size, network.tile_latent_min_size
    network.tile_sample_min_size, network.tile_latent_min_size = coding.tile, coding.tile // model.factor
    network.enable_tiling()
    try:
        yield 1
    finally:
        network.disable_tiling()
        network.tile_sample_min_size, network.tile_latent_min_size = before
