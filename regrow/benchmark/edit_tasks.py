"""Wishes whose true answer is known: a drawn scene, words for it, words for the change, and the scene as wished."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.benchmark.storybook import asked
from regrow.media.image.picture import from_uint8
from regrow.worlds.storybook.drawing import Scene, captions, draw
from regrow.worlds.storybook.scene import ACCESSORIES, ANIMALS, COLOURS, PLACES, TIMES, WEATHERS

FIRST_SEED = 8_000_000
"""Of the wishes that are measured."""
FIRST_TUNING_SEED = 8_500_000
"""Of those that settings are chosen on."""

Kind = Literal["animal", "colour", "place", "add", "remove", "sky"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FIELDS = ("animal", "colour", "place", "weather", "time", "pose", "facing", "accessory", "expression")
"""Of a scene, that the judge reads."""


@dataclass(frozen=True)
class EditTask:
    """A change to a scene.

    Attributes:
        seed: of everything about it.
        kind: what is changed; "add" and "remove" an accessory, "sky" the weather or the time of day.
        scene: as it is.
        wished: the exact counterfactual.
        field: of the scene that the wish names; others may follow from it, as the weather from the place.
    """

    seed: int
    kind: Kind
    scene: Scene
    wished: Scene
    field: str

    @property
    def source(self) -> str:
        """Words for the scene, the plainest that tell the field."""
        return _words(self.scene, self.field)

    @property
    def target(self) -> str:
        """Words for the wish."""
        return _words(self.wished, self.field)

    @property
    def kept(self) -> tuple[str, ...]:
        """The fields that the wish leaves alone."""
        return tuple(name for name in FIELDS if getattr(self.scene, name) == getattr(self.wished, name))


@dataclass(frozen=True, eq=False)
class Drawn:
    """A wish as pictures of `side` pixels squared."""

    wish: EditTask
    side: int

    @cached_property
    def before(self) -> Float[Tensor, "3 h w"]:
        """The scene, in [-1, 1]."""
        return _picture(self.wish.scene, self.side)

    @cached_property
    def truth(self) -> Float[Tensor, "3 h w"]:
        """The counterfactual, in [-1, 1]."""
        return _picture(self.wish.wished, self.side)

    @cached_property
    def changed(self) -> Bool[Tensor, "h w"]:
        """Where the two differ: nothing else may change."""
        return (self.before != self.truth).any(0)


def wishes(count: int, first_seed: int = FIRST_SEED) -> Iterator[EditTask]:
    """As many wishes, the kinds in turn."""
    for i in range(count):
        yield wish(first_seed + i, KINDS[i % len(KINDS)])


def wish(seed: int, kind: Kind) -> EditTask:
    """The wish of this seed and kind: the same on every machine."""
    random = Random(f"wish {seed}")
    scene = Scene.random(seed)
    things = ACCESSORIES[1:]
    if kind == "add":
        scene = scene.replace(accessory="none")
        return EditTask(seed, kind, scene, scene.replace(accessory=random.choice(things)), "accessory")
    if kind == "remove":
        scene = scene.replace(accessory=random.choice(things))
        return EditTask(seed, kind, scene, scene.replace(accessory="none"), "accessory")
    if kind == "sky":
        # the night city has one time only
        field = random.choice(("weather", "time")) if len(TIMES[scene.place]) > 1 else "weather"
        allowed = WEATHERS[scene.place] if field == "weather" else TIMES[scene.place]
    else:
        field, allowed = kind, {"animal": ANIMALS, "colour": COLOURS, "place": PLACES}[kind]
    others = [value for value in allowed if value != getattr(scene, field)]
    return EditTask(seed, kind, scene, scene.replace(**{field: random.choice(others)}), field)


def _words(scene: Scene, field: str) -> str:
    found = captions(scene)
    if field == "accessory" and scene.accessory == "none":
        return found[0]  # what is not there is told by saying nothing of it
    return next((text for text in found if field in asked(scene, text, "en")), found[0])


def _picture(scene: Scene, side: int) -> Float[Tensor, "3 h w"]:
    return from_uint8(np.stack([draw(scene, side).picture]))[0].to(torch.float32)
