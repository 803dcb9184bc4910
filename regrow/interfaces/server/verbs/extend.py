"""Extend: continue a sound after its end or before its beginning."""

from collections.abc import Generator

from regrow.editing.extend import extend as operation
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.verbs.making import Open, keep, lay_original
from regrow.interfaces.server.verbs.requests import request_of
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.sound import load
from regrow.requests.extend import Extend


def extend(job: Job, opened: Open) -> Generator[At, None, None]:
    """Make a longer sound; also save the original, and where in the result it is."""
    request = request_of("extend", Extend, job.settings)
    model = opened(request.model)
    SOUND.require(model)
    longer = yield from steps_of(operation(request, model), model)
    keep(job, longer, [request.prompt or request.sound.stem] * request.count, model)
    assert longer.rate, "a sound has a rate"
    job.facts["known"] = [sample / longer.rate for sample in longer.known]
    loaded = load(request.sound)
    lay_original(job, loaded.wave, loaded.rate, model)


WORK = extend
