"""Plot all settings of every editor: success against unwanted changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from regrow.benchmark.editing import EditingFigures
from regrow.benchmark.editors import Setting
from regrow.benchmark.tuning import Measured
from regrow.media.image.picture import from_uint8

COLUMNS, WIDTH, HEIGHT = 6, 236, 216
"""Panels per row, and a panel's size in pixels."""
HEADER, SIDE = 84, 30
FINE = 2
"""Supersampling factor, for smooth lines."""
INK, SOFT, RULE = "#16181d", "#666c78", "#e4e6ea"
GUIDANCES = ("#7fb3e6", "#2f6fb5", "#12294d")
"""From the lowest guidance to the highest."""
BEST = "#d9902f"


@dataclass(frozen=True)
class Point:
    """A setting, with the fractions of successful tasks and of wrongly changed fields, 0 to 1."""

    setting: Setting
    granted: float
    spoiled: float


def points_of(measured: Measured) -> tuple[Point, ...]:
    """Return one point per setting, averaged over its tuning tasks."""
    return tuple(
        Point(setting, _mean([o.granted for o in tried]), _mean([o.spoiled for o in tried]))
        for setting, tried in measured.tuning
        if tried
    )


def frontier(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the Pareto-optimal points, sorted by unwanted changes, least first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.spoiled, -p.granted)):
        if not best or point.granted > best[-1].granted:
            best.append(point)
    return tuple(best)


def curves(figures: EditingFigures) -> Float[Tensor, "3 h w"]:
    """Draw a panel per editor: its settings, a line per guidance through its strengths, and behind them the frontier.

    Raises:
        ValueError: there are no results of tuning.
    """
    ran = [(m, points_of(m)) for m in figures.measured if not m.failure]
    ran = [(m, points) for m, points in ran if points]
    if not ran:
        raise ValueError("There is no trade-off to draw without tuning scenes.")
    every = [point for _, points in ran for point in points]
    widest = 1.05 * max(0.1, *(p.spoiled for p in every))
    rows = -(-len(ran) // COLUMNS)
    columns = min(COLUMNS, len(ran))
    page = _Page(2 * SIDE + columns * WIDTH, HEADER + rows * HEIGHT + SIDE)
    page.text(SIDE, 14, "What is granted, against what is spoiled", 20, INK)
    page.text(
        SIDE, 42,
        f"up: edits granted, 0 to 100 %; right: other attributes changed, 0 to {100 * widest:.0f} %; "
        f"{figures.tuning} tuning scenes a dot; up and left is better",
        12, SOFT,
    )  # fmt: skip
    page.text(
        SIDE, 60,
        "larger dot: more strength; darker: more guidance; ring: the setting that was chosen; "
        "orange: Pareto-optimal settings; * baseline",
        12, SOFT,
    )  # fmt: skip
    best = frontier(every)
    for i, (measured, points) in enumerate(ran):
        left, top = SIDE + i % COLUMNS * WIDTH, HEADER + i // COLUMNS * HEIGHT
        _panel(page, _Frame(left, top, widest), measured, points, best)
    return page.pixels()


@dataclass(frozen=True)
class _Frame:
    """Where a panel's axes are on the page."""

    left: int
    top: int
    widest: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.left + 14, self.top + 28, self.left + WIDTH - 24, self.top + HEIGHT - 18

    def at(self, point: Point) -> tuple[float, float]:
        x0, y0, x1, y1 = self.box
        return x0 + (x1 - x0) * point.spoiled / self.widest, y1 - (y1 - y0) * point.granted


def _panel(page: "_Page", frame: _Frame, measured: Measured, points: Sequence[Point], best: Sequence[Point]) -> None:
    x0, y0, x1, y1 = frame.box
    page.text(frame.left + 14, frame.top + 6, f"{measured.editor}{' *' if measured.baseline else ''}", 15, INK)
    for share in (0, 0.5, 1):
        y = y1 - (y1 - y0) * share
        page.line([(x0, y), (x1, y)], RULE, 1)
        page.text(x0 - 26, y - 7, f"{100 * share:3.0f}", 10, SOFT)
    page.line([(x0, y0), (x0, y1)], RULE, 1)
    page.text(x1 - 24, y1 + 3, f"{100 * frame.widest:.0f} %", 10, SOFT)
    page.line([frame.at(p) for p in best], BEST, 2)
    for point in best:
        page.dot(frame.at(point), 3, BEST)
    guidances = sorted({p.setting.guidance for p in points})
    for rank, guidance in enumerate(guidances):
        along = sorted((p for p in points if p.setting.guidance == guidance), key=lambda p: p.setting.strength)
        colour = GUIDANCES[round(rank * (len(GUIDANCES) - 1) / max(1, len(guidances) - 1))]
        page.line([frame.at(p) for p in along], colour, 2)
        for size, point in enumerate(along):
            page.dot(frame.at(point), 2.5 + 1.5 * size, colour)
            if point.setting == measured.chosen:
                page.ring(frame.at(point), 6 + 1.5 * size, INK)


class _Page:
    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        self._image = Image.new("RGB", (FINE * width, FINE * height), "#ffffff")
        self._pen = ImageDraw.Draw(self._image)

    def text(self, x: float, y: float, words: str, size: int, ink: str) -> None:
        self._pen.text((FINE * x, FINE * y), words, fill=ink, font=ImageFont.load_default(FINE * size))

    def line(self, places: Sequence[tuple[float, float]], ink: str, width: float) -> None:
        if len(places) > 1:
            scaled = [(FINE * x, FINE * y) for x, y in places]
            self._pen.line(scaled, fill=ink, width=round(FINE * width), joint="curve")

    def dot(self, place: tuple[float, float], radius: float, ink: str) -> None:
        self._pen.ellipse(self._around(place, radius), fill=ink)

    def ring(self, place: tuple[float, float], radius: float, ink: str) -> None:
        self._pen.ellipse(self._around(place, radius), outline=ink, width=round(1.5 * FINE))

    def pixels(self) -> Float[Tensor, "3 h w"]:
        return from_uint8(np.asarray(self._image.resize(self.size, Image.Resampling.LANCZOS)))

    @staticmethod
    def _around(place: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
        x, y = place
        return FINE * (x - radius), FINE * (y - radius), FINE * (x + radius), FINE * (y + radius)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
