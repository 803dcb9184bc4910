"""The loss curves of a training, read from its log while it grows."""

import os
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from regrow.interfaces.server.stored import Stored, parse

POINTS = 500
"""Most points of a curve: more are not visible in a plot, and all are sent to every open page."""
MOST_LOGS = 32
"""Number of logs that are kept in memory."""


class LogLine(Stored):
    """A line of `log.jsonl`, as `training.run_log` writes it."""

    step: int
    seconds: float | None = None
    samples: int | None = None
    loss: float | None = None
    validation: float | None = None


@dataclass(frozen=True)
class Curves:
    """The curves of the last logged stage.

    Attributes:
        step: the last step with a loss.
        loss: at that step; None if there is none, or it is not finite.
        rate: samples per second in the last lines; None if unknown.
        points: rows of step, loss, and which curve it is on: "training" or "held out".
    """

    step: int = 0
    loss: float | None = None
    rate: float | None = None
    points: list[tuple[int, float, str]] = field(default_factory=list)


class _Log:
    """A partially read log; the next call reads only the lines added since."""

    def __init__(self) -> None:
        self.identity, self.place, self.training, self.held_out = 0, 0, [], []
        self.last: deque[LogLine] = deque(maxlen=20)

    def read(self, path: Path) -> None:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_ino != self.identity or found.st_size < self.place:  # a resumed training writes a new log
                self.__init__()
            self.identity = found.st_ino
            file.seek(self.place)
            whole = file.read().rpartition(b"\n")[0]
            self.place += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            at = parse(line, LogLine)
        except ValueError:  # truncated by a kill or a full disk
            return
        if at.samples is not None:  # a line with a loss, finite or not
            self.last.append(at)
        if at.loss is not None:
            self.training.append((at.step, at.loss, "training"))
        if at.validation is not None:
            self.held_out.append((at.step, at.validation, "held out"))


_logs: dict[Path, _Log] = {}
_lock = threading.Lock()


def curves_of(run: Path) -> Curves:
    """Return the curves of a run's last logged stage; empty if nothing is logged yet."""
    logs = [path for path in run.glob("*/log.jsonl") if path.is_file()]
    with _lock:
        for path in sorted(logs, key=lambda path: path.stat().st_mtime, reverse=True):
            log = _logs.pop(path, None) or _Log()
            _logs[path] = log
            while len(_logs) > MOST_LOGS:
                del _logs[next(iter(_logs))]
            try:
                log.read(path)
            except OSError:
                continue
            if log.last:
                points = _thinned(log.training) + _thinned(log.held_out)
                return Curves(log.last[-1].step, log.last[-1].loss, _rate(log.last), points)
    return Curves()


def _thinned(points: list[tuple[int, float, str]]) -> list[tuple[int, float, str]]:
    return points[:: 1 + len(points) // POINTS]


def _rate(lines: deque[LogLine]) -> float | None:
    """Return samples per second between the first and the last of these lines."""
    first, last = lines[0], lines[-1]
    if first.seconds is None or last.seconds is None or last.seconds <= first.seconds:
        return None
    return round(((last.samples or 0) - (first.samples or 0)) / (last.seconds - first.seconds), 2)
