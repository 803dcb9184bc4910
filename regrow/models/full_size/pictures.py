"""Full-size picture checkpoints with random weights, built from the configs of single-file layouts."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from regrow.models.engines.network import Network
from regrow.models.single_files.layouts import Layout, layout

TOKENS = {"sd-1": 77, "sdxl": 77, "sd3.5-medium": 77 + 256, "flux-dev": 512}
"""Tokens of a prompt: CLIP's, and for Stable Diffusion 3 and FLUX those that their pipelines pass to T5."""
SIZES = 6
"""Numbers that Stable Diffusion XL is conditioned on: sizes and crop, in pixels."""


class _UNet(nn.Module):
    """A UNet with tensors in and a tensor out; Stable Diffusion XL's also takes a pooled embedding and sizes."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_t: Tensor, labels: Tensor, tokens: Tensor, *added: Tensor) -> Tensor:
        named = dict(zip(("text_embeds", "time_ids"), added, strict=True)) if added else None
        return self.network(x_t, labels, tokens, added_cond_kwargs=named, return_dict=False)[0]


class _StableDiffusion3(nn.Module):
    """Stable Diffusion 3's transformer, likewise."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_t: Tensor, labels: Tensor, tokens: Tensor, pooled: Tensor) -> Tensor:
        return self.network(x_t, tokens, pooled, labels, return_dict=False)[0]


class _Flux(nn.Module):
    """FLUX.1's transformer, likewise; latents become tokens of 2 x 2 cells."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_t: Tensor, labels: Tensor, tokens: Tensor, pooled: Tensor, guidance: Tensor) -> Tensor:
        from regrow.models.families.flux import packed, places_of

        height, width = (side // 2 for side in x_t.shape[2:])
        made = self.network(
            packed(x_t),
            encoder_hidden_states=tokens,
            pooled_projections=pooled,
            timestep=labels / 1000,
            img_ids=places_of(height, width).to(x_t.device),
            txt_ids=torch.zeros(tokens.shape[1], 3, device=x_t.device),
            guidance=guidance.float().flatten(),
            return_dict=False,
        )[0]
        return nn.functional.pixel_shuffle(made.transpose(1, 2).unflatten(2, (height, width)), 2)


@dataclass(frozen=True)
class PictureShape:
    """The parts of a picture checkpoint at their full size.

    Attributes:
        name: its name in requests.
        layout: its layout in `single_files.layouts`.
        part: the part that denoises.
        wrapped: wraps it as a module with tensors in and a tensor out.
        quantised: whether the network's weights have 4 bits (GGUF's Q4_0); other parts have the requested precision.
    """

    name: str
    layout: str
    part: str
    wrapped: Callable[[Any], nn.Module]
    quantised: bool = False

    def side(self, configs: Layout) -> int:
        """Return the latent cells along a side, at the size that it was made for."""
        vae = configs.configs["vae"]
        return vae["sample_size"] // 2 ** (len(vae["block_out_channels"]) - 1)

    def about(self, seconds: float) -> str:
        """Return the size of a call's result as text; `seconds` is ignored."""
        pixels = layout(self.layout).configs["vae"]["sample_size"]
        return f"{pixels} x {pixels} pixels"

    def latents(self, seconds: float) -> tuple[int, ...]:
        """Return channels and cells of a latent."""
        made = layout(self.layout)
        return made.configs["vae"]["latent_channels"], self.side(made), self.side(made)

    def network(self, dtype: torch.dtype, cells: int) -> Network:
        """Return the network that denoises latents of `cells` cells per side, with weights in memory."""
        module = self._module(dtype)
        weights = _count(module)  # packed weights are fewer numbers
        if self.quantised:
            _quantise(module, dtype)
        return self._network(_filled(module), cells, weights)

    def plain(self, dtype: torch.dtype, cells: int) -> Network:
        """Return the same network without weights and unquantised, so that torch can count its flops."""
        module = self._module(dtype)
        return self._network(module, cells, _count(module))

    def codec(self, dtype: torch.dtype) -> Any:
        """Return the codec, with weights in memory, in the memory layout of opened checkpoints."""
        from regrow.models.load_part import channels_last

        module = _filled(_skeleton(layout(self.layout), "vae", dtype))
        channels_last(module)
        return module

    def others(self) -> dict[str, int]:
        """Return the number of weights of each text encoder, by its name."""
        made = layout(self.layout)
        names = [name for name in made.classes if name.startswith("text_encoder")]
        return {name: _count(_skeleton(made, name, torch.float32)) for name in names}

    def _module(self, dtype: torch.dtype) -> Any:
        return _skeleton(layout(self.layout), self.part, dtype)

    def _network(self, module: Any, cells: int, weights: int) -> Network:
        condition, whole = _condition(self.layout, module.config), self.wrapped(module).eval()
        channels, name = self.latents(0)[0], f"{self.name}'s shape"
        return Network(name, "random 0", lambda: whole, lambda: condition, channels, (cells, cells), 0, weights)


