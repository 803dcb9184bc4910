"""The network of singers: convolutions along time, conditioned in every frame on phone, pitch and level.

A denoiser of acoustic frames after DiffSinger (Liu et al. 2021, arXiv 2105.02446, section 3): an encoder of the score,
computed for every frame, and a stack of residual convolutions on the noisy frames, to which the score's features are
added. Its blocks are those of ConvNeXt (Liu et al. 2022, arXiv 2201.03545) in one dimension, scaled and shifted by the
level (FiLM: Perez et al. 2017, arXiv 1709.07871), with squared ReLU (So et al. 2021, arXiv 2109.08668) in place of
GELU, which took a sixth of a training step.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from jaxtyping import Float
from torch import Tensor, nn

SCORE = 6
"""Columns of a frame of a score: phone, frames since it began, frames until it ends, MIDI number, dB, singer."""
OPEN, ALL = 0.12, 0.5
"""Standard deviations of frames: given their score (roughly), and of all frames."""
WAVES = 4
"""Octaves of sines and cosines of the pitch, given to the network besides the pitch itself."""


class SingerNetwork(ModelMixin, ConfigMixin):
    """A network that predicts the flow of acoustic frames, given their score."""

    @register_to_config
    def __init__(
        self,
        rows: int = 127,
        phones: int = 46,
        singers: int = 2,
        width: int = 192,
        layers: int = 12,
        score_layers: int = 3,
        kernel: int = 7,
        expansion: int = 3,
    ) -> None:
        """Make an untrained network.

        Args:
            rows: rows of a frame, without the pitch.
            phones: number of phones, including silence.
            singers: number of singers.
            width: features of a frame.
            layers: blocks of the denoiser.
            score_layers: blocks of the score's encoder.
            kernel: frames of a convolution's kernel.
            expansion: factor of a block's inner width.
        """
        super().__init__()
        self.phone = nn.Embedding(phones, width)
        self.singer = nn.Embedding(singers, width)
        self.numbers = nn.Linear(5 + 2 * WAVES, width)
        self.score = nn.ModuleList(Block(width, kernel, expansion) for _ in range(score_layers))
        self.level = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.conv_in = nn.Linear(rows, width)
        self.blocks = nn.ModuleList(Block(width, kernel, expansion, width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.conv_out = nn.Linear(width, rows)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)

    def forward(
        self, x_t: Float[Tensor, "b rows frames"], level: Float[Tensor, " b"], score: Float[Tensor, "b frames columns"]
    ) -> Float[Tensor, "b rows frames"]:
        """Return the flow `eps - x0` of noisy frames.

        Args:
            x_t: `(1 - level) x0 + level eps`.
            level: noise level in [0, 1], 1 is noise.
            score: see `SCORE`.
        """
        features = self.encode(score)
        shift = self.level(_sines(level, self.config["width"]).to(x_t.dtype))
        h = self.conv_in(x_t.transpose(1, 2)) + features
        for block in self.blocks:
            h = block(h, shift)
        output = self.conv_out(self.norm(h)).transpose(1, 2)
        kept, made = (factor[:, None, None].to(x_t.dtype) for factor in _shares(level))
        return kept * x_t - made * output

    def encode(self, score: Float[Tensor, "b frames columns"]) -> Float[Tensor, "b frames width"]:
        """Return the score's features of each frame and its surroundings."""
        phone, since, left, pitch, loudness, singer = score.float().unbind(-1)
        high = (pitch - 60) / 12
        waves = [f(math.pi * 2**k * high) for k in range(WAVES) for f in (torch.sin, torch.cos)]
        share = since / (since + left).clamp_min(1)
        numbers = torch.stack([(1 + since).log(), (1 + left).log(), share, high, loudness / 12, *waves], -1)
        h = self.phone(phone.long()) + self.singer(singer.long()) + self.numbers(numbers.to(self.numbers.weight.dtype))
        for block in self.score:
            h = block(h)
        return h


class Block(nn.Module):
    """A residual block: each feature along time, then all features of each frame.

    Args:
        width: features of a frame.
        kernel: frames of the convolution's kernel.
        expansion: factor of its inner width.
        shift: width of the level's features, which scale and shift it (FiLM); 0 for none.
    """

    def __init__(self, width: int, kernel: int, expansion: int, shift: int = 0) -> None:
        super().__init__()
        self.along = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.shift = nn.Linear(shift, 2 * width) if shift else None
        self.wide = nn.Linear(width, expansion * width)
        self.back = nn.Linear(expansion * width, width)
        if self.shift is not None:
            nn.init.zeros_(self.shift.weight)
            nn.init.zeros_(self.shift.bias)

    def forward(
        self, h: Float[Tensor, "b frames width"], shift: Float[Tensor, "b shift"] | None = None
    ) -> Float[Tensor, "b frames width"]:
        """Return the features of the next block."""
        new = self.norm(self.along(h.transpose(1, 2)).transpose(1, 2))
        if self.shift is not None:
            assert shift is not None, "blocks of the denoiser are shifted by the level"
            scale, more = self.shift(shift)[:, None].chunk(2, -1)
            new = new * (1 + scale) + more
        return h + self.back(F.relu(self.wide(new)).square())


def _shares(level: Float[Tensor, " b"]) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
    """Return the factors of the noisy frames and of the network's output in the flow.

    Given their score, frames have the standard deviation r (`OPEN`), much less than the R (`ALL`) of all frames. So x0
    is predicted as k x_t + o F, where k x_t is the best linear estimate given the score, and the flow is (x_t - x0) /
    s: the noise bypasses the network (preconditioning: Karras et al. 2022, arXiv 2206.00364, section 5).

        k = r^2 (1 - s) / (r^2 (1 - s)^2 + s^2),   o = s R / sqrt(R^2 (1 - s)^2 + s^2)
    """
    s = level.float().clamp_min(1e-4)
    kept = OPEN**2 * (1 - s) / (OPEN**2 * (1 - s).square() + s.square())
    made = ALL / (ALL**2 * (1 - s).square() + s.square()).sqrt()
    return (1 - kept) / s, made


def _sines(level: Float[Tensor, " b"], width: int) -> Float[Tensor, "b width"]:
    """Return sines and cosines of a level, float32 (Vaswani et al. 2017, arXiv 1706.03762, section 3.5)."""
    rates = torch.exp(-math.log(10_000) * torch.arange(width // 2, device=level.device) / (width // 2))
    angles = 1000 * level.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)
