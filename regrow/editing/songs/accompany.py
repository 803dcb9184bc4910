"""Accompaniment: chords below a voice, from its key, played by the embedded bandstand.

What plays below a song is in its recipe, so that an edit can take it away, change the voice, and put it back.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.progress import Progress
from regrow.editing.grow import grow
from regrow.editing.melody import condition_on_notes
from regrow.media.audio import voice
from regrow.media.audio.fitting import SoundFrame
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.piano_roll import PlayedNote
from regrow.media.audio.sound import resample
from regrow.media.frame import Frame
from regrow.messages.message import say
from regrow.models.open import open_model
from regrow.prompts.expand_generate import thing_from_prompt
from regrow.prompts.interpretation import interpret
from regrow.prompts.songs.harmony import chords_of
from regrow.requests.generate import Generate
from regrow.worlds.songbook.alignment import FRAME, LEAD, UNIT
from regrow.worlds.songbook.score import Score, is_score, read_score
from regrow.worlds.world import WORLDS

LEVEL = -12.0
"""dB of the accompaniment, to the voice."""
STEPS = 20
_TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7)}
_AGAIN = 2.0
"""Beats after which a chord is struck again."""

Wave = Float[Tensor, "1 n"]


@dataclass(frozen=True)
class Band:
    """What plays below a song: as it stands in a recipe's figures, from which it is played again.

    Attributes:
        words: in the words of the bandstand.
        score: whose chords are played, as text.
        seed: of what the words leave open, and of the noise.
        rms: of it.
        samples: at `voice.RATE`.
    """

    words: str
    score: str
    seed: int
    rms: float
    samples: int

    @property
    def facts(self) -> dict[str, Any]:
        """For a recipe's figures; `band_in` reads it."""
        return {"accompaniment": asdict(self)}


def accompanied(
    waves: Sequence[Wave], words: str, score: Score, seed: int
) -> Generator[Progress, None, tuple[tuple[Wave, ...], tuple[Band, ...], tuple[str, ...]]]:
    """Return voices with chords below them, what plays below each, and sentences for the user.

    Args:
        waves: of the voices, at `voice.RATE`.
        words: what plays, in the words of the bandstand.
        score: that they sing.
        seed: of what the words leave open, and of the noise.
    """
    caption, unknown = _caption(words, score, seed)
    bands = tuple(
        Band(words, score.text, seed, float(_rms(wave)) * 10 ** (LEVEL / 20), wave.shape[-1]) for wave in waves
    )
    played = yield from _played(bands[0])
    mixed = tuple(
        (wave + played * (band.rms / bands[0].rms)).clamp(-1, 1) for wave, band in zip(waves, bands, strict=True)
    )
    notes = (say("accompaniment", caption=caption),)
    if unknown:
        notes += (say("bandstand_does_not_know", unknown=", ".join(unknown)),)
    return mixed, bands, notes


def band_in(path: Path) -> Band | None:
    """Return what plays below a song, as its file says; None where nothing does."""
    figures = (SOUND.read_recipe(path) or {}).get("figures")
    facts = figures.get("accompaniment") if isinstance(figures, Mapping) else None
    kinds = {"words": str, "score": str, "seed": int, "rms": float, "samples": int}
    if not isinstance(facts, Mapping) or {name: type(value) for name, value in facts.items()} != kinds:
        return None
    return Band(**facts) if is_score(facts["score"]) else None


def voice_alone(frame: Frame, band: Band | None) -> Generator[Progress, None, tuple[Frame, Wave | None]]:
    """Return a file without what plays below its voice, and that, at the rate of the file; None where nothing does."""
    if band is None:
        return frame, None
    assert isinstance(frame, SoundFrame)
    below = yield from _played(band)
    below = F.pad(below, (0, max(0, frame.wave.shape[-1] - below.shape[-1])))[:, : frame.wave.shape[-1]]
    wave = frame.wave - below
    at_rate = resample(below, voice.RATE, frame.sound.rate)
    at_rate = F.pad(at_rate, (0, max(0, frame.sound.wave.shape[-1] - at_rate.shape[-1])))
    at_rate = at_rate[:, : frame.sound.wave.shape[-1]]
    alone = replace(
        frame,
        content=frame.codec.to_frames(wave[None], frame.level)[0],
        sound=replace(frame.sound, wave=frame.sound.wave - at_rate),
        wave=wave,
    )
    return alone, at_rate


