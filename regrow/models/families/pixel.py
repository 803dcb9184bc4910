"""Networks that work on the pixels themselves, without words (Ho et al. 2020, arXiv 2006.11239).

A UNet2DModel in a DDPMPipeline or DDIMPipeline folder, or alone. Their pipelines clip x0 to [-1, 1] in every step
where the config says `clip_sample`; regrow does not, because a clipped step cannot be walked back.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from jaxtyping import Float, Int
from torch import Tensor

from regrow.models.folder import part_class, read_json, refuse_inputs, sample_size
from regrow.models.model import Condition, Model, ModelError
from regrow.models.part import load_part
from regrow.models.schedules import schedule_from_config

WEIGHTS = ("diffusion_pytorch_model", "diffusion_pytorch_model")


class PixelUNet(Model):
    """See `Model`. Its latents are the pictures."""

    def encode(self, pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        self.latent_shape(*pictures.shape[-2:])
        return pictures

    def decode(self, latents: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        return latents.clamp(-1, 1)

    def condition(self, prompts: Sequence[str]) -> Condition:
        """One empty condition a prompt.

        Raises:
            ValueError: a prompt says something.
        """
        for prompt in prompts:
            if prompt:
                raise ValueError(f"{self.name} takes no prompts; got {prompt!r}.")
        return Condition(torch.zeros(len(prompts), 0, 0))

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        return torch.zeros(len(prompts), 0, dtype=torch.long)

    def output(
        self, x_t: Float[Tensor, "b 3 h w"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b 3 h w"]:
        return self.unet(x_t, labels).sample


def open_pixel_unet(
    folder: Path, name: str, index: Mapping[str, Any] | None, allow_pickle: bool, dtype: torch.dtype
) -> PixelUNet:
    """Open a folder with `unet` and `scheduler`, or with the files of both beside each other.

    Args:
        folder: of the pipeline or of the network alone.
        name: for messages.
        index: the contents of `model_index.json`; None without one.
        allow_pickle: whether pickled weights may be read.
        dtype: of the network.

    Raises:
        ModelError: a part is missing, damaged or unknown.
    """
    files = []
    if index is not None:
        files.append(folder / "model_index.json")
        part_class(index, "unet", ("UNet2DModel",), files[0])
    # the oldest checkpoints have an index and yet no subfolders
    unet_folder = folder / "unet" if (folder / "unet").is_dir() else folder
    config_file = unet_folder / "config.json"
    config = read_json(config_file)
    refuse_inputs(config, config_file)
    size = sample_size(config, config_file)

    notes = ()
    scheduler_file = folder / "scheduler" / "scheduler_config.json"
    if not scheduler_file.parent.is_dir():
        scheduler_file = folder / "scheduler_config.json"
    if index is None and not scheduler_file.is_file():
        schedule, prediction_type = schedule_from_config({"_class_name": "DDPMScheduler"})
        notes = (f"{folder} says nothing of its noise schedule; regrow took the one of Ho et al. 2020 (DDPM).",)
    else:
        schedule, prediction_type = schedule_from_config(read_json(scheduler_file), scheduler_file)
        files.append(scheduler_file)

    unet, unet_files = load_part(UNet2DModel, unet_folder, dtype, allow_pickle, WEIGHTS)
    if not unet.config.in_channels == unet.config.out_channels == 3:
        raise ModelError(
            f"The network of {config_file} takes {unet.config.in_channels} channels and returns "
            f"{unet.config.out_channels}; regrow edits pictures of 3."
        )
    return PixelUNet(
        name=name,
        folder=folder,
        family="pixel-unet",
        schedule=schedule,
        prediction_type=prediction_type,
        size=size,
        multiple=2 ** (len(unet.config.block_out_channels) - 1),
        latent_channels=3,
        factor=1,
        files=(*files, *unet_files),
        notes=notes,
        unet=unet,
    )
