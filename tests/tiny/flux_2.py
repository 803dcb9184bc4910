"""FLUX.2: [dev], which takes guidance as an input, and [klein], undistilled and distilled."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from checkpoints import edit_json, livelier
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinKVPipeline,
    Flux2KleinPipeline,
    Flux2Pipeline,
    Flux2Transformer2DModel,
)
from jaxtyping import Float
from PIL import Image
from tame_networks import calmer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from transformers import (
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from regrow.media.image.picture import to_uint8
from tiny.encoders import qwen2_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 8  # of a layer of the text encoders
MISTRAL_CHAT = (
    "{{ bos_token }}{% for message in messages %}{% set said = message.content[0].text %}"
    "{% if message.role == 'system' %}[SYSTEM_PROMPT]{{ said }}[/SYSTEM_PROMPT]{% else %}[INST]{{ said }}[/INST]"
    "{% endif %}{% endfor %}"
)
QWEN_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def mistral_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, the control tokens of Mistral's chats, and padding on the left."""
    control = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[IMG]", "<pad>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
    tokens = [*control, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    words = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=[token for token in control if token.startswith("[")],
        padding_side="left",
    )
    made.chat_template = MISTRAL_CHAT
    return made


def mistral3(words: PreTrainedTokenizerFast) -> Mistral3ForConditionalGeneration:
    layers = {"num_attention_heads": 2, "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "head_dim": 4}
    text = {**layers, "model_type": "mistral", "vocab_size": len(words), "num_hidden_layers": 31}
    text |= {"num_key_value_heads": 1, "sliding_window": None, "max_position_embeddings": 4096}
    vision = {**layers, "model_type": "pixtral", "num_hidden_layers": 1, "patch_size": 14, "image_size": 28}
    config = Mistral3Config(text_config=text, vision_config=vision, image_token_index=5)  # pyright: ignore[reportCallIssue]
    return livelier(Mistral3ForConditionalGeneration(config), 3.0)  # pyright: ignore[reportReturnType]


def qwen3(words: Any) -> Qwen3ForCausalLM:
    config = Qwen3Config(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=4,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
    )
    return livelier(Qwen3ForCausalLM(config), 3.0)  # pyright: ignore[reportReturnType]


def network(guided: bool, sharp: float) -> Flux2Transformer2DModel:
    """A network whose queries and keys are longer than usual (`sharp`), so that a few of 512 tokens matter."""
    net = Flux2Transformer2DModel(
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=32,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guided,
    )
    for name, parameter in net.named_parameters():
        if "norm_" in name and name.endswith(("_q.weight", "_k.weight")):
            parameter.data.mul_(sharp)
    return calmer(net, 2.0, 0.3)


def codec() -> AutoencoderKLFlux2:
    made = AutoencoderKLFlux2(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=16,
    )
    assert made.bn.running_mean is not None
    assert made.bn.running_var is not None
    made.bn.running_mean.normal_(0, 0.3)
    made.bn.running_var.uniform_(0.5, 2)
    return made


def scheduler() -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True)


def flux_2(folder: Path) -> Path:
    """Like FLUX.2 [dev]. Its index names a processor, of which words need no more than the tokenizer."""
    torch.manual_seed(43)
    words = mistral_tokenizer()
    Flux2Pipeline(
        scheduler=scheduler(),
        vae=codec(),
        text_encoder=mistral3(words),
        tokenizer=words,
        transformer=network(True, 2.5),
    ).save_pretrained(folder, safe_serialization=True)
    edit_json(folder / "model_index.json", tokenizer=["transformers", "PixtralProcessor"])
    return folder


def flux_2_klein(folder: Path, distilled: bool, kind: str = "Flux2KleinPipeline") -> Path:
    """Like FLUX.2 [klein]: Qwen 3, no guidance as an input."""
    torch.manual_seed(44)
    words: Any = qwen2_tokenizer()
    words.padding_side, words.chat_template = "right", QWEN_CHAT
    Flux2KleinPipeline(
        scheduler=scheduler(),
        vae=codec(),
        text_encoder=qwen3(words),
        tokenizer=words,
        transformer=network(False, 2.0),
        is_distilled=distilled,
    ).save_pretrained(folder, safe_serialization=True)
    edit_json(folder / "model_index.json", tokenizer=["transformers", "Qwen2TokenizerFast"], _class_name=kind)
    return folder


