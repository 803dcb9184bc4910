"""Variants of Stable Diffusion's UNets: what their configs and schedulers say of how they are opened and sampled."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.models.condition import GUIDANCE, Condition
from regrow.models.families.shared.picture_beside import Instructed, PictureBeside
from regrow.models.folder import read_json
from regrow.models.model import Model
from regrow.models.own_settings import (
    CONSISTENCY,
    GUIDED_CONSISTENCY,
    SDXL,
    STABLE_DIFFUSION,
    OwnSettings,
    of_scheduler,
)
from regrow.models.parts import Parts
from regrow.models.vocabulary import WORDS_FILE


def kind_of(config_file: Path, plain: Any, inpainting: Any, instructed: Any) -> Any:
    """Return which of three classes opens a checkpoint, by the channels that its network takes below the latents.

    Args:
        config_file: of the network, whose latents are what it returns.
        plain: that takes none.
        inpainting: that takes a mask and latents.
        instructed: that takes latents.
    """
    network = read_json(config_file)
    taken, latents = network.get("in_channels", 4), network.get("out_channels", 4)
    if not isinstance(taken, int) or not isinstance(latents, int):  # which nothing can be made of, as it will say
        return plain
    return {2 * latents: instructed, 2 * latents + 1: inpainting}.get(taken, plain)


def channels_of(kind: Any, latent_channels: int) -> int:
    """Return how many channels the networks of a class take below latents of so many channels."""
    return kind.channels(latent_channels) if issubclass(kind, PictureBeside) else 0


def sampling_of(kind: Any, parts: Parts, scheduler_file: Path) -> dict[str, Any]:
    """Return what the fields `own` and `edit_steps` of a class are, where the scheduler or its makers say it."""
    own = of_scheduler(read_json(scheduler_file))
    if own == CONSISTENCY and takes_guidance(parts):
        own = GUIDED_CONSISTENCY
    if issubclass(kind, Instructed):
        return {}
    if own == OwnSettings():
        # a folder that regrow trained says which words it knows, and has the settings that were measured with those
        trained_here = (scheduler_file.parents[1] / WORDS_FILE).is_file()
        return {} if trained_here else {"own": SDXL if "text_encoder_2" in parts else STABLE_DIFFUSION}
    return {"own": own, "edit_steps": own.steps}


def takes_guidance(parts: Parts) -> bool:
    """Return whether a UNet takes guidance as an input, as latent consistency models do."""
    return parts.config("unet").get("time_cond_proj_dim") is not None


def without_guidance(model: Model, condition: Condition) -> Condition:
    """Return a condition with guidance 1 as an input, where the network takes it."""
    if not takes_guidance(model.parts):
        return condition
    return replace(condition, extra={**condition.extra, GUIDANCE: torch.ones(len(condition.tokens))})


def guidance_vector(model: Model, condition: Condition) -> Float[Tensor, "b dim"] | None:
    """Return guidance as a UNet takes it: a sinusoidal embedding of `guidance - 1`; None where it takes none.

    Its authors' w is 0 without guidance (Luo et al. 2023, arXiv 2310.04378, section 4.2).
    """
    if not takes_guidance(model.parts):
        return None
    from diffusers.models.embeddings import get_timestep_embedding

    width = model.parts.config("unet")["time_cond_proj_dim"]
    vector = get_timestep_embedding(condition.extra[GUIDANCE] - 1, width, downscale_freq_shift=1, scale=1000)
    return vector.to(condition.tokens)
