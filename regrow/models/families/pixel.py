"""Unconditional networks on pixels (Ho et al. 2020, arXiv 2006.11239).

A UNet2DModel in a DDPMPipeline or DDIMPipeline folder, or alone. Their pipelines clip x0 to [-1, 1] in every step
where the config says `clip_sample`; regrow does not, because a clipped step cannot be inverted.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regrow.messages.message import say
from regrow.models.codecs.codec import Identity
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.folder import network_size, read_json
from regrow.models.model import Model
from regrow.models.registry import register
from regrow.models.schedules import schedule_from_config
from regrow.models.source import Source


@register(
    "pixel-unet",
    "pixel UNets (DDPMPipeline, DDIMPipeline, UNet2DModel)",
    pipelines=("DDPMPipeline", "DDIMPipeline"),
    parts={"": ("UNet2DModel",)},
)
class PixelUNet(Model):
    """See `Model`. Its latents are the pictures."""

    takes_words = False

    @classmethod
    def open(cls, source: Source) -> "PixelUNet":
        """Open a folder with `unet` and `scheduler`, or with the files of both in the folder itself."""
        folder, files = source.folder, []
        if source.index is not None:
            files.append(source.index_file)
            source.class_of("unet", "UNet2DModel")
        # the oldest checkpoints have an index, but no subfolders
        place = "unet" if (folder / "unet").is_dir() else ""
        config_file = folder / place / "config.json"
        size = network_size(config_file)

        notes = ()
        scheduler_file = folder / "scheduler" / "scheduler_config.json"
        if not scheduler_file.parent.is_dir():
            scheduler_file = folder / "scheduler_config.json"
        if source.index is None and not scheduler_file.is_file():
            schedule, prediction_type = schedule_from_config({"_class_name": "DDPMScheduler"})
            notes = (say("ddpm_schedule_assumed", folder=folder),)
        else:
            schedule, prediction_type = schedule_from_config(read_json(scheduler_file), scheduler_file)
            files.append(scheduler_file)

        parts, every, checked = source.parts({"unet": source.network("diffusers", "UNet2DModel", place)}, files)
        unet = parts.config("unet")
        if not unet["in_channels"] == unet["out_channels"] == 3:
            raise ModelError(
                say(
                    "pixel_network_channels_differ",
                    file=config_file,
                    taken=unet["in_channels"],
                    returned=unet["out_channels"],
                )
            )
        if checked is None:
            source.remember(parts, every)
        multiple = 2 ** (len(unet["block_out_channels"]) - 1)
        return cls(
            name=source.name,
            folder=folder,
            family="pixel-unet",
            schedule=schedule,
            prediction_type=prediction_type,
            size=size,
            multiple=multiple,
            parts=parts,
            codec=Identity(3),
            files=every,
            network_multiple=multiple,
            notes=notes,
        )

    def condition(self, prompts: Sequence[str]) -> Condition:
        """Return one empty condition per prompt.

        Raises:
            ValueError: a prompt is not empty.
        """
        for prompt in prompts:
            if prompt:
                raise ValueError(say("model_takes_no_prompts", name=self.name, prompt=prompt))
        return Condition(torch.zeros(len(prompts), 0, 0))

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        return torch.zeros(len(prompts), 0, dtype=torch.long)

    def encode_tokens(self, ids: Int[Tensor, "b tokens"]) -> Condition:
        return Condition(torch.zeros(len(ids), 0, 0))

    def forward(
        self, x_t: Float[Tensor, "b 3 h w"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b 3 h w"]:
        return self.parts["unet"](x_t, labels).sample
