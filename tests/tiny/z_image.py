"""Z-Image, and Z-Image-Turbo, which has guidance in its weights."""

from collections.abc import Sequence
from pathlib import Path

import torch
from checkpoints import livelier
from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
from jaxtyping import Float
from torch import Tensor

from tiny.encoders import picture_codec, qwen2_tokenizer, qwen3_encoder
from tiny.tiny import Tiny, loaded

WIDTH = 16
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""As of Qwen3 where thinking is on."""


def z_image(folder: Path, shift: float = 6.0) -> Path:
    """Like Z-Image: Qwen3's words but the last layer's, refiners, patches of 2, flow with shift 6."""
    torch.manual_seed(31)
    words = qwen2_tokenizer()
    words.chat_template = CHAT
    net = ZImageTransformer2DModel(
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[4, 6, 6],
        axes_lens=[1024, 32, 32],
    )
    livelier(net, 3.0)
    for name, parameter in net.named_parameters():
        if "norm_q" in name:  # sharper attention, else a prompt is little beside its chat
            parameter.data.mul_(4)
    # else what diffusers rounds in its levels, in float32, shows
    net.get_parameter("t_embedder.mlp.0.weight").data.mul_(0.05)
    net.get_parameter("all_final_layer.2-1.linear.weight").data.mul_(0.6)
    ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=shift),
        vae=picture_codec(
            latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        text_encoder=qwen3_encoder(words, WIDTH),
        tokenizer=words,  # pyright: ignore[reportArgumentType]
        transformer=net,
    ).save_pretrained(folder, safe_serialization=True)  # fmt: skip
    return folder


def z_image_turbo(folder: Path) -> Path:
    """Like Z-Image-Turbo: the same with shift 3, by which it is known."""
    return z_image(folder, 3.0)


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run Z-Image by its own scheduler and its own sigmas.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off; one more than the pipeline's.
        steps: evaluations.
        start: pure noise.
    """
    pipe = loaded(ZImagePipeline, folder, start.dtype)
    return pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance - 1,
        num_inference_steps=steps,
        latents=start,
        height=start.shape[2] * pipe.vae_scale_factor,
        width=start.shape[3] * pipe.vae_scale_factor,
        output_type="latent",
    ).images


def turbo_latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run Z-Image-Turbo: `latents` without guidance, whatever is asked for."""
    return latents(folder, prompts, None, 1.0, steps, start)


SHAPE = (2, 16, 8, 12)
TINY = {
    "z-image": Tiny(z_image, latents, SHAPE, empty_negative=True),
    "z-image-turbo": Tiny(z_image_turbo, turbo_latents, SHAPE, guidance=1.0),
}
