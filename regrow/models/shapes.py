"""Networks shaped like public checkpoints, with random weights, to measure the cost of a call."""

from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from regrow.models.engines.network import Network

SIZES = 6
"""Numbers that Stable Diffusion XL is conditioned on: sizes and crop, in pixels."""


class _Plain(nn.Module):
    """A UNet with tensors in and a tensor out; Stable Diffusion XL's also takes a pooled embedding and sizes."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x_t: Tensor, labels: Tensor, tokens: Tensor, *added: Tensor) -> Tensor:
        named = dict(zip(("text_embeds", "time_ids"), added, strict=True)) if added else None
        return self.unet(x_t, labels, tokens, added_cond_kwargs=named, return_dict=False)[0]


def stable_diffusion_15(seed: int = 0) -> Network:
    """Return a UNet like Stable Diffusion 1.5's (Rombach et al. 2022, arXiv 2112.10752): 64 x 64 latents, 77 tokens."""
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)  # all else is diffusers' default
    return _network("Stable Diffusion 1.5's shape", filled(unet, seed), seed, 64, (torch.randn(1, 77, 768),))


def stable_diffusion_xl(dtype: torch.dtype, seed: int = 0) -> Network:
    """Return a UNet like Stable Diffusion XL's (Podell et al. 2023, arXiv 2307.01952): 128 x 128 latents, 77 tokens.

    Args:
        dtype: dtype of its 2.6 billion weights.
        seed: seed of the weights.
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
    nn.Module.to(unet, dtype)  # diffusers' own `to` warns of modules to be kept in float32, of which there are none
    condition = (torch.randn(1, 77, 2048), torch.randn(1, 2816 - SIZES * 256), torch.ones(1, SIZES))
    return _network("Stable Diffusion XL's shape", filled(unet, seed), seed, 128, condition)


def _network(name: str, unet: Any, seed: int, side: int, condition: tuple[Tensor, ...]) -> Network:
    module, multiple = _Plain(unet), 2 ** (len(unet.config.block_out_channels) - 1)
    weights = sum(parameter.numel() for parameter in unet.parameters())
    return Network(name, f"random {seed}", lambda: module, lambda: condition, 4, (side, side), multiple, weights)


def filled(unet: Any, seed: int) -> Any:
    """Fill the weights of a network on the meta device, and return it in eval mode.

    Norms are the identity, and random matrices keep the scale of activations.
    """
    unet = unet.to_empty(device="cpu").eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in unet.named_parameters():
        if parameter.ndim > 1:
            parameter.uniform_(-1, 1, generator=generator).mul_((3 / parameter[0].numel()) ** 0.5)
        else:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)
    return unet
