"""The summary of a batch, as text or JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.interfaces.batch.drive import Outcome
from regrow.interfaces.batch.jobs import BatchJob
from regrow.interfaces.reporting import report
from regrow.messages.message import say

if TYPE_CHECKING:
    from regrow.interfaces.run import Report

MOST_LISTED = 20
"""Most jobs without a result, and most notes, that are listed; the folder holds the records of all."""
MOST_NAMED = 5
"""Most jobs that are named before a note that they share."""


def print_summary(jobs: Sequence[BatchJob], outcome: Outcome, out: Path, run: "Report", by_file: bool = False) -> None:
    """Print how many jobs are done, failed or set aside, why some have no result, and notes on the others.

    Args:
        jobs: without duplicates.
        outcome: what became of them.
        out: the folder of the results.
        run: whether to print JSON.
        by_file: name jobs by their input files; else by their lines in the file of jobs.
    """
    without = [job for job in jobs if outcome.records[job.key].state != "done"]
    fresh = [record for key, record in outcome.records.items() if key not in outcome.kept]
    done = outcome.count("done")
    kept = sum(outcome.records[key].state == "done" for key in outcome.kept)
    made = sum(record.seconds for record in fresh if record.state == "done")
    facts = {
        "jobs": len(jobs),
        **{state.replace(" ", "_"): outcome.count(state) for state in ("done", "failed", "set aside")},
        "done_before": kept,
        "seconds": outcome.seconds,
        "results": [
            {
                "line": job.line,
                "key": job.key,
                "state": record.state,
                "files": record.files,
                "reason": record.reason,
                "notes": record.notes,
            }
            for job in jobs
            for record in [outcome.records[job.key]]
        ],
    }
    lines = [
        say("batch_job_says", job=_named([job], by_file), sentence=outcome.records[job.key].reason) for job in without
    ]
    more = [say("batch_more_without", count=len(lines) - MOST_LISTED)] if len(lines) > MOST_LISTED else []
    whole = say(
        "batch_came_to", done=done, whole=len(jobs), kept=kept, failed=outcome.count("failed"),
        aside=outcome.count("set aside"), seconds=outcome.seconds, worked=round(made, 1), out=out,
    )  # fmt: skip
    report(run, facts, *_notes(jobs, outcome, by_file)[:MOST_LISTED], *lines[:MOST_LISTED], *more, whole)


def _notes(jobs: Sequence[BatchJob], outcome: Outcome, by_file: bool) -> list[str]:
    """The notes on results that were made now, each once, with its jobs."""
    noted: dict[str, list[BatchJob]] = {}
    for job in jobs:
        for note in outcome.records[job.key].notes if job.key not in outcome.kept else ():
            noted.setdefault(note, []).append(job)
    return [say("batch_job_says", job=_named(those, by_file), sentence=note) for note, those in noted.items()]


def _named(jobs: Sequence[BatchJob], by_file: bool) -> str:
    """Jobs as a summary names them, at most `MOST_NAMED` of them."""
    names = [job.request.image.name if by_file else str(job.line) for job in jobs[:MOST_NAMED]]
    names += ["..."] if len(jobs) > MOST_NAMED else []
    listed = ", ".join(names)
    return listed if by_file else say("batch_line", line=listed) if len(jobs) == 1 else say("batch_lines", lines=listed)
