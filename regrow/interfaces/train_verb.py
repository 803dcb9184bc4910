"""Run `regrow train`, and show data used and skipped, speed, time left, memory, losses and paths."""

import math
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from regrow.core.progress import finish
from regrow.interfaces.reporting import print_json, set_threads
from regrow.messages.message import say, worded_here
from regrow.requests.train import SONGBOOK, Train
from regrow.training.dry_run import rehearse
from regrow.training.loop import FitState
from regrow.training.run_log import peak_memory
from regrow.training.runs import finished, resumed
from regrow.training.train import Training
from regrow.training.train import train as training

if TYPE_CHECKING:
    from regrow.interfaces.run import Report

STAGES = {"read": "reading", "encode": "encoding (kept on disk for the next time)"}


def train(request: Train, run: "Report") -> None:
    """Run a training with a progress bar; SIGTERM and Ctrl-C save and stop it.

    Exits with status 130 if it was stopped.
    """
    set_threads(run)
    first = os.environ.get("RANK", "0") == "0"  # with torchrun, only the first process reports
    face = _Silent() if not first else _Json() if run.json else _Bar()
    known = resumed(request)
    if over := finished(request):
        face.say(
            say("training_is_finished", name=request.resume, folder=over, hint=_hint(known, over)),
            {"folder": str(over)},
        )
        return
    if request.dry_run:
        facts, sentences = rehearse(request)
        print_json(facts) if run.json else print("\n".join(sentences))
        return
    with _stopping() as stopped:
        try:
            folder = finish(training(request, lambda: bool(stopped)), face.show)
        finally:  # so that the next sentence, also of an error, starts on a new line
            face.close()
    if folder is None:
        again = f"regrow train --resume {shlex.quote(known.name)}"
        face.say(say("training_stopped", command=again), {"stopped": True})
        sys.exit(130)
    face.say(say("wrote_trained", folder=folder, hint=_hint(known, folder)), {"folder": str(folder)})


def _hint(known: Train, folder: Path) -> str:
    """Return a command to copy that uses the trained model."""
    name = shlex.quote(known.name)
    if known.stage == "codec" and not known.start:
        data = [shlex.quote(str(known.data))] if known.data else []
        data += ["--world", known.world] if known.world else []
        further = shlex.quote(f"{known.name}-2")
        return say("train_denoiser_next", data=" ".join(data), name=name, further=further)
    if (folder / "singers.json").is_file() or known.world == SONGBOOK:
        return say("try_sing", name=name)
    if not (folder / "text_encoder").is_dir():
        return say("try_generate_unguided", name=name)
    return say("try_generate", name=name)


class _Silent:
    """Shows nothing; the base class of all displays of a training."""

    def show(self, state: Training) -> None: ...

    def say(self, sentence: str, facts: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class _Json(_Silent):
    """Prints one JSON object per line."""

    def show(self, state: Training) -> None:
        line: dict[str, Any] = {"stage": state.stage, "memory": peak_memory()}
        if state.progress:
            line |= {"index": state.progress.index, "steps": state.progress.steps}
        if state.fit:
            line |= asdict(state.fit)
            if state.fit.loss is not None and not math.isfinite(state.fit.loss):  # JSON has no infinity or NaN
                line["loss"] = None
        if state.samples:
            line["samples_at"] = str(state.samples)
        if notes := [*state.notes, *(state.fit.notes if state.fit else ())]:
            line["notes"] = list(map(worded_here, notes))
        print_json(line)

    def say(self, sentence: str, facts: dict[str, Any]) -> None:
        print_json(facts)


class _Bar(_Silent):
    """Shows a progress bar per stage on stderr, and sentences above it on stdout."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.stage = ""
        self.began: tuple[int, float] | None = None
        self.validation = ""

    def show(self, state: Training) -> None:
        for note in (*state.notes, *(state.fit.notes if state.fit else ())):
            tqdm.write(worded_here(note), sys.stdout)
        if state.samples:
            tqdm.write(f"samples: {state.samples}", sys.stdout)
        if state.stage != self.stage:
            self._begin(state.stage)
        if state.progress and self.bar is not None:
            self.bar.total = state.progress.steps
            self.bar.update(state.progress.index - self.bar.n)
        if state.fit and self.bar is not None:
            self._fitted(state.fit, state.batch, self.bar)

    def say(self, sentence: str, facts: dict[str, Any]) -> None:
        print(worded_here(sentence))

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()

    def _begin(self, stage: str) -> None:
        self.close()
        self.stage, self.began, self.validation = stage, None, ""
        if stage in STAGES:
            self.bar = tqdm(desc=STAGES[stage], dynamic_ncols=True)
        else:
            self.bar = tqdm(desc=stage, total=100, bar_format="{desc} |{bar}|", dynamic_ncols=True)

    def _fitted(self, fit: FitState, batch: int, bar: tqdm) -> None:
        if self.began is None:  # the first state of a resumed run has no loss, and says where it resumes
            self.began = (fit.step, fit.seconds) if fit.loss is None else (0, 0.0)
        if fit.validation is not None:
            self.validation = f", held out {fit.validation:.4f}"
        step, seconds = self.began
        done = (fit.step - step) * batch / max(fit.seconds - seconds, 1e-9)
        left = fit.seconds * (1 - fit.share) / max(fit.share, 1e-9)
        # a terminal of 80 columns cuts off the end of this, and the bar
        loss = "" if fit.loss is None else f" loss {fit.loss:.4f}{self.validation},"
        rate = f" {done:.1f} samples/s," if done else ""
        bar.n = round(100 * fit.share)
        bar.set_description_str(
            f"{self.stage} {bar.n:3}%:{loss} {tqdm.format_interval(int(left))} left,{rate} step {fit.step}, "
            f"{peak_memory() / 2**30:.1f} GB"
        )


@contextmanager
def _stopping() -> Iterator[list[int]]:
    """Yield a list that is non-empty once SIGINT or SIGTERM has arrived; a second signal stops at once."""
    signals: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if signals:
            raise KeyboardInterrupt
        signals.append(number)
        again = "; Ctrl-C once more stops without" if number == signal.SIGINT else ""
        print(f"\nsaving{again}", file=sys.stderr, flush=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
