"""Log-mel spectrograms with absolute level, the input of sound models.

    mel[b, 1, k, i] = 10 log10 max(sum_f W[k, f] |X[f, i]|^2, floor)        dB, 0 = a full-scale sine in its band

X is the short-time Fourier transform with a Hann window whose sum is scaled to 2, so that a sine of amplitude 1 has
|X| = 1 at its peak. W are triangles on Slaney's mel scale (Slaney 1998, Auditory Toolbox) with peaks of 1. The
reference and the floor are fixed: a sound 40 dB quieter has a mel 40 dB lower, and silence is the floor.

Of n samples, a multiple of the hop, there are n / hop frames: frame i is centred between its hop's samples, with
silence before the beginning and after the end.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Complex, Float
from torch import Tensor

from regrow.media.files import MediaError
from regrow.messages.message import say

CEILING = 0.0
"""The mel level that models see as 1, in dB: a full-scale sine."""

NOTHING = 1e-10
"""The power below which a cell is silence, whatever is around it."""


@dataclass(frozen=True)
class MelSettings:
    """The settings of a mel spectrogram, stored in the model's folder.

    Attributes:
        rate: samples per second.
        window: samples of a frame, and of its Fourier transform.
        hop: samples between frames.
        bands: mel bands.
        low: Hz, where the lowest band begins.
        high: Hz, where the highest band ends, at most half the rate.
        floor: dB, the level that silence has.

    Raises:
        MediaError: a value out of its range, in one sentence.
    """

    rate: int = 22_050
    window: int = 1024
    hop: int = 256
    bands: int = 128
    low: float = 20.0
    high: float = 11_025.0
    floor: float = -100.0

    def __post_init__(self) -> None:
        whole = ("rate", "window", "hop", "bands")
        bad = [name for name in whole if type(getattr(self, name)) is not int or getattr(self, name) < 1]
        if bad:
            raise MediaError(say("mel_setting_no_whole_number", name=bad[0], given=getattr(self, bad[0])))
        bad = [name for name in ("low", "high", "floor") if type(getattr(self, name)) not in (int, float)]
        if bad:
            raise MediaError(say("mel_setting_no_number", name=bad[0], given=getattr(self, bad[0])))
        if self.hop > self.window // 2:
            raise MediaError(say("mel_hop_too_long", window=self.window, hop=self.hop))
        if not 0 <= self.low < self.high <= self.rate / 2:
            raise MediaError(say("mel_band_limits_wrong", low=self.low, high=self.high, half_rate=self.rate / 2))
        if not -200 <= self.floor < CEILING:
            raise MediaError(say("mel_floor_out_of_range", ceiling=CEILING, floor=self.floor))

    def to_json(self) -> dict[str, Any]:
        """For the model's folder; `from_json` undoes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> "MelSettings":
        """Raises:
        MediaError: a setting is missing, unknown or out of range.
        """
        names = {field.name for field in fields(cls)}
        odd = sorted(names ^ set(table))
        if odd:
            raise MediaError(say("mel_settings_incomplete", names=", ".join(sorted(names)), odd=", ".join(odd)))
        return cls(**table)

    @property
    def margins(self) -> tuple[int, int]:
        """Samples of silence before the first frame's hop and behind the last one's; if odd, one more behind."""
        both = self.window - self.hop
        return both // 2, both - both // 2

    def frames(self, samples: int) -> int:
        """Return how many frames hold this many samples; the last may reach beyond their end."""
        return -(-samples // self.hop)


def to_mel(wave: Float[Tensor, "b 1 n"], settings: MelSettings) -> Float[Tensor, "b 1 bands frames"]:
    """Return the mel of mono waves in [-1, 1], in dB, float32; an incomplete last hop is filled up with silence."""
    power = spectrum(wave[:, 0], settings).abs().square()
    mel = filters(settings).to(power) @ power
    return 10 * mel.clamp_min(10 ** (settings.floor / 10)).log10()[:, None]


def spectrum(wave: Float[Tensor, "b n"], settings: MelSettings) -> Complex[Tensor, "b bins frames"]:
    """Return the short-time Fourier transform that the mel is of; 1 at the peak of a full-scale sine."""
    wave = wave.float()
    before, behind = settings.margins
    filled = settings.frames(wave.shape[-1]) * settings.hop - wave.shape[-1]
    window = torch.hann_window(settings.window, device=wave.device)
    return torch.stft(
        F.pad(wave, (before, behind + filled)),
        settings.window,
        settings.hop,
        window=window * (2 / window.sum()),
        center=False,
        return_complex=True,
    )


@lru_cache(maxsize=8)
def filters(settings: MelSettings) -> Float[Tensor, "bands bins"]:
    """Return the triangles W of the mel scale, float32, with peaks of 1 where the band is wider than a bin.

    Raises:
        MediaError: a band is so narrow that no bin of the transform falls into it.
    """
    weights = triangles(_edges(settings), settings.rate / settings.window, settings.window // 2 + 1)
    empty = int((weights.amax(1) == 0).sum())
    if empty:
        raise MediaError(say("mel_bands_empty", bands=settings.bands, empty=empty, window=settings.window))
    return weights


def triangles(edges: np.ndarray, spacing: float, bins: int) -> Float[Tensor, "bands bins"]:
    """Return triangles with peaks of 1 on the bins of a Fourier transform, float32.

    Args:
        edges: Hz where they begin, peak and end: band k at k, k + 1 and k + 2.
        spacing: Hz between bins, of which the first is at 0.
        bins: how many.
    """
    hertz = np.linspace(0, spacing * (bins - 1), bins)
    rising = (hertz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hertz) / np.diff(edges)[1:, None]
    return torch.tensor(np.maximum(0, np.minimum(rising, falling)), dtype=torch.float32)


def shares_of(hertz: Float[Tensor, "*shape"], settings: MelSettings) -> Float[Tensor, "*shape bands"]:
    """Return how much of a sine of each frequency every band holds, by its triangle; float32 in [0, 1]."""
    edges, at = torch.from_numpy(_edges(settings)), hertz.double()[..., None]
    rising = (at - edges[:-2]) / edges.diff()[:-1]
    falling = (edges[2:] - at) / edges.diff()[1:]
    return torch.minimum(rising, falling).clamp_min(0).float()


def slope(settings: MelSettings) -> Float[Tensor, " bands"]:
    """By how many dB librosa's mel, each band divided by its width, is below this one: 0 in the narrowest band.

    That is `norm="slaney"`, up to a constant that is the same in all bands.
    """
    edges = _edges(settings)
    width = edges[2:] - edges[:-2]
    return torch.tensor(10 * np.log10(width.min() / width), dtype=torch.float32)


def librosa_filters(settings: MelSettings) -> Float[Tensor, "bands bins"]:
    """Return the filters that librosa has by default (`norm="slaney"`): W, each divided by half its width in Hz.

    Raises:
        MediaError: a band is so narrow that no bin of the transform falls into it.
    """
    edges = _edges(settings)
    return filters(settings) * torch.tensor(2 / (edges[2:] - edges[:-2]), dtype=torch.float32)[:, None]


def loudest(wave: Float[Tensor, "1 n"], settings: MelSettings) -> float:
    """What to divide a wave by for the loudest cell of librosa's mel of it to be at 0 dB; 1 where there is silence."""
    weights = filters(settings) * 10 ** (slope(settings)[:, None] / 10)
    power = float((weights @ spectrum(wave, settings).abs().square()).max())
    return power**0.5 if power > NOTHING else 1.0


def to_unit(mel: Float[Tensor, "b 1 bands frames"], settings: MelSettings) -> Float[Tensor, "b 1 bands frames"]:
    """Convert decibels to the range of models: the floor is -1 and `CEILING` is 1; louder is above 1."""
    return (mel - settings.floor) * (2 / (CEILING - settings.floor)) - 1


def from_unit(unit: Float[Tensor, "b 1 bands frames"], settings: MelSettings) -> Float[Tensor, "b 1 bands frames"]:
    """Return the inverse of `to_unit`; below the floor becomes the floor."""
    return (unit.clamp_min(-1) + 1) * ((CEILING - settings.floor) / 2) + settings.floor


def as_picture(unit: Float[Tensor, "b 1 bands frames"]) -> Float[Tensor, "b 3 bands frames"]:
    """Return a picture to look at: low bands at the bottom, from black (silence) through violet and orange to white."""
    share = (unit.flip(-2).clamp(-1, 1) + 1) / 2
    stops = torch.tensor(_STOPS, dtype=share.dtype, device=share.device)
    place = share * (len(stops) - 1)
    lower = place.floor().clamp_max(len(stops) - 2).long()
    colours = torch.lerp(stops[lower], stops[lower + 1], (place - lower)[..., None])
    return colours[:, 0].movedim(-1, 1) * 2 - 1


_STOPS = ((0, 0, 0), (0.22, 0.05, 0.38), (0.60, 0.16, 0.44), (0.93, 0.38, 0.26), (0.99, 0.73, 0.32), (1, 1, 0.9))
"""Red, green and blue of evenly spaced levels, from silence on; each brighter than the one before."""


def _edges(settings: MelSettings) -> np.ndarray:
    """Hz where the bands begin, peak and end: band k at k, k + 1 and k + 2."""
    return _hertz(np.linspace(_mel(settings.low), _mel(settings.high), settings.bands + 2))


_BREAK, _LINEAR, _LOG = 1000.0, 3 / 200, np.log(6.4) / 27  # Slaney's scale: linear below 1 kHz, logarithmic above


def _mel(hertz: float) -> float:
    return hertz * _LINEAR if hertz < _BREAK else _BREAK * _LINEAR + float(np.log(hertz / _BREAK)) / _LOG


def _hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < _BREAK * _LINEAR, mel / _LINEAR, _BREAK * np.exp(_LOG * (mel - _BREAK * _LINEAR)))
