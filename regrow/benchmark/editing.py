"""Edits beside the truth: what a way to edit grants, what it spoils, and what it costs, on wishes with a known answer.

A judge that learned from drawings reads the results. A wish is granted when it reads the wished value; a field that the
wish leaves alone is spoiled when it reads another value than the scene has, where it read the scene's own value off the
codec's picture (what it misreads there is not the editor's fault). Pixels are compared with the exact counterfactual:
outside, where it equals the scene; inside, where it does not.

Every way to edit is tuned alike: all of its settings on other wishes, and the one with most clean wishes, granted with
nothing spoiled, is measured.
"""

import json
import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.editors import Editor, Setting, Task, counted
from regrow.benchmark.judge import Judge, load_judge
from regrow.benchmark.wishes import FIRST_SEED, FIRST_TUNING_SEED, Drawn, Wish, wishes
from regrow.families.model import Model
from regrow.media.distance import psnr, ssim
from regrow.operations.progress import Progress

LEAST = 0.02
"""Share of the picture below which a region's distance is not measured."""


@dataclass(frozen=True)
class Outcome:
    """Of one wish.

    Attributes:
        seed: of the wish.
        kind: of the wish.
        granted: whether the judge reads the wished value.
        spoiled: share of the fields to be kept that it now reads differently.
        outside: PSNR in dB to the scene where nothing may change; None where that is nearly nothing.
        outside_ssim: SSIM there.
        inside: PSNR in dB to the counterfactual where it differs from the scene.
        evaluations: of the network.
        seconds: of its share of a batch.
    """

    seed: int
    kind: str
    granted: bool
    spoiled: float
    outside: float | None
    outside_ssim: float | None
    inside: float | None
    evaluations: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Granted, and nothing spoiled."""
        return self.granted and self.spoiled == 0


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
        failure: why it did not run, in its own words; then the rest is empty.
    """

    editor: str
    about: str
    rival: bool
    chosen: Setting | None = None
    tuning: tuple[tuple[Setting, tuple[Outcome, ...]], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    round_trip: tuple[float, ...] = ()
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Shown:
    """The first wishes as pictures: scene, counterfactual, and what each editor made, by name."""

    wish: Wish
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
    kept: Path | None = None,
    judge: Judge | None = None,
) -> Generator[Progress, None, EditingFigures]:
    """Tune and measure editors on the same wishes, one after the other.

    Args:
        model: that all of them use; it must know the storybook.
        editors: see `editors.own_editors` and `rivals.rivals`.
        count: wishes to measure, from seed 8,000,000 on.
        tuning: wishes to choose settings on, from seed 8,500,000 on.
        round_trips: of the first wishes.
        shown: of the first wishes are kept as pictures.
        kept: a file that outcomes are added to and taken from, a line each, so that a killed run goes on. It belongs
            to one model.
        judge: the shipped one when None.

    Raises:
        ValueError: the file belongs to another model.
    """
    started, judge = time.monotonic(), judge or load_judge()
    store = _Store(kept, model.content_hash)
    side = model.size[0]
    trial = [Drawn(wish, side) for wish in wishes(tuning, FIRST_TUNING_SEED)]
    real = [Drawn(wish, side) for wish in wishes(count, FIRST_SEED)]
    found, made = [], {}
    for editor in editors:
        try:
            tried = []
            for setting in editor.settings:
                tried.append((setting, (yield from _outcomes(model, judge, editor, setting, trial, store))))
            chosen = max(tried, key=lambda pair: _score(pair[1]))[0] if tuning else editor.settings[0]
            outcomes = yield from _outcomes(model, judge, editor, chosen, real, store)
            pictures = list(_edited(model, editor, chosen, real[:shown]))
            trips = tuple(_round_trips(model, editor, chosen, real[:round_trips]))
        except Exception as problem:  # a rival breaks in its own way, and the table says in which
            if not editor.rival:
                raise
            found.append(Measured(editor.name, editor.about, True, failure=f"{type(problem).__name__}: {problem}"))
            continue
        made[editor.name] = torch.cat([part for part, _, _ in pictures]) if pictures else torch.empty(0)
        found.append(Measured(editor.name, editor.about, editor.rival, chosen, tuple(tried), outcomes, trips))
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
    model: Model, judge: Judge, editor: Editor, setting: Setting, drawn: Sequence[Drawn], store: "_Store"
) -> Generator[Progress, None, tuple[Outcome, ...]]:
    todo = [d for d in drawn if not store.has(editor, setting, d.wish)]
    name = f"{editor.name} {setting.strength:g} {setting.guidance:g}"
    position = 0
    for pictures, evaluations, seconds in _edited(model, editor, setting, todo):
        part = todo[position : position + len(pictures)]
        position += len(pictures)
        codec = judge.read(model.decode(model.encode(torch.stack([d.before for d in part]))))
        read = judge.read(pictures)
        for i, d in enumerate(part):
            outcome = _outcome(d, pictures[i], read[i], codec[i], evaluations, seconds)
            store.add(editor, setting, outcome)
        yield Progress(name, position, len(todo))
    return tuple(store.get(editor, setting, d.wish) for d in drawn)


