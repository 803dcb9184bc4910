"""Interpolate: what lies between two pictures, two sounds or two prompts."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted
from regrow.core.interpolation import between, lerp
from regrow.core.levels import Level
from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.noise import noise
from regrow.core.progress import Progress
from regrow.core.solvers import Step, make_step, solve
from regrow.core.trajectory import Trajectory
from regrow.editing.edit import distances
from regrow.editing.edit_sounds import mel_distance
from regrow.editing.generate import guided
from regrow.editing.invert import open_picture, source_denoiser, watched
from regrow.editing.recipe import Recipe, make_recipe
from regrow.media.captions.listing import PICTURES, SOUNDS
from regrow.models.codecs.sound_codec import hear, settings_of, sounded
from regrow.models.model import Condition, Model
from regrow.prompts.input_warnings import about_words
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate


@dataclass(frozen=True)
class Interpolated:
    """What lies between two ends, and the ends themselves.

    Attributes:
        results: pictures `n 3 h w`, or waves `n 1 samples`, in [-1, 1].
        rate: of waves; None for pictures.
        frames: as the model made them: pictures, or mels `n 1 bands frames`.
        shares: of the second end in each, from 0 to 1.
        recipes: one a result.
        notes: sentences for the user.
    """

    results: Float[Tensor, "n channels *rest"]
    rate: int | None
    frames: Float[Tensor, "n channels y x"]
    shares: tuple[float, ...]
    recipes: tuple[Recipe, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Ends:
    """Two files in the model's frame, `2 channels y x`; of sounds how many samples the longer one has, and levels."""

    frames: Float[Tensor, "2 channels y x"]
    samples: int
    notes: tuple[str, ...]
    levels: tuple[float, float] = (1.0, 1.0)


def interpolate(request: Interpolate, model: Model) -> Generator[Progress, None, Interpolated]:
    """Walk the arc between two inverted files, or the line between two prompts.

    Raises:
        MediaError: a file cannot be used.
        ValueError: a setting is out of range or does not fit, or the two are not of one kind.
    """
    started = time.monotonic()
    kind = kind_of(request)
    if kind not in ("words", model.medium):
        raise ValueError(f"{model.name} makes {model.medium}s; {request.first} is a {kind}.")
    if model.medium == "picture" and request.duration is not None:
        raise ValueError("duration is for sounds; give a size in pixels for pictures.")
    shares = torch.linspace(0, 1, request.frames)
    levels = model.schedule.grid(request.steps, request.spacing)
    ends, notes = None, ()
    if kind == "words":
        guidance = Generate.guidance if request.guidance is None else request.guidance
        words, samples = [request.first, request.second], _samples(request, model)
        x = noise(_shape(request, model, samples), [request.seed]).expand(request.frames, -1, -1, -1)
        step, inverting = make_step("dpmpp_2m"), 0
    else:
        guidance, words = 1.0 if request.guidance is None else request.guidance, list(request.words)
        levels = levels[len(levels) - 1 - max(1, round(request.strength * request.steps)) :]
        ends = _opened_sounds(request, model) if kind == "sound" else _opened_pictures(request, model)
        samples, notes = ends.samples, ends.notes
        path, inverting = yield from _path(model, model.encode(ends.frames), words, guidance, levels[::-1], shares)
        x, step = path.states[-1], path.back()
    # a file's way back is guided as its inversion was, in all steps
    asked = Generate("", guidance=guidance, guidance_share=Generate.guidance_share if ends is None else 1.0)
    x, evaluations = yield from _regrown(model, x, step, words, asked, levels, shares)
    frames = model.decode(x)
    rate = settings_of(model).rate if model.mel else None
    results = _sounded(frames, model, samples, shares, ends) if rate else frames
    seconds = round(time.monotonic() - started, 2)
    both = frames[[0, -1]] if ends is None else ends.frames
    inputs = [] if ends is None else [Path(request.first), Path(request.second)]
    recipes = []
    for i, (frame, result) in enumerate(zip(frames, results, strict=True)):
        near, far = ({"mel": mel_distance(frame, end, model)} if rate else distances(frame, end) for end in both)
        figures = {
            "share": round(float(shares[i]), 4),
            "evaluations": {"inversion": inverting, "regrowth": evaluations},
            "seconds": seconds,
            "to_first": near,
            "to_second": far,
        }
        recipes.append(make_recipe(request, model, result, i, figures, inputs))
    notes += about_words(model, words)
    return Interpolated(results, rate, frames, tuple(shares.tolist()), tuple(recipes), notes)


