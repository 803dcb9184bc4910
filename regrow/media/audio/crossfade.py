"""Join new sound with known samples, which stay unchanged.

A wave reconstructed from a mel alone has other phases, and interferes with the known wave in a cross-fade. Here the
known samples take part in the reconstruction. Their frames keep their own spectrum, the phase of the new frames is
integrated on from theirs (`media.phase`), and every iteration of Griffin-Lim begins with the known samples put back, so
that in the frames which reach over a joint the new samples come to fit the known ones.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, spectrum
from regrow.media.audio.mel_inverse import ITERATIONS, lost, powers
from regrow.media.audio.phase import griffin_lim, integrate, wave_of

FADE = 0.03
"""Seconds over which the old sound fades into the new one, and the new one takes on its own level."""
ORDER, MEMORY, SHORTEST = 256, 4096, 32
"""Of linear prediction: its order, the samples that it is learned from, and how many it takes at least."""


def grown_onto(
    wave: Float[Tensor, "b 1 n"],
    span: tuple[int, int],
    mel: Float[Tensor, "b 1 bands frames"],
    settings: MelSettings,
    iterations: int = ITERATIONS,
) -> Float[Tensor, "b 1 n"]:
    """The samples of waves outside a span, bit for bit, and in the span a wave of this mel that continues them.

    Args:
        wave: mono, in [-1, 1]; n is frames times hop. What it is in the span does not count.
        span: of the samples that are new: the first, and the one behind the last.
        mel: of the whole, in dB; what it says outside the span does not count.
        settings: that it was taken with.
        iterations: of the phase.
    """
    modelled = powers(mel, settings).sqrt()
    return follow(wave, span, modelled, settings, lambda new, frames: lost(new, mel, settings, frames), iterations)


def follow(
    wave: Float[Tensor, "b 1 n"],
    span: tuple[int, int],
    modelled: Float[Tensor, "b bins frames"],
    settings: MelSettings,
    lost: Callable[[Tensor, Tensor], Tensor],
    iterations: int = ITERATIONS,
) -> Float[Tensor, "b 1 n"]:
    """Return the same of magnitudes instead of a mel.

    Args:
        wave: as for `grown_onto`.
        span: likewise.
        modelled: magnitudes of `media.mel.spectrum`; what they are outside the span does not count.
        settings: of the transform that they are of.
        lost: the factor `b 1 1` by which a wave `b 1 n` is too quiet in frames that a mask names.
        iterations: of the phase.
    """
    first, last = span
    places = torch.arange(wave.shape[-1])
    known = (places < first) | (places >= last)
    held = torch.where(known, wave[:, 0], 0)
    share = _new_share(known, settings)
    true = spectrum(held, settings)
    magnitude = torch.where(share == 0, true.abs(), modelled)
    phase = integrate(magnitude, settings, (true.angle(), share == 0))
    found = griffin_lim(magnitude, phase, settings, iterations, (held, known))
    new = wave_of(found, settings)[:, None]
    missing = lost(new, share > 0)
    away = _away(len(places), span) / (FADE * settings.rate)
    new = new * (1 + (missing - 1) * away.clamp(0, 1))
    return torch.stack([pasted(*pair, span, settings.rate, predicted=True) for pair in zip(new, wave, strict=True)])


def faded_over(
    new: Float[Tensor, "*b n"], old: Float[Tensor, "*b n"], span: tuple[int, int], fade: int
) -> Float[Tensor, "*b n"]:
    """Return the old samples with new ones in the span, cross-faded at equal power; the others stay bit for bit.

    For sounds whose phases have nothing in common, such as a vocoder's: `pasted` sets levels by how alike they are.

    Args:
        new: as long as the old ones.
        old: the samples that stay outside the span.
        span: first sample that is new, and the one behind the last; at the ends of the sound nothing fades.
        fade: samples of each fade.
    """
    first, last = max(0, span[0]), min(span[1], old.shape[-1])
    here = torch.arange(first, last)
    far = torch.full_like(here, fade)
    inner = torch.minimum(here - first if first else far, last - 1 - here if last < old.shape[-1] else far)
    angle = ((inner.double() + 0.5) / fade).clamp(0, 1) * (math.pi / 2)
    whole = old.clone()
    rise, fall = angle.sin().to(old), angle.cos().to(old)
    whole[..., first:last] = rise * new[..., first:last] + fall * old[..., first:last]
    return whole


def pasted(
    new: Float[Tensor, "k n"],
    old: Float[Tensor, "channels n"],
    span: tuple[int, int],
    rate: int,
    predicted: bool = False,
    level: float = 1.0,
) -> Float[Tensor, "channels n"]:
    """Return the old samples, bit for bit, but new ones in the span, into which the old ones fade over at its ends.

    Each channel gets the new sound as loud as it has the old.

    Args:
        new: a mono wave, or one of as many channels as the old one, outside the span about that.
        old: of any number of channels.
        span: of the samples that are new, first and behind the last.
        rate: samples per second, of both.
        predicted: whether the old samples in the span are unknown, and are predicted from those beside it.
        level: of both, in which the power below which a sound is silent is counted.
    """
    if len(new) > 1:
        pairs = zip(new.split(1), old.split(1), strict=True)
        return torch.cat([pasted(*pair, span, rate, predicted, level) for pair in pairs])
    first, last = span
    outside = torch.ones(old.shape[-1], dtype=torch.bool)
    outside[first:last] = False
    there = new[0, outside]
    # a power 80 dB below full scale: beside silence the new sound stays as it is
    little = 1e-8 * level**2 * (1 + len(there))
    loud = (old[:, outside] @ there + little) / (there.square().sum() + little)
    spread = loud[:, None] * new
    inside = spread[:, first:last].clone()
    fade = min(round(FADE * rate), (last - first) // 2)
    ramp = 1 - (torch.arange(fade) + 0.5) / max(1, fade)
    if first >= SHORTEST:
        gone = foretell(old[:, :first], fade) if predicted else old[:, first : first + fade]
        inside[:, :fade] = torch.lerp(inside[:, :fade], gone, ramp)
    if old.shape[-1] - last >= SHORTEST:
        gone = foretell(old[:, last:].flip(-1), fade).flip(-1) if predicted else old[:, last - fade : last]
        inside[:, last - first - fade :] = torch.lerp(inside[:, last - first - fade :], gone, ramp.flip(0))
    return torch.cat([old[:, :first], inside, old[:, last:]], -1)


def foretell(wave: Float[Tensor, "channels n"], samples: int) -> Float[Tensor, "channels samples"]:
    """Return the continuation of a sound by linear prediction: its tones ring on, and nothing new begins.

    Burg's method, whose predictors do not blow up (Burg 1975, "Maximum entropy spectral analysis", chapter 2).

    Args:
        wave: of `SHORTEST` samples or more, the last of which count.
        samples: to foretell.
    """
    past = wave[:, -MEMORY:].double()
    order = min(ORDER, past.shape[-1] // 3)
    ahead, behind = past[:, 1:], past[:, :-1]
    predictor = torch.ones(len(past), 1, dtype=past.dtype)
    for _ in range(order):
        power = (ahead.square() + behind.square()).sum(-1, keepdim=True)
        turn = -2 * (ahead * behind).sum(-1, keepdim=True) / power.clamp_min(1e-30)
        longer = F.pad(predictor, (0, 1))
        predictor = longer + turn * longer.flip(-1)
        ahead, behind = (ahead + turn * behind)[:, 1:], (behind + turn * ahead)[:, :-1]
    weights = -predictor[:, 1:].flip(-1)
    found = F.pad(past[:, -order:], (0, samples))
    for i in range(samples):
        found[:, order + i] = (weights * found[:, i : order + i]).sum(-1)
    return found[:, order:].to(wave)


def _new_share(known: Bool[Tensor, " n"], settings: MelSettings) -> Float[Tensor, " frames"]:
    """The share of each frame's window in which the samples are new."""
    return 1 - F.pad(known.float(), settings.margins, value=1.0).unfold(0, settings.window, settings.hop).mean(-1)


def _away(samples: int, span: tuple[int, int]) -> Float[Tensor, " n"]:
    """How many samples it is to the nearest joint of a span; infinitely many where a sound is all new."""
    places, (first, last) = torch.arange(samples, dtype=torch.float32), span
    behind = places - first if first else torch.full_like(places, math.inf)
    ahead = last - places if last < samples else torch.full_like(places, math.inf)
    return torch.minimum(behind, ahead)