def _outcome(
    d: Drawn,
    picture: Float[Tensor, "3 h w"],
    read: dict[str, str],
    codec: dict[str, str],
    evaluations: int,
    seconds: float,
) -> Outcome:
    wish = d.wish
    sure = [name for name in wish.kept if codec[name] == getattr(wish.scene, name)]
    spoiled = [name for name in sure if read[name] != getattr(wish.scene, name)]
    outside, inside = ~d.changed, d.changed
    wide = float(outside.float().mean()) >= LEAST
    return Outcome(
        wish.seed,
        wish.kind,
        read[wish.field] == getattr(wish.wished, wish.field),
        len(spoiled) / max(1, len(sure)),
        _finite(psnr(picture, d.before, outside)) if wide else None,
        ssim(picture, d.before, outside) if wide and outside[5:-5, 5:-5].any() else None,
        _finite(psnr(picture, d.truth, inside)) if inside.any() else None,
        evaluations,
        round(seconds, 3),
    )


def _finite(decibels: float) -> float:
    """Of equal pictures: what one step of one 8-bit value in 128 x 128 would have given."""
    return 90.0 if math.isinf(decibels) else decibels


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


def _round_trips(model: Model, editor: Editor, setting: Setting, drawn: Sequence[Drawn]) -> Iterator[float]:
    for i in range(0, len(drawn), editor.batch):
        part = drawn[i : i + editor.batch]
        pictures = torch.stack([d.before for d in part])
        words = [d.wish.source for d in part]
        again = editor.run(model, Task(pictures, words, words, [d.wish.seed for d in part]), setting).clamp(-1, 1)
        codec = model.decode(model.encode(pictures))
        yield from (_finite(psnr(a, b)) for a, b in zip(again, codec, strict=True))


class _Store:
    """Outcomes by editor, setting and wish, in a file where one is named."""

    def __init__(self, path: Path | None, model: str) -> None:
        self.path, self.found = path, {}
        if path is None:
            return
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"model": model}) + "\n", encoding="utf-8")
        text = path.read_text(encoding="utf-8")
        if not text.endswith("\n"):  # killed while it wrote a line; the next one must not join it
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        lines = text.splitlines()
        if json.loads(lines[0]).get("model") != model:
            raise ValueError(f"{path} holds outcomes of another model; name another file.")
        for line in lines[1:]:
            try:
                entry = json.loads(line)
            except ValueError:  # the run was killed while it wrote this line
                continue
            self.found[entry["key"]] = Outcome(**entry["outcome"])

    @staticmethod
    def _key(editor: Editor, setting: Setting, seed: int) -> str:
        return f"{editor.name} {setting.strength:g} {setting.guidance:g} {seed}"

    def has(self, editor: Editor, setting: Setting, wish: Wish) -> bool:
        return self._key(editor, setting, wish.seed) in self.found

    def get(self, editor: Editor, setting: Setting, wish: Wish) -> Outcome:
        return self.found[self._key(editor, setting, wish.seed)]

    def add(self, editor: Editor, setting: Setting, outcome: Outcome) -> None:
        key = self._key(editor, setting, outcome.seed)
        self.found[key] = outcome
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "outcome": asdict(outcome)}) + "\n")
