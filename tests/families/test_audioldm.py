"""AudioLDM, AudioLDM 2 and MusicLDM beyond the shared suite: their mels, their waves, their levels, broken folders."""

import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from checkpoints import edit_json
from safetensors.torch import load_file, save_file
from tiny.audioldm import GPT_WIDTH, ROWS, T5_WIDTH, WORDS, pipeline, run
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig
from transformers.audio_utils import mel_filter_bank

import regrow
from regrow.core.noise import noise
from regrow.core.solvers import ddim, last, solve
from regrow.media.audio.sound import load, save
from regrow.models.codecs.vocoder import FLOOR, VocoderCodec, log_mel, mel_settings
from regrow.models.errors import ModelError
from regrow.models.folder import read_json
from regrow.models.open import open_model
from regrow.requests.extend import Extend
from regrow.requests.interpolate import Interpolate

RATE, HOP, WINDOW, BANDS = 16_000, 160, 1024, 64
VOCODER = {"sampling_rate": RATE, "upsample_rates": [5, 4, 2, 2, 2], "model_in_dim": BANDS}
Checkpoint = Callable[[str], Path]
KINDS = {"audioldm": "AudioLDMPipeline", "audioldm2": "AudioLDM2Pipeline"}
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def codec(checkpoint: Checkpoint) -> VocoderCodec:
    codec = open_model(checkpoint("audioldm")).codec
    assert isinstance(codec, VocoderCodec)
    return codec


def waves(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(seed)) / 8


def their_mel(wave: np.ndarray) -> np.ndarray:
    """HiFi-GAN's `mel_spectrogram` of one wave in float64, frame by frame, with librosa's filters written out."""
    mels = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), BANDS + 2)
    hertz = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mels - 15)))
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    weights = np.zeros((BANDS, len(bins)))
    for k in range(BANDS):
        low, peak, high = hertz[k : k + 3]
        rising, falling = (bins - low) / (peak - low), (high - bins) / (high - peak)
        weights[k] = np.clip(np.minimum(rising, falling), 0, None) * 2 / (high - low)
    margin, hann = (WINDOW - HOP) // 2, 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    mirrored = np.concatenate([wave[margin:0:-1], wave, wave[-2 : -margin - 2 : -1]])
    frames = [mirrored[i : i + WINDOW] * hann for i in range(0, len(wave), HOP)]
    return np.log(np.maximum(np.abs(np.fft.rfft(frames)) @ weights.T, 1e-5))


def test_mels_are_those_of_hifi_gan_and_librosa() -> None:
    settings, notes = mel_settings(VOCODER, Path("config.json"))
    assert (settings.window, settings.hop, settings.bands, settings.low, settings.high) == (1024, 160, 64, 0, 8000)
    assert not notes
    wave = waves(20 * HOP)
    ours = log_mel(wave, settings)
    assert ours.shape == (2, 1, 20, BANDS)
    for mine, one in zip(ours, wave, strict=True):
        np.testing.assert_allclose(mine[0].numpy(), their_mel(one[0].double().numpy()), atol=2e-4)


def test_a_sine_has_the_level_of_its_amplitude_and_silence_is_the_floor() -> None:
    """At the centre of a bin a sine of amplitude a has |X| = a * sum of the window / 2, and half that beside it."""
    settings, _ = mel_settings(VOCODER, Path("config.json"))
    weights = mel_filter_bank(513, BANDS, 0.0, 8000.0, RATE, norm="slaney", mel_scale="slaney")
    for place, amplitude in ((32, 0.5), (200, 0.01)):
        tone = amplitude * torch.sin(2 * torch.pi * place * torch.arange(40 * HOP) / WINDOW)
        expected = weights[place - 1 : place + 2].T @ (amplitude * WINDOW / 4 * np.array([0.5, 1, 0.5]))
        mel = log_mel(tone[None, None], settings)[0, 0, 20].exp()
        np.testing.assert_allclose(mel[expected > 0.01 * amplitude], expected[expected > 0.01 * amplitude], rtol=1e-3)
    assert (log_mel(torch.zeros(1, 1, 2 * HOP), settings) == np.float32(np.log(FLOOR))).all()


