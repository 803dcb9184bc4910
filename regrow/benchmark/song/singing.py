"""Voices that are measured: sung by a model from noise, and waves converted to its frames and back."""

import time
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.names import SolverName
from regrow.core.progress import finish
from regrow.editing.grow import grow
from regrow.media.audio import voice
from regrow.media.audio.voice import Wave
from regrow.media.audio.voice_analysis import analyse
from regrow.models.model import Model
from regrow.requests.generate import Generate
from regrow.worlds.songbook.alignment import align
from regrow.worlds.songbook.score import Score


def sung(model: Model, score: Score, seed: int, steps: int | None = None, solver: SolverName | None = None) -> Wave:
    """Return a model's song, float32 at 24 kHz.

    Args:
        model: a model that sings scores.
        score: the score to sing.
        seed: of the noise.
        steps: number of sampling steps; the model's own when None.
        solver: the model's own when None.
    """
    frames = align(score).frames
    request = Generate("", steps=steps, solver=solver, guidance=1.0, seed=seed)
    latents, _ = finish(grow(request, model, [score.text], model.latent_shape(voice.ROWS, frames)))
    return wave_of(model, latents)


def timed(
    model: Model, score: Score, seed: int, steps: int | None = None, solver: SolverName | None = None
) -> tuple[Wave, float]:
    """Return a model's song, and the seconds from score to wave."""
    begun = time.perf_counter()
    wave = sung(model, score, seed, steps, solver)
    return wave, time.perf_counter() - begun


def frames_of(model: Model, wave: Wave, score: Score) -> Float[Tensor, "1 1 rows frames"]:
    """Return the latents of a wave, encoded with the pitch of the score that it sings."""
    rows = analyse(wave, align(score).pitch)
    return model.encode(torch.from_numpy(rows)[None, None])


def wave_of(model: Model, latents: Float[Tensor, "1 1 rows frames"]) -> Wave:
    """Return the wave of one sample's latents, at the teacher's loudness."""
    return voice.synthesise(model.decode(latents)[0, 0].float().cpu().numpy())


def copied(wave: Wave, score: Score) -> Wave:
    """Return a wave after conversion to the model's frames, with the score's pitch, and back."""
    return voice.synthesise(analyse(wave, align(score).pitch))


def megabytes(model: Model) -> float:
    """Return the size of a model's weights on disk, in MB of a million bytes."""
    return sum(path.stat().st_size for path in Path(model.folder).rglob("*.safetensors")) / 1e6