def kind_of(request: Interpolate) -> str:
    """What lies at the two ends, by how their names end: "picture", "sound" or "words".

    Raises:
        ValueError: one is something else than the other.
    """
    kinds = [_kind(end) for end in (request.first, request.second)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"interpolate goes between two pictures, two sounds or two prompts; {request.first!r} is a {kinds[0]} and "
            f"{request.second!r} a {kinds[1]}.".replace("a words", "a prompt")
        )
    if kinds[0] == "words" and any(request.words):
        raise ValueError("words describe two files; of two prompts leave them out.")
    if kinds[0] != "words" and request.duration is not None:
        raise ValueError("duration is for sounds from prompts; sounds from files are as long as the longer file.")
    return kinds[0]


def _kind(end: str) -> str:
    suffix = Path(end).suffix.lower()
    return "picture" if suffix in PICTURES.suffixes else "sound" if suffix in SOUNDS.suffixes else "words"


def _opened_pictures(request: Interpolate, model: Model) -> _Ends:
    opened = [open_picture(Path(end), model, request.frame, request.size) for end in (request.first, request.second)]
    notes = tuple(note for _, _, found in opened for note in found)
    return _Ends(torch.stack([fitted.pixels for _, fitted, _ in opened]), 0, notes)


def _opened_sounds(request: Interpolate, model: Model) -> _Ends:
    if request.size:
        raise ValueError(f"{model.name} makes sounds; size is for pictures.")
    heard = [hear(Path(end), model) for end in (request.first, request.second)]
    longest = max(one.mel.shape[-1] for one in heard)
    mels = [F.pad(one.mel, (0, longest - one.mel.shape[-1]), value=-1.0) for one in heard]
    notes = tuple(note for one in heard for note in one.notes)
    if heard[0].mel.shape != heard[1].mel.shape:
        notes += ("The shorter sound was filled up with silence.",)
    samples = max(one.wave.shape[-1] for one in heard)
    return _Ends(torch.stack(mels), samples, notes, (heard[0].level, heard[1].level))


def _sounded(
    mels: Float[Tensor, "n 1 bands frames"],
    model: Model,
    samples: int,
    shares: Float[Tensor, " n"],
    ends: _Ends | None,
) -> Float[Tensor, "n 1 samples"]:
    """Waves, whose level goes from that of one end to that of the other in equal steps of dB."""
    if ends is None:
        return sounded(mels, model, samples)
    first, second = ends.levels
    levels = [first ** (1 - share) * second**share for share in shares.tolist()]
    return torch.cat([sounded(mel[None], model, samples, level) for mel, level in zip(mels, levels, strict=True)])


def _samples(request: Interpolate, model: Model) -> int:
    if model.mel is None:
        return 0
    if request.size:
        raise ValueError(f"{model.name} makes sounds; give a duration in seconds instead of a size in pixels.")
    if request.duration is None:
        return model.size[1] * model.mel.hop
    return round(request.duration * model.mel.rate)


def _shape(request: Interpolate, model: Model, samples: int) -> tuple[int, int, int]:
    if model.mel is None:
        return model.latent_shape(*(request.size or model.size))
    cell = model.multiple * model.mel.hop
    return model.latent_shape(model.mel.bands, -(-samples // cell) * model.multiple)


def _path(
    model: Model,
    latents: Float[Tensor, "2 c y x"],
    words: Sequence[str],
    guidance: float,
    levels: Sequence[Level],
    shares: Float[Tensor, " n"],
) -> Generator[Progress, None, tuple[Trajectory, int]]:
    """The paths between the two inverted ones, and the evaluations that each end took."""
    ends, evaluations = [], 0
    for latent, said, part in zip(latents.split(1), words, ("invert the first", "invert the second"), strict=True):
        denoise = Counted(source_denoiser(model, said, guidance), 1 + (guidance != 1))
        ends.append((yield from watched(direct_inversion(denoise, latent, levels), part)))
        evaluations = denoise.evaluations
    return between(ends[0], ends[1], shares), evaluations


def _regrown(
    model: Model,
    x: Float[Tensor, "n c y x"],
    step: Step,
    words: Sequence[str],
    asked: Generate,
    levels: Sequence[Level],
    shares: Float[Tensor, " n"],
) -> Generator[Progress, None, tuple[Float[Tensor, "n c y x"], int]]:
    """The latents at the end of the walk, and the evaluations that each took."""
    first, second = model.condition([words[0]]).tokens, model.condition([words[1]]).tokens
    denoise = guided(asked, model, Condition(lerp(first, second, shares)), levels)
    for state in solve(step, denoise, x, levels):
        x = state.x
        yield Progress("regrow", state.index, state.steps, x)
    return x, denoise.evaluations
