"""Low-rank adapters (Hu et al. 2021, arXiv 2106.09685) on a denoiser's attention, by peft and diffusers."""

from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin
from diffusers.utils.state_dict_utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils.save_and_load import get_peft_model_state_dict

ADAPTER = "default"


def add_lora(unet: Any, rank: int, seed: int) -> None:
    """Freeze a denoiser and put adapters of this rank on its attention; they start as the identity.

    Args:
        unet: a denoiser of diffusers.
        rank: 1 or more; the adapters' alpha is the same, so their scale is 1.
        seed: seed of the adapters' A matrices; their B matrices are 0.
    """
    unet.requires_grad_(False)
    config = LoraConfig(
        r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=["to_k", "to_q", "to_v", "to_out.0"]
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        unet.add_adapter(config, adapter_name=ADAPTER)


def save_and_merge_lora(unet: Any, folder: Path) -> None:
    """Write the adapters as `pytorch_lora_weights.safetensors`, which diffusers loads, and add them to the weights."""
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet, adapter_name=ADAPTER))
    StableDiffusionLoraLoaderMixin.save_lora_weights(folder, unet_lora_layers=layers)
    unet.fuse_lora(adapter_names=[ADAPTER])
    unet.unload_lora()
