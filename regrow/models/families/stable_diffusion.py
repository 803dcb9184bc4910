"""Stable Diffusion 1.x and 2.x (Rombach et al. 2022, arXiv 2112.10752), and small models of their layout.

A UNet on latents, told of the prompt through the last layer of a CLIP text encoder. The codec is AutoencoderKL,
of whose posterior the mean is taken, or AutoencoderTiny, which has no posterior.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from jaxtyping import Float, Int
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from regrow.models.folder import part_class, read_json, reason, refuse_inputs, sample_size
from regrow.models.mel_file import MEL_FILE, read_mel
from regrow.models.model import Condition, Model, ModelError
from regrow.models.part import channels_last, load_part, quiet
from regrow.models.piano_roll_file import PIANO_ROLL_FILE, read_piano_roll
from regrow.models.probes.transcriber import FILE as TRANSCRIBER_FILE
from regrow.models.schedules import schedule_from_config

CODECS = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}
DIFFUSERS_WEIGHTS = ("diffusion_pytorch_model", "diffusion_pytorch_model")
TRANSFORMERS_WEIGHTS = ("model", "pytorch_model")


class StableDiffusion(Model):
    """See `Model`. `codec`, `text_encoder` and `tokenizer` are always there."""

    @torch.no_grad()
    def encode(self, pictures: Float[Tensor, "b channels h w"]) -> Float[Tensor, "b c y x"]:
        self.latent_shape(*pictures.shape[-2:])
        pictures_in = pictures.to(self.device, self.dtype)
        latents = self.engine.coded("encode", pictures_in) if self.engine else None
        if latents is None:
            with self._rounded():
                encoded = self.codec.encode(pictures_in)
            latents = encoded.latents if isinstance(self.codec, AutoencoderTiny) else encoded.latent_dist.mean
        scale, shift = self._scale_and_shift()
        return ((latents - shift) * scale).to(pictures).contiguous()

    @torch.no_grad()
    def decode(self, latents: Float[Tensor, "b c y x"]) -> Float[Tensor, "b channels h w"]:
        scale, shift = self._scale_and_shift()
        unscaled = latents.to(self.device, self.dtype) / scale + shift
        decoded = self.engine.coded("decode", unscaled) if self.engine else None
        if decoded is None:
            with self._rounded():
                decoded = self.codec.decode(unscaled).sample
        return decoded.clamp(-1, 1).to(latents).contiguous()

    def _rounded(self) -> torch.autocast:
        """A codec of pictures that is left to torch computes in bfloat16 where the engine does: 47 dB from float32, in
        half the time.

        Mels are not rounded: their range is 100 dB, and what is soft in them is heard.
        """
        rounds = self.engine is not None and self.mel is None and self.engine.name.endswith("bfloat16")
        return torch.autocast(self.device.type, torch.bfloat16, enabled=rounds)

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Token ids, cut and padded to the text encoder's length; cut words are named in a warning."""
        return self._tokenized(prompts)["input_ids"]

    def condition(self, prompts: Sequence[str]) -> Condition:
        """Encode prompts, one a sample; words beyond the text encoder's length are cut and named in a warning."""
        tokenized = self._tokenized(prompts).to(self.device)
        masked = getattr(self.text_encoder.config, "use_attention_mask", False)
        mask = tokenized["attention_mask"] if masked else None
        with torch.no_grad():
            return Condition(self.text_encoder(tokenized["input_ids"], attention_mask=mask).last_hidden_state)

    def output(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        return self.unet(x_t, labels, condition.tokens.to(x_t)).sample

    def _scale_and_shift(self) -> tuple[float, float]:
        config = self.codec.config
        return config.scaling_factor, getattr(config, "shift_factor", None) or 0.0

    def _tokenized(self, prompts: Sequence[str]) -> Any:
        length = min(self.tokenizer.model_max_length, self.text_encoder.config.max_position_embeddings)
        for prompt in prompts:
            ids = self.tokenizer(prompt, verbose=False).input_ids
            if len(ids) > length:
                cut = self.tokenizer.decode(ids[length - 1 : -1]).strip()
                warnings.warn(
                    f"{self.name} reads {length - 2} tokens of a prompt; these words were cut: {cut}", stacklevel=3
                )
        return self.tokenizer(
            list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )


def open_stable_diffusion(
    folder: Path, name: str, index: Mapping[str, Any], allow_pickle: bool, dtype: torch.dtype
) -> StableDiffusion:
    """Open a folder with `unet`, `vae`, `text_encoder`, `tokenizer` and `scheduler`.

    Args:
        folder: with a `model_index.json`.
        name: for messages.
        index: the contents of that file.
        allow_pickle: whether pickled weights may be read.
        dtype: of the modules.

    Raises:
        ModelError: a part is missing, damaged, unknown, or does not fit the others.
    """
    where = folder / "model_index.json"
    part_class(index, "unet", ("UNet2DConditionModel",), where)
    part_class(index, "text_encoder", ("CLIPTextModel",), where)
    part_class(index, "tokenizer", ("CLIPTokenizer", "CLIPTokenizerFast"), where)
    codec_class = CODECS[part_class(index, "vae", tuple(CODECS), where)]
    unet_config_file = folder / "unet" / "config.json"
    unet_config = read_json(unet_config_file)
    refuse_inputs(unet_config, unet_config_file)
    height, width = sample_size(unet_config, unet_config_file)
    scheduler_file = folder / "scheduler" / "scheduler_config.json"
    schedule, prediction_type = schedule_from_config(read_json(scheduler_file), scheduler_file)

    tokenizer, tokenizer_files = _load_tokenizer(folder / "tokenizer")
    text_encoder, text_files = load_part(
        CLIPTextModel, folder / "text_encoder", dtype, allow_pickle, TRANSFORMERS_WEIGHTS
    )
    codec, codec_files = load_part(codec_class, folder / "vae", dtype, allow_pickle, DIFFUSERS_WEIGHTS)
    channels_last(codec)  # on CPUs with AVX-512 it encodes 1.7 times as fast
    unet, unet_files = load_part(UNet2DConditionModel, folder / "unet", dtype, allow_pickle, DIFFUSERS_WEIGHTS)
    piano_roll = read_piano_roll(folder)
    factor = 2 ** (len(codec.config.block_out_channels) - 1)
    note_channels = piano_roll.channels(factor) if piano_roll else 0
    _check_parts(folder, note_channels, unet.config, codec.config, text_encoder.config, len(tokenizer))
    mel = read_mel(folder, codec.config.in_channels, (height * factor, width * factor))
    heard = () if mel is None else (folder / MEL_FILE,)
    if piano_roll is not None:
        heard += (folder / PIANO_ROLL_FILE, *(path for path in (folder / TRANSCRIBER_FILE,) if path.is_file()))
    return StableDiffusion(
        name=name,
        folder=folder,
        family="stable-diffusion",
        schedule=schedule,
        prediction_type=prediction_type,
        size=(height * factor, width * factor),
        multiple=factor,
        latent_channels=codec.config.latent_channels,
        factor=factor,
        files=(where, scheduler_file, *heard, *tokenizer_files, *text_files, *codec_files, *unet_files),
        unet=unet,
        codec=codec,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        mel=mel,
        piano_roll=piano_roll,
    )


def _check_parts(folder: Path, note_channels: int, unet: Any, codec: Any, text_encoder: Any, words: int) -> None:
    if not unet.in_channels - note_channels == unet.out_channels == codec.latent_channels:
        beside = f" and its {PIANO_ROLL_FILE} says {note_channels} more" if note_channels else ""
        raise ModelError(
            f"The unet in {folder} takes {unet.in_channels} channels and returns {unet.out_channels}, but its codec "
            f"makes {codec.latent_channels}{beside}; inpainting and depth models are not supported."
        )
    if unet.cross_attention_dim != text_encoder.hidden_size:
        raise ModelError(
            f"The unet in {folder} reads text vectors of {unet.cross_attention_dim} numbers, but its text_encoder "
            f"makes {text_encoder.hidden_size}; the two are not of the same model."
        )
    if words > text_encoder.vocab_size:
        raise ModelError(
            f"The tokenizer in {folder} has {words} tokens, but its text_encoder knows {text_encoder.vocab_size}; "
            "the two are not of the same model."
        )


def _load_tokenizer(folder: Path) -> tuple[CLIPTokenizer, tuple[Path, ...]]:
    files = tuple(path for path in sorted(folder.glob("*")) if path.suffix in (".json", ".txt"))
    names = {path.name for path in files}
    if "tokenizer.json" not in names and not {"vocab.json", "merges.txt"} <= names:
        missing = "vocab.json" if "vocab.json" not in names else "merges.txt"
        raise ModelError(f"{folder / missing} is missing; without it this model cannot be opened.")
    for path in files:
        if path.suffix == ".json":
            read_json(path)
    try:
        with quiet():
            return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True), files
    except Exception as error:  # transformers raises whatever the files' contents break
        raise ModelError(f"{folder} makes no tokenizer ({reason(error)}); copy or download it again.") from error
