"""Storybook: procedurally drawn, captioned pictures, each with its exact counterfactuals.

    scene = Scene.random(seed=7)
    drawing = draw(scene, size=128)              # picture, mask, caption
    other = draw(scene.replace(animal="puppy"))  # the same picture, except where the animals are

Two scenes that differ in animal, colour, expression or worn accessory give pictures that are identical
outside the union of their two masks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from regrow.messages.message import say
from regrow.worlds.parallel_map import parallel_map
from regrow.worlds.storybook import animals, places
from regrow.worlds.storybook.canvas import Canvas
from regrow.worlds.storybook.scene import (
    ACCESSORIES,
    ANIMALS,
    COLOURS,
    EXPRESSIONS,
    FACINGS,
    PLACES,
    POSES,
    TIMES,
    WEATHERS,
    Scene,
)
from regrow.worlds.storybook.wording import CHARACTERS, VOCABULARY, Language, caption, captions

__all__ = [
    "ACCESSORIES",
    "ANIMALS",
    "CHARACTERS",
    "COLOURS",
    "EXPRESSIONS",
    "FACINGS",
    "PLACES",
    "POSES",
    "TIMES",
    "VOCABULARY",
    "WEATHERS",
    "Drawing",
    "Language",
    "Scene",
    "caption",
    "captions",
    "draw",
    "draw_many",
]

SMALLEST, LARGEST = 16, 2048
"""Smallest and largest side of a picture in pixels."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawn scene.

    Attributes:
        picture: uint8 `h w 3`, RGB.
        mask: uint8 `h w`, 255 on the animal and what it wears, 0 elsewhere, values between on edges.
        caption: the plainest caption.
    """

    picture: np.ndarray
    mask: np.ndarray
    caption: str


def draw(scene: Scene, size: int | tuple[int, int] = 128) -> Drawing:
    """Draw a scene, `size` pixels square or (height, width), each from 16 to 2048.

    Raises:
        ValueError: the size is not allowed.
    """
    height, width = size if isinstance(size, tuple) else (size, size)
    for value in (height, width):
        if isinstance(value, bool) or not isinstance(value, int) or not SMALLEST <= value <= LARGEST:
            allowed = f"each side must be a whole number from {SMALLEST} to {LARGEST}"
            raise ValueError(say("drawing_size_wrong", size=size, allowed=allowed))
    canvas = Canvas(height, width)
    places.place(canvas, scene.place, scene.time, scene.weather, scene.layout)
    figure = animals.Figure(
        scene.animal,
        scene.colour,
        scene.pose,
        scene.facing,
        scene.expression,
        scene.accessory,
        scene.x * canvas.w,
        scene.y * canvas.h,
        scene.size,
    )
    dark = scene.time == "night" and scene.place != "living room"
    animals.shadow(canvas, figure, (4, 6, 24) if dark else (40, 40, 80))
    animals.animal(canvas, figure, moonlit=dark)
    if scene.accessory == "ball":
        animals.ball(canvas, figure)
    picture, mask = canvas.finish()
    return Drawing(picture, mask, captions(scene)[0])


def draw_many(
    scenes: Iterable[Scene], size: int | tuple[int, int] = 128, processes: int | None = None
) -> Iterator[Drawing]:
    """Draw scenes in order on several processes (all cores when None; 1 draws in this process).

    A script that calls it with more than one process needs the usual `if __name__ == "__main__":`.
    """
    return parallel_map(partial(draw, size=size), scenes, processes)
