"""The log of a run: JSON lines, and events for TensorBoard."""

import json
import math
import os
import re
import resource
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch

from regrow.media.files import MediaError, write_whole
from regrow.training.loop import FitState
from regrow.training.settings import Staged


def peak_memory() -> int:
    """Return the peak memory of this process in bytes, including that on its GPU."""
    return _peak_of_host() + (torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0)


def resident(field: Literal["VmRSS", "VmHWM"]) -> int | None:
    """Return this process's resident bytes, now or at the peak; None if the system does not report them (proc(5))."""
    with suppress(OSError):
        if found := re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE):
            return 1024 * int(found[1])
    return None


def _peak_of_host() -> int:
    if peak := resident("VmHWM"):  # getrusage may report the peak of the process that started this one
        return peak
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a stage's log, without those truncated by a kill or a full disk."""
    log = folder / "log.jsonl"
    lines = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else ():
        with suppress(ValueError, RecursionError):
            lines.append(json.loads(line))
    return [line for line in lines if isinstance(line, dict) and isinstance(line.get("step"), int)]


class RunLog:
    """`log.jsonl` and TensorBoard events in a folder: at most a line per second, with the mean loss since the last.

    Args:
        folder: of a stage of a run.
        writes: whether this process writes; only one should.
    """

    def __init__(self, folder: Path, writes: bool) -> None:
        self.folder, self.writes = folder, writes
        self.total, self.counted, self.said = 0.0, 0, 0.0
        self.begun = False
        self.events: Any = None

    def write(self, state: FitState, batch: int) -> None:
        """Log a state; after a resumption, lines of repeated steps are dropped.

        A loss that is not finite is logged as null, as JSON has no such number. On a full disk the log gets a gap and
        the events end, as only checkpoints wait for room.
        """
        if not self.writes:
            return
        if not self.begun:  # a state that has only notes reports a resumption, and its step is not repeated
            self.begun = True
            with suppress(OSError, MediaError):
                self._begin(state.step + (state.loss is None))
        diverged = state.loss is not None and not math.isfinite(state.loss)
        if state.loss is not None:
            self.total, self.counted = self.total + state.loss, self.counted + 1
        ended = state.share >= 1 or state.step == state.steps
        if (
            state.validation is None
            and not state.notes
            and not (ended or diverged)
            and time.monotonic() - self.said < 1
        ):
            return
        line: dict[str, Any] = {"step": state.step, "seconds": round(state.seconds, 2)}
        if diverged:
            line |= {"loss": None, "samples": state.step * batch}
        elif self.counted:
            line |= {"loss": self.total / self.counted, "samples": state.step * batch}
            self._plot("loss", line["loss"], state.step)
        if state.validation is not None:
            line["validation"] = state.validation
            self._plot("validation", state.validation, state.step)
        if state.notes:
            line["notes"] = state.notes
        line["memory"] = peak_memory()
        with suppress(OSError), (self.folder / "log.jsonl").open("a+b") as file:
            if file.tell() and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":  # a line that found no room
                file.write(b"\n")
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self.total, self.counted, self.said = 0.0, 0, time.monotonic()

    def close(self) -> None:
        """Flush TensorBoard's events."""
        if self.events is not None:
            with suppress(OSError):
                self.events.close()

    def _plot(self, name: str, value: float, step: int) -> None:
        if self.events is None:
            return
        try:
            self.events.add_scalar(name, value, step)
        except OSError:  # after one failure, the writer raises the same error for ever
            self.events = None

    def _begin(self, step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self.folder.mkdir(parents=True, exist_ok=True)
        if kept := [line for line in read_log(self.folder) if line["step"] < step]:
            lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
            write_whole(self.folder / "log.jsonl", lines.encode())
        else:
            (self.folder / "log.jsonl").unlink(missing_ok=True)
        self.events = SummaryWriter(str(self.folder), purge_step=step)


def facts_of(staged: Staged, folder: Path, processes: int) -> dict[str, Any]:
    """Return the facts of a finished stage from its log, as a resumed run has no others."""
    lines = read_log(folder)
    last = lines[-1] if lines else {}
    validations = [line["validation"] for line in lines if "validation" in line]
    return {
        "steps": last.get("step"),
        "batch": staged.batch,
        "processes": processes,
        "seconds": last.get("seconds"),
        "loss": last.get("loss"),
        "validation": validations[-1] if validations else None,
        "settings": asdict(staged.settings),
    }
