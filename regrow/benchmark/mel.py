"""Compare conversions from mel to wave on the same clips: regrow's, variants of it, librosa's and diffusers'.

Each converts the same wave to its own mel, with the same number of bands and the same hop, and back. The result is
compared with the wave at the gain that fits best, as some conversions lose the level:

    convergence    || |X'| - |X| || / || |X| || of the magnitudes, in dB
    log-mel        mean absolute difference of the mels in dB, where the true one is within 60 dB of its loudest cell

librosa is only needed here: without it, its rows are left out, and the table says so.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.estimates import Estimate, mean, shown
from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.media.audio.mel import MelSettings, filters, spectrum, to_mel
from regrow.media.audio.mel_inverse import ITERATIONS, from_mel, powers
from regrow.media.audio.phase import griffin_lim, wave_of
from regrow.media.audio.sound import load, resample, to_mono
from regrow.media.captions.captioned import read_captioned
from regrow.media.captions.listing import SOUNDS
from regrow.worlds.bandstand.playing import Phrase, play

FIRST_SEED = 9_100_000
"""Seed of the first phrase that is used if the user names no clips."""
AUDIBLE = 60.0
"""Range in dB below a clip's loudest cell within which mels are compared."""
THEIRS = 32
"""Iterations of Griffin-Lim: librosa's and diffusers' own default."""

Wave = Float[Tensor, "1 n"]
Way = Callable[[Wave, MelSettings], Wave]


@dataclass(frozen=True)
class WayFigures:
    """Figures of a conversion: spectral convergence and log-mel error in dB, and speed as a multiple of real time."""

    name: str
    convergence: Estimate
    log_mel: Estimate
    speed: float


@dataclass(frozen=True)
class MelFigures:
    """All figures of a run; `missing` says which conversions could not be measured, and why."""

    ways: tuple[WayFigures, ...]
    clips: int
    seconds: float
    threads: int
    missing: tuple[str, ...]


def phrases(count: int) -> list[Wave]:
    """Return held-out phrases of the bandstand, six seconds each."""
    return [torch.from_numpy(play(Phrase.random(FIRST_SEED + i)).wave) for i in range(count)]


def clips_in(folder: Path, count: int, settings: MelSettings | None = None) -> list[Wave]:
    """Return the first six seconds of the first sounds in a folder, mixed to one channel, at the settings' rate.

    Raises:
        MediaError: there is no sound in it that can be read.
    """
    settings = settings or MelSettings()
    clips = []
    for item in read_captioned(folder, kind=SOUNDS).items[:count]:
        sound = load(item.name, data=item.read())
        clips.append(resample(to_mono(sound.wave), sound.rate, settings.rate)[:, : 6 * settings.rate])
    return clips


def bench_mel(clips: Sequence[Wave], settings: MelSettings | None = None) -> Generator[Progress, None, MelFigures]:
    """Measure every conversion on every clip, one clip at a time.

    Args:
        clips: mono, at the settings' rate.
        settings: of the mels.

    Raises:
        ValueError: there are no clips.
    """
    settings = settings or MelSettings()
    ways: dict[str, Way] = {
        "regrow": _regrow,
        "regrow, 32 iterations": partial(_regrow, iterations=THEIRS),
        "regrow, phase alone": partial(_regrow, iterations=0),
        "regrow, true phase": _true_phase,
        "regrow, phase from chance, 32 iterations": partial(_from_chance, updates=True),
        "pseudo-inverse, phase from chance, 32": _from_chance,
    }
    missing: tuple[str, ...] = ()
    try:
        ways |= _baselines()
    except ImportError:
        missing = ("librosa and diffusers' Mel: librosa is not installed (pip install librosa)",)

    def of_settings(way: Way) -> Callable[[Wave], Wave]:
        return lambda wave: way(wave, settings)

    each = {name: of_settings(way) for name, way in ways.items()}
    return (yield from measured(clips, settings.rate, each, partial(distances, settings=settings), missing))


def measured(
    clips: Sequence[Wave],
    rate: int,
    ways: Mapping[str, Callable[[Wave], Wave]],
    distances: Callable[[Wave, Wave], tuple[float, float]],
    missing: tuple[str, ...] = (),
) -> Generator[Progress, None, MelFigures]:
    """Measure conversions from a wave to its spectrogram and back.

    Args:
        clips: mono.
        rate: of the clips, in Hz.
        ways: the conversions by their names.
        distances: returns convergence and log-mel error of a result compared with its clip.
        missing: see `MelFigures`.

    Raises:
        ValueError: there are no clips.
    """
    if not clips:
        raise ValueError("There is nothing to measure: name at least one clip.")
    figures, duration = [], sum(clip.shape[-1] for clip in clips) / rate
    for name, way in ways.items():
        way(clips[0])  # a warm-up, so that cached tables are not timed
        apart, seconds = [], 0.0
        for i, clip in enumerate(clips):
            begun = time.perf_counter()
            back = way(clip)
            seconds += time.perf_counter() - begun
            apart.append(distances(back, clip))
            yield Progress(name, i + 1, len(clips))
        figures.append(WayFigures(name, mean([a for a, _ in apart]), mean([b for _, b in apart]), duration / seconds))
    return MelFigures(tuple(figures), len(clips), round(duration, 1), torch.get_num_threads(), missing)


