"""DDIM inversion: the solver's steps walked in the noisy direction; the regeneration misses by each step's error."""

from collections.abc import Iterator, Sequence

from regrow.core.denoiser import Batch, Denoiser, Prediction, solve_x0
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.names import LabelConvention
from regrow.core.solvers import Step, ddim, solve
from regrow.core.trajectory import Progress, Trajectory


def naive(
    denoise: Denoiser, x0: Batch, levels: Sequence[Level], step: Step = ddim, label: LabelConvention = "leaves"
) -> Iterator[Progress]:
    """Walk the path backwards with the prediction at the level that each step leaves.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
        step: any deterministic solver's step.
        label: which level's label the network gets with `x_t`. `leaves`: t, the level of `x_t` (Song et
            al. 2021, arXiv 2010.02502, eq. 14 read backwards). `arrives`: s, the level the step goes to (Dhariwal
            & Nichol 2021, arXiv 2105.05233, appendix F; diffusers' DDIMInverseScheduler). Its noise estimate then
            belongs to `x_t` read as a point of level s, and is converted with the alpha and sigma of s.
    """

    def walk(denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
        def labelled_s(x_t: Batch, level: Level) -> Prediction:
            if level != t:
                return denoise(x_t, level)
            eps = denoise(x_t, s).eps
            return Prediction(solve_x0(x_t, eps, t), eps)

        return step(labelled_s, x_t, t, s)

    states = []
    for state in solve(walk if label == "arrives" else step, denoise, x0, levels):
        states.append(state.x)
        done = Trajectory(tuple(levels), tuple(states)) if state.index == state.steps else None
        yield Progress(state.index, state.steps, state.level, state.x, done)


METHOD = Method(
    "naive",
    source=("Song et al. 2021, arXiv 2010.02502", "eq. 14 read backwards"),
    path="naive",
    invert=lambda denoise, x0, levels, settings: naive(denoise, x0, levels, label=settings.label),
    allows_attention=True,
    takes_eta=True,
    takes_label=True,
)
