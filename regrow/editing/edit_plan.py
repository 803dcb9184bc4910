"""Regrowth: where a method starts its way back, with which step, and what the network is asked on the way."""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Counted, Denoiser, Prediction
from regrow.core.guidance import Guidance, GuidanceInterval, classifier_free, limit_of, region_weighted
from regrow.core.inversion import Trajectory
from regrow.core.levels import Level
from regrow.core.masks import Held, Hold
from regrow.core.methods.inversion_free import InversionFree
from regrow.core.methods.null_text import null_text
from regrow.core.noise import noise
from regrow.core.progress import Progress
from regrow.core.solvers import Step, ddim, make_step
from regrow.editing.invert import describe, path_of, source_denoiser, step_back, watched
from regrow.editing.trajectories import from_cache, load_trajectory, to_cache
from regrow.media.files import MediaError
from regrow.models.attention import Shared
from regrow.models.model import Model
from regrow.requests.requests import PATHS, Edit


@dataclass(frozen=True)
class EditItem:
    """One picture of a batch: under which words it grows, how much they are exaggerated, and from which seed."""

    target: str
    guidance: float
    seed: int


@dataclass(frozen=True)
class EditCache:
    """What was found out about a picture before, for edits of it that follow at once; they add to it.

    Attributes:
        paths: inverted, by what they are made of.
        shapes: of found masks, by the wish's words.
    """

    paths: dict[str, Trajectory] = field(default_factory=dict)
    shapes: dict[str, Float[Tensor, "1 1 y x"]] = field(default_factory=dict)


def items_of(request: Edit) -> tuple[EditItem, ...]:
    """What a request asks for: a picture a wish."""
    return tuple(EditItem(target, request.guidance, request.seed + i) for i, target in enumerate(request.target))


@dataclass(frozen=True, eq=False)
class EditPlan:
    """What is left to walk.

    Attributes:
        x: where it starts, shape `b c h w`.
        step: the step down.
        denoise: the network under the wishes.
        beside: what else the step asks the network while it walks; None where it asks nothing.
        prepared: evaluations that it took to get here.
        gradients: how many of them were also walked backwards; 0 but for null_text.
        reused: whether the path came from the cache or a file.
    """

    x: Float[Tensor, "b c h w"]
    step: Step
    denoise: Counted | GuidanceInterval
    beside: Counted | None = None
    prepared: int = 0
    gradients: int = 0
    reused: bool = False

    @property
    def evaluations(self) -> int:
        """Network calls for one wish since the start of the walk."""
        return self.denoise.evaluations + (self.beside.evaluations if self.beside else 0)


def prepare(
    request: Edit,
    model: Model,
    latents: Float[Tensor, "1 c h w"],
    levels: Sequence[Level],
    hold: Hold | None = None,
    items: Sequence[EditItem] = (),
    edit_cache: EditCache | None = None,
) -> Generator[Progress, None, EditPlan]:
    """Do what comes before the walk down `levels`: inversion, or what the method has instead of it.

    Args:
        request: what is asked for.
        model: the checkpoint.
        latents: of the picture.
        levels: of the walk, from noisy to clean.
        hold: where the way back keeps to the picture's own path; None nowhere.
        items: the pictures of the batch; those of the request if not given.
        edit_cache: what was found out about this picture before.

    Raises:
        MediaError: the trajectory cannot be used.
        ValueError: a setting does not fit the method or the model.
    """
    items = items or items_of(request)
    seeds = [one.seed for one in items]
    wishes = len(items), *latents.shape[1:]
    if request.method == "img2img":
        noised = Prediction(latents.expand(wishes), noise(wishes[1:], seeds).to(latents))
        step = make_step("ddim", request.eta, seeds)
        step = Held(step, hold, noised.at) if hold else step
        return EditPlan(noised.at(levels[0]), step, _towards(request, model, items, levels))
    if request.method == "inversion_free":
        beside = _from_source(request, model)
        step = InversionFree(beside, latents, tuple(seeds))
        step = Held(step, hold, lambda _: latents) if hold else step
        return EditPlan(latents.expand(wishes), step, _towards(request, model, items, levels), beside)
    paths = edit_cache.paths if edit_cache else {}
    trajectory, prepared, reused = yield from _trajectory(request, model, latents, levels, paths)
    x, gradients = trajectory.at(levels[0]).expand(wishes), 0
    shares = request.attention != "none"
    denoise = _sharing(request, model, items, trajectory, levels) if shares else _towards(request, model, items, levels)
    if request.method == "null_text":
        denoise, tuning, gradients = yield from _tuned(request, model, trajectory, levels[0], items)
        prepared += tuning
    step = make_step("ddim", request.eta, seeds) if request.eta else ddim
    return EditPlan(
        x,
        step_back(PATHS[request.method], trajectory, step, hold),
        denoise,
        prepared=prepared,
        gradients=gradients,
        reused=reused,
    )


