"""AudioLDM, AudioLDM 2 and MusicLDM."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import diffusers
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from checkpoints import livelier, unet
from diffusers import (
    AudioLDM2Pipeline,
    AudioLDM2ProjectionModel,
    AudioLDM2UNet2DConditionModel,
    AudioLDMPipeline,
    AutoencoderKL,
    DDIMScheduler,
    MusicLDMPipeline,
)
from jaxtyping import Float
from tame_networks import fitted
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor
from transformers import (
    ClapAudioConfig,
    ClapConfig,
    ClapModel,
    ClapTextConfig,
    ClapTextModelWithProjection,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaTokenizer,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
)

from tiny.encoders import t5_encoder, t5_tokenizer
from tiny.tiny import Tiny

BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.0015, "beta_end": 0.0195}
WORDS, T5_WIDTH, GPT_WIDTH = 16, 24, 32  # CLAP's tokens and vector, both 512 in the published files; the others' widths
CELLS, ROWS, CHANNELS = 16, 16, 8  # of a latent: 64 bands by 4


def tokenizer() -> RobertaTokenizer:
    """One token a letter, and one for "cat" after a space."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokens = [*special, *sorted(ByteLevel.alphabet()), "ca", "cat", "Ġcat", "<mask>"]
    return RobertaTokenizer(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=[("c", "a"), ("ca", "t"), ("Ġ", "cat")],
        model_max_length=WORDS,
    )


def clap_text(words: RobertaTokenizer) -> ClapTextConfig:
    return ClapTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=WORDS + 2,
        projection_dim=WORDS,
    )


def clap(words: RobertaTokenizer) -> ClapModel:
    sounds = ClapAudioConfig(
        spec_size=8,
        window_size=4,
        num_mel_bins=8,
        depths=[1, 1],
        num_attention_heads=[1, 1],
        hidden_size=32,
        projection_dim=WORDS,
        patch_size=2,
        patch_stride=2,
        patch_embeds_hidden_size=16,
    )
    config = ClapConfig(text_config=clap_text(words).to_dict(), audio_config=sounds.to_dict(), projection_dim=WORDS)
    return livelier(ClapModel(config), 4.0)  # pyright: ignore[reportReturnType]


def mel_codec() -> AutoencoderKL:
    return AutoencoderKL(
        in_channels=1,
        out_channels=1,
        block_out_channels=(4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=CHANNELS,
        norm_num_groups=4,
        scaling_factor=0.9227914214134216,
    )


def vocoder() -> SpeechT5HifiGan:
    """The published strides and kernels, which make 32 samples more than 160 a frame."""
    config = SpeechT5HifiGanConfig(
        model_in_dim=64,
        sampling_rate=16000,
        upsample_initial_channel=32,
        upsample_rates=[5, 4, 2, 2, 2],
        upsample_kernel_sizes=[16, 16, 8, 4, 4],
        normalize_before=False,
    )
    net = SpeechT5HifiGan(config)
    for parameter in net.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(std=parameter[0].numel() ** -0.5)
    return net


def scheduler() -> Any:
    return DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1)


@torch.no_grad()
def clear(net: Any) -> Any:
    """Let what a network predicts depend on each cell of the latent in a nearly straight line, so that noise is found.

    The noisiest level here has an alpha of 0.01: what is not found there is a hundred times as large in x0.
    """
    middle = net.conv_in.weight[:, :, 1, 1].clone()
    net.conv_in.weight.zero_()
    net.conv_in.weight[:, :, 1, 1] = middle
    net.conv_norm_out.weight.mul_(0.05)
    return net


def class_unet() -> Any:
    """A UNet whose class is CLAP's vector, beside the label; its second attention is to itself."""
    net = unet(
        CHANNELS,
        sample_size=CELLS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(32, 16),
        cross_attention_dim=(32, 16),
        class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=WORDS,
        class_embeddings_concat=True,
    )

    def run(x_t: Tensor, labels: Tensor) -> None:
        net(x_t, labels, None, class_labels=F.normalize(torch.randn(len(x_t), WORDS), dim=-1))

    return fitted(clear(net), (CHANNELS, CELLS, ROWS), BETAS, run, ridge=0.01)


