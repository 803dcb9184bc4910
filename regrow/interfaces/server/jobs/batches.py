"""Find waiting jobs that can be computed in one batch."""

import json
from collections.abc import Iterable, Sequence

from regrow.interfaces.server.jobs.job import Job

OWN = {
    "generate": frozenset({"prompt", "negative", "seed", "count"}),
    "edit": frozenset({"image", "target", "source", "negative", "seed"}),
}
"""The settings in which jobs of one batch may differ, by verb; other verbs are not batched."""
NEVER = ("lyrics", "tune", "melody", "reference_sound", "trajectory", "span", "to_lyrics", "duration")
"""Settings with which a job is never batched."""


def fitting_key(job: Job) -> str | None:
    """Return a key that is equal for jobs which fit into one batch; None for a job that is always computed alone."""
    own = OWN.get(job.verb)
    settings = job.settings
    if own is None or any(settings.get(name) for name in NEVER) or settings.get("attention", "none") != "none":
        return None
    shared = {name: value for name, value in settings.items() if name not in own and value is not None}
    return json.dumps([job.verb, shared], sort_keys=True)


def results_of(job: Job) -> int:
    """Return the number of results of a job that may be batched."""
    count, targets = job.settings.get("count"), job.settings.get("target")
    wanted = len(targets) if isinstance(targets, list | tuple) else 1
    return max(count if isinstance(count, int) else 1, wanted)


def fitting(order: Sequence[Job], most: int, lines: Iterable[str]) -> list[Job]:
    """Return the first job and others that fit into its batch, up to `most` results in total.

    The batch is fair: only users without a job in the batch may overtake a skipped job, with one job each.

    Args:
        order: the jobs in the order of the queue.
        most: largest number of results.
        lines: for each job, the line of its user; see `Queue`.
    """
    first, *rest = zip(order, lines, strict=True)
    taken, key, count, passed = [first], fitting_key(first[0]), results_of(first[0]), False
    for job, line in rest if key is not None and count < most else ():
        if fitting_key(job) != key or count + results_of(job) > most:
            passed = True
        elif not (passed and any(line == other for _, other in taken)):
            taken.append((job, line))
            count += results_of(job)
    return [job for job, _ in taken]
