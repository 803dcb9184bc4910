"""One attempt: an input with one mutated file, read in a process with limited memory, and its outcome."""

import io
import json
import os
import resource
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Literal

from regrow.benchmark.hostile.kind import Kind, copy_input
from regrow.benchmark.hostile.mutate import mutate
from regrow.messages.message import Message, sentence_of
from regrow.training.run_log import resident

Verdict = Literal["refused", "accepted", "foreign", "hang", "memory", "ended"]
FAILURES: tuple[Verdict, ...] = ("foreign", "hang", "memory", "ended")
LONGEST_SENTENCE = 1500
"""Longest useful error sentence, in characters; a longer one quotes a whole huge value."""
ADDRESS_SPACE = 12 << 30
"""Bytes of address space of a process; beyond them it gets a MemoryError, so the machine does not run out of memory."""
BEGUN = "begun.json"
"""File beside the inputs with the file and mutation of the current attempt, as a process that hangs reports nothing."""
Kinds = Callable[[], Sequence[Kind]]


@dataclass(frozen=True)
class Outcome:
    """The outcome of an attempt.

    Attributes:
        kind: of the input.
        index: number of the attempt within its kind.
        file: the mutated file.
        how: how it was mutated.
        verdict: "refused" with one sentence; "accepted": it could be read; "foreign": an error without a sentence for
            users, or a printed traceback; "hang": too slow; "memory": too much memory; "ended": the process ended.
        detail: the sentence, or the traceback.
        seconds: duration.
        peak: peak memory in bytes above what the process held before.
    """

    kind: str
    index: int
    file: str
    how: str
    verdict: Verdict
    detail: str
    seconds: float = 0.0
    peak: int = 0


def serve(pipe: Connection, kinds: Kinds, folder: Path, seed: int, most_memory: int) -> None:
    """Send the kinds with their shares through the pipe; then answer each (kind, index) with an `Outcome`.

    It ends when the pipe closes. (kind, -1) reads the valid input without mutation, which imports what the kind needs.
    """
    known = {kind.name: kind for kind in kinds()}
    pipe.send([(kind.name, kind.share) for kind in known.values()])
    os.environ["REGROW_HOME"] = str(folder / "now" / "home")
    resource.setrlimit(resource.RLIMIT_DATA, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # C libraries print their warnings there
    warnings.simplefilter("ignore")  # thousands of warnings would hide the results
    with suppress(EOFError, OSError):
        while True:
            name, index = pipe.recv()
            if not (whole := folder / "whole" / name).is_dir():
                whole.mkdir(parents=True)
                known[name].make(whole)
            pipe.send(attempt(known[name], folder, seed, index, most_memory))


def attempt(kind: Kind, folder: Path, seed: int, index: int, most_memory: int) -> Outcome:
    """Mutate an input and read it; seed, kind and index determine the mutation.

    Args:
        kind: of the input.
        folder: holds the valid input in `whole/KIND`; the mutated one is made in `now`.
        seed: of all attempts.
        index: of this attempt; -1 mutates nothing.
        most_memory: bytes that it may take beyond what the process holds.
    """
    whole, now = folder / "whole" / kind.name, folder / "now"
    random = Random(f"{seed} {kind.name} {index}")
    copy_input(whole, now)
    name = random.choice(kind.names(whole))
    how = mutate(random, whole / name, now / name, kind.places) if index >= 0 else "nothing"
    (folder / BEGUN).write_text(json.dumps([name, how]), encoding="utf-8")
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak of resident memory; proc(5)
    before, began, printed = resident("VmRSS") or 0, time.monotonic(), io.StringIO()
    verdict: Verdict
    try:
        with redirect_stderr(printed), redirect_stdout(io.StringIO()):
            for one in [name] if index >= 0 else kind.names(whole):
                kind.read(now, one)
        verdict, detail = "accepted", ""
    except Exception as problem:
        verdict, detail = _judged(problem)
    seconds, peak = time.monotonic() - began, (resident("VmHWM") or 0) - before
    if verdict not in FAILURES and "Traceback" in printed.getvalue():
        verdict, detail = "foreign", printed.getvalue()
    if verdict not in FAILURES and peak > most_memory:
        verdict, detail = "memory", f"{peak >> 20} MiB"
    return Outcome(kind.name, index, name, how, verdict, detail, seconds, peak)


def _judged(problem: Exception) -> tuple[Verdict, str]:
    """Return the verdict on an error, and its text: "refused" only if it is one of regrow's own sentences."""
    first = problem.args[0] if len(problem.args) == 1 else None
    if isinstance(problem, ValueError | OSError) and isinstance(first, Message):
        if len(first) <= LONGEST_SENTENCE:
            return "refused", sentence_of(problem)
        return "foreign", f"A sentence of {len(first)} letters: {first[:LONGEST_SENTENCE]}"
    if isinstance(problem, MemoryError):
        return "memory", traceback.format_exc()
    return "foreign", traceback.format_exc()
