"""Plan an edit: where regeneration starts, with which step, and which predictions guide it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Counted, Denoiser, Prediction
from regrow.core.guidance import Guidance, GuidanceInterval, limit_of
from regrow.core.levels import Level
from regrow.core.masks import Hold
from regrow.core.methods.method import Method, Origin
from regrow.core.methods.registry import method
from regrow.core.progress import Progress
from regrow.core.solvers import Step, make_step
from regrow.core.trajectory import Trajectory
from regrow.editing.edit_path import inverted_path
from regrow.editing.invert import source_denoiser
from regrow.messages.message import say
from regrow.models.attention import Shared
from regrow.models.condition import Condition
from regrow.models.model import Model
from regrow.requests.edit import USUAL_GUIDANCE, Edit


@dataclass(frozen=True)
class EditItem:
    """One result of a batch: its prompt, its guidance and its seed."""

    target: str
    guidance: float
    seed: int


@dataclass(frozen=True)
class EditCache:
    """Inverted paths and masks that later edits of the same sample reuse; they add to it.

    Attributes:
        paths: inverted, by what they are made of.
        shapes: of automatic masks, by the target prompt.
    """

    paths: dict[str, Trajectory] = field(default_factory=dict)
    shapes: dict[str, Float[Tensor, "1 1 y x"]] = field(default_factory=dict)


def items_of(request: Edit) -> tuple[EditItem, ...]:
    """Return what a request asks for: a result for each target prompt."""
    guidance = USUAL_GUIDANCE if request.guidance is None else request.guidance
    return tuple(EditItem(target, guidance, request.seed + i) for i, target in enumerate(request.target))


@dataclass(frozen=True, eq=False)
class EditPlan:
    """The regeneration that remains to be computed.

    Attributes:
        x: where it starts, shape `b c h w`.
        step: the step down.
        denoise: the network under the target prompts.
        beside: the network under the source prompt, where the step evaluates it, too; None where it does not.
        prepared: evaluations that it took to get here.
        gradients: how many of them were also walked backwards; 0 where nothing is tuned.
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
        """Network calls for one target since the start of the walk."""
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
    """Prepare the regeneration along `levels`: invert, or do what the method has instead.

    Args:
        request: what is asked for.
        model: the checkpoint.
        latents: of the picture.
        levels: of the walk, from noisy to clean.
        hold: where the result must stay on the picture's own path; None: nowhere.
        items: the pictures of the batch; those of the request if not given.
        edit_cache: inverted paths and masks of this sample.

    Raises:
        MediaError: the trajectory cannot be used.
        ValueError: a setting does not fit the method or the model.
    """
    items = items or items_of(request)
    chosen, seeds = method(request.method), [item.seed for item in items]
    trajectory, prepared, reused, gradients = None, 0, False, 0
    beside: list[Counted] = []
    if chosen.follows_path:
        model.require_path(chosen.name)
    if chosen.path:
        paths = edit_cache.paths if edit_cache else {}
        trajectory, prepared, reused = yield from inverted_path(request, chosen, model, latents, levels, paths)

    def source() -> Counted:
        beside.append(source_denoiser(model, request.source, request.invert_guidance))
        return beside[-1]

    origin = Origin(
        latents.expand(len(items), *latents.shape[1:]), seeds, source, trajectory,
        make_step("ddim", request.eta, seeds), hold,
    )  # fmt: skip
    if chosen.tune and trajectory:
        denoise, tuning, gradients = yield from _tuned(request, chosen, model, trajectory, levels[0], items)
        prepared += tuning
    elif request.attention != "none" and trajectory:
        denoise = _sharing(request, model, items, trajectory, levels)
    else:
        denoise = _towards(request, chosen, model, latents, items, levels)
    x, step = chosen.start(origin, levels[0]).expand_as(origin.x0), chosen.back(origin)
    return EditPlan(x, step, denoise, beside[0] if beside else None, prepared, gradients, reused)


