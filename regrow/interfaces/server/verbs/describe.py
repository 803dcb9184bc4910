"""Describe: say in words what a model recognises in a file."""

from collections.abc import Generator

from regrow.editing.codec_cache import through_codec
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.schemas.requests import Describe
from regrow.interfaces.server.verbs.making import Open
from regrow.interfaces.server.verbs.requests import request_of
from regrow.prompts.describe import describe as described
from regrow.requests.edit import Edit


def describe(job: Job, opened: Open) -> Generator[At, None, None]:
    """Return the plainest sentence in a language, with the confidence of each word."""
    request = request_of("describe", Describe, job.settings)
    model = opened(request.model)
    yield At("look", 0, 0)
    # fitted as in an edit, whose latents are then cached
    frame = model.medium.load(request.image, model, Edit(request.image, target=("",), model=request.model))
    latents = through_codec(model.of_length(frame.content.shape[-1]), frame.content, keep=True).latents
    description = described(model, latents, language=request.language or "en")
    job.facts["source"] = description.words
    job.summary = description.why


WORK = describe