def audioldm(folder: Path) -> Path:
    """Like AudioLDM: 8 channels of 64 bands by 4, epsilon, CLAP's text half."""
    torch.manual_seed(41)
    words = tokenizer()
    AudioLDMPipeline(
        vae=mel_codec(),
        text_encoder=livelier(ClapTextModelWithProjection(clap_text(words)), 4.0),  # pyright: ignore
        tokenizer=words,
        unet=class_unet(),
        scheduler=scheduler(),
        vocoder=vocoder(),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def musicldm(folder: Path) -> Path:
    """Like MusicLDM: the same with all of CLAP."""
    torch.manual_seed(42)
    words = tokenizer()
    MusicLDMPipeline(
        vae=mel_codec(),
        text_encoder=clap(words),
        tokenizer=words,
        feature_extractor=None,
        unet=class_unet(),
        scheduler=scheduler(),
        vocoder=vocoder(),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def audioldm2(folder: Path) -> Path:
    """Like AudioLDM 2: a self-attention more in each block, attention to GPT-2's 8 vectors, and to T5's words."""
    torch.manual_seed(43)
    words, words_2 = tokenizer(), t5_tokenizer(24)
    net: Any = AudioLDM2UNet2DConditionModel(
        sample_size=CELLS,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=(32, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=[[None, GPT_WIDTH, T5_WIDTH]] * 2,  # pyright: ignore[reportArgumentType]
        attention_head_dim=4,
        norm_num_groups=4,
    )

    def run(x_t: Tensor, labels: Tensor) -> None:
        generated, tokens = torch.randn(len(x_t), 8, GPT_WIDTH), torch.randn(len(x_t), 9, T5_WIDTH)
        net(x_t, labels, encoder_hidden_states=generated, encoder_hidden_states_1=tokens)

    AudioLDM2Pipeline(
        vae=mel_codec(),
        text_encoder=clap(words),
        text_encoder_2=livelier(t5_encoder(words_2, T5_WIDTH, "gated-gelu"), 2.0),  # pyright: ignore
        projection_model=AudioLDM2ProjectionModel(WORDS, T5_WIDTH, GPT_WIDTH),
        language_model=livelier(
            GPT2LMHeadModel(
                GPT2Config(vocab_size=8, n_positions=64, n_embd=GPT_WIDTH, n_layer=2, n_head=2, max_new_tokens=8)
            ),
            2.0,
        ),  # pyright: ignore
        tokenizer=words,
        tokenizer_2=words_2,
        feature_extractor=None,  # pyright: ignore
        unet=fitted(clear(livelier(net)), (CHANNELS, CELLS, ROWS), BETAS, run, ridge=0.01),
        scheduler=scheduler(),
        vocoder=vocoder(),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


@cache
def pipeline(kind: str, folder: Path, dtype: torch.dtype) -> Any:
    """Return diffusers' own, on a trailing grid."""
    pipe = getattr(diffusers, kind).from_pretrained(folder, local_files_only=True, feature_extractor=None).to(dtype)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
    pipe.set_progress_bar_config(disable=True)
    return pipe


def run(pipe: Any, guidance: float, steps: int, start: Float[Tensor, "b c rows cells"], **words: Any) -> Tensor:
    """Return the latents that a pipeline arrives at, with time last as regrow has it."""
    walked: list[Tensor] = []
    pipe(
        **words,
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start.mT.contiguous(),
        callback=lambda step, label, x: walked.append(x),
    )
    return walked[-1].mT


def latents(
    kind: str,
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c rows cells"],
) -> Float[Tensor, "b c rows cells"]:
    """Run AudioLDM or MusicLDM by DDIM on a trailing grid.

    Args:
        kind: the pipeline.
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off.
        steps: evaluations.
        start: noise of the noisiest level.
    """
    pipe = pipeline(kind, folder, start.dtype)
    if kind == "AudioLDMPipeline":
        chosen = None if negatives is None else list(negatives)
        return run(pipe, guidance, steps, start, prompt=list(prompts), negative_prompt=chosen)
    # MusicLDM's own encoding fails with transformers 5: AudioLDM's reads CLAP's text half from the same files
    half = ClapTextModelWithProjection.from_pretrained(folder / "text_encoder").to(start.dtype)  # pyright: ignore
    encoder = AudioLDMPipeline(pipe.vae, half, pipe.tokenizer, pipe.unet, pipe.scheduler, pipe.vocoder)
    vectors, away = (
        encoder._encode_prompt(list(texts), "cpu", 1, False) for texts in (prompts, negatives or [""] * len(prompts))
    )
    return run(pipe, guidance, steps, start, prompt_embeds=vectors, negative_prompt_embeds=away)


def latents_2(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c rows cells"],
) -> Float[Tensor, "b c rows cells"]:
    """Run AudioLDM 2 by DDIM on a trailing grid, on prompts that its pipeline has encoded one by one.

    Of several at once it fills up the words to the longest, and fills up or cuts negatives to that, which changes what
    GPT-2 makes of them.
    """
    pipe = pipeline("AudioLDM2Pipeline", folder, start.dtype)
    texts = [*prompts, *(negatives or [""] * len(prompts))]
    words, masks, generated = zip(*(pipe.encode_prompt([text], "cpu", 1, False) for text in texts), strict=True)
    longest = max(word.shape[1] for word in words)
    both = torch.cat([F.pad(word, (0, 0, 0, longest - word.shape[1])) for word in words])
    mask = torch.cat([F.pad(one, (0, longest - one.shape[1])) for one in masks])
    count = len(prompts)
    return run(
        pipe,
        guidance,
        steps,
        start,
        prompt_embeds=both[:count],
        attention_mask=mask[:count],
        generated_prompt_embeds=torch.cat(generated[:count]),
        negative_prompt_embeds=both[count:],
        negative_attention_mask=mask[count:],
        negative_generated_prompt_embeds=torch.cat(generated[count:]),
    )


SHAPE = (2, CHANNELS, ROWS, CELLS)
TINY = {
    "audioldm": Tiny(audioldm, partial(latents, "AudioLDMPipeline"), SHAPE, empty_negative=True),
    "musicldm": Tiny(musicldm, partial(latents, "MusicLDMPipeline"), SHAPE, empty_negative=True),
    "audioldm2": Tiny(audioldm2, latents_2, SHAPE, empty_negative=True),
}
