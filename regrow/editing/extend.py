"""Extend a sound after its end or before its beginning.

The last seconds of the sound are placed beside the part to generate. At every level, the known part is replaced by the
sound noised to that level (Lugmayr et al. 2022, arXiv 2201.09865, algorithm 1 without its repetitions), so that the new
part continues it.
"""

import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted, Prediction
from regrow.core.masks import Held, Hold
from regrow.core.noise import derive_seed, noise
from regrow.core.progress import Progress, walk
from regrow.core.solvers import make_step
from regrow.editing.melody import can_listen, condition_on_notes, condition_on_sound
from regrow.editing.recipe import make_recipe
from regrow.editing.repetition import going_on
from regrow.editing.result import Operation, Result
from regrow.editing.songs.accompany import band_in, put_below, voice_alone
from regrow.editing.songs.loudness import at_sung_level
from regrow.editing.songs.lyrics import song_of
from regrow.editing.songs.score import scored_extension
from regrow.editing.steps import with_own_settings, without_guidance
from regrow.media.audio import voice
from regrow.media.audio.crossfade import pasted
from regrow.media.audio.fitting import SoundFrame, in_channels_of
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.piano_roll import PlayedNote
from regrow.media.audio.sound import resample
from regrow.media.frame import Region
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.song import song_prompt
from regrow.prompts.expand_generate import in_known_words
from regrow.prompts.input_warnings import about_embeddings
from regrow.requests.extend import Extend


def extend(request: Extend, model: Model) -> Generator[Progress, None, Result]:
    """Extend a sound; its own samples are in the result bit for bit, unless something plays below a song.

    What plays below a song is played anew for the whole of the longer one, below the same voice.

    Raises:
        MediaError: the sound cannot be used.
        ValueError: a setting is out of range, or the model makes no sounds.
    """
    started, model = time.monotonic(), model.batched(request.normalize == "off")
    request, model, score_notes = scored_extension(request, model)
    file, band = SOUND.load(request.sound, model, request), None
    if model.reads_scores:
        file, band = at_sung_level(request.sound, file, band_in(request.sound), model)
    frame, below = yield from voice_alone(file, band)
    assert isinstance(frame, SoundFrame)
    old, rate = frame.sound.wave, frame.sound.rate
    waves, evaluations = [old] * request.count, 0
    worded = in_known_words(model, [request.prompt, request.negative])
    request, own_notes = without_guidance(with_own_settings(request, model), model)
    notes = score_notes + frame.notes + worded.notes + own_notes + about_embeddings(model, request)
    prompt = song_prompt(worded.prompts[0], song_of(request, model))
    written, request = request, replace(request, prompt=prompt, negative=worded.prompts[1])
    score = condition_on_sound(model, frame.content)[1] if request.notes == "repeat" and can_listen(model) else None
    for part, seconds in (("after", request.after), ("before", request.before)):
        if seconds:
            played = () if score is None else going_on(score, old.shape[-1] / rate, seconds, part == "before")
            if score is not None and not played:
                notes += (say("no_beat_found", name=request.sound.name, part=part),)
            new, calls = yield from _grown(request, model, frame, seconds, part == "before", played)
            added = [_at_the_end(wave, frame, model, seconds, part == "before") for wave in new]
            waves = [
                torch.cat([more, wave] if part == "before" else [wave, more], -1)
                for more, wave in zip(added, waves, strict=True)
            ]
            evaluations += calls
    first = round(request.before * rate)
    figures: dict[str, Any] = {"evaluations": evaluations, "seconds": round(time.monotonic() - started, 2)}
    if band:
        band = replace(band, score=written.prompt, samples=round(waves[0].shape[-1] * voice.RATE / rate))
        waves = list((yield from put_below(waves, file, frame, below, band)))
        figures |= band.facts
        notes += (say("accompaniment_played_anew"),)
    recipes = tuple(make_recipe(written, model, wave, i, figures, guess=worded.guessed) for i, wave in enumerate(waves))
    known = first, first + old.shape[-1]
    return Result(tuple(waves), torch.empty(0, 1), recipes, notes, rate, frame=file, known=known)


