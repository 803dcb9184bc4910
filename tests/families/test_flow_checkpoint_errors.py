"""Folders of families that predict the flow: each way they can be broken is one sentence."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
from checkpoints import edit_json

from regrow.models.model import ModelError
from regrow.models.open import open_model

Change = Callable[[Path], Any]
THREE, CAT, SMALL = "stable-audio-3", "longcat-audio", "stable-audio-small"
SD3 = "sd3-without-t5"
pytestmark = pytest.mark.usefixtures("home")


def without(part: str) -> Change:
    return lambda folder: shutil.rmtree(folder / part)


def config(file: str, **changes: Any) -> Change:
    return lambda folder: edit_json(folder / file, **changes)


def epsilon(folder: Path) -> None:
    diffusers.DDIMScheduler().save_pretrained(folder / "scheduler")


CASES: dict[str, tuple[str, Change, str]] = {
    "no tokenizer": (THREE, without("tokenizer"), "tokenizer/tokenizer.model is missing"),
    "no words": (THREE, without("text_encoder"), "text_encoder/config.json is missing"),
    "no duration": (THREE, without("duration_embedder"), "duration_embedder/config.json is missing"),
    "no codec": (THREE, without("vae"), "vae/config.json is missing"),
    "no network": (THREE, without("transformer"), "transformer/config.json is missing"),
    "no scheduler": (THREE, without("scheduler"), "scheduler/scheduler_config.json is missing"),
    "no flow": (THREE, epsilon, "does not describe flow matching, which Stable Audio 3 uses"),
    "shift by length": (
        THREE,
        config("scheduler/scheduler_config.json", use_dynamic_shifting=True),
        "asks for use_dynamic_shifting",
    ),
    "another codec": (
        THREE,
        config("model_index.json", vae=["diffusers", "AutoencoderOobleck"]),
        "is a AutoencoderOobleck: regrow supports AutoencoderSAME",
    ),
    "no codec of its own": (CAT, without("vae"), "vae/config.json is missing"),
    "no words of its own": (CAT, without("tokenizer"), "tokenizer/spiece.model is missing"),
    "no length": (
        SD3,
        config("model_index.json", max_sequence_length="long"),
        "says max_sequence_length 'long', but it",
    ),
    "too long": (SD3, config("model_index.json", max_sequence_length=513), "must be a whole number from 0 to 512"),
    "other strides": (
        CAT,
        config("vae/config.json", downsampling_ratio=256),
        "makes 512 samples of a latent, but its config says 256: its strides and its downsampling_ratio",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_is_one_sentence(checkpoint: Callable[[str], Path], tmp_path: Path, case: str) -> None:
    name, change, said = CASES[case]
    folder = Path(shutil.copytree(checkpoint(name), tmp_path / "mine"))
    change(folder)
    with pytest.raises(ModelError) as caught:
        open_model(folder)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert message.endswith(".")


PARTS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "channels": (THREE, "transformer", {"io_channels": 4}, "takes 4 channels and returns 4, but its codec makes 8"),
    "words": (THREE, "transformer", {"cond_token_dim": 24}, "vectors of 24 numbers, but its text_encoder makes 16"),
    "seconds": (THREE, "transformer", {"global_cond_dim": 24}, "durations of 24 numbers, but its duration_embedder"),
    "embedder": (THREE, "duration_embedder", {"output_dim": 24}, "16 numbers, but its duration_embedder makes 24"),
    "cat channels": (CAT, "transformer", {"latent_dim": 4}, "takes 4 channels and returns 4, but its codec makes 8"),
    "cat words": (CAT, "transformer", {"dit_text_dim": 24}, "vectors of 24 numbers, but its text_encoder makes 16"),
    "small seconds": (SMALL, "transformer", {"global_states_input_dim": 48}, "durations of 48 numbers, but its proj"),
}


@pytest.mark.parametrize("case", PARTS)
def test_parts_of_two_models_are_told_apart(checkpoint: Callable[[str], Path], tmp_path: Path, case: str) -> None:
    name, part, changes, said = PARTS[case]
    folder = Path(shutil.copytree(checkpoint(name), tmp_path / "mine"))
    networks = {THREE: "StableAudio3DiTModel", CAT: "LongCatAudioDiTTransformer", SMALL: "StableAudioDiTModel"}
    kind = getattr(diffusers, "StableAudio3DurationEmbedder" if part == "duration_embedder" else networks[name])
    settings = {**kind.load_config(folder / part), **changes}
    shutil.rmtree(folder / part)
    kind.from_config(settings).save_pretrained(folder / part)
    with pytest.raises(ModelError) as caught:
        open_model(folder)
    assert said in str(caught.value)
    assert "not of the same model" in str(caught.value) or "its codec makes" in str(caught.value)
