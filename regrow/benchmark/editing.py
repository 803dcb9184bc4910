"""Measure editing methods on tasks with a known answer: success, unwanted changes and cost.

A judge, an attribute classifier trained on drawings, reads the results. A task is granted if the judge reads the value
that the target names. A field to be kept is spoiled if the judge reads another value than the scene has; fields that it
already misreads in the codec's reconstruction are not counted. Pixels are compared with the exact counterfactual:
outside, where it equals the scene; inside, where it differs.

All methods are tuned in the same way: every setting is tried on separate tuning tasks. The setting with the most clean
results (granted, and nothing spoiled) is then measured.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.cost import Cost, cost_of, counted
from regrow.benchmark.edit_tasks import FIRST_SEED, FIRST_TUNING_SEED, Drawn, EditTask, batch_of, edit_tasks
from regrow.benchmark.editors import SETTINGS, Editor, Setting, why_not
from regrow.benchmark.judges import load_judge
from regrow.benchmark.results_store import EditResult, Store, finite, result_of
from regrow.benchmark.tuning import Measured, tuned
from regrow.core.progress import Progress
from regrow.media.image.distance import psnr
from regrow.models.model import Model
from regrow.models.probes.attributes import AttributeClassifier


@dataclass(frozen=True, eq=False)
class Shown:
    """One of the first tasks as pictures: scene, counterfactual, and each editor's result by its name."""

    task: EditTask
    before: Float[Tensor, "3 h w"]
    truth: Float[Tensor, "3 h w"]
    made: dict[str, Float[Tensor, "3 h w"]]


@dataclass(frozen=True, eq=False)
class EditingFigures:
    """All figures of a run."""

    measured: tuple[Measured, ...]
    shown: tuple[Shown, ...]
    tasks: int
    tuning: int
    seconds: float


def bench_editing(
    model: Model,
    editors: Sequence[Editor],
    count: int = 400,
    tuning: int = 100,
    round_trips: int = 50,
    shown: int = 12,
    costs: bool = True,
    kept: Path | None = None,
    settings: int = SETTINGS,
    judge: AttributeClassifier | None = None,
) -> Generator[Progress, None, EditingFigures]:
    """Tune and measure editors on the same tasks, one after the other.

    Args:
        model: used by all editors; it must know the storybook.
        editors: see `editors.own_editors` and `baselines.baselines`.
        count: tasks to measure, from seed 8,000,000 on.
        tuning: tasks to choose settings on, from seed 8,500,000 on.
        round_trips: number of tasks, from the first on, whose round trip is measured.
        shown: number of tasks, from the first on, whose pictures are kept.
        costs: whether to measure the cost of one picture alone.
        kept: a file of results, one per line, from which a killed run resumes; pictures go into a folder named after
            it. It belongs to one model and its number of steps.
        settings: number of settings tried for each editor.
        judge: the attribute classifier; the shipped one when None.

    Raises:
        ValueError: the file belongs to another model.
    """
    started, judge = time.monotonic(), judge or load_judge("storybook")
    store = Store(kept, model)
    side = model.size[0]
    trial = [Drawn(task, side) for task in edit_tasks(tuning, FIRST_TUNING_SEED)]
    real = [Drawn(task, side) for task in edit_tasks(count, FIRST_SEED)]
    made: dict[str, list[Float[Tensor, "3 h w"]]] = {}

    def also(editor: Editor, setting: Setting) -> dict[str, Any]:
        trips = tuple(_round_trips(model, editor, setting, real[:round_trips], store))
        cost = _cost(model, editor, setting, real[0], store) if costs else None
        made[editor.name] = [_picture(model, editor, setting, drawn, store) for drawn in real[:shown]]
        return {"round_trip": trips, "cost": cost}

    measured = yield from tuned(
        editors,
        settings,
        tuning,
        lambda editor, setting: _results(model, judge, editor, setting, trial, store),
        lambda editor, setting: _results(model, judge, editor, setting, real, store, shown),
        _score,
        also,
        partial(why_not, model),
    )
    samples = tuple(
        Shown(drawn.task, drawn.before, drawn.truth, {name: pictures[i] for name, pictures in made.items()})
        for i, drawn in enumerate(real[:shown])
    )
    return EditingFigures(measured, samples, count, tuning, round(time.monotonic() - started, 1))


