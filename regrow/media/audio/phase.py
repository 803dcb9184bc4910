"""Estimate the phase of a magnitude spectrogram: integrate its gradients, then make it consistent.

For a Gaussian window g(t) = exp(-pi t^2 / gamma) the phase of a short-time Fourier transform follows from the
logarithm s of its magnitude (Portnoff 1979; Prusa, Balazs & Sondergaard 2017, arXiv 1609.00291, eq. 12 and 13). With
hop a, window M, frame n and bin m, for frames whose phase counts from their first sample:

    dphi/dn =  (a M / gamma) ds/dm + 2 pi a m / M
    dphi/dm = -(gamma / (a M)) ds/dn - pi

`integrate` walks these gradients from the loudest cells to the quieter ones, as phase-gradient heap integration does
in its real-time form (Prusa & Sondergaard 2016, DAFx): a cell takes its phase from the frame before or from a
neighbour in its own frame, whichever was reached by the path whose quietest cell is loudest. In one frame that is a
widest path on a line, which needs no heap: the best way from below and the best from above are two scans with the
associative rule (reach, pass) * (reach', pass') = (max(reach', min(reach, pass')), min(pass, pass')), here for all
frames at once. What is left to do frame by frame is one gather.

`griffin_lim` then alternates between waves and magnitudes with momentum (Perraudin, Balazs & Sondergaard 2013).
"""

import math

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, spectrum

HANN = 0.25645
"""gamma of a Hann window, in squares of its length (Prusa et al. 2017, table 1)."""
MOMENTUM = 0.99
"""Of the accelerated Griffin-Lim: the largest that Perraudin et al. found to help."""

Magnitude = Float[Tensor, "b bins frames"]
Spectrum = Complex[Tensor, "b bins frames"]


def integrate(
    magnitude: Magnitude, settings: MelSettings, held: tuple[Magnitude, Bool[Tensor, " frames"]] | None = None
) -> Magnitude:
    """Return a phase, in radians, whose gradients are those that the magnitude asks for.

    Args:
        magnitude: of `media.mel.spectrum`, 0 or more.
        settings: that it was taken with.
        held: a phase that is known, and in which frames; the others go on from them.
    """
    scale = HANN * settings.window**2 / (settings.hop * settings.window)
    # relative to the loudest: what is 120 dB below it has no phase worth following
    quiet = 1e-6 * magnitude.amax((1, 2), keepdim=True).clamp_min(1e-12)
    log = magnitude.clamp_min(quiet).log()
    bins = torch.arange(log.shape[1], dtype=log.dtype, device=log.device)
    along = _slope(log, 1) / scale + (2 * math.pi * settings.hop / settings.window) * bins[:, None]
    across = -scale * _slope(log, 2) - math.pi
    step = torch.zeros_like(log)
    step[..., 1:] = (along[..., 1:] + along[..., :-1]) / 2
    climb = torch.zeros_like(log)
    climb[:, 1:] = (across[:, 1:] + across[:, :-1]) / 2
    climb = climb.cumsum(1)
    root = _roots(log)
    # from its root in the frame before: one step in time there, then up or down to the cell
    delta = torch.gather(step - climb, 1, root) + climb
    phase = torch.zeros_like(log)
    loudest = log[..., :1].argmax(1, keepdim=True)
    phase[..., 0] = (climb[..., :1] - torch.gather(climb[..., :1], 1, loudest))[..., 0]
    if held:
        phase = torch.where(held[1], held[0], phase)
    for n in range(1, log.shape[2]):
        if held is None or not held[1][n]:
            phase[..., n] = (torch.gather(phase[..., n - 1], 1, root[..., n]) + delta[..., n]) % (2 * math.pi)
    return phase


def _roots(log: Magnitude) -> Tensor:
    """For every cell the bin of the frame before that its phase comes from, by the widest path."""
    own = torch.full_like(log, -math.inf)
    own[..., 1:] = log[..., :-1]
    below, above = _reached(own, log), _reached(own.flip(1), log.flip(1)).flip(1)
    bins = torch.arange(log.shape[1], device=log.device)[:, None].expand_as(log)
    # the cell it was reached through; two neighbours are never reached through each other
    root = torch.where(below > torch.maximum(own, above), bins - 1, torch.where(above > own, bins + 1, bins))
    for _ in range(log.shape[1].bit_length()):
        root = torch.gather(root, 1, root)
    return root


