"""Sing: sing lyrics on notes, or in a style."""

from collections.abc import Generator

from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.verbs.generate import grown
from regrow.interfaces.server.verbs.making import Open
from regrow.interfaces.server.verbs.requests import request_of
from regrow.requests.sing import Sing


def sing(job: Job, opened: Open) -> Generator[At, None, None]:
    """Make a song with the model that was chosen when the job was submitted."""
    request = request_of("sing", Sing, job.settings)
    yield from grown(job, request.as_generate(request.model), opened)


WORK = sing