def test_waves_are_encoded_by_the_autoencoder_of_their_mels_with_time_last(codec: VocoderCodec) -> None:
    wave = waves(6 * codec.factor)
    latents = codec.encode(wave)
    assert latents.shape == (2, 8, ROWS, 6)
    vae = codec.parts["vae"]
    for mine, one in zip(latents, wave, strict=True):
        mel = torch.from_numpy(their_mel(one[0].double().numpy())).float()
        theirs = vae.encode(mel[None, None]).latent_dist.mean[0] * vae.config.scaling_factor
        torch.testing.assert_close(mine, theirs.mT, atol=2e-4, rtol=1e-4)
    decoded = codec.decode(latents)
    assert decoded.shape == wave.shape
    assert codec.extent_of(latents.shape[2:]) == wave.shape[2:]
    # the vocoder's kernels make 32 samples more, which are cut off
    mels = vae.decode(latents.mT / vae.config.scaling_factor).sample[:, 0]
    made = codec.parts["vocoder"](mels)
    assert made.shape[1] == wave.shape[2] + 32
    torch.testing.assert_close(decoded[:, 0], made[:, : wave.shape[2]])


@pytest.mark.parametrize("name", KINDS)
def test_waves_are_those_of_diffusers_own_pipeline_given_words(checkpoint: Checkpoint, name: str) -> None:
    """Both prompts have as many tokens, so diffusers' pipeline of AudioLDM 2 neither fills up nor cuts."""
    model, words, away = open_model(checkpoint(name)), ["a hat"], ["a fog"]
    x = noise(model.latent_shape(*model.extent), seeds=[3])
    pipe = pipeline(KINDS[name], checkpoint(name), x.dtype)
    theirs = run(pipe, 3.0, 10, x, prompt=words, negative_prompt=away)
    denoise = model.denoiser(model.condition(words), model.condition(away), 3.0)
    ours = last(solve(ddim, denoise, x, model.grid(10, shape=x.shape[1:])))
    assert (ours - theirs).abs().max() < 1e-4
    mels = pipe.vae.decode(theirs.mT / pipe.vae.config.scaling_factor).sample
    wave = pipe.mel_spectrogram_to_waveform(mels.detach())[:, : model.extent[0]]
    assert wave.std() > 0.01
    assert (model.decode(ours)[:, 0] - wave).abs().max() < 1e-3


def test_a_prompt_of_audioldm_2_does_not_depend_on_those_beside_it(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("audioldm2"))
    both, alone = model.condition(["a cat", "a long word"]), model.condition(["a cat"])
    assert both.tokens.shape[1] > alone.tokens.shape[1]
    assert torch.equal(both.extra["generated"][:1], alone.extra["generated"])
    assert both.mask is not None
    assert torch.equal(both.tokens[:1][both.mask[:1]], alone.tokens[0])
    assert torch.equal(model.condition(["a cat"]).extra["generated"], alone.extra["generated"])  # nothing is drawn


def test_a_quiet_file_is_brought_to_a_peak_of_one_half_and_back(checkpoint: Checkpoint, tmp_path: Path) -> None:
    model = open_model(checkpoint("audioldm"))
    loud, quiet = waves(8000)[0], waves(8000)[0] / 100
    levels = [model.sound.level_of(wave) for wave in (loud, quiet, torch.zeros(1, 9))]
    assert levels == [pytest.approx(float(loud.abs().max()) * 2), pytest.approx(levels[0] / 100), 1.0]
    edits = []
    for wave in (loud, quiet):
        save(tmp_path / "clip.wav", wave, RATE)
        edits.append(regrow.edit(tmp_path / "clip.wav", "a dog", source="a cat", model=model, steps=2))
        assert edits[-1].frame.content.abs().max() == pytest.approx(0.5, abs=1e-4)
    assert (edits[0].items[0] - 100 * edits[1].items[0]).abs().max() < 0.01 * edits[0].items[0].abs().max() + 1e-3


@pytest.mark.parametrize("name", ["audioldm", "audioldm2", "musicldm"])
def test_it_makes_sounds_of_any_length_goes_on_and_goes_between(
    checkpoint: Checkpoint, name: str, tmp_path: Path
) -> None:
    model = open_model(checkpoint(name))
    longer = 2.5 * model.extent[0] / RATE  # denoised in windows
    made = regrow.generate("a cat", model=model, steps=1, duration=longer)
    assert made.items[0].shape == (1, round(longer * RATE))
    (path,) = made.save(tmp_path / "cat.wav")
    assert regrow.replay(path).identical
    extended = regrow.extend(Extend(path, "a cat", after=0.2, steps=1), model=model)
    assert torch.equal(extended.items[0][:, slice(*extended.known)], load(path).wave)
    ends = Interpolate(str(path), str(path), ("a cat", "a dog"), 3, steps=1)
    between = regrow.interpolate(ends, model=model)
    assert [item.shape for item in between.items] == [made.items[0].shape] * 3


