"""Values in a checkpoint's JSON files that nothing can be made of: one sentence that names the file and the value."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import edit_json
from safetensors.torch import load_file

from regrow.core.noise import noise
from regrow.models.errors import ModelError
from regrow.models.open import EMBEDDED, open_model

SCHEDULER = "scheduler/scheduler_config.json"
NAN = float("nan")
VALUES: tuple[tuple[str, str, str, Any, str], ...] = (
    *(("sd1", "unet/config.json", "in_channels", value, "do not make a model") for value in ("many", [4], {}, -1, 1e9)),
    *(
        ("sd1", "vae/config.json", "scaling_factor", value, "scaling_factor in .* must be a number above 0; got")
        for value in ("x", None, [], 0, -1, NAN)
    ),
    *(
        ("sd1", f"{part}/config.json", key, value, f"{key} in .* must be a (whole )?number from [01] to .*; got")
        for part, key, value in (
            ("vae", "layers_per_block", 10**30),
            ("vae", "block_out_channels", [4, 2**31]),
            ("vae", "block_out_channels", ["4", 4]),
            ("vae", "block_out_channels", "8, 8"),
            ("vae", "block_out_channels", [float("inf"), 4]),
            ("unet", "norm_eps", "weights.pt"),
            ("unet", "downsample_padding", 2**64),
            ("unet", "downsample_padding", [[]]),
        )
    ),
    ("sd3", "vae/config.json", "shift_factor", "x", "shift_factor in .* must be a number; got 'x'"),
    *(
        ("sd1", SCHEDULER, "num_train_timesteps", value, "no usable noise schedule .*must be from 2 to 1000000, got")
        for value in (0, 1, 10**9)
    ),
    ("sd1", SCHEDULER, "trained_betas", [], "no usable noise schedule"),
    *(
        ("flux", SCHEDULER, name, value, f"{name} in .*scheduler_config.json must be a number; got")
        for name, value in (("base_shift", "x"), ("max_shift", None), ("max_image_seq_len", "x"), ("max_shift", NAN))
    ),
    ("flux", SCHEDULER, "max_image_seq_len", 256, "base_image_seq_len and max_image_seq_len in .* not be the same"),
    *(
        ("flux", "vae/config.json", "sample_size", value, r"sample_size in .* is \[.*but must be whole numbers from 1")
        for value in (0, -1, [4])
    ),
    ("sd1", "model_index.json", "_class_name", None, r"names no pipeline \(_class_name\)"),
    ("sd1", "model_index.json", "_class_name", ["StableDiffusionPipeline"], r"names no pipeline \(_class_name\)"),
    *(
        ("sd1", "tokenizer/tokenizer_config.json", "model_max_length", value, "model_max_length in .* above 2; got")
        for value in (0, -3, "x", float("inf"))
    ),
    (
        "flux",
        "transformer/config.json",
        "out_channels",
        "x",
        "The JSON files in .* do not describe a model .*wrong type or size",
    ),
)


@pytest.mark.parametrize("case", VALUES, ids=lambda case: f"{case[0]} {case[2]} {case[3]!r}")
def test_a_value_that_nothing_can_be_made_of_is_named(
    case: tuple[str, str, str, Any, str], checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    name, file, key, value, sentence = case
    folder = tmp_path / "model"
    shutil.copytree(checkpoint(name), folder)
    edit_json(folder / file, **{key: value})
    with pytest.raises(ModelError, match=sentence) as caught:
        open_model(folder)
    assert str(folder) in str(caught.value)


def test_a_tiny_autoencoder_has_the_blocks_that_its_network_is_made_of(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    model = open_model(folder)
    edit_json(folder / "vae/config.json", block_out_channels=[8] * 9)
    again = open_model(folder)
    assert again.extent == model.extent
    latents = noise(model.latent_shape(*model.extent), [1])
    assert torch.equal(again.decode(latents), model.decode(latents))


def test_a_length_written_as_a_fraction_is_whole(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    file = folder / "tokenizer/tokenizer_config.json"
    edit_json(file, model_max_length=float(json.loads(file.read_text())["model_max_length"]))
    expected = open_model(checkpoint("sd1")).condition(["a cat"])
    assert torch.equal(open_model(folder).condition(["a cat"]).tokens, expected.tokens)


def test_a_config_of_no_class_is_said_to_name_none(tmp_path: Path) -> None:
    for text in ('{"model_type": "clip"}', '{"_class_name": ["UNet2DModel"]}'):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ModelError, match=r"config\.json has no class name \(_class_name\)"):
            open_model(tmp_path)


@pytest.mark.parametrize("name", ["../../outside.safetensors", "ABSOLUTE", "..", "."])
def test_an_index_names_no_files_outside_its_folder(
    name: str, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    outside = whole.rename(tmp_path / "outside.safetensors")
    shard = str(outside) if name == "ABSOLUTE" else name
    index = {"metadata": {}, "weight_map": dict.fromkeys(load_file(outside), shard)}
    whole.with_name(f"{whole.name}.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"index\.json names .*which is not a file beside it"):
        open_model(folder)


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_an_index_of_tensors_names_no_pickle(
    part: str, checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    (whole,) = (folder / part).glob("*.safetensors")
    names = load_file(whole)
    torch.save(names, folder / part / "weights.bin")
    whole.unlink()
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, "weights.bin")}
    whole.with_name(f"{whole.name}.index.json").write_text(json.dumps(index))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("a pickle was read"))
    sentence = r"index\.json lists weights\.bin, but all its files must end in \.safetensors"
    with pytest.raises(ModelError, match=sentence):
        open_model(folder)


@pytest.mark.parametrize("name", ["tokenizer/merges.txt", "tokenizer/tokenizer_config.json", "unet/notes.json"])
def test_a_pipe_in_a_models_folder_is_not_waited_for(
    name: str, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(ModelError, match="is not an ordinary file"):
        open_model(folder)


def test_a_tokenizer_file_that_is_read_by_its_own_library_alone_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(EMBEDDED / "storybook", folder)
    path = folder / "tokenizer" / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary[list(vocabulary)[-1]] = False
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"tokenizer\.json has no usable tokenizer"):
        open_model(folder)