@cache
def opened(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """Return diffusers' pipeline; of [dev] part by part, as its tokenizer's class needs torchvision, for pictures."""
    if kind is not Flux2Pipeline:
        return loaded(kind, folder, dtype)
    pipe = Flux2Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder, subfolder="scheduler"),
        vae=AutoencoderKLFlux2.from_pretrained(folder, subfolder="vae"),
        text_encoder=Mistral3ForConditionalGeneration.from_pretrained(folder, subfolder="text_encoder"),
        tokenizer=PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer"),
        transformer=Flux2Transformer2DModel.from_pretrained(folder, subfolder="transformer"),
    ).to(dtype)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def led_away(pipe: Any, negatives: Sequence[str], guidance: float) -> Any:
    """Return a patch of the pipeline's network that answers as classifier-free guidance does; diffusers has none."""
    words, ids = pipe.encode_prompt(list(negatives))
    plain: Callable[..., tuple[Tensor]] = pipe.transformer.forward

    def forward(**given: Any) -> tuple[Tensor]:
        away = plain(**given | {"encoder_hidden_states": words, "txt_ids": ids})[0]
        return (away + guidance * (plain(**given)[0] - away),)

    return mock.patch.object(pipe.transformer, "forward", forward)


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    kind: Any = Flux2Pipeline,
    frame: Float[Tensor, "1 3 h w"] | None = None,
) -> Float[Tensor, "b c h w"]:
    """Run diffusers' pipeline, which knows no negative prompts: with words, `led_away` from them.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None and empty ones leave guidance to the pipeline.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
        kind: of the pipeline.
        frame: the picture that is its reference, if there is one.
    """
    pipe = opened(kind, folder, start.dtype)
    guided = {} if kind is Flux2KleinKVPipeline else {"guidance_scale": guidance}
    shown = None if frame is None else Image.fromarray(to_uint8(frame[0]))
    away = negatives is not None and any(negatives)
    with led_away(pipe, negatives or [], guidance) if away else nullcontext():
        made = pipe(
            prompt=list(prompts),
            image=shown,
            **guided | ({"guidance_scale": 1.0} if away else {}),
            num_inference_steps=steps,
            latents=nn.functional.pixel_unshuffle(start, 2),
            height=start.shape[2] * pipe.vae_scale_factor,
            width=start.shape[3] * pipe.vae_scale_factor,
            output_type="latent",
        ).images
    if kind is Flux2Pipeline:  # packed, in the network's scale
        cells = made.transpose(1, 2).unflatten(2, (start.shape[2] // 2, start.shape[3] // 2))
    else:  # in the codec's scale
        mean, variance = (x.view(1, -1, 1, 1) for x in (pipe.vae.bn.running_mean, pipe.vae.bn.running_var))
        cells = (pipe._patchify_latents(made) - mean) / (variance + pipe.vae.config.batch_norm_eps).sqrt()
    return nn.functional.pixel_shuffle(cells, 2)


SHAPE = (2, 4, 8, 8)
KLEIN = partial(latents, kind=Flux2KleinPipeline)
KV = partial(flux_2_klein, distilled=True, kind="Flux2KleinKVPipeline")
TINY = {
    "flux-2": Tiny(flux_2, latents, SHAPE, True),
    "flux-2-klein": Tiny(partial(flux_2_klein, distilled=False), KLEIN, SHAPE, True),
    "flux-2-klein-distilled": Tiny(partial(flux_2_klein, distilled=True), KLEIN, SHAPE, guidance=1.0),
    "flux-2-klein-kv": Tiny(KV, partial(latents, kind=Flux2KleinKVPipeline), SHAPE, guidance=1.0, shared=False),
}