def _towards(
    request: Edit, model: Model, items: Sequence[EditItem], levels: Sequence[Level]
) -> Counted | GuidanceInterval:
    """The network under the wishes, guided away from the negative words, which are the source's own if not given."""
    target, guidance = model.condition([one.target for one in items]), _guidance_of(items)
    if request.method == "uni_edit":
        if not model.takes_words:
            raise ValueError(f"{model.name} takes no prompts, so uni_edit has nothing to weigh.")
        pair = model.denoiser(target.cat(model.condition([request.source] * len(items))))
        return Counted(region_weighted(pair, guidance), 2)
    plain = Counted(model.denoiser(target))
    if isinstance(guidance, Tensor):
        both = target.cat(model.condition(_away(request, items)))
        guided = Counted(classifier_free(model.denoiser(both), guidance), 2)
    elif guidance == 1:
        return plain
    else:
        guided = Counted(model.denoiser(target, model.condition(_away(request, items)), guidance), 2)
    return GuidanceInterval(guided, plain, limit_of(levels, request.guidance_share))


def _sharing(
    request: Edit, model: Model, items: Sequence[EditItem], trajectory: Trajectory, levels: Sequence[Level]
) -> Counted | GuidanceInterval:
    """The same with the source's attention, which is asked along its inverted path."""
    assert request.attention != "none"
    kind, share, wishes = request.attention, request.attention_share, [one.target for one in items]

    def shared(negative: Sequence[str], guidance: Guidance) -> Shared:
        return Shared(
            model, kind, share, request.source, wishes, negative, guidance, trajectory.at, levels, request.factors
        )

    plain, guidance = Counted(shared([], 1.0), 2), _guidance_of(items)
    if not isinstance(guidance, Tensor) and guidance == 1:
        return plain
    guided = Counted(shared(_away(request, items), guidance), 3)
    return GuidanceInterval(guided, plain, limit_of(levels, request.guidance_share))


def _guidance_of(items: Sequence[EditItem]) -> Guidance:
    """One number where all agree, else one a picture, where predictions are: on the CPU, wherever the model is."""
    found = [one.guidance for one in items]
    return found[0] if len(set(found)) == 1 else torch.tensor(found)[:, None, None, None]


def _away(request: Edit, items: Sequence[EditItem]) -> list[str]:
    """What guidance leads away from: the source's own words if no others are given."""
    return [request.source if request.negative is None else request.negative] * len(items)


def _from_source(request: Edit, model: Model) -> Counted:
    return Counted(source_denoiser(model, request.source, request.invert_guidance), 1 + (request.invert_guidance != 1))


def _tuned(
    request: Edit, model: Model, trajectory: Trajectory, start: Level, items: Sequence[EditItem]
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
    guidance = items[0].guidance  # one for all: the words are tuned for it
    for tuned in null_text(positive, under, away.tokens, trajectory, start, guidance):
        found = tuned.words
        yield Progress("tune", tuned.index, tuned.steps, tuned.x)
    target = model.condition([one.target for one in items])
    by_level = {level: model.denoiser(target, replace(away, tokens=words), guidance) for level, words in found.items()}

    def denoise(x_t: Batch, level: Level) -> Prediction:
        return by_level[level](x_t, level)

    return Counted(denoise, 2), positive.evaluations + calls, gradients


def _trajectory(
    request: Edit,
    model: Model,
    latents: Float[Tensor, "1 c h w"],
    levels: Sequence[Level],
    paths: dict[str, Trajectory],
) -> Generator[Progress, None, tuple[Trajectory, int, bool]]:
    """The inverted path up to `levels[0]`, the evaluations it took, and whether it was there already."""
    made_of = describe(request, model)
    key = json.dumps(made_of, sort_keys=True)
    if key in paths and levels[0] in paths[key].levels:
        return paths[key], 0, True
    trajectory, evaluations, reused = yield from _kept_or_inverted(request, model, latents, levels, made_of)
    paths[key] = trajectory
    return trajectory, evaluations, reused


def _kept_or_inverted(
    request: Edit, model: Model, latents: Float[Tensor, "1 c h w"], levels: Sequence[Level], made_of: dict[str, Any]
) -> Generator[Progress, None, tuple[Trajectory, int, bool]]:
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
    keys = {*made_of, *(there.keys() & {"engine"})}  # which torch's paths do not name
    different = sorted(key for key in keys if there.get(key) != _as_json(made_of.get(key)))
    if different:
        raise MediaError(
            f"{path} was inverted with another {', '.join(different)}; give the same settings, or invert again."
        )
    if start not in trajectory.levels:
        raise MediaError(f"{path} does not reach up to this strength; invert again.")
    return trajectory


def _as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