def test_other_rates_are_read_and_what_is_assumed_is_said(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("audioldm"), folder)
    edit_json(folder / "vocoder" / "config.json", sampling_rate=32_000)
    model = open_model(folder)
    assert model.sound.rate == 32_000
    said = f"{folder}/vocoder/config.json does not say how its mels were made: windows of 2048 samples and all "
    assert model.notes == (said + "frequencies were assumed.",)


def test_a_language_model_of_the_older_class_is_the_same(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder, weights = tmp_path / "model", Path("language_model") / "model.safetensors"
    shutil.copytree(checkpoint("audioldm2"), folder)
    edit_json(folder / "model_index.json", language_model=["transformers", "GPT2Model"])
    inner = {name.removeprefix("transformer."): tensor for name, tensor in load_file(folder / weights).items()}
    save_file(
        {name: tensor for name, tensor in inner.items() if "lm_head" not in name}, folder / weights, {"format": "pt"}
    )
    old, new = (open_model(path).condition(["a cat"]) for path in (folder, checkpoint("audioldm2")))
    assert torch.equal(old.extra["generated"], new.extra["generated"])


CASES = {
    "a vae of pictures": (
        "audioldm",
        "vae",
        {"in_channels": 3, "out_channels": 3},
        "takes 3 channels and returns 3, but a vae of mels takes and returns 1",
    ),
    "other latents": ("audioldm", "unet", {"in_channels": 4, "out_channels": 4}, "but its codec makes 8"),
    "another vector": (
        "audioldm",
        "unet",
        {"projection_class_embeddings_input_dim": 8},
        f"takes a text vector of 8 numbers, but its text encoder makes {WORDS}: the two are not of the same model",
    ),
    "attention to words": (
        "musicldm",
        "unet",
        {"cross_attention_dim": 24},
        "attends to single words, which AudioLDM's does not",
    ),
    "a class beside words": (
        "audioldm2",
        "unet",
        {"num_class_embeds": 4},
        "has num_class_embeds 4: regrow does not support networks with this input",
    ),
    "another projection": (
        "audioldm2",
        "projection_model",
        {"text_encoder_1_dim": 8},
        f"(CLAP, T5, GPT-2), but its parts make ({WORDS}, {T5_WIDTH}, {GPT_WIDTH}): they are not of the same",
    ),
    "another attention": (
        "audioldm2",
        "unet",
        {"cross_attention_dim": [[None, GPT_WIDTH, 8]] * 2},
        f"attends to vectors of [None, {GPT_WIDTH}, 8] numbers, but its text encoders make [None, "
        f"{GPT_WIDTH}, {T5_WIDTH}]: they are not of the same model",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_parts_that_are_not_of_one_model(checkpoint: Checkpoint, tmp_path: Path, case: str) -> None:
    name, part, changes, said = CASES[case]
    folder = tmp_path / "model"
    shutil.copytree(checkpoint(name), folder)
    config = read_json(folder / part / "config.json")
    kind = getattr(diffusers, config["_class_name"])
    kind.from_config({**config, **changes}).save_pretrained(folder / part)
    refused(folder, said)


def refused(folder: Path, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(folder)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "part", "kind", "said"),
    [
        ("audioldm2", "text_encoder_2", "VitsModel", "is a VitsModel: regrow supports T5EncoderModel."),
        ("audioldm2", "language_model", "OPTModel", "is a OPTModel: regrow supports GPT2LMHeadModel and GPT2Model."),
        ("musicldm", "text_encoder", "BertModel", "is a BertModel: regrow supports ClapModel."),
        ("audioldm", "vocoder", "BigVGAN", "is a BigVGAN: regrow supports SpeechT5HifiGan."),
    ],
)
def test_parts_of_other_classes(
    checkpoint: Checkpoint, tmp_path: Path, name: str, part: str, kind: str, said: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint(name), folder)
    edit_json(folder / "model_index.json", **{part: ["transformers", kind]})
    refused(folder, f"The {part} in {folder}/model_index.json {said}")


def test_vocoders_of_no_mels(checkpoint: Checkpoint, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    with pytest.raises(
        ModelError, match=r"describes a vocoder for mels that regrow cannot make: .* hop must be at most"
    ):
        mel_settings({**VOCODER, "upsample_rates": [8, 8, 16]}, file)
    with pytest.raises(
        ModelError, match=r"vocoder for mels that regrow cannot make: \d+ of 512 mel bands hold no frequency"
    ):
        mel_settings({**VOCODER, "model_in_dim": 512}, file)
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("audioldm"), folder)
    config = SpeechT5HifiGanConfig.from_pretrained(folder / "vocoder", model_in_dim=62)
    SpeechT5HifiGan(config).save_pretrained(folder / "vocoder")
    refused(folder, "takes 62 bands, which its vae cannot divide by 4: the two are not of the same model")
