"""Tune and measure ways to edit alike: all settings of each on some tasks, the best one on others."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from regrow.benchmark.cost import Cost
from regrow.benchmark.editors import Editor, Setting
from regrow.core.progress import Progress


@dataclass(frozen=True)
class Measured:
    """One way to edit.

    Attributes:
        editor: its name.
        about: what it is.
        baseline: whether it is what people use today.
        chosen: the setting that the tuning chose.
        tuning: results of every setting on the tuning tasks, which is its whole trade-off.
        results: of the chosen setting.
        round_trip: PSNR in dB between what the codec makes of the scene and the edit to the scene's own words, for
            the first tasks.
        cost: of one picture alone.
        failure: why it did not run, in its own words; then the rest is empty.
    """

    editor: str
    about: str
    baseline: bool
    chosen: Setting | None = None
    tuning: tuple[tuple[Setting, tuple[Any, ...]], ...] = ()
    results: tuple[Any, ...] = ()
    round_trip: tuple[float, ...] = ()
    cost: Cost | None = None
    failure: str = ""


Results = Generator[Progress, None, tuple[Any, ...]]


def tuned(
    editors: Sequence[Editor],
    settings: int,
    tuning: int,
    on_tuning: Callable[[Editor, Setting], Results],
    on_real: Callable[[Editor, Setting], Results],
    score: Callable[[Sequence[Any]], Any],
    also: Callable[[Editor, Setting], dict[str, Any]] = lambda editor, setting: {},
    why_not: Callable[[Editor], str] = lambda editor: "",
) -> Generator[Progress, None, tuple[Measured, ...]]:
    """Choose each editor's setting on the tuning tasks, and measure it on the real ones.

    Args:
        editors: one after the other.
        settings: how many of each editor's are tried.
        tuning: how many tuning tasks there are; 0 takes each editor's first setting.
        on_tuning: the results of a setting on the tuning tasks.
        on_real: the results of the chosen setting.
        score: of such results; the setting with the largest is chosen.
        also: further fields of `Measured`, for the chosen setting.
        why_not: why an editor is left out, which becomes its `failure`; empty where it is not.

    Raises:
        Exception: what one of regrow's own editors raises; a baseline's is its `failure`.
    """
    measured = []
    for editor in editors:
        if why := why_not(editor):
            measured.append(Measured(editor.name, editor.about, editor.baseline, failure=why))
            continue
        try:
            tried = []
            for setting in editor.settings[:settings]:
                tried.append((setting, (yield from on_tuning(editor, setting))))
            chosen = max(tried, key=lambda pair: score(pair[1]))[0] if tuning else editor.settings[0]
            results = yield from on_real(editor, chosen)
            one = Measured(
                editor.name, editor.about, editor.baseline, chosen, tuple(tried), results, **also(editor, chosen)
            )
        except Exception as problem:  # a baseline breaks in its own way, and the table says in which
            if not editor.baseline:
                raise
            why = " ".join(f"{type(problem).__name__}: {problem}".split())[:300]
            one = Measured(editor.name, editor.about, True, failure=why)
        measured.append(one)
    return tuple(measured)