def put_below(
    voices: Sequence[Float[Tensor, "channels n"]], file: Frame, alone: Frame, below: Wave | None, band: Band | None
) -> Generator[Progress, None, tuple[Float[Tensor, "channels n"], ...]]:
    """Return edited voices with what plays below them; where a voice is the file's, so is every sample.

    Args:
        voices: as they were edited, at the rate of the file.
        file: as it is.
        alone: the same without what plays below its voice.
        below: that, at the rate of the file.
        band: what plays now, where the song has other chords or another tempo; None where it is the same.
    """
    if below is None:
        return tuple(voices)
    assert isinstance(file, SoundFrame)
    assert isinstance(alone, SoundFrame)
    if band is None:
        return tuple(torch.where(new == alone.sound.wave, file.sound.wave, new + below) for new in voices)
    now = resample((yield from _played(band)), voice.RATE, file.sound.rate)
    now = F.pad(now, (0, max(0, voices[0].shape[-1] - now.shape[-1])))
    return tuple(new + now[:, : new.shape[-1]] for new in voices)


def moved(band: Band | None, target: str, samples: int) -> Band | None:
    """Return what plays below a song that has other chords or another tempo now; None where they are the same."""
    if band is None or chord_notes(read_score(target)) == chord_notes(read_score(band.score)):
        return None
    return replace(band, score=target, samples=samples)


def chord_notes(score: Score) -> list[PlayedNote]:
    """Return the notes of the chords below a song: triads, struck every two beats."""
    beat, notes = 60 / score.tempo, []
    for root, quality, start, beats in chords_of(score):
        at = 0.0
        while at < beats - 1e-6:
            held = min(_AGAIN, beats - at)
            onset = LEAD * UNIT * FRAME + (start + at) * beat
            notes += [PlayedNote(onset, held * beat * 0.95, root + 12 + step) for step in _TRIADS[quality]]
            at += held
    return notes


def _caption(words: str, score: Score, seed: int) -> tuple[str, tuple[str, ...]]:
    """Return what plays as a full caption of the bandstand's, and the words that it does not know."""
    world = WORLDS[SOUND.embedded]
    what = interpret(world, words)
    minor = chords_of(score)[0][1] == "minor"
    usual = {"pattern": "chords", "register": "middle", "scale": "minor" if minor else "major"}
    thing = thing_from_prompt(world, words, replace(what, values={**usual, **what.values}), seed)
    return world.captions(thing, "en")[-1], tuple(dict.fromkeys(what.unknown))


def _played(band: Band) -> Generator[Progress, None, Wave]:
    """Return what a band plays, at `voice.RATE`: the same for the same band."""
    model, score = open_model(SOUND.embedded), read_score(band.score)
    caption, _ = _caption(band.words, score, band.seed)
    request = Generate(caption, model=SOUND.embedded, steps=STEPS, seed=band.seed, duration=band.samples / voice.RATE)
    extent = SOUND.extent(request, model)
    model = condition_on_notes(model, chord_notes(score), extent.shape[-1])
    x, _ = yield from grow(request, model, [caption], extent.shape)
    wave = resample(SOUND.render(x, model.decode(x), model, extent)[0], model.sound.rate, voice.RATE)
    wave = F.pad(wave, (0, max(0, band.samples - wave.shape[-1])))[:, : band.samples]
    return wave * (band.rms / _rms(wave).clamp_min(1e-9))


def _rms(wave: Wave) -> Float[Tensor, ""]:
    return wave.square().mean().sqrt()
