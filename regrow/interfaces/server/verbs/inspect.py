"""Inspect: show what a model's codec loses of a file, and the file's path to noise and back."""

from collections.abc import Generator

from regrow.editing.inspect import inspect as operation
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.schemas.requests import Inspect
from regrow.interfaces.server.verbs.making import Open
from regrow.interfaces.server.verbs.requests import request_of


def inspect(job: Job, opened: Open) -> Generator[At, None, None]:
    """Make the page of `regrow inspect`, and return the levels of the model's path to noise."""
    request = request_of("inspect", Inspect, job.settings)
    model = opened(request.model)
    yield At("look", 0, 0)
    inspected = yield from steps_of(operation(request.image, request.source, request.steps, model), model)
    assert inspected.page is not None, "a model has looked"
    job.lay_beside("page", inspected.page)
    levels = model.grid(request.steps, shape=model.latent_shape(*model.extent))
    job.facts |= {"alpha_bar": [level.alpha**2 for level in levels], **inspected.lost}
    job.facts["about"] = {name: value for name, value in inspected.facts.items() if name not in ("file", "notes")}
    job.tell(inspected.facts["notes"])


WORK = inspect
