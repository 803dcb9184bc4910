"""Edits beside the truth: what a way to edit grants, what it spoils, and what it costs, on wishes with a known answer.

A judge that learned from drawings reads the results. A wish is granted when it reads the wished value; a field that the
wish leaves alone is spoiled when it reads another value than the scene has, where it read the scene's own value off the
codec's picture (what it misreads there is not the editor's fault). Pixels are compared with the exact counterfactual:
outside, where it equals the scene; inside, where it does not.

Every way to edit is tuned alike: all of its settings on other wishes, and the one with most clean wishes, granted with
nothing spoiled, is measured.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.cost import Cost, cost_of
from regrow.benchmark.edit_tasks import FIRST_SEED, FIRST_TUNING_SEED, Drawn, EditTask, wishes
from regrow.benchmark.editors import SETTINGS, Editor, Setting, Task, counted
from regrow.benchmark.judge import Judge, load_judge
from regrow.benchmark.results_store import Outcome, Store, finite, outcome_of
from regrow.core.progress import Progress
from regrow.media.image.distance import psnr
from regrow.models.model import Model


@dataclass(frozen=True)
class Measured:
    """One way to edit.

    Attributes:
        editor: its name.
        about: what it is.
        rival: whether it is what people use today.
        chosen: the setting that the tuning chose.
        tuning: outcomes of every setting on the tuning wishes, which is its whole trade-off.
        outcomes: of the chosen setting.
        round_trip: PSNR in dB between what the codec makes of the scene and the edit to the scene's own words, for
            the first wishes.
        cost: of one picture alone.
        failure: why it did not run, in its own words; then the rest is empty.
    """

    editor: str
    about: str
    rival: bool
    chosen: Setting | None = None
    tuning: tuple[tuple[Setting, tuple[Outcome, ...]], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    round_trip: tuple[float, ...] = ()
    cost: Cost | None = None
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Shown:
    """The first wishes as pictures: scene, counterfactual, and what each editor made, by name."""

    wish: EditTask
    before: Float[Tensor, "3 h w"]
    truth: Float[Tensor, "3 h w"]
    made: dict[str, Float[Tensor, "3 h w"]]


@dataclass(frozen=True, eq=False)
class EditingFigures:
    """All of a run."""

    measured: tuple[Measured, ...]
    shown: tuple[Shown, ...]
    wishes: int
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
    judge: Judge | None = None,
) -> Generator[Progress, None, EditingFigures]:
    """Tune and measure editors on the same wishes, one after the other.

    Args:
        model: that all of them use; it must know the storybook.
        editors: see `editors.own_editors` and `baselines.rivals`.
        count: wishes to measure, from seed 8,000,000 on.
        tuning: wishes to choose settings on, from seed 8,500,000 on.
        round_trips: of the first wishes.
        shown: of the first wishes are kept as pictures.
        costs: measure what one picture alone takes.
        kept: a file that what was measured is added to and taken from, a line each, so that a killed run goes on; the
            pictures that are shown go into a folder of its name. It belongs to one model and its steps.
        settings: how many of each editor's are tried.
        judge: the shipped one when None.

    Raises:
        ValueError: the file belongs to another model.
    """
    started, judge = time.monotonic(), judge or load_judge()
    store = Store(kept, model)
    side = model.size[0]
    trial = [Drawn(wish, side) for wish in wishes(tuning, FIRST_TUNING_SEED)]
    real = [Drawn(wish, side) for wish in wishes(count, FIRST_SEED)]
    found, made = [], {}
    for editor in editors:
        try:
            tried = []
            for setting in editor.settings[:settings]:
                tried.append((setting, (yield from _outcomes(model, judge, editor, setting, trial, store))))
            chosen = max(tried, key=lambda pair: _score(pair[1]))[0] if tuning else editor.settings[0]
            outcomes = yield from _outcomes(model, judge, editor, chosen, real, store, shown)
            trips = tuple(_round_trips(model, editor, chosen, real[:round_trips], store))
            cost = _cost(model, editor, chosen, real[0], store) if costs else None
            pictures = [_picture(model, editor, chosen, d, store) for d in real[:shown]]
        except Exception as problem:  # a rival breaks in its own way, and the table says in which
            if not editor.rival:
                raise
            found.append(Measured(editor.name, editor.about, True, failure=f"{type(problem).__name__}: {problem}"))
            continue
        made[editor.name] = pictures
        found.append(Measured(editor.name, editor.about, editor.rival, chosen, tuple(tried), outcomes, trips, cost))
    samples = tuple(
        Shown(drawn.wish, drawn.before, drawn.truth, {name: pictures[i] for name, pictures in made.items()})
        for i, drawn in enumerate(real[:shown])
    )
    return EditingFigures(tuple(found), samples, count, tuning, round(time.monotonic() - started, 1))


def _score(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Most clean wishes; of equals the one that is closest to the truth."""
    inside = [o.inside for o in outcomes if o.inside is not None]
    return sum(o.clean for o in outcomes) / len(outcomes), sum(inside) / max(1, len(inside))


