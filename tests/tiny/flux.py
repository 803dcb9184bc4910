"""FLUX.1: [dev], which takes guidance as an input, and [schnell], which has it in its weights."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from checkpoints import edit_json, text_encoder, tokenizer
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxFillPipeline,
    FluxKontextPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
)
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor, nn

from tiny.encoders import picture_codec, t5_encoder, t5_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 24  # of T5's vectors


def flux(folder: Path, guided: bool = True, channels: int = 64, pipeline: str = "FluxPipeline") -> Path:
    """Like FLUX.1 [dev]: packed latents of 16 channels, levels shifted by size, guidance as an input.

    Args:
        folder: that it is written into.
        guided: not so [schnell].
        channels: that the network takes.
        pipeline: that the index names.
    """
    torch.manual_seed(41)
    words, words_2 = tokenizer(), t5_tokenizer(512)
    net = FluxTransformer2DModel(
        in_channels=channels,
        out_channels=None if channels == 64 else 64,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=16,
        guidance_embeds=guided,
        axes_dims_rope=(4, 6, 6),
    )
    codec = picture_codec(
        latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False
    )
    FluxPipeline(
        transformer=calmer(net, 2.0, 0.3),
        scheduler=FlowMatchEulerDiscreteScheduler(
            num_train_timesteps=1000, shift=3.0 if guided else 1.0, use_dynamic_shifting=guided
        ),
        vae=codec,
        text_encoder=text_encoder(words),
        tokenizer=words,
        text_encoder_2=t5_encoder(words_2, WIDTH, "gated-gelu"),
        tokenizer_2=words_2,  # pyright: ignore[reportArgumentType]
    ).save_pretrained(folder, safe_serialization=True)
    index = {"tokenizer_2": ["transformers", "T5TokenizerFast"], "_class_name": pipeline}
    edit_json(folder / "model_index.json", **index)
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    kind: Any = FluxPipeline,
    **options: Any,
) -> Float[Tensor, "b c h w"]:
    """Run diffusers' pipeline, as it stands.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None and empty ones leave guidance to the network. With words, they are what true
            classifier-free guidance leads away from, and the network's own guidance is 1.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
        kind: of the pipeline.
        options: further arguments of the pipeline, as `max_sequence_length`.
    """
    pipe = loaded(kind, folder, start.dtype)
    away = negatives is not None and any(negatives)
    height, width = start.shape[2] * pipe.vae_scale_factor, start.shape[3] * pipe.vae_scale_factor
    packed = pipe(
        prompt=list(prompts),
        negative_prompt=list(negatives) if away else None,
        true_cfg_scale=guidance if away else 1.0,
        guidance_scale=1.0 if away else guidance,
        num_inference_steps=steps,
        latents=nn.functional.pixel_unshuffle(start, 2).flatten(2).transpose(1, 2),
        height=height,
        width=width,
        output_type="latent",
        **options,
    ).images
    return pipe._unpack_latents(packed, height, width, pipe.vae_scale_factor)


def led_away(pipe: Any, negatives: Sequence[str], guidance: float) -> Any:
    """Return a patch of the pipeline's network that answers as classifier-free guidance does."""
    words, pooled, _ = pipe.encode_prompt(list(negatives), None)
    plain: Callable[..., tuple[Tensor]] = pipe.transformer.forward

    def forward(**given: Any) -> tuple[Tensor]:
        away = plain(**given | {"encoder_hidden_states": words, "pooled_projections": pooled})[0]
        return (away + guidance * (plain(**given)[0] - away),)

    return mock.patch.object(pipe.transformer, "forward", forward)


def filled_in(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    frame: Float[Tensor, "1 3 h w"] | None = None,
    mask: Float[Tensor, "1 1 h w"] | None = None,
) -> Float[Tensor, "b c h w"]:
    """Fill in what a mask lets go of a picture, or all of a grey one; diffusers knows no negative words for it.

    The pipeline draws the masked picture's latents; the mean of what it draws from is taken here.
    """
    pipe = loaded(FluxFillPipeline, folder, start.dtype)
    away = negatives is not None and any(negatives)
    height, width = start.shape[2] * pipe.vae_scale_factor, start.shape[3] * pipe.vae_scale_factor
    frame = torch.zeros(1, 3, height, width) if frame is None else frame
    mask = torch.ones(1, 1, height, width) if mask is None else mask
    mean = mock.patch.object(DiagonalGaussianDistribution, "sample", lambda drawn, _: drawn.mode())
    with mean, led_away(pipe, negatives or [], guidance) if away else nullcontext():
        made = pipe(
            prompt=list(prompts),
            image=(frame + 1) / 2,
            mask_image=mask,
            guidance_scale=1.0 if away else guidance,
            num_inference_steps=steps,
            latents=nn.functional.pixel_unshuffle(start, 2).flatten(2).transpose(1, 2),
            height=height,
            width=width,
            output_type="latent",
        ).images
    return pipe._unpack_latents(made, height, width, pipe.vae_scale_factor)


SHAPE = (2, 16, 8, 8)
# pictures as they are, not in one of the sizes that the published checkpoint was trained on
FOLLOWED = partial(latents, kind=FluxKontextPipeline, max_area=16 * 16, _auto_resize=False)
KONTEXT = partial(flux, pipeline="FluxKontextPipeline")
FILL = partial(flux, channels=4 * (16 + 16 + 2 * 2), pipeline="FluxFillPipeline")
TINY = {
    "flux-fill": Tiny(FILL, filled_in, SHAPE, True, shared=False),
    "flux-kontext": Tiny(KONTEXT, FOLLOWED, SHAPE, True, shared=False),
    "flux": Tiny(flux, latents, SHAPE, True),
    "flux-schnell": Tiny(partial(flux, guided=False), partial(latents, max_sequence_length=256), SHAPE, guidance=1.0),
}
