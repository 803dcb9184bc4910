"""Find the part of a storybook picture that a change of expression would redraw."""

from functools import cache

import numpy as np
from jaxtyping import Float

from regrow.worlds.storybook.drawing import draw
from regrow.worlds.storybook.scene import EXPRESSIONS, Scene

SIDE = 256
"""Pixels of the drawings that are compared."""
SEEN = 40
"""Difference of a colour, of 255, above which a pixel counts as changed: less is rounding at an edge."""


def mood(scene: Scene, cells: int) -> Float[np.ndarray, "y x"]:
    """Return the fraction, 0 to 1, of each cell of a square picture that another expression would change.

    The parts that change are eyes, mouth and cheeks, and the wings of a penguin, which it raises when it is happy or
    surprised. Things that cover them, such as a hat, are ignored, and so are coats on which they are hardly visible.

    Args:
        scene: the scene; its colours and place do not matter.
        cells: number of cells along a side.
    """
    points = scene.size * _changing(scene.animal, scene.pose, scene.facing) + (scene.x, scene.y)
    inside = points[((points >= 0) & (points < 1)).all(axis=1)]
    x, y = (inside * cells).astype(int).T
    pixel = (scene.size / _STANDARD.size * cells / SIDE) ** 2
    found = pixel * np.bincount(cells * y + x, minlength=cells * cells)
    return found.clip(0, 1).reshape(cells, cells)


_STANDARD = Scene(x=0.5, y=0.92, size=0.6)


@cache
def _changing(animal: str, pose: str, facing: str) -> Float[np.ndarray, "points 2"]:
    """Return the pixels in which the expressions differ: x and y from the feet, in units of the animal's size."""
    scenes = (
        _STANDARD.replace(animal=animal, pose=pose, facing=facing, expression=expression) for expression in EXPRESSIONS
    )
    drawings = np.stack([draw(scene, SIDE).picture.astype(int) for scene in scenes])
    y, x = np.nonzero((drawings.max(0) - drawings.min(0)).max(-1) > SEEN)
    return ((np.stack([x, y], 1) + 0.5) / SIDE - (_STANDARD.x, _STANDARD.y)) / _STANDARD.size
