"""Draw shapes in resolution-independent units as antialiased pixels, with an exact mask.

Everything is drawn hard-edged on a grid several times finer than the picture and averaged down with a box
filter. A box filter never reaches outside its own cell, so the mask of a pen's strokes covers every pixel
that they can have changed.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]
Shape = np.ndarray
"""A polygon, float array `n 2`."""


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return the colour `share` of the way from `a` to `b` (0 gives `a`, 1 gives `b`)."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


@lru_cache(maxsize=4096)
def oval(cx: float, cy: float, rx: float, ry: float, tilt: float = 0.0) -> Shape:
    """Return an ellipse around (cx, cy) as a polygon of 48 corners, turned by `tilt` degrees."""
    return _turned(np.linspace(0, 2 * math.pi, 48, endpoint=False), cx, cy, rx, ry, tilt)


@lru_cache(maxsize=4096)
def arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float) -> Shape:
    """Return the open line along an ellipse from `start` to `end` degrees (0 is +x, 90 is +y)."""
    return _turned(np.radians(np.linspace(start, end, 14)), cx, cy, rx, ry, 0.0)


def _turned(angles: np.ndarray, cx: float, cy: float, rx: float, ry: float, tilt: float) -> Shape:
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    x, y = rx * np.cos(angles), ry * np.sin(angles)
    return np.stack([cx + x * cos - y * sin, cy + x * sin + y * cos], axis=1)


@lru_cache(maxsize=4096)
def curve(points: tuple[Point, ...], closed: bool = True, pieces: int = 7) -> Shape:
    """Return a smooth (Catmull-Rom) line through `points`, closed into a blob or open."""
    p = np.asarray(points, dtype=float)
    if closed:
        a, b, c, d = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    else:
        padded = np.concatenate([p[:1], p, p[-1:]])
        a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, pieces, endpoint=False)[None, :, None]
    a, b, c, d = a[:, None], b[:, None], c[:, None], d[:, None]
    line = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    line = line.reshape(-1, 2)
    return line if closed else np.concatenate([line, p[-1:]])


@lru_cache(maxsize=4096)
def limb(points: tuple[Point, ...], widths: tuple[float, ...]) -> Shape:
    """Return a smooth limb or tail along `points`, `widths[i]` thick at `points[i]`, and round at its ends."""
    line = curve(points, closed=False)
    return ribbon(line, np.interp(np.linspace(0, len(widths) - 1, len(line)), np.arange(len(widths)), widths))


def ribbon(line: Shape, widths: np.ndarray) -> Shape:
    """Return the outline, round at both ends, of an open line of full thickness `widths[i]` at its i-th point."""
    wide = widths / 2
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side = np.stack([-along[:, 1], along[:, 0]], axis=1)
    left, right = line + side * wide[:, None], line - side * wide[:, None]
    turn = np.linspace(0, math.pi, 9)[1:-1, None]
    head = line[-1] + wide[-1] * (np.cos(turn) * side[-1] + np.sin(turn) * along[-1])
    foot = line[0] + wide[0] * (-np.cos(turn) * side[0] - np.sin(turn) * along[0])
    return np.concatenate([left, head, right[::-1], foot])


def grown(shape: Shape, by: float) -> Shape:
    """Return the polygon pushed outwards by `by` on all sides, with mitred corners of limited length."""
    ahead = np.roll(shape, -1, 0) - shape
    ahead = ahead / np.maximum(np.sqrt((ahead * ahead).sum(1, keepdims=True)), 1e-9)
    normal = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    x, y = shape[:, 0], shape[:, 1]
    if (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() < 0:
        normal = -normal
    before = np.roll(normal, 1, 0)
    blunt = np.maximum(1 + (normal * before).sum(1, keepdims=True), 0.45)
    return shape + by * (normal + before) / blunt


class Canvas:
    """A picture being drawn, in units of its shorter side.

    Args:
        height, width: pixels of the finished picture.

    Attributes:
        w, h: width and height in units (the smaller of the two is 1). x runs right, y runs down.
    """

    def __init__(self, height: int, width: int) -> None:
        short = min(height, width)
        # Small pictures need a finer grid for their edges, large ones would only waste memory.
        self._factor = 8 if short < 64 else 4 if short <= 512 else 2
        self.unit = short * self._factor
        self.w, self.h = width / short, height / short
        fine = (width * self._factor, height * self._factor)
        self._image = Image.new("RGB", fine)
        self._mask = Image.new("L", fine)
        self._ink = ImageDraw.Draw(self._image)
        self._glaze = ImageDraw.Draw(self._image, "RGBA")
        self._stencil = ImageDraw.Draw(self._mask)

    def gradient(self, top: float, bottom: float, stops: Sequence[Colour]) -> None:
        """Fill the full width from y=`top` to y=`bottom` with evenly spaced colour stops."""
        first, last = round(top * self.unit), round(bottom * self.unit)
        at = np.linspace(0, len(stops) - 1, max(last - first, 1))
        channels = np.array(stops, dtype=float).T
        column = np.stack([np.interp(at, np.arange(len(stops)), channel) for channel in channels], axis=1)
        strip = Image.fromarray(np.round(column).astype(np.uint8)[:, None, :])
        strip = strip.resize((self._image.width, strip.height), Image.Resampling.NEAREST)
        self._image.paste(strip, (0, first))

    def polygon(self, points: Shape | Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        """Fill a polygon; `alpha` below 1 lets what lies under it show through."""
        flat = (np.asarray(points, dtype=float) * self.unit).ravel().tolist()
        if alpha < 1:
            self._glaze.polygon(flat, fill=(*colour, round(255 * alpha)))
        else:
            self._ink.polygon(flat, fill=colour)

    def disc(self, x: float, y: float, rx: float, colour: Colour, ry: float = 0.0, alpha: float = 1.0) -> None:
        """Fill an upright ellipse (a circle when `ry` is left out)."""
        ry = ry or rx
        box = [(x - rx) * self.unit, (y - ry) * self.unit, (x + rx) * self.unit, (y + ry) * self.unit]
        if alpha < 1:
            self._glaze.ellipse(box, fill=(*colour, round(255 * alpha)))
        else:
            self._ink.ellipse(box, fill=colour)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour, round_by: float = 0.0) -> None:
        """Fill a rectangle from its upper left corner, with corners rounded by the radius `round_by`."""
        u = self.unit
        corners = [x * u, y * u, (x + width) * u, (y + height) * u]
        if round_by:
            self._ink.rounded_rectangle(corners, round_by * u, fill=colour)
        else:
            self._ink.rectangle(corners, fill=colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw an open line of thickness `width`."""
        flat = [value * self.unit for point in points for value in point]
        self._ink.line(flat, fill=colour, width=max(1, round(width * self.unit)), joint="curve")

    def mark(self, shape: Shape, level: int) -> None:
        """Write a polygon into the mask only: 255 where the animal is, 0 where something covers it."""
        self._stencil.polygon((shape * self.unit).ravel().tolist(), fill=level)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the finished picture `h w 3` and mask `h w`, both uint8."""
        return np.array(self._image.reduce(self._factor)), np.array(self._mask.reduce(self._factor))


class Pen:
    """Draws one outlined figure on a canvas in the figure's own units, and marks it in the mask.

    The figure stands with its origin at (x, y) of the canvas; its x runs forward (mirrored when it faces
    left), its y runs UP, and its unit is `size`. Strokes are collected and drawn by `lift`, so that a rim of
    light can go behind all of them.
    """

    def __init__(self, canvas: Canvas, x: float, y: float, size: float, facing: str, line: float) -> None:
        self._canvas = canvas
        self._origin = np.array([x, y])
        self._scale = np.array([size if facing == "right" else -size, -size])
        self.width = line
        self._strokes: list[tuple[Shape, Colour, bool]] = []

    def fill(self, shapes: Sequence[Shape], colour: Colour, line: Colour) -> None:
        """Fill shapes as ONE silhouette: a common outline around them, none where they overlap."""
        placed = [shape * self._scale + self._origin for shape in shapes]
        self._strokes += [(grown(shape, self.width), line, True) for shape in placed]
        self._strokes += [(shape, colour, False) for shape in placed]

    def paint(self, shape: Shape, colour: Colour) -> None:
        """Fill a shape without an outline: a patch of colour inside what is already drawn."""
        self._strokes.append((shape * self._scale + self._origin, colour, False))

    def trace(self, line: Shape, colour: Colour, width: float = 1.0) -> None:
        """Draw an open line, `width` times as thick as the outlines."""
        placed = line * self._scale + self._origin
        self._strokes.append((ribbon(placed, np.full(len(placed), self.width * width)), colour, False))

    def lift(self, rim: Colour | None = None) -> None:
        """Put all strokes on the canvas and into its mask; `rim` adds a thin edge of light around them."""
        if rim is not None:
            for shape, _, outer in self._strokes:
                if outer:
                    edge = grown(shape, self.width * 0.8)
                    self._canvas.polygon(edge, rim)
                    self._canvas.mark(edge, 255)
        for shape, colour, _ in self._strokes:
            self._canvas.polygon(shape, colour)
            self._canvas.mark(shape, 255)
        self._strokes.clear()