def distances(back: Wave, true: Wave, settings: MelSettings) -> tuple[float, float]:
    """Return convergence and log-mel error of a wave, at the gain that fits its magnitudes best."""
    size = min(back.shape[-1], true.shape[-1])
    x, y = spectrum(true[:, :size], settings).abs(), spectrum(back[:, :size], settings).abs()
    gain = (x * y).sum() / y.square().sum().clamp_min(1e-20)
    convergence = 20 * torch.log10(torch.linalg.vector_norm(gain * y - x) / torch.linalg.vector_norm(x))
    mels = to_mel(torch.stack([true[:, :size], gain * back[:, :size]]), settings)
    audible = mels[0] > mels[0].max() - AUDIBLE
    return float(convergence), float((mels[1] - mels[0]).abs()[audible].mean())


def _regrow(wave: Wave, settings: MelSettings, iterations: int = ITERATIONS) -> Wave:
    return from_mel(to_mel(wave[None], settings), settings, wave.shape[-1], iterations)[0]


def _true_phase(wave: Wave, settings: MelSettings) -> Wave:
    """Return the wave with the true phase, which shows what the mel alone loses."""
    magnitude = powers(to_mel(wave[None], settings), settings).sqrt()
    return wave_of(torch.polar(magnitude, spectrum(wave, settings).angle()), settings)


def _from_chance(wave: Wave, settings: MelSettings, updates: bool = False) -> Wave:
    """Return the wave by Griffin-Lim from a random phase, with least-squares magnitudes or regrow's (`updates`)."""
    mel = to_mel(wave[None], settings)
    if updates:
        magnitude = powers(mel, settings).sqrt()
    else:
        magnitude = (torch.linalg.pinv(filters(settings)) @ 10 ** (mel[:, 0] / 10)).clamp_min(0).sqrt()
    generator = torch.Generator().manual_seed(derive_seed("phase"))
    chance = 2 * torch.pi * torch.rand(magnitude.shape, generator=generator)
    return wave_of(griffin_lim(magnitude, chance, settings, THEIRS), settings)


def _baselines() -> dict[str, Way]:
    import librosa  # pyright: ignore[reportMissingImports]
    from diffusers.pipelines.deprecated.audio_diffusion.mel import Mel

    def nnls(wave: Wave, settings: MelSettings, window: int) -> Wave:
        framing = {"sr": settings.rate, "n_fft": window, "hop_length": settings.hop}
        mel = librosa.feature.melspectrogram(y=wave[0].numpy(), n_mels=settings.bands, **framing)
        back = librosa.feature.inverse.mel_to_audio(mel, n_iter=THEIRS, length=wave.shape[-1], **framing)
        return torch.from_numpy(np.ascontiguousarray(back, np.float32))[None]

    def picture(wave: Wave, settings: MelSettings) -> Wave:
        frames = -(-wave.shape[-1] // settings.hop)
        mel = Mel(frames, settings.bands, settings.rate, 2048, settings.hop, n_iter=THEIRS)
        mel.load_audio(raw_audio=wave[0].numpy())
        back = np.ascontiguousarray(mel.image_to_audio(mel.audio_slice_to_image(0)), np.float32)
        return torch.from_numpy(back)[None]

    return {
        "librosa, NNLS + Griffin-Lim, window 1024": partial(nnls, window=1024),
        "librosa, NNLS + Griffin-Lim, window 2048": partial(nnls, window=2048),
        "diffusers' Mel (8 bits, window 2048)": picture,
    }


def print_table(figures: MelFigures, out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    print(
        f"{figures.clips} clips, {figures.seconds:g} s of sound, {figures.threads} threads; 95 % bootstrap intervals\n",
        file=out,
    )
    print(f"{'':<44}{'convergence, dB':<24}{'log-mel, dB':<24}{'x real time':>11}", file=out)
    for way in figures.ways:
        cells = [shown(figure, 1, 2) for figure in (way.convergence, way.log_mel)]
        print(f"{way.name:<44}{cells[0]:<24}{cells[1]:<24}{way.speed:>11.1f}", file=out)
    for why in figures.missing:
        print(f"not measured: {why}", file=out)