def _outcomes(
    model: Model,
    judge: Judge,
    editor: Editor,
    setting: Setting,
    drawn: Sequence[Drawn],
    store: Store,
    shown: int = 0,
) -> Generator[Progress, None, tuple[Outcome, ...]]:
    todo = [d for d in drawn if not store.has("outcome", editor, setting, d.wish)]
    samples = {d.wish.seed for d in drawn[:shown]}
    name = f"{editor.name} {setting.strength:g} {setting.guidance:g}"
    position = 0
    for pictures, evaluations, seconds in _edited(model, editor, setting, todo):
        part = todo[position : position + len(pictures)]
        position += len(pictures)
        codec = judge.read(model.decode(model.encode(torch.stack([d.before for d in part]))))
        read = judge.read(pictures)
        for i, d in enumerate(part):
            outcome = outcome_of(d, pictures[i], read[i], codec[i], evaluations, seconds)
            store.add("outcome", editor, setting, d.wish, asdict(outcome))
            if d.wish.seed in samples:
                store.add_picture(editor, setting, d.wish, pictures[i])
        yield Progress(name, position, len(todo))
    kept = (store.get("outcome", editor, setting, d.wish) for d in drawn)
    return tuple(Outcome(**{**outcome, "lost": tuple(outcome["lost"])}) for outcome in kept)


def _picture(model: Model, editor: Editor, setting: Setting, drawn: Drawn, store: Store) -> Float[Tensor, "3 h w"]:
    """From the store where it is; else it is made once more."""
    kept = store.picture(editor, setting, drawn.wish)
    if kept is None:
        kept = next(_edited(model, editor, setting, [drawn]))[0][0]
        store.add_picture(editor, setting, drawn.wish, kept)
    return kept


def _cost(model: Model, editor: Editor, setting: Setting, drawn: Drawn, store: Store) -> Cost:
    if not store.has("cost", editor, setting, drawn.wish):
        store.add("cost", editor, setting, drawn.wish, asdict(cost_of(model, editor, setting, drawn)))
    return Cost(**store.get("cost", editor, setting, drawn.wish))


def _edited(
    model: Model, editor: Editor, setting: Setting, drawn: Sequence[Drawn]
) -> Iterator[tuple[Float[Tensor, "b 3 h w"], int, float]]:
    """Pictures by batches, with evaluations and seconds of each picture."""
    for i in range(0, len(drawn), editor.batch):
        part = drawn[i : i + editor.batch]
        task = Task(
            torch.stack([d.before for d in part]),
            [d.wish.source for d in part],
            [d.wish.target for d in part],
            [d.wish.seed for d in part],
        )
        started = time.monotonic()
        with counted(model) as evaluations:
            pictures = editor.run(model, task, setting).clamp(-1, 1)
        if not pictures.isfinite().all():
            raise ValueError("its pictures hold NaN.")
        yield pictures, evaluations() // len(part), (time.monotonic() - started) / len(part)


def _round_trips(
    model: Model, editor: Editor, setting: Setting, drawn: Sequence[Drawn], store: Store
) -> Iterator[float]:
    todo = [d for d in drawn if not store.has("round trip", editor, setting, d.wish)]
    for i in range(0, len(todo), editor.batch):
        part = todo[i : i + editor.batch]
        pictures = torch.stack([d.before for d in part])
        words = [d.wish.source for d in part]
        again = editor.run(model, Task(pictures, words, words, [d.wish.seed for d in part]), setting).clamp(-1, 1)
        codec = model.decode(model.encode(pictures))
        for d, a, b in zip(part, again, codec, strict=True):
            store.add("round trip", editor, setting, d.wish, finite(psnr(a, b)))
    yield from (store.get("round trip", editor, setting, d.wish) for d in drawn)
