"""Networks of the shapes of public checkpoints, with random weights: what a call costs does not depend on them."""

from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn

from regrow.models.engines.openvino import Network


def stable_diffusion_15(seed: int = 0) -> Network:
    """That of Stable Diffusion 1.5 (Rombach et al. 2022, arXiv 2112.10752), for latents of 64 x 64 and 77 tokens."""
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)  # the rest is diffusers' default
    return Network("Stable Diffusion 1.5's shape", f"random {seed}", filled(unet, seed), (64, 64), (77, 768))


def stable_diffusion_xl(dtype: torch.dtype, seed: int = 0) -> Network:
    """That of Stable Diffusion XL (Podell et al. 2023, arXiv 2307.01952), for latents of 128 x 128 and 77 tokens.

    Args:
        dtype: of its 2.6 billion weights.
        seed: of these.
    """
    made: Any = UNet2DConditionModel  # diffusers' own types are too narrow for its own checkpoints
    with torch.device("meta"):
        unet = made(
            sample_size=128,
            block_out_channels=(320, 640, 1280),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20),
            cross_attention_dim=2048,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        )
    nn.Module.to(unet, dtype)  # diffusers' own warns of modules to be kept in float32, of which there are none
    return Network("Stable Diffusion XL's shape", f"random {seed}", filled(unet, seed), (128, 128), (77, 2048))


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
