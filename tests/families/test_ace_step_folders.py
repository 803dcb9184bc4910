"""Folders of ACE-Step 1.5: what turbo may lack, what is downloaded, and each way a folder is broken."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkpoints import edit_json
from safetensors.torch import load_file, save_file

import regrow
from regrow.models.errors import ModelError
from regrow.models.open import open_model
from regrow.models.registry import wanted_files

pytestmark = pytest.mark.usefixtures("home")
Checkpoint = Callable[[str], Path]


def without_null(folder: Path) -> None:
    path = folder / "condition_encoder" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    del weights["null_condition_emb"]
    save_file(weights, path, {"format": "pt"})


def test_turbo_says_its_steps_and_needs_no_null_condition(checkpoint: Checkpoint, tmp_path: Path) -> None:
    shutil.copytree(checkpoint("ace-step-turbo"), tmp_path / "turbo")
    without_null(tmp_path / "turbo")
    model = open_model(tmp_path / "turbo")
    assert (model.own.steps, model.own.guidance, model.own.is_guided) == (8, 1.0, False)
    made = regrow.generate("pop", duration=5.0, guidance=7.0, model=model)
    assert any("has guidance built into its weights, so guidance 1 was used" in note for note in made.notes)
    again = open_model(tmp_path / "turbo")
    assert (regrow.generate("pop", duration=5.0, model=again).items[0] == made.items[0]).all()
    with pytest.raises(ValueError, match=r"has guidance built into its weights: set guidance to 1\."):
        again.denoiser(again.condition(["pop"]), guidance=7.0)
    own = open_model(checkpoint("ace-step")).own
    assert (own.steps, own.guidance, own.is_guided) == (50, 7.0, True)


def test_all_its_folders_are_downloaded() -> None:
    wanted = wanted_files()
    for part in ("condition_encoder", "audio_tokenizer", "audio_token_detokenizer"):
        assert {f"{part}/config.json", f"{part}/*model.safetensors"} <= {*wanted}


def exchanged(part: str, **changes: Any) -> Callable[[Path], None]:
    """Another network of the part's class, of other sizes, in its folder."""

    def change(folder: Path) -> None:
        import diffusers
        import transformers
        from diffusers.pipelines import ace_step

        config = json.loads((folder / part / "config.json").read_text())
        name = json.loads((folder / "model_index.json").read_text())[part][1]
        kind = next(getattr(place, name) for place in (ace_step, diffusers, transformers) if hasattr(place, name))
        if part == "text_encoder":
            other = kind(kind.config_class(**config | changes))
        else:
            other = kind.from_config({**config, **changes})
        shutil.rmtree(folder / part)
        other.save_pretrained(folder / part)

    return change


def index(part: str, entry: Any) -> Callable[[Path], None]:
    return lambda folder: edit_json(folder / "model_index.json", **{part: entry})


def scheduler(**changes: Any) -> Callable[[Path], None]:
    return lambda folder: edit_json(folder / "scheduler" / "scheduler_config.json", **changes)


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no condition encoder": (
        lambda f: shutil.rmtree(f / "condition_encoder"),
        "condition_encoder/config.json is m",
    ),
    "no tokenizer": (lambda f: (f / "tokenizer" / "tokenizer.json").unlink(), "is missing"),
    "no detokenizer": (
        lambda f: shutil.rmtree(f / "audio_token_detokenizer"),
        "detokenizer/config.json is m",
    ),
    "other encoder": (
        index("text_encoder", ["transformers", "T5EncoderModel"]),
        "is a T5EncoderModel: regrow supports",
    ),
    "no encoder named": (index("condition_encoder", None), "names no condition_encoder"),
    "no flow": (
        scheduler(_class_name="DDIMScheduler", beta_schedule="linear", num_train_timesteps=1000),
        "does not describe flow matching, which ACE-Step 1.5 uses",
    ),
    "no null": (without_null, "lacks null_condition_emb"),
    "other latents": (exchanged("transformer", audio_acoustic_hidden_dim=4), "transformer in .* takes vectors of 4 n"),
    "other context": (exchanged("transformer", in_channels=16), "takes vectors of 16 numbers where .* vae are of 24"),
    "other timbre": (exchanged("condition_encoder", timbre_hidden_dim=4), "condition_encoder in .* takes vectors of 4"),
    "other words": (exchanged("text_encoder", hidden_size=24), "condition_encoder in .* 16 .* text_encoder are of 24"),
    "other width": (exchanged("condition_encoder", hidden_size=24), "transformer in .* 32 .* condition_encoder are of"),
    "other tokens": (
        exchanged("audio_tokenizer", fsq_dim=32, audio_acoustic_hidden_dim=4),
        "audio_tokenizer .* of 4",
    ),
    "other token width": (exchanged("audio_token_detokenizer", hidden_size=24), "audio_token_detokenizer in .* of 24"),
    "other token latents": (
        exchanged("audio_token_detokenizer", audio_acoustic_hidden_dim=4),
        "vae .* 8 .* of 4",
    ),
    "fewer words": (exchanged("text_encoder", vocab_size=200), "has 259 tokens, but its text_encoder knows 200"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_is_one_sentence(checkpoint: Checkpoint, tmp_path: Path, name: str) -> None:
    change, said = BROKEN[name]
    folder = shutil.copytree(checkpoint("ace-step-covers"), tmp_path / "mine")
    change(folder)
    with pytest.raises(ModelError, match=said) as caught:
        open_model(folder)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
