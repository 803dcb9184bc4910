"""Compare conversions from riffusion's picture to a wave on the same clips: regrow's, variants, the published one.

Figures are those of `regrow.benchmark.mel`, on riffusion's own transform and mel scale, up to 10 kHz:

    convergence    || |X'| - |X| || / || |X| || of the magnitudes, in dB
    log-mel        mean absolute difference in dB of S, where the true one is within 60 dB of its loudest cell

The published conversion (riffusion-hobby, `spectrogram_converter.py`) rounds the picture to 8 bits, and computes
magnitudes by torchaudio's InverseMelScale and the phase by its Griffin-Lim. Here, InverseMelScale is the least-squares
solution by the pseudo-inverse, clipped at 0; older versions approximated it by 200 steps of gradient descent.
"""

from collections.abc import Generator, Sequence
from functools import lru_cache, partial

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.mel import THEIRS, MelFigures, Wave, measured
from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.media.audio.mel import spectrum
from regrow.media.audio.mel_inverse import ITERATIONS
from regrow.media.audio.phase import MOMENTUM, griffin_lim, wave_of
from regrow.media.audio.sound import resample
from regrow.models.codecs.riffusion import (
    BINS,
    FILLED,
    POWER,
    RATE,
    TRANSFORM,
    amplitudes,
    filters,
    magnitudes,
    wave_from,
)

BANDS = 512
"""Mel bands of the published checkpoint."""
AUDIBLE = 1e-3
"""Share of the loudest cell below which cells do not count."""


def bench_riffusion(clips: Sequence[Wave], rate: int) -> Generator[Progress, None, MelFigures]:
    """Measure every conversion on every clip, one clip at a time.

    Args:
        clips: mono.
        rate: of the clips, in Hz; they are resampled to riffusion's.

    Raises:
        ValueError: there are no clips.
    """
    ways = {
        "regrow": _regrow,
        "regrow, of 8 bits": partial(_regrow, rounds=True),
        "regrow, 32 iterations": partial(_regrow, iterations=THEIRS),
        "regrow, phase alone": partial(_regrow, iterations=0),
        "regrow, phase from chance, 32 iterations": _from_chance,
        "published (8 bits, Griffin-Lim, 32)": _published,
    }
    return (yield from measured([resample(clip, rate, RATE) for clip in clips], RATE, ways, distances))


def distances(back: Wave, true: Wave) -> tuple[float, float]:
    """Return convergence and log-mel error of a wave, at the gain that fits its magnitudes best."""
    size = min(back.shape[-1], true.shape[-1])
    x, y = (spectrum(wave[:, :size], TRANSFORM).abs()[:, : BINS // FILLED + 1] for wave in (true, back))
    gain = (x * y).sum() / y.square().sum().clamp_min(1e-20)
    convergence = 20 * torch.log10(torch.linalg.vector_norm(gain * y - x) / torch.linalg.vector_norm(x))
    sums = amplitudes(torch.stack([true[:, :size], gain * back[:, :size]]), BANDS)
    audible = sums[0] > AUDIBLE * sums[0].max()
    decibels = 20 * sums.clamp_min(1e-10).log10()
    return float(convergence), float((decibels[1] - decibels[0]).abs()[audible].mean())


def _sums(wave: Wave, rounds: bool) -> Float[Tensor, "1 bands frames"]:
    """Return S of a wave as decoded from its picture, in 8 bits (`rounds`) or floats."""
    sums = amplitudes(wave[None], BANDS)
    if not rounds:
        return sums
    pixels = (255 - 255 * (sums / sums.max()) ** POWER).floor()
    return sums.max() * ((255 - pixels) / 255) ** (1 / POWER)


def _regrow(wave: Wave, iterations: int = ITERATIONS, rounds: bool = False) -> Wave:
    return wave_from(_sums(wave, rounds), iterations)[0, :, : wave.shape[-1]]


def _chance(like: Tensor) -> Tensor:
    return 2 * torch.pi * torch.rand(like.shape, generator=torch.Generator().manual_seed(derive_seed("phase")))


def _from_chance(wave: Wave) -> Wave:
    """Return the wave from regrow's magnitudes, with the phase refined from a random start."""
    magnitude = magnitudes(_sums(wave, rounds=False))
    return wave_of(griffin_lim(magnitude, _chance(magnitude), TRANSFORM, THEIRS), TRANSFORM)[:, : wave.shape[-1]]


@lru_cache(maxsize=1)
def _pseudo_inverse() -> Float[Tensor, "bins bands"]:
    return torch.linalg.pinv(filters(BANDS))


def _published(wave: Wave) -> Wave:
    """Convert as published: Griffin-Lim with momentum (Perraudin et al. 2013) on all bins, as in torchaudio."""
    size, momentum = FILLED * TRANSFORM.window, MOMENTUM / (1 + MOMENTUM)
    window = torch.hann_window(TRANSFORM.window)
    framing = {"n_fft": size, "hop_length": TRANSFORM.hop, "win_length": TRANSFORM.window, "window": window}
    magnitude = (_pseudo_inverse() @ _sums(wave, rounds=True)).clamp_min(0)
    magnitude = torch.nn.functional.pad(magnitude, (0, 0, 0, size // 2 + 1 - BINS))
    samples = TRANSFORM.hop * (magnitude.shape[-1] - 1)
    estimate, before = torch.polar(torch.ones_like(magnitude), _chance(magnitude)), torch.zeros(())
    for _ in range(THEIRS):
        consistent = torch.stft(
            torch.istft(magnitude * estimate, **framing, length=samples), **framing, return_complex=True
        )
        estimate = consistent - momentum * before
        before, estimate = consistent, estimate / estimate.abs().clamp_min(1e-16)
    back = torch.istft(magnitude * estimate, **framing, length=samples)
    # frames of `TRANSFORM` are centred in their hops, those of `istft` at the first sample
    late = TRANSFORM.window // 2 - TRANSFORM.margins[0]
    return torch.nn.functional.pad(back, (late, max(0, wave.shape[-1] - samples)))[:, : wave.shape[-1]]
