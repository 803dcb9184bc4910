"""Draw a sound: its waveform, single samples, amplitude and phase over time and frequency, and its pitch."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Complex, Float
from PIL import Image, ImageDraw
from torch import Tensor

from regrow.media.audio.mel import as_picture
from regrow.media.image.picture import from_uint8

SIZE = (128, 512)
"""Height and width of a graph in pixels."""
PAPER, INK, FAINT = (255, 255, 255), (35, 70, 160), (220, 223, 228)
Picture = Float[Tensor, "3 h w"]


def waveform(wave: Float[Tensor, " n"]) -> Picture:
    """Amplitude over time: for each column the range that the samples in it go through; full scale is the height."""
    height, width = SIZE
    image, draw = _paper()
    edges = np.linspace(0, len(wave), width + 1).round().astype(int)
    values = wave.numpy()
    for x in range(width):
        first = min(edges[x], len(values) - 1)  # of few samples, each is seen in several columns
        part = values[first : max(edges[x + 1], first + 1)]
        low, high = (round((1 - float(v)) / 2 * (height - 1)) for v in (part.min(), part.max()))
        draw.line([(x, high), (x, low)], INK)
    return _picture(image)


def samples(wave: Float[Tensor, " n"], count: int = 64) -> tuple[Picture, int]:
    """The samples about the loudest one as they are, each a dot, scaled to the height; and the first one's number."""
    height, width = SIZE
    loudest = int(wave.abs().argmax())
    first = max(0, min(loudest - count // 2, len(wave) - count))
    values = wave[first : first + count]
    scaled = values / values.abs().max().clamp_min(1e-9)
    image, draw = _paper()
    for i, value in enumerate(scaled.tolist()):
        x = round((i + 0.5) * width / len(scaled))
        y = round((1 - 0.9 * value) / 2 * (height - 1))
        draw.line([(x, height // 2), (x, y)], FAINT)
        draw.ellipse([(x - 2, y - 2), (x + 2, y + 2)], INK)
    return _picture(image), first


def amplitude(found: Complex[Tensor, "bins frames"], floor: float) -> Picture:
    """Decibels over time and frequency, low below; the floor is black."""
    decibels = 20 * found.abs().clamp_min(10 ** (floor / 20)).log10()
    unit = (decibels - floor) * (2 / -floor) - 1
    return _fitted(as_picture(unit[None, None])[0])


def phase(found: Complex[Tensor, "bins frames"], floor: float) -> Picture:
    """Phase as a colour of the wheel, red at 0, as bright as the cell is loud."""
    share = (1 - 20 * found.abs().clamp_min(10 ** (floor / 20)).log10() / floor).clamp(0, 1)
    # counted from the middle of the frame, where neighbouring bins agree
    angle = found.angle() + math.pi * torch.arange(len(found))[:, None]
    wheel = torch.stack([(angle - k * 2 * math.pi / 3).cos() for k in range(3)])
    # not averaged where it shrinks: the mean of two phases is none
    return F.interpolate((((wheel + 1) / 2 * share) * 2 - 1).flip(-2)[None], size=SIZE, mode="nearest")[0]


def pitch_curve(hertz: Float[Tensor, " frames"], low: float, high: float) -> Picture:
    """Pitch over time on a logarithmic scale; frames without one (0) are left out, octaves of A are lines."""
    height, width = SIZE
    image, draw = _paper()

    def y_of(value: float) -> int:
        return round((1 - math.log(value / low) / math.log(high / low)) * (height - 1))

    for octave in range(-4, 6):
        if low < (line := 440 * 2.0**octave) < high:
            draw.line([(0, y_of(line)), (width, y_of(line))], FAINT)
    for i, value in enumerate(hertz.tolist()):
        if low <= value <= high:
            x = round((i + 0.5) * width / len(hertz))
            draw.rectangle([(x - 1, y_of(value) - 1), (x + 1, y_of(value) + 1)], INK)
    return _picture(image)


def pitch(
    wave: Float[Tensor, " n"], rate: int, low: float = 60.0, high: float = 1500.0, hop: int = 512
) -> Float[Tensor, " frames"]:
    """Return the pitch of each frame in Hz, 0 where there is none: of several notes at once the one that repeats best.

    YIN (de Cheveigne & Kawahara 2002, J. Acoust. Soc. Am. 111): the first dip of the cumulative mean normalised
    difference function below 0.15, with parabolic interpolation.
    """
    longest, shortest = int(rate / low), max(2, int(rate / high))
    window = longest
    if len(wave) < window + longest + 1:
        return torch.zeros(0)
    frames = wave.unfold(0, window + longest, hop)
    size = 1 << (2 * window + longest - 1).bit_length()
    head = torch.fft.rfft(frames[:, :window], size)
    product = torch.fft.irfft(head.conj() * torch.fft.rfft(frames, size), size)[:, : longest + 1]
    energy = F.pad(frames.square().cumsum(1), (1, 0))
    moving = energy[:, window : window + longest + 1] - energy[:, : longest + 1]
    difference = (energy[:, window : window + 1] + moving - 2 * product).clamp_min(0)
    lags = torch.arange(1, longest + 1)
    normal = difference[:, 1:] * lags / difference[:, 1:].cumsum(1).clamp_min(1e-9)
    found = torch.zeros(len(frames))
    loud = frames.square().mean(1) > 1e-7
    for i in torch.nonzero(loud).flatten().tolist():
        curve = normal[i]
        below = torch.nonzero(curve[shortest - 1 : -1] < 0.15).flatten()
        if not len(below):
            continue
        k = int(below[0]) + shortest - 1
        while k + 2 < len(curve) and curve[k + 1] < curve[k]:
            k += 1
        a, b, c = (float(curve[j]) for j in (max(k - 1, 0), k, k + 1))
        shift = 0.5 * (a - c) / (a - 2 * b + c) if a - 2 * b + c > 0 else 0.0
        found[i] = rate / (k + 1 + shift)
    return found


def _paper() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    height, width = SIZE
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    draw.line([(0, height // 2), (width, height // 2)], FAINT)
    return image, draw


def _picture(image: Image.Image) -> Picture:
    return from_uint8(np.asarray(image))


def _fitted(picture: Picture) -> Picture:
    return F.interpolate(picture[None], size=SIZE, mode="area")[0]