def _towards(
    request: Edit, chosen: Method, model: Model, latents: Batch, items: Sequence[EditItem], levels: Sequence[Level]
) -> Counted | GuidanceInterval:
    """Return the network under the target prompts, guided away from the negative prompt, or from the source prompt."""
    target, guidance = model.condition([one.target for one in items]), _guidance_of(items, latents.ndim)
    if chosen.guide:
        if not model.takes_words:
            raise ValueError(say("no_prompts_to_weigh", name=model.name, what=chosen.name))
        pair = model.denoiser(target.cat(model.condition([request.source] * len(items))))
        return Counted(chosen.guide(pair, guidance), 2)
    plain = Counted(model.denoiser(target))
    if not isinstance(guidance, Tensor) and guidance == 1:
        return plain
    away = _away(request, chosen, model, items)
    guided = Counted(model.denoiser(target, away, guidance), model.evaluations(guidance, away))
    if chosen.needs or away is None:  # whose guidance is part of the method, or an input of the network
        return guided
    return GuidanceInterval(guided, plain, limit_of(levels, request.guidance_share))


def _sharing(
    request: Edit, model: Model, items: Sequence[EditItem], trajectory: Trajectory, levels: Sequence[Level]
) -> Counted | GuidanceInterval:
    """Return the same with the source's attention, which is computed along its inverted path."""
    assert request.attention != "none"
    kind, share, targets = request.attention, request.attention_share, [one.target for one in items]

    def shared(negative: Condition | None, guidance: Guidance) -> Shared:
        return Shared(
            model, kind, share, request.source, targets, negative, guidance, trajectory.at, levels, request.factors
        )

    plain, guidance = Counted(shared(None, 1.0), 2), _guidance_of(items, trajectory.states[0].ndim)
    if not isinstance(guidance, Tensor) and guidance == 1:
        return plain
    guided = Counted(shared(_away(request, method(request.method), model, items), guidance), 3)
    return GuidanceInterval(guided, plain, limit_of(levels, request.guidance_share))


def _guidance_of(items: Sequence[EditItem], dimensions: int) -> Guidance:
    """Return one number where all agree, else one per result for latents of so many dimensions.

    It is where predictions are: on the CPU, wherever the model is.
    """
    each = [item.guidance for item in items]
    return each[0] if len(set(each)) == 1 else torch.tensor(each).reshape(-1, *[1] * (dimensions - 1))


def _away(request: Edit, chosen: Method, model: Model, items: Sequence[EditItem]) -> Condition | None:
    """Encode what guidance leads away from: if no negative prompt is given, the source's, unless nothing is kept.

    None is from nothing: of an empty negative prompt, where guidance is an input of the network.
    """
    if request.negative is None and not chosen.needs:
        return model.condition([request.source] * len(items))
    return model.away([request.negative or ""] * len(items))


def _tuned(
    request: Edit, chosen: Method, model: Model, trajectory: Trajectory, start: Level, items: Sequence[EditItem]
) -> Generator[Progress, None, tuple[Counted, int, int]]:
    """Return the network under the target prompts, guided away from tuned words; evaluations and gradient steps."""
    assert chosen.tune
    if not model.takes_words:
        raise ValueError(say("no_prompts_to_tune", name=model.name, method=chosen.name))
    away = model.unconditional(1)
    positive = source_denoiser(model, request.source, 1.0)
    calls = gradients = 0

    def under(words: Tensor) -> Denoiser:
        denoise = model.denoiser(replace(away, tokens=words))

        def counting(x_t: Batch, level: Level) -> Prediction:
            nonlocal calls, gradients
            calls, gradients = calls + 1, gradients + words.requires_grad
            return denoise(x_t, level)

        return counting

    words_of = {}
    guidance = items[0].guidance  # one for all: the words are tuned for it
    for tuned in chosen.tune(positive, under, away.tokens, trajectory, start, guidance):
        words_of = tuned.words
        yield Progress("tune", tuned.index, tuned.steps, tuned.x)
    target = model.condition([one.target for one in items])
    by_level = {
        level: model.denoiser(target, replace(away, tokens=words), guidance) for level, words in words_of.items()
    }

    def denoise(x_t: Batch, level: Level) -> Prediction:
        return by_level[level](x_t, level)

    return Counted(denoise, 2), positive.evaluations + calls, gradients
