"""Find settings with which a checkpoint fits: how its weights are stored, and which are offloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from regrow.hub.fit import Fit
from regrow.hub.known import ROLES, Role
from regrow.models.memory.free import LEFT, WORKING, free_memory, graphics_card

Stored = Literal["float32", "bfloat16", "float8", "4 bits"]
BITS: Mapping[Stored, Mapping[Role, float]] = {
    "float32": dict.fromkeys(ROLES, 32),
    "bfloat16": dict.fromkeys(ROLES, 16),
    "float8": {"network": 8, "words": 16, "codec": 16},
    "4 bits": {"network": 4.5, "words": 16, "codec": 16},
}
"""Of a weight, by what it does. In 4 bits, as in a GGUF file of kind Q4_0, 32 weights share a scale."""
LAYER = 0.05
"""Share of a part's weights that are on the device where its layers come and go: an assumption."""

How = Literal["at once", "in turn", "parts", "layers"]
"""All parts held; on the CPU one after the other (`memory.words`); or as `--offload` says."""


@dataclass(frozen=True)
class Place:
    """Where a model may be computed: its name, the bytes that are free there, and whether that is the CPU's memory."""

    name: str
    free: int
    is_cpu: bool


@dataclass(frozen=True)
class Setting:
    """One way to compute a model.

    Attributes:
        place: where.
        stored: its weights.
        how: which of them are there at a time.
        needs: bytes at work.
        fits: whether these are free.
    """

    place: Place
    stored: Stored
    how: How
    needs: int
    fits: bool


def places_here() -> list[Place]:
    """Return this machine's memory, and its graphics card if it has one."""
    import torch

    card = graphics_card()
    cpu = Place("this machine", free_memory(torch.device("cpu")), True)
    return [cpu, Place(f"its {card.type}", free_memory(card), False)] if card else [cpu]


def settings_of(found: Fit, place: Place) -> list[Setting]:
    """Return for each way to store the weights the one that is fastest of those that fit, else the last that was tried.

    None where a part's size is unknown.
    """
    chosen = []
    for stored in BITS:
        ways = ways_of(found, place, stored)
        chosen += [next((way for way in ways if way.fits), ways[-1])] if ways else []
    return chosen


def ways_of(found: Fit, place: Place, stored: Stored) -> list[Setting]:
    """Return the ways to compute a model with weights stored so, the fastest first; none where a size is unknown."""
    sizes = [_size(found, role, stored) for role in ROLES]
    if None in sizes:
        return []
    whole, largest = sum(size or 0 for size in sizes), max(size or 0 for size in sizes)
    needs: dict[How, float] = {"at once": WORKING * whole, "in turn": WORKING * largest}
    if not place.is_cpu:
        layers = (WORKING - 1 + LAYER) * largest
        needs = {"at once": WORKING * whole, "parts": WORKING * largest, "layers": layers}
    return [Setting(place, stored, how, round(needed), needed <= LEFT * place.free) for how, needed in needs.items()]


def _size(found: Fit, role: Role, stored: Stored) -> int | None:
    parts = [part for part in found.parts if part.role == role]
    if any(part.parameters is None for part in parts):
        return None
    bits = BITS[stored][role] / 8
    return sum(part.packed or round((part.parameters or 0) * bits) for part in parts)
