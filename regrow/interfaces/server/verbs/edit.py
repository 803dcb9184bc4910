"""Edit: change a picture or a sound by a target prompt, and keep the rest."""

from collections.abc import Generator
from dataclasses import replace

from regrow.core.methods.registry import method
from regrow.editing.edit import edit as editing
from regrow.editing.result import Result
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.verbs.beside import lay_beside
from regrow.interfaces.server.verbs.making import Open, keep, lay_original
from regrow.interfaces.server.verbs.requests import request_of
from regrow.interfaces.server.verbs.single import edited, unseen
from regrow.media.frame import Distance
from regrow.models.model import Model
from regrow.requests.edit import Edit


def edit(job: Job, opened: Open) -> Generator[At, None, None]:
    """Edit by every target; also save the original, and the reconstruction if the page shows one."""
    request = request_of("edit", Edit, job.settings)
    model = opened(request.model)
    made, before = yield from edited(request, model)
    keep(job, made, request.target, model)
    assert made.frame, "a file was changed"
    lay_original(job, *model.medium.original(made.frame), model)
    mask = made.region.picture(0) if made.region else None
    if mask is not None:
        job.lay_beside("mask", mask)
    yield from _reconstruct(job, request, made, model)
    settings = made.recipes[0]["settings"]
    job.facts |= {"strength": settings["strength"], "source": settings["source"], "method": settings["method"]}
    job.facts |= {"rewound": before, "reused": made.reused and not before}


def _reconstruct(job: Job, request: Edit, made: Result, model: Model) -> Generator[At, None, None]:
    """Save the reconstruction of an edited picture under its source prompt, and its distance from the original."""
    settings, medium = made.recipes[0]["settings"], model.medium
    chosen = method(settings["method"])
    if not medium.sized or chosen.tune or chosen.needs:  # these tune for each guidance, or have no inverted path
        return
    job.facts["returns_source"] = chosen.returns_source
    if chosen.returns_source:  # then the reconstruction is the codec's, without further steps
        lay_beside(job, "reconstruction", made.codec)
        job.facts["reconstruction"] = _codec_distance(made, model)
        return
    # with equal prompts guidance has no effect, so one evaluation per step is enough
    plain = replace(request, target=(request.source,), to_lyrics="", guidance=1.0, negative=None)
    if settings["frame"] != "region":  # that frame is cut out around the mask
        plain = replace(plain, mask=None, region=None)
    # expand the prompt as in the edit, whose path is cached
    expansion = request.prompt_expansion if made.prompts else "off"
    plain = replace(plain, strength=settings["strength"], attention="none", emphasis=(), prompt_expansion=expansion)
    back = yield from unseen(steps_of(editing(plain, model), model))
    job.lay_beside("reconstruction", back.frames[0])
    job.facts["reconstruction"] = back.recipes[0]["figures"]["to_source"]


_last: list[tuple[Result, Distance]] = []
"""Cache of the last edit and the distance of its file from the codec's reconstruction, as the next edit mostly has the
same file."""


def _codec_distance(made: Result, model: Model) -> Distance:
    if not _last or _last[0][0].codec is not made.codec:
        _last[:] = [(made, model.medium.distance(made.codec, made.original, model))]
    return _last[0][1]


WORK = edit
