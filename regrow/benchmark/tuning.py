"""Tune and measure all editors in the same way: all settings on tuning tasks, then the best on other tasks."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from regrow.benchmark.cost import Cost
from regrow.benchmark.editors import Editor, Setting
from regrow.core.progress import Progress


@dataclass(frozen=True)
class Measured:
    """The results of one editor.

    Attributes:
        editor: its name.
        about: what it is.
        baseline: whether it is a baseline.
        chosen: the setting that the tuning chose.
        tuning: results of every setting on the tuning tasks.
        results: of the chosen setting.
        round_trip: PSNR in dB, for the first tasks, between the codec's reconstruction of the scene and an edit whose
            target is the source prompt.
        cost: of one picture alone.
        failure: the error message if it did not run; then the rest is empty.
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
    """Choose each editor's setting on the tuning tasks, and measure it on the test tasks.

    Args:
        editors: to run one after the other.
        settings: number of settings tried for each editor.
        tuning: number of tuning tasks; 0 takes each editor's first setting.
        on_tuning: returns the results of a setting on the tuning tasks.
        on_real: returns the results of the chosen setting on the test tasks.
        score: of results; the setting with the largest score is chosen.
        also: returns further fields of `Measured` for the chosen setting.
        why_not: returns why an editor is left out, which becomes its `failure`; "" if it is not.

    Raises:
        Exception: any error of regrow's own editors; that of a baseline becomes its `failure`.
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
        except Exception as problem:  # a baseline may raise any error, which the table reports
            if not editor.baseline:
                raise
            why = " ".join(f"{type(problem).__name__}: {problem}".split())[:300]
            one = Measured(editor.name, editor.about, True, failure=why)
        measured.append(one)
    return tuple(measured)
