"""Tiny random checkpoints of Stable Diffusion XL, Stable Diffusion 3 and Stable Audio Open.

Every switch that changes what is computed stands as in the published files: class names, scheduler settings, padding,
activations, scaling. Only widths and depths are small. Nothing here needs the network.
"""

import json
from pathlib import Path
from typing import Any

import torch
from checkpoints import PROMPT_TOKENS, SD_BETAS, edit_json, livelier, text_encoder, tokenizer, unet
from diffusers import (
    AutoencoderKL,
    AutoencoderOobleck,
    EDMDPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
    StableDiffusion3Pipeline,
    StableDiffusionXLPipeline,
)
from tame_networks import TIME_IDS, calmer, fitted_to_noise
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

FIRST_WIDTH, SECOND_WIDTH = 16, 24  # of the two CLIP encoders, unequal as in the published files
COSINE = {
    "euler_at_final": False,
    "final_sigmas_type": "zero",
    "lower_order_final": True,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rho": 7.0,
    "sigma_data": 1.0,
    "sigma_max": 500,
    "sigma_min": 0.3,
    "sigma_schedule": "exponential",
    "solver_order": 2,
    "solver_type": "midpoint",
}
SOUND_LATENTS = 128  # latents of one place that a tiny Stable Audio is trained on; 1024 in the published one


def second_tokenizer() -> CLIPTokenizer:
    """OpenCLIP's, which pads with token 0 instead of the end of text."""
    words = tokenizer()
    words.pad_token = "!"
    return words


def clip_with_projection(words: CLIPTokenizer, width: int, act: str) -> CLIPTextModelWithProjection:
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=PROMPT_TOKENS,
        projection_dim=width,
        hidden_act=act,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return livelier(CLIPTextModelWithProjection(config), 3.0)  # pyright: ignore[reportReturnType]


def t5_tokenizer(tokens: int) -> T5Tokenizer:
    """T5's three first tokens, one token a letter, and one for " cat"."""
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁cat", -3.0)]
    vocabulary += [(letter, -4.0) for letter in letters]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=tokens)


def t5_encoder(words: T5Tokenizer, width: int, feed_forward: str) -> T5EncoderModel:
    config = T5Config(
        vocab_size=len(words),
        d_model=width,
        d_kv=8,
        d_ff=2 * width,
        num_layers=2,
        num_heads=2,
        feed_forward_proj=feed_forward,
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
    )
    return T5EncoderModel(config)


def picture_codec(**changes: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        sample_size=16,
        force_upcast=True,
        **changes,
    )


def sdxl(folder: Path) -> Path:
    """Like Stable Diffusion XL base 1.0: two encoders, pooled words and sizes, epsilon, an empty negative is zeros."""
    torch.manual_seed(21)
    words, words_2 = tokenizer(), second_tokenizer()
    net = unet(
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=FIRST_WIDTH + SECOND_WIDTH,
        attention_head_dim=[2, 4],
        transformer_layers_per_block=[1, 2],
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=SECOND_WIDTH + TIME_IDS * 8,
    )
    StableDiffusionXLPipeline(
        vae=picture_codec(latent_channels=4, scaling_factor=0.13025),
        text_encoder=text_encoder(words, FIRST_WIDTH),
        text_encoder_2=clip_with_projection(words_2, SECOND_WIDTH, "gelu"),
        tokenizer=words,
        tokenizer_2=words_2,
        unet=fitted_to_noise(net, FIRST_WIDTH + SECOND_WIDTH, SECOND_WIDTH),
        scheduler=EulerDiscreteScheduler(  # pyright: ignore[reportArgumentType]
            **SD_BETAS, timestep_spacing="leading", steps_offset=1, prediction_type="epsilon"
        ),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    ).save_pretrained(folder, safe_serialization=True)
    # the published file carries these from the scheduler it once was; EulerDiscreteScheduler does not read them
    edit_json(
        folder / "scheduler" / "scheduler_config.json",
        clip_sample=False,
        sample_max_value=1.0,
        set_alpha_to_one=False,
        skip_prk_steps=True,
    )
    return folder


def sd3(folder: Path, t5: bool = True) -> Path:
    """Like Stable Diffusion 3 medium: three encoders, flow with shift 3, MMDiT, 16 channels with a shifted mean."""
    torch.manual_seed(22)
    words, words_2, words_3 = tokenizer(), second_tokenizer(), t5_tokenizer(512)
    net = SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=FIRST_WIDTH + SECOND_WIDTH + 8,  # wider than both, so that there is padding as in 4096
        caption_projection_dim=32,
        pooled_projection_dim=FIRST_WIDTH + SECOND_WIDTH,
        out_channels=16,
        pos_embed_max_size=24,
    )
    codec = picture_codec(
        latent_channels=16, scaling_factor=1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False
    )
    third = t5_encoder(words_3, FIRST_WIDTH + SECOND_WIDTH + 8, "gated-gelu") if t5 else None
    StableDiffusion3Pipeline(
        transformer=calmer(net, 2.0, 0.08),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0),
        vae=codec,
        text_encoder=clip_with_projection(words, FIRST_WIDTH, "quick_gelu"),
        tokenizer=words,
        text_encoder_2=clip_with_projection(words_2, SECOND_WIDTH, "gelu"),
        tokenizer_2=words_2,
        text_encoder_3=third,  # pyright: ignore[reportArgumentType]
        tokenizer_3=words_3 if t5 else None,  # pyright: ignore[reportArgumentType]
    ).save_pretrained(folder, safe_serialization=True)
    if t5:
        edit_json(folder / "model_index.json", tokenizer_3=["transformers", "T5TokenizerFast"])
    return folder


def sd3_without_t5(folder: Path) -> Path:
    """Like Stable Diffusion 3 saved without its largest encoder, for which zeros stand in."""
    return sd3(folder, t5=False)


def stable_audio(folder: Path) -> Path:
    """Like Stable Audio Open 1.0: stereo at 44.1 kHz, latents of one place, v on a cosine, seconds as a condition."""
    torch.manual_seed(23)
    words, width = t5_tokenizer(128), 16
    net = StableAudioDiTModel(
        sample_size=SOUND_LATENTS,
        in_channels=8,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        num_key_value_attention_heads=2,
        out_channels=8,
        cross_attention_dim=width,
        time_proj_dim=16,
        global_states_input_dim=2 * width,
        cross_attention_input_dim=width,
    )
    codec = AutoencoderOobleck(
        encoder_hidden_size=16,  # twice the latent's channels: mean and spread
        downsampling_ratios=[4, 8, 8],
        channel_multiples=[1, 1, 2],
        decoder_channels=8,
        decoder_input_channels=8,
        audio_channels=2,
        sampling_rate=44100,
    )
    StableAudioPipeline(
        vae=codec,
        text_encoder=t5_encoder(words, width, "relu"),
        projection_model=StableAudioProjectionModel(width, width, min_value=0, max_value=512),
        tokenizer=words,
        transformer=calmer(net, 1.8, 0.2),
        scheduler=EDMDPMSolverMultistepScheduler(),
    ).save_pretrained(folder, safe_serialization=True)
    # the published class cannot be made without torchsde, which neither diffusers nor regrow brings
    kind = "CosineDPMSolverMultistepScheduler"
    edit_json(folder / "model_index.json", scheduler=["diffusers", kind], tokenizer=["transformers", "T5TokenizerFast"])
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps({"_class_name": kind, **COSINE}))
    return folder


FAMILIES = {"sdxl": sdxl, "sd3": sd3, "sd3-without-t5": sd3_without_t5, "stable-audio": stable_audio}
