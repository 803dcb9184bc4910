"""Training on a folder of the user's own: from nothing, from a model, with adapters, on pixels."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import original_names
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.media.files import MediaError
from regrow.models.open import add_single_file, open_model
from regrow.requests.generate import Generate
from regrow.requests.train import Train
from regrow.training.train import Training, train
from regrow.worlds.storybook.drawing import Scene, draw_many


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 drawn pictures with captions beside them, and a file that is none."""
    folder = tmp_path_factory.mktemp("mine")
    scenes = [Scene.random(seed) for seed in range(60)]
    for i, drawing in enumerate(draw_many(scenes, 64, 1)):
        Image.fromarray(drawing.picture).save(folder / f"{i:03}.png")
        (folder / f"{i:03}.txt").write_text(drawing.caption)
    (folder / "broken.png").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """With a model trained on that folder from an empty cache."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        states = list(train(Train(folder, name="mine", new="tiny", size=64, steps=2, batch=4, prompts=("a cat",))))
    notes = [note for state in states for note in state.notes]
    assert notes[0] == "60 pictures, captions from text files; 6 are held out for the validation loss."
    assert any(note.startswith("skipped broken.png") for note in notes)
    return home


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(home))


def test_a_model_of_a_folder_knows_its_words(home: Path) -> None:
    words = json.loads((home / "models" / "mine" / "words.json").read_text())["words"]
    assert {"cat", "beach", "living"} < set(words)
    made = finish(generate(Generate("an orange cat on a bus", model="mine", steps=2), open_model("mine")))
    assert made.notes == (
        "mine was not trained on 'bus', so the result is a guess; `regrow models show mine` lists its training data.",
    )
    assert tuple(made.frames.shape) == (1, 3, 64, 64)


def test_a_world_is_mixed_in(home: Path, folder: Path) -> None:
    states = run(Train(folder, name="both", world="storybook", start="mine", steps=1, batch=4, scenes=8))
    notes = [note for state in states for note in state.notes]
    assert "mixed with 8 of the storybook, so that the model keeps what it knows." in notes
    about = json.loads((home / "models" / "both" / "training.json").read_text())
    assert about["data"] == f"{folder.name}, storybook"
    words = json.loads((home / "models" / "both" / "words.json").read_text())["words"]
    assert "penguin" in words


def test_going_on_from_a_model_keeps_its_codec(home: Path, folder: Path) -> None:
    last = run(Train(folder, name="more", start="mine", steps=2, batch=4))
    assert next(state.stage for state in last if state.fit) == "denoiser"
    assert same(home, "more", "mine", "vae/diffusion_pytorch_model")
    assert not same(home, "more", "mine", "unet/diffusion_pytorch_model")
    assert not same(home, "more", "mine", "text_encoder/model")
    assert json.loads((home / "models" / "more" / "training.json").read_text())["base_model"] == "mine"


def test_a_codec_to_go_on_from_keeps_its_encoder(home: Path, folder: Path) -> None:
    run(Train(folder, name="decoder", start="mine", stage="codec", steps=2, batch=4))
    found, before = (weights(home, name, "vae/diffusion_pytorch_model") for name in ("decoder", "mine"))
    changed = {name.split(".")[0] for name, tensor in found.items() if not torch.equal(tensor, before[name])}
    assert changed == {"decoder"}
    assert same(home, "decoder", "mine", "unet/diffusion_pytorch_model")


def test_adapters_are_kept_and_merged(home: Path, folder: Path) -> None:
    run(Train(folder, name="adapted", start="mine", lora=2, rate=1e-2, text=False, steps=2, batch=4))
    assert (home / "models" / "adapted" / "lora" / "pytorch_lora_weights.safetensors").is_file()
    found, before = (weights(home, name, "unet/diffusion_pytorch_model") for name in ("adapted", "mine"))
    assert found.keys() == before.keys()
    changed = [name for name, tensor in found.items() if not torch.equal(tensor, before[name])]
    assert changed
    assert all(".to_" in name for name in changed)
    assert same(home, "adapted", "mine", "text_encoder/model")


@pytest.mark.parametrize("objective", ["v", "epsilon", "flow"])
def test_pixels_without_words(home: Path, folder: Path, objective: str) -> None:
    name = f"pixels-{objective}"
    run(
        Train(folder, name=name, new="tiny", stage="pixel", objective=objective, size=32, steps=2, batch=4, min_snr=5.0)
    )  # pyright: ignore
    model = open_model(name)
    assert (model.family, model.prediction_type, model.size) == ("pixel-unet", objective, (32, 32))


def test_nothing_to_train_on_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MediaError, match="empty is empty"):
        run(Train(tmp_path / "empty", name="nothing"))
    with pytest.raises(MediaError, match="nowhere"):
        run(Train(tmp_path / "nowhere", name="nothing"))


def test_a_checkpoint_in_one_file_is_trained_into_a_folder(
    home: Path, folder: Path, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = checkpoint("sd1")
    unet, vae, words = (
        load_file(next((whole / part).glob("*.safetensors"))) for part in ("unet", "vae", "text_encoder")
    )
    state = original_names.sd_unet(unet, 1) | original_names.vae(vae)
    state |= original_names.clip(words, "cond_stage_model.transformer.")
    save_file(state, tmp_path / "single.safetensors")
    added = add_single_file(tmp_path / "single.safetensors", "single", str(whole))
    run(Train(folder, name="further", start="single", steps=2, batch=4))
    made = home / "models" / "further"
    assert not (made / "weights.json").exists()
    assert (made / "unet" / "diffusion_pytorch_model.safetensors").is_file()
    assert (added / "weights.json").is_file()
    model = open_model("further")
    assert all(path.is_relative_to(made) for path in model.files)
    before = open_model("single").network.state_dict()
    assert any(not torch.equal(tensor, before[name]) for name, tensor in model.network.state_dict().items())


def run(request: Train) -> list[Training]:
    """With one sample at the end, which is what takes longest here."""
    return list(train(replace(request, prompts=("a cat",))))


def weights(home: Path, name: str, part: str) -> dict[str, torch.Tensor]:
    return load_file(home / "models" / name / f"{part}.safetensors")


def same(home: Path, one: str, other: str, part: str) -> bool:
    a, b = (weights(home, name, part) for name in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
