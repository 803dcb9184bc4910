"""PixArt-Sigma, and PixArt-alpha, which is conditioned on sizes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from checkpoints import edit_json
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    PixArtAlphaPipeline,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
)
from jaxtyping import Float
from torch import Tensor

from tiny.encoders import picture_codec, t5_encoder, t5_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 16
BETAS = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}


@torch.no_grad()
def fitted(net: Any) -> Any:
    """Fit the last layer, by least squares, to the noise in its input; see `tame_networks.fitted`."""
    count = 128
    # little beside the positions, so that the last norm hardly bends them, and more than what conditions do to them
    net.pos_embed.proj.weight.mul_(0.2)
    for name, parameter in net.named_parameters():
        if "to_out" in name or "net.2" in name or "embedder.linear_2" in name:
            parameter.mul_(0.05)
    x0, eps, labels = torch.randn(count, 4, 8, 12), torch.randn(count, 4, 8, 12), torch.randint(900, 1000, (count,))
    x_t = DDIMScheduler(**BETAS).add_noise(x0, eps, labels)  # pyright: ignore[reportArgumentType]
    inputs: list[Tensor] = []
    hook = net.proj_out.register_forward_pre_hook(lambda module, arguments: inputs.append(arguments[0]))
    sizes: dict[str, Any] = {
        "resolution": torch.tensor([[16.0, 24.0]] * count),
        "aspect_ratio": torch.full((count, 1), 2 / 3),
    }
    net(x_t, 3 * torch.randn(count, 12, WIDTH), labels, sizes)
    hook.remove()
    features = inputs[0].flatten(0, 1).double()
    rows = torch.cat([features, torch.ones(len(features), 1)], 1)
    answers = eps.unflatten(2, (4, 2)).unflatten(4, (6, 2)).permute(0, 2, 4, 3, 5, 1).reshape(len(rows), -1).double()
    fit = torch.linalg.solve(rows.T @ rows + 1e-3 * torch.eye(rows.shape[1]), rows.T @ answers).float()
    noise = (torch.arange(net.out_channels) < 4).repeat(4)  # the other channels are the spread
    net.proj_out.weight[noise], net.proj_out.bias[noise] = fit[:-1].T, fit[-1]
    return net


def saved(folder: Path, kind: Any, **changes: Any) -> Path:
    words = t5_tokenizer(512)
    net = PixArtTransformer2DModel(
        num_attention_heads=6,
        attention_head_dim=8,
        cross_attention_dim=48,
        num_layers=2,
        in_channels=4,
        out_channels=8,
        caption_channels=WIDTH,
        **changes,
    )
    kind(
        tokenizer=words,
        text_encoder=t5_encoder(words, WIDTH, "gated-gelu"),
        vae=picture_codec(latent_channels=4, scaling_factor=0.13025),
        transformer=fitted(net),
        scheduler=DPMSolverMultistepScheduler(**BETAS),
    ).save_pretrained(folder, safe_serialization=True)
    edit_json(folder / "model_index.json", tokenizer=["transformers", "T5Tokenizer"])
    return folder


def pixart_sigma(folder: Path) -> Path:
    """Like PixArt-Sigma: 300 tokens of T5, learned spread, no sizes."""
    torch.manual_seed(33)
    return saved(folder, PixArtSigmaPipeline, sample_size=8, use_additional_conditions=False)


def pixart_alpha(folder: Path) -> Path:
    """Like PixArt-alpha for 1024 pixels: 120 tokens, sizes, files that call the network Transformer2DModel."""
    torch.manual_seed(34)
    saved(folder, PixArtAlphaPipeline, sample_size=128)
    edit_json(folder / "model_index.json", transformer=["diffusers", "Transformer2DModel"])
    edit_json(folder / "transformer" / "config.json", _class_name="Transformer2DModel")
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run PixArt by DDIM on a trailing grid that ends at alpha 1.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off.
        steps: evaluations.
        start: noise of the noisiest level.
    """
    kind: Any = PixArtAlphaPipeline if "alpha" in folder.name else PixArtSigmaPipeline
    pipe = loaded(kind, folder, start.dtype)
    pipe.scheduler = DDIMScheduler(**BETAS, timestep_spacing="trailing", set_alpha_to_one=True, clip_sample=False)
    return pipe(
        prompt=list(prompts),
        negative_prompt="" if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start,
        height=start.shape[2] * pipe.vae_scale_factor,
        width=start.shape[3] * pipe.vae_scale_factor,
        use_resolution_binning=False,
        output_type="latent",
    ).images


SHAPE = (2, 4, 8, 12)
TINY = {
    "pixart-sigma": Tiny(pixart_sigma, latents, SHAPE, empty_negative=True),
    # made for 128 x 128 latents, as those with sizes are: too many for the suite, so test_picture_dits.py compares it
    "pixart-alpha": Tiny(pixart_alpha, latents, SHAPE, empty_negative=True, shared=False),
}
