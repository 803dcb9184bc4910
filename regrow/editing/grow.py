"""Generate latents from noise under prompts, for every operation that makes something new."""

from collections.abc import Generator, Sequence

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted
from regrow.core.guidance import GuidanceInterval, limit_of
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.progress import Progress, walk
from regrow.core.solvers import make_step
from regrow.editing.steps import with_own_settings
from regrow.models.condition import Condition
from regrow.models.memory.words import with_words
from regrow.models.model import Model
from regrow.requests.generate import Generate


def grow(
    request: Generate, model: Model, prompts: Sequence[str], shape: Sequence[int], seeds: Sequence[int] = ()
) -> Generator[Progress, None, tuple[Float[Tensor, "b c *cells"], int]]:
    """Latents of this shape from noise, one per prompt, and the evaluations that each took; the request's own seeds."""
    request, seeds = with_own_settings(request, model), seeds or [request.seed + i for i in range(request.count)]
    assert request.steps is not None
    assert request.solver is not None
    model = with_words(model, [[*prompts], *([[request.negative or model.no_words]] if request.guidance != 1 else [])])
    levels = model.grid(request.steps, request.spacing, shape)
    denoise = guided(request, model, model.condition(prompts), levels)
    # pure noise has standard deviation 1 whatever the last level's sigma: what the networks are trained on
    step = make_step(request.solver, request.eta, seeds)
    x = yield from walk("generate", step, denoise, noise(shape, seeds), levels)
    return x, denoise.evaluations


def guided(
    request: Generate, model: Model, condition: Condition, levels: Sequence[Level]
) -> Counted | GuidanceInterval:
    """Return the network under 1 prompt, or one per sample, guided as the request says."""
    assert request.guidance is not None, "a number by `with_own_settings`"
    plain = Counted(model.denoiser(condition, closed=request.loop))
    if request.guidance == 1:
        return plain
    negative = model.away([request.negative])
    pair = Counted(
        model.denoiser(condition, negative, request.guidance, request.loop),
        model.evaluations(request.guidance, negative),
    )
    # an input of the network costs nothing to have on in all steps
    return pair if negative is None else GuidanceInterval(pair, plain, limit_of(levels, request.guidance_share))
