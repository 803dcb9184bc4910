"""Run attempts of all kinds in a watched process, which is replaced when an input makes it hang or end."""

import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from regrow.benchmark.hostile.attempt import BEGUN, FAILURES, Kinds, Outcome, serve
from regrow.core.progress import Progress
from regrow.messages.message import say

START = multiprocessing.get_context("spawn")
SECONDS = 20.0
"""Time limit of an input."""
FIRST_SECONDS = 240.0
"""Time limit of a kind's first, valid input, which imports what the kind needs."""
MOST_MEMORY = 2 << 30
"""Memory limit of an input in bytes, beyond what the process held before."""
Shares = dict[str, float]


@dataclass
class HostileFigures:
    """The outcomes of all attempts.

    Attributes:
        seed: of the mutations.
        counts: of each verdict, by kind.
        failures: the attempts that ended in anything but a clear sentence or a result.
        seconds: total, by kind.
        slowest: seconds of the slowest attempt, by kind.
        largest: greatest peak memory in bytes, by kind.
    """

    seed: int
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[Outcome] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The number of all attempts."""
        return sum(sum(counts.values()) for counts in self.counts.values())

    def add(self, outcome: Outcome) -> None:
        """Count an attempt."""
        counts = self.counts.setdefault(outcome.kind, {})
        counts[outcome.verdict] = counts.get(outcome.verdict, 0) + 1
        self.seconds[outcome.kind] = self.seconds.get(outcome.kind, 0.0) + outcome.seconds
        self.slowest[outcome.kind] = max(self.slowest.get(outcome.kind, 0.0), outcome.seconds)
        self.largest[outcome.kind] = max(self.largest.get(outcome.kind, 0), outcome.peak)
        if outcome.verdict in FAILURES:
            self.failures.append(outcome)


def bench_hostile(
    kinds: Kinds, inputs: int, seed: int, only: Sequence[str] = (), first: int = 0, keep: Path | None = None
) -> Generator[Progress, None, HostileFigures]:
    """Mutate inputs of all kinds and read them.

    Args:
        kinds: returns the kinds; it is called in other processes as well.
        inputs: total number; each kind gets its share, at least one.
        seed: of the mutations.
        only: names of the kinds; all if empty.
        first: index of each kind's first attempt.
        keep: a folder for failures: the input, the error, and the command that repeats it.

    Raises:
        ValueError: a name in `only` is unknown, or a valid input is not accepted, so the figures would mean nothing.
    """
    figures, done = HostileFigures(seed), 0
    with tempfile.TemporaryDirectory(prefix="regrow-hostile-") as made:
        hand = _Hand(kinds, Path(made), seed)
        try:
            shares = _shares(_chosen(hand.kinds, only), inputs)
            for name, count in shares.items():
                _check_sound(hand.attempt(name, -1, FIRST_SECONDS))
                for index in range(first, first + count):
                    outcome = hand.attempt(name, index, SECONDS)
                    figures.add(outcome)
                    if outcome.verdict in FAILURES and keep:
                        _keep(keep, Path(made), outcome, seed)
                    if outcome.verdict in ("hang", "ended"):
                        hand.attempt(name, -1, FIRST_SECONDS)  # the new process imports what the kind needs
                    done += 1
                    yield Progress(name, done, sum(shares.values()))
        finally:
            hand.end()
    return figures


def _chosen(kinds: Shares, only: Sequence[str]) -> Shares:
    if unknown := [name for name in only if name not in kinds]:
        raise ValueError(say("hostile_kind_unknown", name=unknown[0], names=", ".join(kinds)))
    return {name: share for name, share in kinds.items() if not only or name in only}


def _shares(kinds: Shares, inputs: int) -> dict[str, int]:
    """Return how many attempts each kind gets."""
    whole = sum(kinds.values())
    return {name: max(1, round(inputs * share / whole)) for name, share in kinds.items()}


def _check_sound(outcome: Outcome) -> None:
    if outcome.verdict != "accepted":
        raise ValueError(say("hostile_sound_refused", kind=outcome.kind, reason=outcome.detail))


class _Hand:
    """A process that makes attempts; it is started again after an attempt ends it."""

    def __init__(self, kinds: Kinds, folder: Path, seed: int) -> None:
        self._given = kinds, folder, seed, MOST_MEMORY
        self._new()

    def attempt(self, kind: str, index: int, seconds: float) -> Outcome:
        """Make an attempt in the process, which is killed after `seconds`."""
        try:
            self._pipe.send((kind, index))
            if self._pipe.poll(seconds):
                return self._pipe.recv()
            verdict, detail = "hang", f"It took more than {seconds:g} s."
            self._process.kill()
        except (EOFError, OSError):
            verdict, detail = "ended", ""
        self._process.join()
        detail = detail or f"The process ended with {self._process.exitcode}."
        self._new()
        file, how = json.loads((self._given[1] / BEGUN).read_text(encoding="utf-8"))
        return Outcome(kind, index, file, how, verdict, detail, seconds)

    def end(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def _new(self) -> None:
        self._pipe, there = START.Pipe()
        self._process = START.Process(target=serve, args=(there, *self._given), daemon=True)
        self._process.start()
        there.close()
        self.kinds: Shares = dict(self._pipe.recv())


def _keep(keep: Path, folder: Path, outcome: Outcome, seed: int) -> None:
    """Keep a failure: the mutated file, and in failure.json the error and the command that repeats it."""
    to = keep / f"{outcome.kind}-{outcome.index}"
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    mutated = folder / "now" / outcome.file
    if outcome.file and mutated.is_file() and not mutated.is_symlink() and mutated.stat().st_mode & 0o400:
        shutil.copyfile(mutated, to / Path(outcome.file).name)
    command = f"regrow bench hostile --seed {seed} --only {outcome.kind} --first {outcome.index} --inputs 1"
    facts = asdict(outcome) | {"command": command}
    (to / "failure.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