def _score(results: Sequence[EditResult]) -> tuple[float, float]:
    """Return the share of clean results, and the mean PSNR inside, which decides between equal shares."""
    inside = [o.inside for o in results if o.inside is not None]
    return sum(o.clean for o in results) / len(results), sum(inside) / max(1, len(inside))


def _results(
    model: Model,
    judge: AttributeClassifier,
    editor: Editor,
    setting: Setting,
    drawn: Sequence[Drawn],
    store: Store,
    shown: int = 0,
) -> Generator[Progress, None, tuple[EditResult, ...]]:
    todo = [d for d in drawn if not store.has("outcome", editor, setting, d.task)]
    samples = {d.task.seed for d in drawn[:shown]}
    name, done = f"{editor.name} {setting.strength:g} {setting.guidance:g}", 0
    for part, pictures, evaluations, seconds in _edited(model, editor, setting, todo):
        codec = judge.read(model.decode(model.encode(batch_of(part).pictures)))
        read = judge.read(pictures)
        for i, d in enumerate(part):
            result = result_of(d, pictures[i], read[i], codec[i], evaluations, seconds)
            store.add("outcome", editor, setting, d.task, asdict(result))
            if d.task.seed in samples:
                store.add_picture(editor, setting, d.task, pictures[i])
        done += len(part)
        yield Progress(name, done, len(todo))
    kept = (store.get("outcome", editor, setting, d.task) for d in drawn)
    return tuple(EditResult(**{**result, "lost": tuple(result["lost"])}) for result in kept)


def _picture(model: Model, editor: Editor, setting: Setting, drawn: Drawn, store: Store) -> Float[Tensor, "3 h w"]:
    """Return an edited picture from the store; make it again if it is not there."""
    kept = store.picture(editor, setting, drawn.task)
    if kept is None:
        kept = next(_edited(model, editor, setting, [drawn]))[1][0]
        store.add_picture(editor, setting, drawn.task, kept)
    return kept


def _cost(model: Model, editor: Editor, setting: Setting, drawn: Drawn, store: Store) -> Cost:
    if not store.has("cost", editor, setting, drawn.task):
        store.add("cost", editor, setting, drawn.task, asdict(cost_of(model, editor, setting, drawn)))
    return Cost(**store.get("cost", editor, setting, drawn.task))


def _edited(
    model: Model, editor: Editor, setting: Setting, drawn: Sequence[Drawn], unchanged: bool = False
) -> Iterator[tuple[Sequence[Drawn], Float[Tensor, "b 3 h w"], int, float]]:
    """Yield batches of tasks and edited pictures, with evaluations and seconds per picture; see `batch_of`."""
    for i in range(0, len(drawn), editor.batch):
        part = drawn[i : i + editor.batch]
        task = batch_of(part, unchanged)
        started = time.monotonic()
        with counted(model) as evaluations:
            pictures = editor.run(model, task, setting).clamp(-1, 1)
        if not pictures.isfinite().all():
            raise ValueError("its pictures hold NaN.")
        yield part, pictures, evaluations() // len(part), (time.monotonic() - started) / len(part)


def _round_trips(
    model: Model, editor: Editor, setting: Setting, drawn: Sequence[Drawn], store: Store
) -> Iterator[float]:
    todo = [d for d in drawn if not store.has("round trip", editor, setting, d.task)]
    for part, again, _, _ in _edited(model, editor, setting, todo, unchanged=True):
        codec = model.decode(model.encode(batch_of(part).pictures))
        for d, a, b in zip(part, again, codec, strict=True):
            store.add("round trip", editor, setting, d.task, finite(psnr(a, b)))
    yield from (store.get("round trip", editor, setting, d.task) for d in drawn)
