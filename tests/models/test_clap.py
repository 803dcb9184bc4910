"""CLAP's figures on a tiny random checkpoint: what is compared with what, and the distance's own equation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    ClapAudioConfig,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapTextConfig,
    RobertaTokenizer,
)

from regrow.models.errors import ModelError
from regrow.models.probes.clap import Clap, open_clap

RATE = 22_050


def tiny_clap(folder: Path) -> Path:
    """Like laion's: HTSAT and RoBERTa, of the smallest widths."""
    torch.manual_seed(3)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocabulary = {token: i for i, token in enumerate([*special, *sorted(ByteLevel.alphabet())])}
    words = RobertaTokenizer(vocab=vocabulary, merges=[], model_max_length=64)
    text: Any = ClapTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=70, projection_dim=16,
    )  # fmt: skip
    audio: Any = ClapAudioConfig(
        patch_embeds_hidden_size=8, depths=[1, 1, 1, 1], num_attention_heads=[2, 2, 2, 2], hidden_size=64,
        projection_dim=16, enable_fusion=False, num_mel_bins=64, spec_size=256,
    )  # fmt: skip
    network = ClapModel(ClapConfig(text_config=text.to_dict(), audio_config=audio.to_dict(), projection_dim=16))
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data.mul_(8)  # fresh networks answer nearly the same to everything
    network.save_pretrained(folder)
    ClapFeatureExtractor(truncation="rand_trunc").save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clap(tmp_path_factory: pytest.TempPathFactory) -> Clap:
    return open_clap(tiny_clap(tmp_path_factory.mktemp("clap") / "tiny-clap"))


def noise(seed: int, seconds: float = 2.0, channels: int = 1) -> torch.Tensor:
    return 0.1 * torch.randn(channels, round(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def test_a_sound_fits_words_as_transformers_says(clap: Clap) -> None:
    wave = 0.1 * torch.randn(1, 48_000, generator=torch.Generator().manual_seed(1))
    made = clap.features(wave[0].numpy(), sampling_rate=48_000, return_tensors="pt")
    tokens = clap.tokenizer(["a violin"], return_tensors="pt")
    with torch.no_grad():
        said = clap.network(**tokens, **made)
    wanted = float((said.text_embeds @ said.audio_embeds.T)[0, 0])
    assert clap.similarity(wave, 48_000, "a violin") == pytest.approx(wanted, abs=1e-5)
    assert clap.similarity(wave, 48_000, "a drum kit") != pytest.approx(wanted, abs=1e-5)


def test_a_sound_is_at_no_distance_from_itself_and_at_one_from_others(clap: Clap) -> None:
    assert clap.distance(noise(1), noise(1), RATE) == 0
    apart = clap.distance(noise(1), noise(2), RATE)
    assert 0 < apart < 16
    assert clap.distance(noise(2), noise(1), RATE) == pytest.approx(apart)
    assert clap.distance(noise(1, channels=1).expand(2, -1), noise(2), RATE) == pytest.approx(apart, rel=1e-4)


def test_the_distance_is_that_of_the_stages_normed_over_tokens(clap: Clap) -> None:
    with torch.no_grad():
        found = [clap._stages(wave, RATE) for wave in (noise(1), noise(2))]
    assert [tuple(stage.shape) for stage in found[0]] == [(1, 1024, 16), (1, 256, 32), (1, 64, 64), (1, 64, 64)]
    wanted = 0.0
    for x, y in zip(*found, strict=True):
        for channel in range(x.shape[2]):
            a, b = x[0, :, channel], y[0, :, channel]
            wanted += float((a / a.norm() - b / b.norm()).square().sum()) / x.shape[2]
    assert clap.distance(noise(1), noise(2), RATE) == pytest.approx(wanted, rel=1e-4)


def test_a_long_sound_is_measured_the_same_each_time_and_chance_is_left_alone(clap: Clap) -> None:
    long = noise(4, 12.0)
    np.random.seed(7)
    drawn = np.random.random()
    np.random.seed(7)
    first = clap.similarity(long, RATE, "a violin")
    assert np.random.random() == drawn
    assert clap.similarity(long, RATE, "a violin") == first


def test_a_folder_without_such_a_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be opened as a CLAP model .* such as a download of laion"):
        open_clap(tmp_path)
