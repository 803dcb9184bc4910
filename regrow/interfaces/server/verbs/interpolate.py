"""Interpolate: make steps between two files or prompts."""

from collections.abc import Generator

from regrow.editing.compare import interpolate_sheet
from regrow.editing.interpolate import interpolate as operation
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.verbs.making import Open, keep
from regrow.interfaces.server.verbs.requests import request_of
from regrow.requests.interpolate import Interpolate


def interpolate(job: Job, opened: Open) -> Generator[At, None, None]:
    """Make all steps between the two ends, and a sheet of them."""
    request = request_of("interpolate", Interpolate, job.settings)
    model = opened(request.model)
    made = yield from steps_of(operation(request, model), model)
    keep(job, made, [f"{100 * share:.0f} percent" for share in made.shares], model)
    job.facts |= {"shares": list(made.shares), "items": _named(job, made.shares)}
    job.lay_beside("sheet", interpolate_sheet(request, made, model))


def _named(job: Job, shares: tuple[float, ...]) -> dict[str, dict[str, str]]:
    """Return the words of each step for the history: its share of the way."""
    return {name: {"words": f"{100 * share:.0f} %"} for name, share in zip(job.files, shares, strict=True)}


WORK = interpolate
