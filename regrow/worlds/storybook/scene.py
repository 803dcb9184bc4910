"""Scenes of the storybook: all values that define a picture, with checks, sampling and counterfactuals."""

import dataclasses
from dataclasses import dataclass
from random import Random
from typing import Any

from regrow.messages.message import say

ANIMALS = ("cat", "puppy", "penguin", "rabbit", "fox")
COLOURS = ("orange", "black", "white", "grey", "brown")
POSES = ("sitting", "standing")
FACINGS = ("left", "right")
EXPRESSIONS = ("happy", "calm", "surprised", "sleepy")
ACCESSORIES = ("none", "red scarf", "blue hat", "ball")
WEATHERS = {
    "beach": ("clear", "cloudy", "rainy"),
    "snow": ("clear", "cloudy", "snowy"),
    "meadow": ("clear", "cloudy", "rainy"),
    "night city": ("clear", "cloudy", "rainy", "snowy"),
    "living room": ("clear", "cloudy", "rainy", "snowy"),
}
"""The weathers that fit each place; in the living room, the weather outside the window."""
TIMES = {
    "beach": ("day", "sunset", "night"),
    "snow": ("day", "sunset", "night"),
    "meadow": ("day", "sunset", "night"),
    "night city": ("night",),
    "living room": ("day", "sunset", "night"),
}
"""The times that fit each place."""
PLACES = tuple(WEATHERS)


@dataclass(frozen=True)
class Scene:
    """All values that define a storybook picture.

    Attributes:
        animal: one of ANIMALS.
        colour: one of COLOURS; a penguin's is the colour of its back.
        pose: one of POSES.
        facing: one of FACINGS, as the viewer sees it.
        expression: one of EXPRESSIONS.
        place: one of PLACES.
        weather: one of WEATHERS[place].
        time: one of TIMES[place].
        accessory: one of ACCESSORIES; scarf and hat are worn, the ball lies beside the animal.
        x: where the animal stands, 0 at the left edge of the picture, 1 at the right.
        y: where its feet are, 0 at the top, 1 at the bottom; the ground begins at about 0.77.
        size: the height of a cat, as a share of the picture's shorter side, in [0.1, 1].
        layout: seed of the arrangement of the background, 0 or more.

    Raises:
        ValueError: a field has a value that is not allowed.
    """

    animal: str = "cat"
    colour: str = "orange"
    pose: str = "sitting"
    facing: str = "right"
    expression: str = "calm"
    place: str = "beach"
    weather: str = "clear"
    time: str = "day"
    accessory: str = "none"
    x: float = 0.5
    y: float = 0.92
    size: float = 0.7
    layout: int = 0

    def __post_init__(self) -> None:
        _check("animal", self.animal, ANIMALS)
        _check("colour", self.colour, COLOURS)
        _check("pose", self.pose, POSES)
        _check("facing", self.facing, FACINGS)
        _check("expression", self.expression, EXPRESSIONS)
        _check("place", self.place, PLACES)
        _check("weather", self.weather, WEATHERS[self.place], f" in place {self.place!r}")
        _check("time", self.time, TIMES[self.place], f" in place {self.place!r}")
        _check("accessory", self.accessory, ACCESSORIES)
        for name, value, low in (("x", self.x, 0.0), ("y", self.y, 0.0), ("size", self.size, 0.1)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= 1:
                raise ValueError(say("value_no_share", name=name, value=value, least=low))
        if isinstance(self.layout, bool) or not isinstance(self.layout, int) or self.layout < 0:
            raise ValueError(say("layout_not_whole", layout=self.layout))

    @classmethod
    def random(cls, seed: int) -> "Scene":
        """Return the scene number `seed` of an endless sequence, the same on every machine and in every process.

        Animal, colour and place are uniform; 70 % have no accessory, 60 % have clear weather, and 70 % of the scenes
        outside the night city are by day.
        """
        random = Random(f"storybook {seed}")
        place = random.choice(PLACES)
        size = random.uniform(0.56, 0.78)
        # A standing animal is longer than a sitting one, and a larger one has less room to move sideways.
        pose = random.choice(POSES)
        room = max(0.04, 0.5 - (0.46 if pose == "standing" else 0.4) * size)
        return cls(
            animal=random.choice(ANIMALS),
            colour=random.choice(COLOURS),
            pose=pose,
            facing=random.choice(FACINGS),
            expression=random.choice(EXPRESSIONS),
            place=place,
            weather=_mostly(random, WEATHERS[place], 0.6),
            time=_mostly(random, TIMES[place], 0.7),
            accessory=_mostly(random, ACCESSORIES, 0.7),
            x=round(random.uniform(0.5 - room, 0.5 + room), 4),
            y=round(random.uniform(0.9, 0.95), 4),
            size=round(size, 4),
            layout=random.randrange(1_000_000),
        )

    def replace(self, **changes: Any) -> "Scene":
        """Return the counterfactual: the same scene with some fields changed.

        If `place` changes, a weather or time that does not fit it and is not in `changes` becomes the first one that
        fits (clear; day, or night in the night city).

        Raises:
            ValueError: a field does not exist, or a value is not allowed.
        """
        names = tuple(field.name for field in dataclasses.fields(self))
        for name in changes:
            _check("field", name, names)
        place = changes.get("place", self.place)
        if place in PLACES:
            for name, allowed in (("weather", WEATHERS[place]), ("time", TIMES[place])):
                if name not in changes and getattr(self, name) not in allowed:
                    changes[name] = allowed[0]
        return dataclasses.replace(self, **changes)


def _mostly(random: Random, allowed: tuple[str, ...], share: float) -> str:
    """Return the first allowed value with probability `share`, else one of the others."""
    first = random.random() < share
    other = random.choice(allowed[1:] or allowed)
    return allowed[0] if first else other


def _check(name: str, value: object, allowed: tuple[str, ...], where: str = "") -> None:
    if value not in allowed:
        raise ValueError(
            say("value_not_allowed", name=name, value=value, allowed=", ".join(map(repr, allowed)), where=where)
        )
