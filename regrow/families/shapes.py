"""Networks of the shapes of public checkpoints, with random weights: what a call costs does not depend on them."""

from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from regrow.families.openvino import Network


def stable_diffusion_15(seed: int = 0) -> Network:
    """That of Stable Diffusion 1.5 (Rombach et al. 2022, arXiv 2112.10752), for latents of 64 x 64 and 77 tokens."""
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)  # the rest is diffusers' default
    return Network("Stable Diffusion 1.5's shape", f"random {seed}", filled(unet, seed), (64, 64), (77, 768))


def filled(unet: Any, seed: int) -> Any:
    """A network on the meta device brought into memory, in eval mode: norms that only norm, and weights that keep the
    size of what passes through them."""
    unet = unet.to_empty(device="cpu").eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in unet.named_parameters():
        if parameter.ndim > 1:
            parameter.uniform_(-1, 1, generator=generator).mul_((3 / parameter[0].numel()) ** 0.5)
        else:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)
    return unet
