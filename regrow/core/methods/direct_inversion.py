"""The DDIM path, with the offsets that the regeneration misses of it: reconstructs exactly."""

from collections.abc import Iterator, Sequence

import torch

from regrow.core.denoiser import Batch, Denoiser
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.solvers import ddim, solve
from regrow.core.trajectory import Progress, Trajectory


def direct_inversion(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """Yield the naive DDIM path and, for every interval, the offset between it and the DDIM step back.

    The predictions that the regeneration would make are those the way forth makes one step later, so only the one at
    the last level is extra: `len(levels)` evaluations. Direct Inversion: arXiv 2310.01506, section 3, algorithm 1.
    """
    states, predictions = [x0], []
    for state in solve(ddim, denoise, x0, levels):
        if state.prediction is not None:
            states.append(state.x)
            predictions.append(state.prediction)
        if state.index < state.steps:
            yield Progress(state.index, state.steps, state.level, state.x)
    with torch.no_grad():
        predictions.append(denoise(states[-1], levels[-1]))
    offsets = [x - back.at(s) for x, s, back in zip(states, levels, predictions[1:], strict=False)]
    steps = len(levels) - 1
    yield Progress(steps, steps, levels[-1], states[-1], Trajectory(tuple(levels), tuple(states), tuple(offsets)))


METHOD = Method(
    "direct_inversion",
    source=("Ju et al. 2023, arXiv 2310.01506", "section 3, algorithm 1"),
    path="direct_inversion",
    invert=lambda denoise, x0, levels, _: direct_inversion(denoise, x0, levels),
    allows_attention=True,
    has_measured_strengths=True,
    without_path="edit_friendly",
    gives_way={"edits_by_instruction": "instruction", "inpaints": "inpaint"},
    returns_source=True,
)
