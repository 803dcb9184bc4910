"""Faces: the coordinates of a head, and eyes and mouths that show an expression on any animal."""

from dataclasses import dataclass

from regrow.worlds.storybook.canvas import Colour, Pen, Point, Shape, arc, curve, oval
from regrow.worlds.storybook.coats import BLUSH, INK, MOUTH, TONGUE, WHITE, Coat

TURN = 0.13
"""Shift of every face towards where the animal is facing, in half-widths of the head."""


@dataclass(frozen=True)
class Head:
    """A head's coordinates: its centre in the figure's units; parts of the face are placed in its half-widths."""

    x: float
    y: float

    def at(self, u: float, v: float) -> Point:
        return self.x + u * 0.27, self.y + v * 0.245

    def oval(self, u: float, v: float, ru: float, rv: float, tilt: float = 0.0) -> Shape:
        return oval(*self.at(u, v), ru * 0.27, rv * 0.245, tilt)

    def arc(self, u: float, v: float, ru: float, rv: float, start: float, end: float) -> Shape:
        return arc(*self.at(u, v), ru * 0.27, rv * 0.245, start, end)

    def curve(self, *points: Point, closed: bool = True) -> Shape:
        return curve(tuple(self.at(u, v) for u, v in points), closed)


@dataclass(frozen=True)
class Gaze:
    """The eyes of one kind of animal: the white, the iris, whether the pupil is a slit, and their position."""

    white: Colour
    iris: Colour
    slit: bool = False
    height: float = 0.0
    spread: float = 0.42


def eyes(pen: Pen, head: Head, coat: Coat, expression: str, gaze: Gaze) -> None:
    """Draw two big eyes: open, wide with surprise, or closed in sleep."""
    for side in (-1, 1):
        u, v = TURN + side * gaze.spread, 0.06 + gaze.height
        if expression == "sleepy":
            pen.trace(head.arc(u, v + 0.04, 0.24, 0.2, 190, 350), coat.crease, 1.5)
            continue
        wide = 1.24 if expression == "surprised" else 1.0
        pen.fill([head.oval(u, v, 0.22 * wide, 0.27 * wide)], gaze.white, coat.line)
        pupil = 0.62 if expression == "surprised" else 1.0
        if gaze.slit:
            pen.paint(head.oval(u + 0.02, v, 0.085 * (1.3 if pupil < 1 else 1), 0.23), INK)
        else:
            pen.paint(head.oval(u + 0.03, v - 0.01, 0.18 * pupil, 0.225 * pupil), gaze.iris)
            pen.paint(head.oval(u + 0.03, v - 0.01, 0.12 * pupil, 0.15 * pupil), INK)
        pen.paint(head.oval(u + 0.08, v + 0.1, 0.07, 0.085), WHITE)
        if expression == "surprised":
            pen.trace(head.arc(u, v + 0.38, 0.2, 0.16, 35, 145), coat.crease, 1.2)
    if expression == "happy":
        for side in (-1, 1):
            pen.paint(head.oval(TURN + side * 0.72, -0.3, 0.14, 0.1), BLUSH)


def mouth(pen: Pen, head: Head, expression: str, v: float, width: float = 0.3, tongue: bool = False) -> None:
    """Draw a mouth under a nose at height `v`: an open smile, a small w, or a round o."""
    u = TURN * 1.3
    if expression == "happy":
        smile = head.curve(
            (u - width, v),
            (u, v - 0.06),
            (u + width, v),
            (u + width * 0.6, v - 0.27),
            (u, v - 0.37),
            (u - width * 0.6, v - 0.27),
        )
        pen.fill([smile], MOUTH, INK)
        if tongue:
            pen.fill([head.oval(u + 0.02, v - 0.38, width * 0.52, 0.23)], TONGUE, INK)
        else:
            pen.paint(head.oval(u, v - 0.25, width * 0.55, 0.1), TONGUE)
    elif expression == "surprised":
        pen.fill([head.oval(u, v - 0.16, 0.12, 0.14)], MOUTH, INK)
    else:
        drop = width * (0.36 if expression == "calm" else 0.24)
        for side in (-1, 1):
            pen.trace(head.arc(u + side * width / 2, v, width / 2, drop * 1.4, 190, 350), INK, 1.0)
