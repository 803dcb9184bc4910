"""Interpolate between two pictures, two sounds or two prompts."""

import time
from collections.abc import Generator, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.interpolation import between
from regrow.core.levels import Level
from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.noise import noise
from regrow.core.progress import Progress, walk
from regrow.core.solvers import make_step
from regrow.core.trajectory import Trajectory
from regrow.editing.grow import guided
from regrow.editing.invert import source_denoiser, watched
from regrow.editing.recipe import make_recipe
from regrow.editing.result import Operation, Result
from regrow.media.medium import Medium, medium_at
from regrow.messages.message import say
from regrow.models.memory.codec_room import with_codec_room
from regrow.models.memory.words import with_words
from regrow.models.model import Model
from regrow.prompts.expand_generate import in_known_words
from regrow.prompts.input_warnings import about_embeddings
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate


def interpolate(request: Interpolate, model: Model) -> Generator[Progress, None, Result]:
    """Interpolate on the arc between two inverted files, or on the line between two prompts.

    Raises:
        MediaError: a file cannot be used.
        ValueError: a setting is out of range or does not fit, or the two are not of one kind.
    """
    started, model = time.monotonic(), model.batched(request.normalize == "off")
    kind, medium = kind_of(request), model.medium
    if kind not in (WORDS, medium):
        raise ValueError(say("model_of_other_medium", name=model.name, medium=medium, given=request.first, kind=kind))
    medium.check(request, model)
    if model.reads_scores:
        raise ValueError(say("nothing_between_scores", name=model.name))
    shares = torch.linspace(0, 1, request.frames)
    worded = in_known_words(model, [request.first, request.second] if kind is WORDS else request.words)
    ends, files, notes, inverting = None, [], (), 0
    if kind is WORDS:
        guidance = model.own.guidance if request.guidance is None else request.guidance
        guidance = guidance if model.own.is_guided else 1.0
        words, extent = list(worded.prompts), medium.extent(request, model)
        model = model.of_length(extent.samples)
        model, notes = with_codec_room(model, request.frames, model.codec.extent_of(extent.shape[1:]))
        x = noise(extent.shape, [request.seed])
        levels = model.grid(request.steps, request.spacing, extent.shape)
        x, step = (
            x.expand(request.frames, *x.shape[1:]),
            make_step(
                "dpmpp_2m" if model.deterministic_path else model.own.solver, seeds=[request.seed] * request.frames
            ),
        )
    else:
        guidance, words = 1.0 if request.guidance is None else request.guidance, list(worded.prompts)
        files = [Path(request.first), Path(request.second)]
        first = medium.load(files[0], model, request)
        second = medium.load(files[1], model, medium.like_first(request, first))
        ends, extent, notes = medium.pair(first, second, shares.tolist())
        model = model.of_length(ends.shape[-1])
        model, room_notes = with_codec_room(model, request.frames, ends.shape[2:])
        notes += room_notes
        latents = model.encode(ends)
        model = with_words(model, [[word] for word in words])
        levels = model.grid(request.steps, request.spacing, latents.shape[1:])
        levels = levels[len(levels) - 1 - max(1, round(request.strength * request.steps)) :]
        path, inverting = yield from _path(model, latents, words, guidance, levels[::-1], shares)
        x, step = path.states[-1], path.back()
    # a file's way back is guided as its inversion was, in all steps
    guiding = Generate("", guidance=guidance, guidance_share=Generate.guidance_share if ends is None else 1.0)
    start, end = (model.condition([word]) for word in words)
    denoise = guided(guiding, model, start.lerp(end, shares), levels)
    x = yield from walk("regrow", step, denoise, x, levels)
    frames = model.decode(x)
    items = medium.render(x, frames, model, extent)
    seconds = round(time.monotonic() - started, 2)
    both = frames[[0, -1]] if ends is None else ends
    recipes = []
    for i, (frame, item) in enumerate(zip(frames, items, strict=True)):
        near, far = (medium.distance(frame, end, model) for end in both)
        figures = {
            "share": round(float(shares[i]), 4),
            "evaluations": {"inversion": inverting, "regrowth": denoise.evaluations},
            "seconds": seconds,
            "to_first": near,
            "to_second": far,
        }
        recipes.append(make_recipe(request, model, item, i, figures, files, worded.guessed))
    notes += worded.notes + about_embeddings(model, request)
    return Result(items, frames, tuple(recipes), notes, medium.rate(model), shares=tuple(shares.tolist()))


WORDS = "words"
"""The kind of two ends that are no files."""


def kind_of(request: Interpolate) -> Medium | str:
    """Return what lies at the two ends, by their content or suffixes: the medium of two files, or `WORDS`.

    Raises:
        ValueError: one is something else than the other.
    """
    kinds = [medium_at(end) or WORDS for end in (request.first, request.second)]
    if kinds[0] is not kinds[1]:
        raise ValueError(
            f"interpolate goes between two pictures, two sounds or two prompts; {request.first!r} is a {kinds[0]} and "
            f"{request.second!r} a {kinds[1]}.".replace("a words", "a prompt")
        )
    if kinds[0] is WORDS and any(request.words):
        raise ValueError(say("words_only_for_files"))
    if kinds[0] is not WORDS and request.duration is not None:
        raise ValueError(say("duration_only_for_prompts"))
    return kinds[0]


def _path(
    model: Model,
    latents: Float[Tensor, "2 c *cells"],
    words: Sequence[str],
    guidance: float,
    levels: Sequence[Level],
    shares: Float[Tensor, " n"],
) -> Generator[Progress, None, tuple[Trajectory, int]]:
    """The paths between the two inverted ones, and the evaluations that each end took."""
    model.require_path("interpolation between files", "interpolate between two prompts")
    ends, evaluations = [], 0
    for latent, prompt, part in zip(latents.split(1), words, ("invert the first", "invert the second"), strict=True):
        denoise = source_denoiser(model, prompt, guidance)
        ends.append((yield from watched(direct_inversion(denoise, latent, levels), part)))
        evaluations = denoise.evaluations
    return between(ends[0], ends[1], shares), evaluations


OPERATION = Operation(Interpolate, interpolate)