def _grown(
    request: Extend,
    model: Model,
    frame: SoundFrame,
    seconds: float,
    before: bool,
    played: tuple[PlayedNote, ...],
) -> Generator[Progress, None, tuple[Float[Tensor, "b channels m"], int]]:
    """What comes after a file, or what comes before it, at the model's rate, and the evaluations that each took."""
    codec, known = model.sound, frame.wave
    cell = model.multiple * codec.samples_per_frame
    samples = round(seconds * codec.rate)
    new, window = -(-samples // cell), model.size[-1] // model.multiple
    # a window that is half known says what to go on from; where all that is new fits into one, more of it is known
    context = min(max(window // 2, window - new), -(-known.shape[-1] // cell))
    if before:  # time runs backwards in all but what the model sees
        known = known.flip(-1)
    beside = known[:, -context * cell :]
    beside = F.pad(beside, (context * cell - beside.shape[-1], 0))
    # mirrored into the new part, so that the codec does not hear the end of a sound where there shall be none
    mirror = F.pad(beside.flip(-1), (0, max(0, new - context) * cell))[:, : new * cell]
    wave = torch.cat([beside, mirror], -1)
    level, model = codec.level_of(beside, frame.level), model.of_length(wave.shape[-1])
    wave = wave / level
    held = codec.to_frames((wave.flip(-1) if before else wave)[None])
    latents = model.encode(held)
    if played:
        first = -new * cell / codec.rate if before else known.shape[-1] / codec.rate - context * cell / codec.rate
        model = condition_on_notes(
            model, [replace(note, onset=note.onset - first) for note in played], latents.shape[-1]
        )
    cells = context * model.multiple // model.factor
    mask = torch.ones(1, 1, *latents.shape[2:])
    mask[..., slice(latents.shape[-1] - cells, None) if before else slice(cells)] = 0
    seeds = [derive_seed(request.seed + i, "before") if before else request.seed + i for i in range(request.count)]
    x, evaluations = yield from _held(request, model, held, latents, mask, seeds, "before" if before else "after")
    frames = model.decode(x)
    grown = codec.grow_onto(
        wave.expand(len(x), -1, -1), (context * cell, wave.shape[-1]), frames.flip(-1) if before else frames
    )
    added = frame.at_full_scale(grown[..., context * cell :][..., :samples] * level)
    return (added.flip(-1) if before else added), evaluations


def _held(
    request: Extend,
    model: Model,
    frames: Float[Tensor, "1 channels *places"],
    latents: Float[Tensor, "1 c *cells"],
    mask: Float[Tensor, "1 1 *cells"],
    seeds: list[int],
    part: str,
) -> Generator[Progress, None, tuple[Float[Tensor, "b c *cells"], int]]:
    """Latents that are new where the mask is 1, and the evaluations that each took."""
    model = model.with_known(frames, latents, Region(latents=mask))
    condition = model.condition([request.prompt] * request.count)
    guided = request.guidance != 1
    negative = model.negative([request.negative]) if guided else None
    denoise = Counted(model.denoiser(condition, negative, request.guidance), 1 + guided)
    assert request.steps is not None
    assert request.solver is not None
    levels = model.grid(request.steps, request.spacing, latents.shape[1:])
    start = noise(latents.shape[1:], seeds)
    noised = Prediction(latents.expand_as(start), start)
    step = Held(make_step(request.solver, request.eta, seeds), Hold(mask, levels), noised.at)
    # pure noise has standard deviation 1 whatever the last level's sigma: what the networks are trained on
    x = torch.where(mask > 0, start, noised.at(levels[0]))
    x = yield from walk(part, step, denoise, x, levels)
    return x, denoise.evaluations


def _at_the_end(
    new: Float[Tensor, "k m"], frame: SoundFrame, model: Model, seconds: float, before: bool
) -> Float[Tensor, "channels n"]:
    """New sound at the file's rate and in its channels, fit to be put at the file's end or beginning."""
    rate, old = frame.sound.rate, frame.sound.wave
    added = round(seconds * rate)
    known = frame.wave
    if before:
        new, known, old = new.flip(-1), known.flip(-1), old.flip(-1)
    whole = resample(in_channels_of(torch.cat([known, new], -1), old), model.sound.rate, rate)
    samples = old.shape[-1] + added
    whole = F.pad(whole, (0, max(0, samples - whole.shape[-1])))[:, :samples]
    joined = pasted(whole, F.pad(old, (0, added)), (old.shape[-1], samples), rate, True, frame.unit)
    end = frame.at_full_scale(joined[:, old.shape[-1] :])
    return end.flip(-1) if before else end


OPERATION = Operation(Extend, extend)
