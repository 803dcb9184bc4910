"""Progress of an operation with previews of its results."""

import time
from collections.abc import Generator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from regrow.interfaces.server.jobs.job import At, Job

if TYPE_CHECKING:
    from regrow.core.progress import Progress
    from regrow.models.model import Model

MOST = 4
"""Most previews of a batch."""
OFTEN = 0.15
"""Least seconds between two previews."""
SHARE = 5
"""Previews may take at most 1 / SHARE of the time."""


class Previews:
    """Draws previews of a job, as often as that costs little."""

    def __init__(self) -> None:
        self._shown, self._cost = 0.0, 0.0

    def draw(self, job: Job, at: At) -> None:
        """Decode the latents of a step to the job's previews, if enough time has passed."""
        began = time.monotonic()
        if at.x is None or at.model is None or began - self._shown <= max(OFTEN, SHARE * self._cost):
            return
        job.previews = _drawn(at)
        job.preview_version += 1
        self._shown, self._cost = time.monotonic(), time.monotonic() - began


def steps_of(walk: "Generator[Progress, None, Any]", model: "Model") -> Generator[At, None, Any]:
    """Convert an operation's progress to that of a job; return the operation's result.

    Previews show the predicted clean sample where there is one: it is nearer to the result than the noisy state.
    """
    while True:
        try:
            progress = next(walk)
        except StopIteration as end:
            return end.value
        shown = progress.x if progress.x0 is None else progress.x0
        yield At(progress.part, progress.index, progress.steps, shown, model)


def _drawn(at: At) -> list[bytes]:
    import torch
    from PIL import Image

    from regrow.media.image.picture import to_uint8

    with torch.no_grad():
        decoded = at.model.decode(at.x[:MOST])
        decoded = at.model.medium.pictures(decoded, at.model)
    drawn = []
    for one in decoded:
        encoded = BytesIO()
        Image.fromarray(to_uint8(one)).save(encoded, "webp", quality=85, method=0)
        drawn.append(encoded.getvalue())
    return drawn
