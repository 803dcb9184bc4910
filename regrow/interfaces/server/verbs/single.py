"""Make one edit along the cached path; several verbs share this."""

import time
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import fields, replace
from typing import Any
from weakref import WeakKeyDictionary

from regrow.core.trajectory import Trajectory
from regrow.editing.codec_cache import through_codec
from regrow.editing.edit import edit as editing
from regrow.editing.edit_plan import EditCache
from regrow.editing.melody import as_requested
from regrow.editing.result import Result
from regrow.interfaces.server.jobs.job import At
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.verbs.rewound import rewound
from regrow.models.denoising import in_tiles
from regrow.models.model import Model
from regrow.models.parts import Parts
from regrow.prompts.describe import with_source
from regrow.requests.edit import Edit

KEPT = 4
"""Number of inverted paths in memory; all are on disk as well."""
_paths: WeakKeyDictionary[Parts, OrderedDict[str, Trajectory]] = WeakKeyDictionary()


QUICK = 1.0
"""Edits that take fewer seconds have one preview, after their first step: decoding more would delay the result."""
_took: WeakKeyDictionary[Parts, float] = WeakKeyDictionary()
"""Seconds of each model's last edit."""


def as_edit(request: Edit) -> Edit:
    """Return a request for several edits as a plain `Edit`, without the fields of its subclass."""
    return Edit(**{field.name: getattr(request, field.name) for field in fields(Edit)})


def unseen(walk: Generator[At, None, Any], but_first: bool = False) -> Generator[At, None, Any]:
    """Yield progress without previews, and return the operation's result.

    Args:
        walk: the operation.
        but_first: whether there is one preview, after the first step of the edit.
    """
    while True:
        try:
            at = next(walk)
        except StopIteration as end:
            return end.value
        is_shown = but_first and (at.part, at.index) == ("regrow", 1)
        yield at if is_shown else At(at.part, at.index, at.steps)


def edited(request: Edit, model: Model) -> Generator[At, None, tuple[Result, int]]:
    """Make an edit after the whole path is inverted and cached, so that later positions of the slider reuse it.

    Returns:
        The result, and the number of evaluations of the inversion.

    Raises:
        MediaError: a file cannot be used.
        ValueError: a setting does not fit.
    """
    medium = model.medium
    medium.check(request, model)
    before, paths = 0, _paths.setdefault(model.parts, OrderedDict())
    if not model.reads_scores and request.cache and not request.trajectory:
        frame = medium.load(request.image, model, request)
        framed = replace(request, **frame.settings)
        whole = in_tiles(model.of_length(frame.content.shape[-1]), request.tiles)
        latents = through_codec(whole, frame.content, request.cache).latents
        noted = as_requested(framed, whole, frame.content)[0]
        framed, _ = with_source(framed, noted, frame.content, latents)
        before = yield from rewound(framed, noted, latents, paths)
    walk = steps_of(editing(request, model, edit_cache=EditCache(paths if request.cache else {})), model)
    began = time.monotonic()
    if _took.get(model.parts, QUICK) < QUICK:
        walk = unseen(walk, but_first=model.gathering is None)  # the jobs of a batch would wait for one another
    made = yield from walk
    _took[model.parts] = time.monotonic() - began
    while len(paths) > KEPT:
        paths.popitem(last=False)
    return made, before
