"""diffusers' autoencoders as codecs: AutoencoderKL, of whose posterior the mean is taken, and AutoencoderTiny."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.models.codecs.codec import CodecEngine
from regrow.models.parts import Parts

AUTOENCODERS = ("AutoencoderKL", "AutoencoderTiny")


class Autoencoder:
    """A codec on one of a checkpoint's parts; see `Codec`.

    Args:
        parts: of the checkpoint.
        part: which of them.
        rounds: compute in bfloat16 where the engine does, when the codec is left to torch: 47 dB from float32, in half
            the time. Mels are not rounded: their range is 100 dB, and what is soft in them is audible.
    """

    def __init__(self, parts: Parts, part: str, rounds: bool) -> None:
        self.parts, self.rounds = parts, rounds
        self.tiny = parts.openers[part].kind == "AutoencoderTiny"  # which has no posterior
        self.part: str = part
        config = parts.config(part)
        self.latent_channels: int = config["latent_channels"]
        self.factor = 2 ** (len(config["block_out_channels"]) - 1)

    @torch.no_grad()
    def encode(
        self, frames: Float[Tensor, "b channels h w"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c y x"]:
        frames_in = frames.to(self.parts.device, self.parts.dtype)
        latents = engine.coded("encode", frames_in) if engine else None
        if latents is None:
            with self._rounded(engine):
                encoded = self.parts[self.part].encode(frames_in)
            latents = encoded.latents if self.tiny else encoded.latent_dist.mean
        scale, shift = self._scale_and_shift()
        return ((latents - shift) * scale).to(frames).contiguous()

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "b c y x"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels h w"]:
        scale, shift = self._scale_and_shift()
        unscaled = latents.to(self.parts.device, self.parts.dtype) / scale + shift
        decoded = engine.coded("decode", unscaled) if engine else None
        if decoded is None:
            with self._rounded(engine):
                decoded = self.parts[self.part].decode(unscaled).sample
        return decoded.clamp(-1, 1).to(latents).contiguous()

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.factor * cells for cells in places)

    def _rounded(self, engine: CodecEngine | None) -> torch.autocast:
        rounds = self.rounds and engine is not None and engine.name.endswith("bfloat16")
        return torch.autocast(self.parts.device.type, torch.bfloat16, enabled=rounds)

    def _scale_and_shift(self) -> tuple[float, float]:
        config = self.parts.config(self.part)
        return config["scaling_factor"], config.get("shift_factor") or 0.0