def _condition(name: str, config: Any) -> tuple[Tensor, ...]:
    """Return a random condition for a network: tokens and what else it takes."""
    tokens = TOKENS[name]
    if name.startswith("sd3"):
        return torch.randn(1, tokens, config["joint_attention_dim"]), torch.randn(1, config["pooled_projection_dim"])
    if name.startswith("flux"):
        words = torch.randn(1, tokens, config["joint_attention_dim"])
        return words, torch.randn(1, config["pooled_projection_dim"]), torch.full((1, 1), 3.5)
    words = torch.randn(1, tokens, config["cross_attention_dim"])
    if config["addition_embed_type"] != "text_time":
        return (words,)
    pooled = config["projection_class_embeddings_input_dim"] - SIZES * config["addition_time_embed_dim"]
    return words, torch.randn(1, pooled), torch.ones(1, SIZES)


def _skeleton(made: Layout, part: str, dtype: torch.dtype) -> Any:
    """Return a part without weights; its buffers have their values."""
    from accelerate import init_empty_weights

    library = importlib.import_module("transformers" if part.startswith("text_encoder") else "diffusers")
    kind, config = getattr(library, made.classes[part]), dict(made.configs[part])
    known = library.__name__ == "diffusers"
    with init_empty_weights(include_buffers=False):
        module = kind.from_config(config) if known else kind(kind.config_class.from_dict(config))
    if not known:
        module.tie_weights()  # T5's token embedding is one matrix under two names
    return nn.Module.to(module, dtype).eval()  # diffusers' own `to` warns of modules to be kept in float32


def _filled(module: Any) -> Any:
    """Fill a skeleton's weights in place: norms are the identity, random matrices keep the activations' scale."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in [*module.named_parameters()]:
        if not parameter.is_meta:
            continue
        made = torch.empty(parameter.shape, dtype=parameter.dtype)
        if made.ndim > 1:
            made.uniform_(-1, 1, generator=generator).mul_((3 / made[0].numel()) ** 0.5)
        else:
            made.fill_(1.0 if name.endswith("weight") else 0.0)
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, nn.Parameter(made, requires_grad=False))
    return module


def _quantise(module: Any, dtype: torch.dtype) -> None:
    """Give a skeleton's linear layers random 4-bit weights as in GGUF's Q4_0: one float16 scale per 32 weights."""
    from diffusers.quantizers.gguf import utils
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    packed: Any = utils.GGUFParameter  # torch's types do not know its `__new__`
    kind = GGMLQuantizationType.Q4_0
    block, size = GGML_QUANT_SIZES[kind]
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Linear) and layer.in_features % block == 0:
            blocks = torch.randint(
                0, 256, (layer.out_features, layer.in_features // block, size), dtype=torch.uint8, generator=generator
            )
            # each weight is -8 to 7 times the scale
            scale = torch.tensor([0.2 / layer.in_features**0.5], dtype=torch.float16).view(torch.uint8)
            blocks[..., : len(scale)] = scale
            weights[f"{name}.weight"] = packed(blocks.flatten(1), quant_type=kind)
    utils._replace_with_gguf_linear(module, dtype, weights)
    for name, weight in weights.items():
        module.get_submodule(name.removesuffix(".weight")).weight = weight


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


PICTURES = {
    shape.name: shape
    for shape in (
        PictureShape("sd-1.5", "sd-1", "unet", _UNet),
        PictureShape("sdxl", "sdxl", "unet", _UNet),
        PictureShape("sd3.5-medium", "sd3.5-medium", "transformer", _StableDiffusion3),
        PictureShape("flux.1-q4", "flux-dev", "transformer", _Flux, quantised=True),
    )
}
"""The shapes by name: Stable Diffusion 1.5 (Rombach et al. 2022), XL (Podell et al. 2023) and 3.5 medium, and FLUX.1
[dev]."""
