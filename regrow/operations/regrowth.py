"""Regrowth: where a method starts its way back, with which step, and what the network is asked on the way."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Counted, Denoiser, Prediction
from regrow.core.guidance import region_weighted
from regrow.core.inversion import Trajectory
from regrow.core.inversion_free import InversionFree
from regrow.core.levels import Level
from regrow.core.masks import Held, Hold
from regrow.core.noise import noise
from regrow.core.null_text import null_text
from regrow.core.solvers import Step, ddim, make_step
from regrow.families.model import Model
from regrow.media.files import MediaError
from regrow.operations.invert import describe, path_of, source_denoiser, watched, way_back
from regrow.operations.progress import Progress
from regrow.operations.requests import PATHS, Edit
from regrow.operations.trajectories import from_cache, load_trajectory, to_cache


@dataclass(frozen=True, eq=False)
class Regrowth:
    """What is left to walk.

    Attributes:
        x: where it starts, one a wish, shape `b c h w`.
        step: the step down.
        denoise: the network under the wishes.
        beside: what else the step asks the network while it walks; None where it asks nothing.
        prepared: evaluations that it took to get here.
        gradients: how many of them were also walked backwards; 0 but for null_text.
        reused: whether the path came from the cache or a file.
    """

    x: Float[Tensor, "b c h w"]
    step: Step
    denoise: Counted
    beside: Counted | None = None
    prepared: int = 0
    gradients: int = 0
    reused: bool = False

    @property
    def evaluations(self) -> int:
        """Network calls for one wish since the start of the walk."""
        return self.denoise.evaluations + (self.beside.evaluations if self.beside else 0)


def prepare(
    request: Edit, model: Model, latents: Float[Tensor, "1 c h w"], levels: Sequence[Level], hold: Hold | None = None
) -> Generator[Progress, None, Regrowth]:
    """Do what comes before the walk down `levels`: inversion, or what the method has instead of it.

    Args:
        request: what is asked for.
        model: the checkpoint.
        latents: of the picture.
        levels: of the walk, from noisy to clean.
        hold: where the way back keeps to the picture's own path; None nowhere.

    Raises:
        MediaError: the trajectory cannot be used.
        ValueError: a setting does not fit the method or the model.
    """
    seeds = [request.seed + i for i in range(len(request.target))]
    wishes = len(request.target), *latents.shape[1:]
    if request.method == "img2img":
        noised = Prediction(latents.expand(wishes), noise(wishes[1:], seeds).to(latents))
        step = make_step("ddim", request.eta, seeds)
        step = Held(step, hold, noised.at) if hold else step
        return Regrowth(noised.at(levels[0]), step, _towards(request, model))
    if request.method == "inversion_free":
        beside = _from_source(request, model)
        step = InversionFree(beside, latents, tuple(seeds))
        step = Held(step, hold, lambda _: latents) if hold else step
        return Regrowth(latents.expand(wishes), step, _towards(request, model), beside)
    trajectory, prepared, reused = yield from _trajectory(request, model, latents, levels)
    x, denoise, gradients = trajectory.at(levels[0]).expand(wishes), _towards(request, model), 0
    if request.method == "null_text":
        denoise, tuning, gradients = yield from _tuned(request, model, trajectory, levels[0])
        prepared += tuning
    step = make_step("ddim", request.eta, seeds) if request.eta else ddim
    return Regrowth(
        x,
        way_back(PATHS[request.method], trajectory, step, hold),
        denoise,
        prepared=prepared,
        gradients=gradients,
        reused=reused,
    )


def _towards(request: Edit, model: Model) -> Counted:
    """The network under the wishes, guided away from the negative words, which are the source's own if not given."""
    target = model.condition(request.target)
    if request.method == "uni_edit":
        if model.text_encoder is None:
            raise ValueError(f"{model.name} takes no prompts, so uni_edit has nothing to weigh.")
        pair = model.denoiser(target.cat(model.condition([request.source] * len(request.target))))
        return Counted(region_weighted(pair, request.guidance), 2)
    guided = request.guidance != 1
    away = request.source if request.negative is None else request.negative
    negative = model.condition([away] * len(request.target)) if guided else None
    return Counted(model.denoiser(target, negative, request.guidance), 1 + guided)


def _from_source(request: Edit, model: Model) -> Counted:
    return Counted(source_denoiser(model, request.source, request.invert_guidance), 1 + (request.invert_guidance != 1))


def _tuned(
    request: Edit, model: Model, trajectory: Trajectory, start: Level
) -> Generator[Progress, None, tuple[Counted, int, int]]:
    """The network under the wishes, guided away from tuned words; the tuning's evaluations and gradient steps."""
    away = model.condition([""])
    positive = Counted(source_denoiser(model, request.source, 1.0))
    calls = gradients = 0

    def under(words: Tensor) -> Denoiser:
        denoise = model.denoiser(replace(away, tokens=words))

        def counting(x_t: Batch, level: Level) -> Prediction:
            nonlocal calls, gradients
            calls, gradients = calls + 1, gradients + words.requires_grad
            return denoise(x_t, level)

        return counting

    found = {}
    for tuned in null_text(positive, under, away.tokens, trajectory, start, request.guidance):
        found = tuned.words
        yield Progress("tune", tuned.index, tuned.steps, tuned.x)
    target = model.condition(request.target)
    by_level = {
        level: model.denoiser(target, replace(away, tokens=words), request.guidance) for level, words in found.items()
    }

    def denoise(x_t: Batch, level: Level) -> Prediction:
        return by_level[level](x_t, level)

    return Counted(denoise, 2), positive.evaluations + calls, gradients


def _trajectory(
    request: Edit, model: Model, latents: Float[Tensor, "1 c h w"], levels: Sequence[Level]
) -> Generator[Progress, None, tuple[Trajectory, int, bool]]:
    """The inverted path up to `levels[0]`, the evaluations it took, and whether it was there already."""
    made_of = describe(request, model)
    if request.trajectory:
        return _from_file(request.trajectory, made_of, levels[0]), 0, True
    if request.cache and (kept := from_cache(made_of, levels[0])):
        return kept, 0, True
    denoise = _from_source(request, model)
    walk = path_of(
        PATHS[request.method], denoise, latents, levels[::-1], request.label, request.tolerance, [request.seed]
    )
    trajectory = yield from watched(walk, "invert")
    if request.cache:
        to_cache(made_of, trajectory)
    return trajectory, denoise.evaluations, False


def _from_file(path: Path, made_of: dict[str, Any], start: Level) -> Trajectory:
    trajectory, there = load_trajectory(path)
    different = sorted(key for key, value in made_of.items() if there.get(key) != _as_json(value))
    if different:
        raise MediaError(
            f"{path} was inverted with another {', '.join(different)}; give the same settings, or invert again."
        )
    if start not in trajectory.levels:
        raise MediaError(f"{path} does not reach up to this strength; invert again.")
    return trajectory


def _as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
