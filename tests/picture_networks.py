"""Tiny random checkpoints of the networks that measure pictures, in the layout of the published ones."""

from pathlib import Path
from typing import Any

import torch
from checkpoints import PROMPT_TOKENS, livelier, tokenizer
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig, ViTConfig, ViTModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil


def tiny_clip(folder: Path) -> Path:
    torch.manual_seed(5)
    words = tokenizer()
    text: Any = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=PROMPT_TOKENS, projection_dim=16, bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id,
    )  # fmt: skip
    vision: Any = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8,
        projection_dim=16,
    )  # fmt: skip
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=16)
    livelier(CLIPModel(config), 4.0).save_pretrained(folder)  # pyright: ignore
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def tiny_dino(folder: Path) -> Path:
    torch.manual_seed(6)
    config: Any = ViTConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=224, patch_size=32,
    )  # fmt: skip
    livelier(ViTModel(config), 8.0).save_pretrained(folder)  # pyright: ignore
    return folder
