"""Variants of Stable Diffusion's UNets: how they are opened and sampled, by their configs and schedulers."""

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
    """Return which of three classes opens a checkpoint, by the extra channels that its network takes.

    Args:
        config_file: the network's config; `out_channels` is the number of latent channels.
        plain: the class for none.
        inpainting: the class for a mask and latents.
        instructed: the class for latents.
    """
    network = read_json(config_file)
    taken, latents = network.get("in_channels", 4), network.get("out_channels", 4)
    if not isinstance(taken, int) or not isinstance(latents, int):  # opening it will then fail with a message
        return plain
    return {2 * latents: instructed, 2 * latents + 1: inpainting}.get(taken, plain)


def channels_of(kind: Any, latent_channels: int) -> int:
    """Return how many extra channels the networks of a class take, by the number of latent channels."""
    return kind.channels(latent_channels) if issubclass(kind, PictureBeside) else 0


def sampling_of(kind: Any, parts: Parts, scheduler_file: Path) -> dict[str, Any]:
    """Return the fields `own` and `edit_steps`, if the scheduler or the model's authors define them."""
    own = of_scheduler(read_json(scheduler_file))
    if own == CONSISTENCY and takes_guidance(parts):
        own = GUIDED_CONSISTENCY
    if issubclass(kind, Instructed):
        return {}
    if own == OwnSettings():
        # a folder that regrow trained lists its words; it keeps the defaults, which were measured on such models
        trained_here = (scheduler_file.parents[1] / WORDS_FILE).is_file()
        return {} if trained_here else {"own": SDXL if "text_encoder_2" in parts else STABLE_DIFFUSION}
    return {"own": own, "edit_steps": own.steps}


def takes_guidance(parts: Parts) -> bool:
    """Return whether a UNet takes guidance as an input, as latent consistency models do."""
    return parts.config("unet").get("time_cond_proj_dim") is not None


def without_guidance(model: Model, condition: Condition) -> Condition:
    """Return a condition with guidance 1 as an input, if the network takes one."""
    if not takes_guidance(model.parts):
        return condition
    return replace(condition, extra={**condition.extra, GUIDANCE: torch.ones(len(condition.tokens))})


def guidance_vector(model: Model, condition: Condition) -> Float[Tensor, "b dim"] | None:
    """Return guidance as a UNet takes it: a sinusoidal embedding of `guidance - 1`; None if it takes none.

    The paper's w is 0 without guidance (Luo et al. 2023, arXiv 2310.04378, section 4.2).
    """
    if not takes_guidance(model.parts):
        return None
    from diffusers.models.embeddings import get_timestep_embedding

    width = model.parts.config("unet")["time_cond_proj_dim"]
    vector = get_timestep_embedding(condition.extra[GUIDANCE] - 1, width, downscale_freq_shift=1, scale=1000)
    return vector.to(condition.tokens)
