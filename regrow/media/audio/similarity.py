"""Musical similarity of two sounds: the figures that papers on music editing report, in plain torch.

All take mono waves and resample nothing. A constant-Q transform (Brown 1991, J. Acoust. Soc. Am. 89, "Calculation of a
constant Q spectral transform", eq. 5) is the inner product of a wave with windowed complex sines, as many periods of
each:

    X[k, i] = 2 / sum(w_k) |sum_n w_k[n] x[n + i hop - N_k / 2] exp(-2 pi j f_k n / rate)|,   N_k = rate Q / f_k

f_k = low 2^(k / bins an octave), Q = 1 / (2^(1 / bins an octave) - 1), w_k a Hann window of N_k samples: a full-scale
sine at f_k has 1 in bin k.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, to_mel
from regrow.messages.message import say

Wave = Float[Tensor, "1 n"]

SILENT = 1e-4
"""Amplitude of a sine below which a frame is silent: -80 dB of full scale."""


@dataclass(frozen=True)
class ConstantQ:
    """Settings of a constant-Q transform.

    Attributes:
        rate: samples per second.
        low: Hz of bin 0.
        bins: how many.
        octave: bins an octave.
        hop: samples between frames.
    """

    rate: int
    low: float
    bins: int
    octave: int
    hop: int = 512

    def __post_init__(self) -> None:
        if self.low * 2 ** ((self.bins - 1) / self.octave) > self.rate / 2:
            raise ValueError(say("cqt_bins_too_high", bins=self.bins, low=self.low, rate=self.rate))


CHROMA = ConstantQ(16_000, 65.406, 72, 12)
"""Six octaves of semitones from C2 on."""
MELODY = ConstantQ(16_000, 65.0, 128, 24)
"""Of the official code of SteerMusic's "CQT-1 PCC": 128 bins, 24 an octave, from 65 Hz at 16 kHz."""
LOG_MEL = MelSettings()
"""The mel of `log_mel_distance`, the same for all models: 128 bands of 22,050 Hz."""


def constant_q(wave: Wave, settings: ConstantQ) -> Float[Tensor, "bins frames"]:
    """Return amplitudes; frame i is centred on sample i hop, and silence is before and after the wave."""
    kernels = _kernels(settings)
    length = kernels.shape[-1]
    frames = F.pad(wave.float(), (length // 2, length // 2))[0].unfold(0, length, settings.hop)
    return torch.view_as_complex((frames @ kernels.T).unflatten(1, (-1, 2)).contiguous()).abs().T


@lru_cache(maxsize=4)
def _kernels(settings: ConstantQ) -> Float[Tensor, "2bins length"]:
    """Return cosines and sines of bin after bin, centred in frames as long as the longest of them."""
    q = 1 / (2 ** (1 / settings.octave) - 1)
    hertz = settings.low * 2 ** (torch.arange(settings.bins).double() / settings.octave)
    lengths = q * settings.rate / hertz
    size = 2 * (int(lengths[0]) // 2) + 2
    n = torch.arange(size).double() - size // 2
    inside = (n.abs() <= lengths[:, None] / 2).double()
    window = inside * torch.cos(torch.pi * n / lengths[:, None]).square()
    window = 2 * window / window.sum(1, keepdim=True)
    turn = 2 * torch.pi * hertz[:, None] * n / settings.rate
    return torch.stack([window * turn.cos(), -window * turn.sin()], 1).flatten(0, 1).float()


def chroma(wave: Wave) -> Float[Tensor, "12 frames"]:
    """Return the power of each pitch class, C first, of a wave at 16 kHz."""
    return constant_q(wave, CHROMA).square().unflatten(0, (-1, 12)).sum(0)


def chroma_similarity(first: Wave, second: Wave) -> float:
    """Return the mean over frames of the cosine between the chroma of two waves at 16 kHz, from 0 to 1.

    1 for the same sound at any level, 0 for tones of different pitch classes. Frames in which both are silent are left
    out; where one alone is, the cosine is 0. Two silent waves are alike: 1. MusicMagus (Zhang et al. 2024, arXiv
    2402.06178, section 5) reports it. The longer wave is cut.
    """
    x, y = _as_long(chroma(first), chroma(second))
    sounding = x.sum(0) > SILENT**2, y.sum(0) > SILENT**2
    either = sounding[0] | sounding[1]
    if not either.any():
        return 1.0
    cosine = F.cosine_similarity(x.double(), y.double(), dim=0, eps=1e-30) * (sounding[0] & sounding[1])
    return float(cosine[either].mean())


def melody_correlation(first: Wave, second: Wave) -> float:
    """Return Pearson's correlation of the strongest bins of two waves at 16 kHz, frame by frame, from -1 to 1.

    "CQT-1 PCC" of SteerMusic (Niu et al. 2025, arXiv 2504.10826, section 6.2; official CQT1_PCC.py), whose transform is
    nnAudio's. It is blind to a transposition: both melodies rise and fall alike. Where one of the two never changes its
    strongest bin there is no correlation: 1 if both stay on the same one, else 0. The longer wave is cut.
    """
    x, y = _as_long(*(constant_q(wave, MELODY).argmax(0)[None] for wave in (first, second)))
    off = [bins.double() - bins.double().mean() for bins in (x, y)]
    spread = float((off[0].square().sum() * off[1].square().sum()).sqrt())
    return float((off[0] * off[1]).sum()) / spread if spread else float(torch.equal(x, y))


def log_mel_distance(first: Wave, second: Wave) -> float:
    """Return the mean absolute difference in dB of the mels of two waves at 22,050 Hz; the longer wave is cut."""
    first, second = _as_long(first, second)
    return float((to_mel(first[None], LOG_MEL) - to_mel(second[None], LOG_MEL)).abs().mean())


def _as_long(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    size = min(first.shape[-1], second.shape[-1])
    return first[..., :size], second[..., :size]
