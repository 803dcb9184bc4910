"""Full-size sound checkpoints with random weights, to measure cost, which does not depend on the weights."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from regrow.models.engines.network import Network
from regrow.models.shapes import filled

PROMPT_TOKENS = {"stable-audio-open": 128, "ace-step-1.5": 256}
"""Tokens of a prompt: the length that T5's are padded to, and the most that ACE-Step takes."""
LYRIC_TOKENS = 256
"""Tokens of lyrics, about two verses and a chorus; ACE-Step's checkpoint takes up to 2,048."""


@dataclass(frozen=True, eq=False)
class SoundShape:
    """The parts of a sound checkpoint at their full size.

    Attributes:
        name: its name in requests.
        rate: samples per second.
        factor: samples per latent cell.
        longest: most seconds that its network takes at once.
        network: makes the network for `(dtype, cells)`, which denoises `cells` latent cells.
        codec: makes the codec for a dtype; its `decode` takes latents `1 c cells`.
        channels: channels of a latent.
        others: returns the number of weights of each part that encodes prompts, by its folder.
    """

    name: str
    rate: int
    factor: int
    longest: float
    network: Callable[[torch.dtype, int], Network]
    codec: Callable[[torch.dtype], Any]
    channels: int
    others: Callable[[], dict[str, int]]

    def about(self, seconds: float) -> str:
        """Return the length of a call's result as text."""
        return f"{seconds:g} s"

    def latents(self, seconds: float) -> tuple[int, ...]:
        """Return channels and cells of a latent."""
        return self.channels, self.cells(seconds)

    def cells(self, seconds: float) -> int:
        """Return the latent cells of `seconds` seconds."""
        return math.ceil(seconds * self.rate / self.factor)


class _StableAudio(nn.Module):
    """Stable Audio's transformer with tensors in and a tensor out."""

    def __init__(self, network: Any, head: int) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, x_t: Tensor, labels: Tensor, tokens: Tensor, duration: Tensor) -> Tensor:
        from diffusers.models.embeddings import get_1d_rotary_pos_embed

        # in float32, as the pipeline makes it; the places are on the CPU, also where the rest is on the meta device
        places = x_t.shape[2] + duration.shape[1]
        rotary = get_1d_rotary_pos_embed(self.head // 2, places, use_real=True, repeat_interleave_real=False)
        return self.network(
            x_t,
            labels,
            encoder_hidden_states=tokens,
            global_hidden_states=duration,
            rotary_embedding=tuple(part.to(x_t.device) for part in rotary),
            return_dict=False,
        )[0]


class _AceStep(nn.Module):
    """ACE-Step's transformer with `b c cells` in and out, like all networks here."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_t: Tensor, labels: Tensor, tokens: Tensor, beside: Tensor) -> Tensor:
        return self.network(
            x_t.transpose(1, 2), labels, labels, encoder_hidden_states=tokens, context_latents=beside, return_dict=False
        )[0].transpose(1, 2)


def _stable_audio_network(dtype: torch.dtype, cells: int) -> Network:
    """Return 24 layers of 24 heads, the defaults of diffusers' class; conditioned on a prompt and two durations."""
    from diffusers.models.transformers.stable_audio_transformer import StableAudioDiTModel

    with torch.device("meta"):
        made = StableAudioDiTModel()
    config, tokens = made.config, PROMPT_TOKENS["stable-audio-open"] + 2
    condition = (
        torch.randn(1, tokens, config["cross_attention_input_dim"]),
        torch.randn(1, 1, config["global_states_input_dim"]),
    )
    return _network(
        "Stable Audio Open 1.0's shape", made, dtype, cells, condition,
        lambda transformer: _StableAudio(transformer, config["attention_head_dim"]), config["in_channels"],
    )  # fmt: skip


def _ace_step_network(dtype: torch.dtype, cells: int) -> Network:
    """Return 24 layers of width 2,048, the defaults of diffusers' class; conditioned on prompt, lyrics and source."""
    from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel

    with torch.device("meta"):
        made = AceStepTransformer1DModel(is_turbo=True)
    config = made.config
    latent = config["audio_acoustic_hidden_dim"]
    tokens = PROMPT_TOKENS["ace-step-1.5"] + LYRIC_TOKENS
    condition = (torch.randn(1, tokens, config["hidden_size"]), torch.randn(1, cells, config["in_channels"] - latent))
    return _network("ACE-Step 1.5's shape", made, dtype, cells, condition, _AceStep, latent)


def _network(
    name: str,
    made: Any,
    dtype: torch.dtype,
    cells: int,
    condition: tuple[Tensor, ...],
    wrapped: Callable[[Any], nn.Module],
    channels: int,
) -> Network:
    nn.Module.to(made, dtype)  # diffusers' own `to` warns of modules to be kept in float32, of which there are none
    weights = sum(parameter.numel() for parameter in made.parameters())
    module = wrapped(filled(made, 0))
    return Network(name, "random 0", lambda: module, lambda: condition, channels, (cells,), 1, weights)


def _oobleck(**settings: Any) -> Callable[[torch.dtype], Any]:
    """Return a wave codec with diffusers' defaults, which are Stable Audio Open's, and these changes."""

    def codec(dtype: torch.dtype) -> Any:
        from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck

        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # from torch, about diffusers' weight norm
            made = AutoencoderOobleck(**settings)
        return filled(nn.Module.to(made, dtype), 0)

    return codec


def _counted(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _stable_audio_others() -> dict[str, int]:
    """Count T5 base's encoder, and the projection of tokens and seconds."""
    from diffusers.pipelines.stable_audio.modeling_stable_audio import StableAudioProjectionModel
    from transformers import T5Config, T5EncoderModel

    with torch.device("meta"):
        words = T5EncoderModel(T5Config(d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12, vocab_size=32128))
        projected = StableAudioProjectionModel(768, 768, min_value=0, max_value=512)
    return {"text_encoder": _counted(words), "projection_model": _counted(projected)}


def _ace_step_others() -> dict[str, int]:
    """Count Qwen3 with 0.6 billion weights, and ACE-Step's own encoder of prompt, lyrics and timbre."""
    from diffusers.pipelines.ace_step.modeling_ace_step import AceStepConditionEncoder
    from transformers import Qwen3Config, Qwen3Model

    with torch.device("meta"):
        words = Qwen3Model(
            Qwen3Config(
                vocab_size=151_669, hidden_size=1024, intermediate_size=3072, num_hidden_layers=28,
                num_attention_heads=16, num_key_value_heads=8, head_dim=128,
            )
        )  # fmt: skip
        condition = AceStepConditionEncoder()
    return {"text_encoder": _counted(words), "condition_encoder": _counted(condition)}


SHAPES = {
    "stable-audio-open": SoundShape(
        "stable-audio-open", 44_100, 2048, 1024 * 2048 / 44_100, _stable_audio_network, _oobleck(), 64,
        _stable_audio_others,
    ),
    "ace-step-1.5": SoundShape(
        "ace-step-1.5", 48_000, 1920, 600.0, _ace_step_network,
        _oobleck(downsampling_ratios=[2, 4, 4, 6, 10], sampling_rate=48_000), 64, _ace_step_others,
    ),
}  # fmt: skip
"""The shapes by name: Stable Audio Open 1.0 (Evans et al. 2024, arXiv 2407.14358) and ACE-Step 1.5 (turbo and base) at
the defaults of diffusers' classes; ACE-Step has 1.6 billion weights for denoising and 1.2 billion for encoding
prompts."""
