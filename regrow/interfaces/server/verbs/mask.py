"""Mask: find a part of a picture by words."""

from collections.abc import Generator

from regrow.editing.find_words import find_words
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.schemas.requests import FindWords
from regrow.interfaces.server.verbs.making import Open
from regrow.interfaces.server.verbs.requests import request_of
from regrow.messages.message import say


def mask(job: Job, opened: Open) -> Generator[At, None, None]:
    """Save a mask, white where the words apply, beside the job and as a file that an edit can take as its mask."""
    request = request_of("mask", FindWords, job.settings)
    model = opened(request.model)
    found = yield from steps_of(find_words(request.image, request.words, request.source, model), model)
    job.lay_beside("mask", found.mask)
    job.facts |= {"file": f"{job.id}/beside/mask.png", "share": found.share, "source": found.source}
    job.tell(found.notes)
    job.summary = say("share_of_picture", share=100 * found.share)


WORK = mask
