"""Generate: make pictures or sounds from a prompt."""

from collections.abc import Generator

from regrow.editing.generate import generate as operation
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.verbs.making import Open, keep
from regrow.interfaces.server.verbs.requests import request_of
from regrow.requests.generate import Generate


def generate(job: Job, opened: Open) -> Generator[At, None, None]:
    """Generate pictures or sounds from a prompt."""
    yield from grown(job, request_of("generate", Generate, job.settings), opened)


def grown(job: Job, request: Generate, opened: Open) -> Generator[At, None, None]:
    """Generate the results of a request, in the job's folder."""
    model = opened(request.model)
    made = yield from steps_of(operation(request, model), model)
    keep(job, made, [request.prompt or " ".join(request.lyrics.split()[:4])] * request.count, model)


WORK = generate
