"""The driver of a batch: distributes jobs to workers, and collects their outcomes."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from regrow.interfaces.batch.attempts import DEAD, MOST, attempts_at, is_alive, now
from regrow.interfaces.batch.jobs import BatchJob
from regrow.interfaces.batch.records import Record, forget_record, read_record
from regrow.interfaces.batch.worker import given
from regrow.interfaces.batch.workers import Hand, Workers
from regrow.messages.message import say

LOOK = 2.0
"""Seconds between checks of jobs that run under other drivers."""


@dataclass
class Outcome:
    """The outcome of a batch.

    Attributes:
        records: of the jobs, by key.
        kept: keys of jobs that had an outcome before.
        seconds: duration of this driver's run.
    """

    records: dict[str, Record] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def count(self, state: str) -> int:
        """Return how many jobs are in a state."""
        return sum(record.state == state for record in self.records.values())


def drive(jobs: Sequence[BatchJob], out: Path, start: Callable[[int], Workers], quiet: bool = False) -> Outcome:
    """Run the jobs that have no result yet; no job runs twice, even if other drivers run the same batch.

    Args:
        jobs: of the batch.
        out: the folder for results.
        start: starts workers; its argument is the number of jobs.
        quiet: whether to show no progress bar.

    Raises:
        ValueError, OSError: the folder cannot be written, or no worker can work.
        KeyboardInterrupt: stopped by Ctrl-C; finished results are kept.
    """
    out.mkdir(parents=True, exist_ok=True)
    _sweep(out)
    began, outcome = time.monotonic(), Outcome()
    left: list[BatchJob] = []
    for job in jobs:
        record = read_record(out, job.key)
        if record and record.state != "failed":
            outcome.records[job.key] = record
            outcome.kept.add(job.key)
        else:
            left.append(job)
            if record:  # a failure recorded from now on belongs to this run
                forget_record(out, job.key)
    left.sort(key=lambda job: job.request.model)  # so that each worker opens few models
    elsewhere: list[BatchJob] = []
    looked = began
    with tqdm(total=len(jobs), initial=len(outcome.records), unit="job", disable=quiet or None) as bar:
        workers = start(len(left)) if left else None
        try:
            while workers and (left or elsewhere or any(hand.job for hand in workers.hands)):
                for hand in workers.hands:
                    if hand.job is None and left:
                        hand.give(left.pop(_next(left, hand)))
                for news in workers.news(LOOK):
                    record = news.record or _given_up(news.job, out)
                    if record:
                        outcome.records[news.job.key] = record
                        bar.update()
                    else:
                        (left if news.died else elsewhere).append(news.job)
                if elsewhere and time.monotonic() - looked >= LOOK:
                    elsewhere, again = _looked_at(elsewhere, out, outcome, bar)
                    left += again
                    looked = time.monotonic()
        finally:
            if workers:
                workers.end()
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def _next(left: Sequence[BatchJob], hand: Hand) -> int:
    """Return the index of a worker's next job: the first for the model that it has in memory, else the first."""
    return next((i for i, job in enumerate(left) if job.request.model == hand.model), 0)


def _given_up(job: BatchJob, out: Path) -> Record | None:
    """Record and return that a job has ended its process too many times; None if it has not."""
    if attempts_at(out, job.key) < MOST or is_alive(out, job.key):
        return None
    reason = say("job_ends_its_process", times=MOST, file=out / f"{job.key}.json")
    record = Record("set aside", job.verb, given(job), reason=reason)
    record.write(out, job.key)
    return record


def _looked_at(
    elsewhere: Sequence[BatchJob], out: Path, outcome: Outcome, bar: "tqdm"
) -> tuple[list[BatchJob], list[BatchJob]]:
    """Return the jobs that other drivers still run, and those that they have given up; record those that are done."""
    there: list[BatchJob] = []
    again: list[BatchJob] = []
    for job in elsewhere:
        record = read_record(out, job.key) or _given_up(job, out)
        if record:
            outcome.records[job.key] = record
            bar.update()
        else:
            (there if is_alive(out, job.key) else again).append(job)
    return there, again


def _sweep(out: Path) -> None:
    """Remove partial results of killed workers."""
    for part in out.glob(".part-*"):
        if now(out) - part.stat().st_mtime > DEAD:
            shutil.rmtree(part, ignore_errors=True)
