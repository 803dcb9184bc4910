"""What a run writes down while it goes on: a JSON-lines log, and events for TensorBoard."""

import json
import math
import os
import resource
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from regrow.media.files import write_whole
from regrow.operations.fitting import FitState


def peak_memory() -> int:
    """Bytes: the most this process has held so far, and the most on its GPU."""
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return host + (torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0)


class Journal:
    """`log.jsonl` and TensorBoard events in a folder: a line a second at most, with the mean loss since the last.

    Args:
        folder: of a stage of a run.
        writes: whether this process is the one that writes.
    """

    def __init__(self, folder: Path, writes: bool) -> None:
        self.folder, self.writes = folder, writes
        self.total, self.counted, self.said = 0.0, 0, 0.0
        self.events: Any = None

    def write(self, state: FitState, batch: int) -> None:
        """Note a state; after a resumption, lines of steps that are made again are dropped.

        A loss that is not finite is null, since JSON has no other word for it.
        """
        if not self.writes:
            return
        if self.events is None:  # a state of notes alone is that of a resumption, whose step is not made again
            self.events = self._begin(state.step + (state.loss is None))
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
            self.events.add_scalar("loss", line["loss"], state.step)
        if state.validation is not None:
            line["validation"] = state.validation
            self.events.add_scalar("validation", state.validation, state.step)
        if state.notes:
            line["notes"] = state.notes
        line["memory"] = peak_memory()
        # on a full disk the log has a gap; it is the checkpoint that waits for room
        with suppress(OSError), (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.total, self.counted, self.said = 0.0, 0, time.monotonic()

    def close(self) -> None:
        """Flush what TensorBoard reads."""
        if self.events is not None:
            self.events.close()

    def _begin(self, step: int) -> Any:
        from torch.utils.tensorboard.writer import SummaryWriter

        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "log.jsonl"
        if log.exists():
            lines = log.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] < step]
            write_whole(log, "".join(line + "\n" for line in kept).encode())
        return SummaryWriter(str(self.folder), purge_step=step)
