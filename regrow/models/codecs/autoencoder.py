"""diffusers' autoencoders as codecs: AutoencoderKL (its posterior's mean), AutoencoderTiny and AutoencoderDC."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.models.codecs.codec import CodecEngine
from regrow.models.folder import check_number
from regrow.models.parts import Parts

AUTOENCODERS = ("AutoencoderKL", "AutoencoderTiny")
DEEP = "AutoencoderDC"
"""The deep compression autoencoder (Chen et al. 2024, arXiv 2410.10733)."""


class Autoencoder:
    """A codec on one of a checkpoint's parts; see `Codec`.

    Args:
        parts: the checkpoint's parts.
        part: name of the autoencoder.
        rounds: whether torch also computes it in bfloat16 when the engine does: 47 dB from float32, in half the time.
            Not for mels: they range over 100 dB, where rounding is audible.
        upcasts: whether to compute in float32 when the model is in float16 and the part's config says `force_upcast`:
            Stable Diffusion XL's activations overflow float16, and its pictures would be black.
    """

    def __init__(self, parts: Parts, part: str, rounds: bool, upcasts: bool = False) -> None:
        self.parts, self.rounds = parts, rounds
        kind = parts.openers[part].kind
        self.tiny = kind == "AutoencoderTiny"  # which has no posterior
        self.deep = kind == DEEP  # nor has this
        self.part: str = part
        config = parts.config(part)
        where = parts.openers[part].files[0]
        if "scaling_factor" in config:
            check_number(config, "scaling_factor", where, 0)
        check_number({"shift_factor": config.get("shift_factor") or 0}, "shift_factor", where)
        self.latent_channels: int = config["latent_channels"]
        self._upcasts = upcasts and bool(config.get("force_upcast"))
        blocks = "encoder_block_out_channels" if self.deep or self.tiny else "block_out_channels"
        self.factor = 2 ** (len(config[blocks]) - 1)

    @torch.no_grad()
    def encode(
        self, frames: Float[Tensor, "b channels h w"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c y x"]:
        frames_in = frames.to(self.parts.device, self._dtype)
        latents = engine.coded("encode", frames_in) if engine else None
        if latents is None:
            with self._rounded(engine):
                encoded = self._network().encode(frames_in)
            latents = encoded.latent if self.deep else encoded.latents if self.tiny else encoded.latent_dist.mean
        scale, shift = self._scale_and_shift()
        return ((latents - shift) * scale).to(frames).contiguous()

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "b c y x"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels h w"]:
        scale, shift = self._scale_and_shift()
        unscaled = latents.to(self.parts.device, self._dtype) / scale + shift
        decoded = engine.coded("decode", unscaled) if engine else None
        if decoded is None:
            with self._rounded(engine):
                decoded = self._network().decode(unscaled).sample
        return decoded.clamp(-1, 1).to(latents).contiguous()

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.factor * cells for cells in places)

    def _rounded(self, engine: CodecEngine | None) -> torch.autocast:
        rounds = self.rounds and engine is not None and engine.name.endswith("bfloat16")
        return torch.autocast(self.parts.device.type, torch.bfloat16, enabled=rounds)

    @property
    def _dtype(self) -> torch.dtype:
        return torch.float32 if self._upcasts and self.parts.dtype == torch.float16 else self.parts.dtype

    def _network(self) -> Any:
        network = self.parts[self.part]
        # stays in float32, which holds its float16 weights exactly
        return network if network.dtype == self._dtype else torch.nn.Module.to(network, dtype=self._dtype)

    def _scale_and_shift(self) -> tuple[float, float]:
        config = self.parts.config(self.part)
        return config["scaling_factor"], config.get("shift_factor") or 0.0
