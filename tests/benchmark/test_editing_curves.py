"""The trade-off's frontier and picture, and what an edit costs: memory that was really taken, and not twice."""

import itertools
import sys
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regrow.benchmark.cost import cost_of
from regrow.benchmark.edit_tasks import Drawn, edit_task
from regrow.benchmark.editing import EditingFigures
from regrow.benchmark.editors import Editor, Setting, Task, ordered
from regrow.benchmark.pareto_plot import COLUMNS, SIDE, WIDTH, Point, curves, frontier, points_of
from regrow.benchmark.results_store import EditResult
from regrow.benchmark.tuning import Measured
from regrow.models.model import Model

MODEL = cast("Model", SimpleNamespace())
SHARES = st.integers(0, 8).map(lambda i: i / 8)


def result(granted: bool, spoiled: float) -> EditResult:
    return EditResult(1, "animal", granted, spoiled, (), None, None, None, None, 1, 0.1)


def measured(name: str, *points: tuple[float, float]) -> Measured:
    """An editor whose settings grant and spoil this much."""
    settings = ordered((0.5, 0.7, 0.9), (3, 5, 8))[: len(points)]
    tuning = tuple(
        (setting, tuple(result(i < round(8 * granted), spoiled) for i in range(8)))
        for setting, (granted, spoiled) in zip(settings, points, strict=True)
    )
    return Measured(name, "", False, settings[0], tuning)


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=9))
def test_nothing_beats_the_frontier_and_the_frontier_is_of_the_points(shares: list[tuple[float, float]]) -> None:
    points = [Point(Setting(0.5, 3), granted, spoiled) for granted, spoiled in shares]
    best = frontier(points)
    assert set(best) <= set(points)
    for point in points:
        assert any(other.granted >= point.granted and other.spoiled <= point.spoiled for other in best)
    for one, next_one in itertools.pairwise(best):
        assert one.granted < next_one.granted
        assert one.spoiled < next_one.spoiled


def test_a_point_is_the_share_of_its_tasks() -> None:
    points = points_of(measured("one", (0.25, 0.125), (1, 0.5)))
    assert [(p.granted, p.spoiled) for p in points] == [(0.25, 0.125), (1, 0.5)]


def test_every_editor_has_a_panel_and_a_broken_one_has_none() -> None:
    broken = Measured("broken", "", True, failure="ValueError: no")
    some = [measured(f"way {i}", (0.25, 0.125), (1, 0.5)) for i in range(COLUMNS)]
    one = curves(EditingFigures((some[0], broken), (), 8, 8, 0.0))
    row = curves(EditingFigures(tuple(some), (), 8, 8, 0.0))
    more = curves(EditingFigures((*some, measured("last", (0.5, 0.25))), (), 8, 8, 0.0))
    assert one.shape[2] == 2 * SIDE + WIDTH
    assert row.shape[2] == more.shape[2] == 2 * SIDE + COLUMNS * WIDTH
    assert one.shape[1] == row.shape[1] < more.shape[1]
    with pytest.raises(ValueError, match="without tuning"):
        curves(EditingFigures((broken,), (), 8, 0, 0.0))


def test_more_spoiled_is_drawn_further_right() -> None:
    def rightmost(spoiled: float) -> int:
        page = curves(EditingFigures((measured("a", (0.5, spoiled)), measured("b", (0.5, 0.9))), (), 8, 8, 0.0))
        dark = (page[:, :, SIDE : SIDE + WIDTH] < -0.5).all(0)[100:]  # the ring, below the panel's name
        return int(dark.any(0).nonzero().max())

    assert rightmost(0.1) < rightmost(0.4) < rightmost(0.8)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by Linux's /proc alone")
def test_memory_is_what_the_edit_took_at_most() -> None:
    def hungry(megabytes: int) -> Editor:
        def run(model: Model, task: Task, setting: Setting) -> torch.Tensor:
            torch.ones(megabytes, 2**20, dtype=torch.uint8).any()
            return task.pictures

        return Editor(f"takes {megabytes}", "", run, (Setting(1, 1),))

    drawn = Drawn(edit_task(8_000_000, "animal"), 64)
    found = [cost_of(MODEL, hungry(size), Setting(1, 1), drawn) for size in (200, 50, 0)]
    memory = [cost.memory / 2**20 if cost.memory is not None else -1 for cost in found]
    # the first is not counted against those after it
    assert memory[0] == pytest.approx(200, abs=20)
    assert memory[1] == pytest.approx(50, abs=20)
    assert 0 <= memory[2] < 20
    assert all(cost.processor <= cost.seconds + 0.05 or torch.get_num_threads() > 1 for cost in found)
