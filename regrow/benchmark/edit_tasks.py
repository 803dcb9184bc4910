"""Editing tasks with a known answer: a drawn scene, its caption, the target prompt, and the changed scene."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.benchmark.editors import Task
from regrow.media.image.picture import from_uint8
from regrow.worlds.storybook.drawing import Scene, captions, draw
from regrow.worlds.storybook.scene import ACCESSORIES, ANIMALS, COLOURS, PLACES, TIMES, WEATHERS
from regrow.worlds.world import WORLDS

FIRST_SEED = 8_000_000
"""Seed of the first task that is measured."""
FIRST_TUNING_SEED = 8_500_000
"""Seed of the first task that settings are tuned on."""

Kind = Literal["animal", "colour", "place", "add", "remove", "sky"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FIELDS = ("animal", "colour", "place", "weather", "time", "pose", "facing", "accessory", "expression")
"""Fields of a scene that the judge reads."""


@dataclass(frozen=True)
class EditTask:
    """A change to a scene.

    Attributes:
        seed: determines all of the task.
        kind: what is changed; "add" and "remove" an accessory, "sky" the weather or the time of day.
        scene: before the edit.
        counterfactual: the scene after an exact edit.
        field: the field of the scene that the target names; others may change with it, such as weather with place.
    """

    seed: int
    kind: Kind
    scene: Scene
    counterfactual: Scene
    field: str

    @property
    def source(self) -> str:
        """The source prompt: the plainest caption of the scene that names the field."""
        return _words(self.scene, self.field)

    @property
    def target(self) -> str:
        """The target prompt."""
        return _words(self.counterfactual, self.field)

    @property
    def kept(self) -> tuple[str, ...]:
        """The fields that the task leaves alone."""
        return tuple(name for name in FIELDS if getattr(self.scene, name) == getattr(self.counterfactual, name))


@dataclass(frozen=True, eq=False)
class Drawn:
    """A task with its pictures, `side` x `side` pixels."""

    task: EditTask
    side: int

    @cached_property
    def before(self) -> Float[Tensor, "3 h w"]:
        """The scene, in [-1, 1]."""
        return _picture(self.task.scene, self.side)

    @cached_property
    def truth(self) -> Float[Tensor, "3 h w"]:
        """The counterfactual, in [-1, 1]."""
        return _picture(self.task.counterfactual, self.side)

    @cached_property
    def changed(self) -> Bool[Tensor, "h w"]:
        """Where scene and counterfactual differ: no other pixel may change."""
        return (self.before != self.truth).any(0)


def batch_of(drawn: Sequence[Drawn], unchanged: bool = False) -> Task:
    """Return tasks as an editor takes them; with `unchanged` the source prompts are also the targets."""
    tasks = [d.task for d in drawn]
    targets = [task.source if unchanged else task.target for task in tasks]
    pictures = torch.stack([d.before for d in drawn])
    return Task(pictures, [task.source for task in tasks], targets, [task.seed for task in tasks])


def edit_tasks(count: int, first_seed: int = FIRST_SEED) -> Iterator[EditTask]:
    """Return `count` tasks that cycle through the kinds."""
    for i in range(count):
        yield edit_task(first_seed + i, KINDS[i % len(KINDS)])


def edit_task(seed: int, kind: Kind) -> EditTask:
    """Return the task of this seed and kind: the same on every machine."""
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
    sentences, world = captions(scene), WORLDS["storybook"]
    if field == "accessory" and scene.accessory == "none":
        return sentences[0]  # the caption of a scene without the accessory does not mention it
    return next((text for text in sentences if field in world.named_attributes(scene, text, "en")), sentences[0])


def _picture(scene: Scene, side: int) -> Float[Tensor, "3 h w"]:
    return from_uint8(np.stack([draw(scene, side).picture]))[0].to(torch.float32)
