"""Edit-friendly inversion with a step of second order, as in LEDITS++."""

from collections.abc import Iterator, Sequence

from regrow.core.denoiser import Batch, Denoiser
from regrow.core.levels import Level
from regrow.core.methods.edit_friendly import PosteriorMean, edit_friendly
from regrow.core.methods.method import Method, Origin, PathSettings
from regrow.core.solvers import Step
from regrow.core.trajectory import Progress


def _invert(denoise: Denoiser, x0: Batch, levels: Sequence[Level], settings: PathSettings) -> Iterator[Progress]:
    return edit_friendly(denoise, x0, levels, settings.seeds, multistep=True)


def _step_back(origin: Origin) -> Step:
    return origin.path.back(PosteriorMean(multistep=True))


METHOD = Method(
    "edit_friendly_2m",
    source=("LEDITS++, Brack et al. 2023, arXiv 2311.16711", "SDE-DPM-Solver++(2M) of arXiv 2211.01095"),
    path="edit_friendly_2m",
    invert=_invert,
    step_back=_step_back,
    allows_attention=True,
    seed_in_key=True,
    start_in_key=True,  # its first step back is unlike the others, so a path holds from its own end alone
)
