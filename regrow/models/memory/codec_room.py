"""Run codecs on large pictures: as a batch if that fits into free memory, else one by one, else in tiles.

Tiles are diffusers' own (`enable_tiling`): they overlap by a quarter and are blended, so the result differs a little
from the whole. So recipes record what was used.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from regrow.messages.message import say
from regrow.models.memory.free import LEFT, free_memory
from regrow.models.memory.room import make_room, part_size, releasable

if TYPE_CHECKING:
    from regrow.models.model import Model

AnyModel = TypeVar("AnyModel", bound="Model")

NUMBERS = {4: 11, 2: 17}
"""Numbers that an autoencoder holds at its peak, per pixel and per channel of its full-resolution layer, by bytes per
number: measured on the CPU with the codec of Stable Diffusion 1.5 (docs/reference/checkpoints.md, "Memory")."""
CHANNELS = 128
"""Channels of that layer if the codec's config does not say."""
SMALLEST = 256
"""Smallest side of a tile in pixels; below it, blending is visible."""


@dataclass(frozen=True)
class Coding:
    """How a codec computes.

    Attributes:
        one_by_one: whether a batch's samples are computed one after the other.
        tile: side of a picture's tiles in pixels; 0 for the whole picture at once.
    """

    one_by_one: bool = False
    tile: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """Its fields, for recipes; empty if all is computed at once."""
        return asdict(self) if self != WHOLE else {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Messages for users."""
        if not self.tile:
            return ()
        return (say("codec_in_tiles", tile=self.tile),)


WHOLE = Coding()


def coded_as(model: AnyModel, coding: Coding) -> AnyModel:
    """Return the same opened checkpoint with `coding`, such as a recipe's."""
    other = copy(model)
    other.coding = coding
    return other


def with_codec_room(model: AnyModel, count: int, extent: Sequence[int]) -> tuple[AnyModel, tuple[str, ...]]:
    """Return the same opened checkpoint with a `coding` that fits into memory, and messages about it.

    The rule: `count` frames at once, if they take at most `LEFT` of the memory that is free or would be after releasing
    all other parts; else one after the other; else in tiles of the codec's own size, halved until they fit.

    Args:
        model: its `coding` is kept if already set, as for a replay.
        count: number of frames in the batch.
        extent: size of each frame.
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
    if part is None or len(extent) != 2:  # wave codecs split waves into pieces themselves
        return 0
    config, size = model.parts.config(part), model.dtype.itemsize
    if config.get("force_upcast") and model.dtype == torch.float16:  # some families do so
        size = torch.float32.itemsize
    channels = config.get("block_out_channels") or config.get("encoder_block_out_channels") or (CHANNELS,)
    return prod(extent) * channels[0] * NUMBERS[size] * size


def _own_tile(model: "Model") -> int:
    """Return the side of the codec's own tiles in pixels; 0 if it has no single tile size."""
    return int(getattr(model.codec_network, "tile_sample_min_size", 0) or 0)


@contextmanager
def room_for_codec(model: "Model", count: int, extent: Sequence[int]) -> Generator[int]:
    """Make the codec compute as `Model.coding` says; yield the number of samples per call.

    Args:
        model: the checkpoint.
        count: number of frames.
        extent: size of each frame.
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
