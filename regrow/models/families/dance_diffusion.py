"""Dance Diffusion (Harmonai): an unconditional UNet on waves (DanceDiffusionPipeline).

A UNet1DModel predicts v on a cosine schedule (`core.crash`), for stereo clips of `sample_size` samples at `sample_rate`
Hz; longer ones are denoised in windows. diffusers samples it by IPNDMScheduler, whose first-order step is

    eps = sigma x_t + alpha v,   x0 = (x_t - sigma eps) / alpha = alpha x_t - sigma v

which is regrow's for v. Only at t = 1, where alpha is 0, do they differ: there diffusers divides 0 by 1e-8, so x0 is
always 0; here it is -v, as in Harmonai's own sampler.
"""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.messages.message import say
from regrow.models.codecs.codec import Identity
from regrow.models.codecs.wave import WaveFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.pixel import PixelUNet
from regrow.models.folder import read_json
from regrow.models.own_settings import OwnSettings
from regrow.models.registry import register
from regrow.models.schedules import schedule_from_config
from regrow.models.source import Source

SHORTEST = 3
"""Cells that the padding of the deepest layer needs; diffusers' pipeline refuses fewer, too."""


@register(
    "dance-diffusion",
    "Dance Diffusion (DanceDiffusionPipeline)",
    pipelines=("DanceDiffusionPipeline",),
    parts={"unet": ("UNet1DModel",)},
    medium=SOUND,
)
class DanceDiffusion(PixelUNet):
    """See `Model`. Its latents are the waves; its only part is `unet`."""

    engine_graph = False
    trainable = False

    @classmethod
    def open(cls, source: Source) -> "DanceDiffusion":
        """Open a folder with `unet` and `scheduler`."""
        scheduler_file = source.folder / "scheduler" / "scheduler_config.json"
        # its pipeline turns any other scheduler into this one
        config = {**read_json(scheduler_file), "_class_name": "IPNDMScheduler"}
        schedule, prediction_type = schedule_from_config(config, scheduler_file)
        changes = _time_width(read_json(source.folder / "unet" / "config.json"))
        parts, files, checked = source.parts(
            {"unet": source.part("unet", "diffusers", "UNet1DModel", changes=changes)},
            (source.index_file, scheduler_file),
        )
        network = parts.config("unet")
        if checked is None:
            _check_network(source, network)
            source.remember(parts, files)
        return cls(
            name=source.name,
            folder=source.folder,
            family="dance-diffusion",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(network["in_channels"], network["sample_size"]),
            multiple=_multiple(network),
            parts=parts,
            codec=Identity(network["in_channels"]),
            files=files,
            waves=WaveFrames(network["sample_rate"], network["in_channels"]),
            own=OwnSettings(steps=100, guidance=1.0),
        )

    @property
    def extent(self) -> tuple[int, ...]:
        return (self.size[1],)

    def latent_shape(self, *extent: int) -> tuple[int, ...]:
        """Return channels and samples.

        Raises:
            ValueError: the samples are not a multiple of `multiple`, or too few.
        """
        least = SHORTEST * self.multiple
        if extent[-1] < least:
            raise ValueError(
                say(
                    "sound_too_short_for_model",
                    name=self.name,
                    least=least / self.sound.rate,
                    given=extent[-1] / self.sound.rate,
                )
            )
        return super().latent_shape(*extent)

    def forward(
        self, x_t: Float[Tensor, "b c n"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c n"]:
        return self.parts["unet"](x_t, labels).sample


def _multiple(network: Mapping[str, Any]) -> int:
    """Return how many samples a cell of the deepest layer spans."""
    return 2 ** len(network["up_block_types"])


def _time_width(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the width of the time embedding if an older config leaves it out.

    diffusers used 16 when these checkpoints were published; diffusers 0.42 uses twice the first block's channels, and
    then the weights do not fit. The embedding is concatenated with the wave in the first block, so its width is
    `extra_in_channels`.
    """
    if config.get("time_embedding_dim") is None and config.get("extra_in_channels"):
        return {"time_embedding_dim": config["extra_in_channels"]}
    return {}


def _check_network(source: Source, network: Mapping[str, Any]) -> None:
    where = source.folder / "unet" / "config.json"
    rate, size, channels = (network[name] for name in ("sample_rate", "sample_size", "in_channels"))
    if not isinstance(rate, int) or rate < 1:
        raise ModelError(say("sample_rate_missing", where=where, rate=rate))
    if channels != network["out_channels"] or channels not in (1, 2):
        raise ModelError(
            say("network_channels_no_sound", where=where, channels=channels, returned=network["out_channels"])
        )
    multiple = _multiple(network)
    if not isinstance(size, int) or size % multiple or size < SHORTEST * multiple:
        raise ModelError(
            say("sample_size_wrong_for_waves", where=where, shortest=SHORTEST, multiple=multiple, size=size)
        )
    beside = network["time_embedding_type"] == "fourier" and network["down_block_types"][0] == "DownBlock1DNoSkip"
    if network["use_timestep_embedding"] or not beside or network["extra_in_channels"] != network["time_embedding_dim"]:
        raise ModelError(say("unet_is_not_dance_diffusion", where=where))