def _reached(own: Magnitude, log: Magnitude) -> Magnitude:
    """How loud the quietest cell is on the best path to each cell from the bins before it; -inf for the first bin."""
    reach = torch.full_like(log, -math.inf)
    reach[:, 1:] = torch.minimum(own, log)[:, :-1]
    passing = torch.full_like(log, -math.inf)
    passing[:, 1:] = log[:, :-1]  # to enter a cell is to have come through its neighbour
    width = 1
    while width < log.shape[1]:
        come = torch.minimum(reach[:, :-width], passing[:, width:])
        reach = torch.cat([reach[:, :width], torch.maximum(come, reach[:, width:])], 1)
        ended = torch.minimum(passing[:, :-width], passing[:, width:])
        passing = torch.cat([torch.full_like(passing[:, :width], -math.inf), ended], 1)
        width *= 2
    return reach


def _slope(values: Magnitude, dim: int) -> Magnitude:
    """Central differences, one-sided at the ends."""
    return torch.gradient(values, dim=dim)[0] if values.shape[dim] > 1 else torch.zeros_like(values)


def griffin_lim(
    magnitude: Magnitude,
    phase: Magnitude,
    settings: MelSettings,
    iterations: int,
    held: tuple[Float[Tensor, "b n"], Bool[Tensor, " n"]] | None = None,
) -> Spectrum:
    """Return a spectrum of this magnitude that is nearly one of a wave.

    Args:
        magnitude: 0 or more.
        phase: to start from.
        settings: that it was taken with.
        iterations: of projection onto waves and onto the magnitude; 0 leaves the phase as it is.
        held: a wave that is known, and in which samples; they are put back in every iteration.
    """
    # frame after frame in memory, as the transforms want it, and as pairs of reals: complex arithmetic is slow here
    wanted = magnitude.transpose(1, 2).contiguous()
    estimate = torch.view_as_real(torch.polar(wanted, phase.transpose(1, 2).contiguous()))
    before = None
    for _ in range(iterations):
        wave = wave_of(torch.view_as_complex(estimate).transpose(1, 2), settings)
        if held:
            wave = torch.where(held[1], held[0], wave)
        found = torch.view_as_real(spectrum(wave, settings).transpose(1, 2).contiguous())
        pushed = found if before is None else torch.lerp(before, found, 1 + MOMENTUM)
        estimate = pushed * (wanted * pushed.square().sum(-1).clamp_min(1e-38).rsqrt())[..., None]
        before = found
    return torch.view_as_complex(estimate).transpose(1, 2)


def wave_of(found: Spectrum, settings: MelSettings) -> Float[Tensor, "b n"]:
    """Return the wave whose `media.mel.spectrum` is nearest to a spectrum in the least squares; n is frames times hop.

    Griffin & Lim 1984, eq. 6: overlap-added with the window, and divided by the sum of its squares.
    """
    window = torch.hann_window(settings.window, device=found.device)
    window = window * (2 / window.sum())
    frames = torch.fft.irfft(found.transpose(1, 2), settings.window) * window
    added = _overlapped(frames, settings.hop)
    weight = _overlapped(window.square().expand(1, frames.shape[1], -1), settings.hop)
    before, samples = settings.margins[0], frames.shape[1] * settings.hop
    inside = slice(before, before + samples)
    return added[:, inside] / weight[:, inside]


def _overlapped(frames: Float[Tensor, "b frames window"], hop: int) -> Float[Tensor, "b n"]:
    """The sum of frames laid out a hop apart."""
    batch, count, window = frames.shape
    parts = -(-window // hop)
    blocks = torch.nn.functional.pad(frames, (0, parts * hop - window)).unflatten(2, (parts, hop))
    whole = frames.new_zeros(batch, count + parts - 1, hop)
    for i in range(parts):
        whole[:, i : i + count] += blocks[:, :, i]
    return whole.flatten(1)
