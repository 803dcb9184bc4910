"""Values in a checkpoint's JSON files that nothing can be made of: one sentence that names the file and the value."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkpoints import edit_json
from safetensors.torch import load_file

from regrow.models.errors import ModelError
from regrow.models.open import open_model

SCHEDULER = "scheduler/scheduler_config.json"
NAN = float("nan")
VALUES: tuple[tuple[str, str, str, Any, str], ...] = (
    *(("sd1", "unet/config.json", "in_channels", value, "make no model") for value in ("many", [4], {}, -1, 1e9)),
    *(
        ("sd1", "vae/config.json", "scaling_factor", value, "scaling_factor in .* must be a number above 0; got")
        for value in ("x", None, [], 0, -1, NAN)
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
    *(("flux", "vae/config.json", "sample_size", value, r"frames of \[.*two whole numbers") for value in (0, -1, [4])),
    ("sd1", "model_index.json", "_class_name", None, r"names no pipeline \(_class_name\)"),
    ("sd1", "model_index.json", "_class_name", ["StableDiffusionPipeline"], r"names no pipeline \(_class_name\)"),
    *(
        ("sd1", "tokenizer/tokenizer_config.json", "model_max_length", value, "model_max_length in .* above 2; got")
        for value in (0, -3, "x")
    ),
    ("flux", "transformer/config.json", "out_channels", "x", "The JSON files in .* make no model.*wrong type or size"),
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


def test_a_config_of_no_class_is_said_to_name_none(tmp_path: Path) -> None:
    for text in ('{"model_type": "clip"}', '{"_class_name": ["UNet2DModel"]}'):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ModelError, match=r"config\.json names no class \(_class_name\)"):
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
    with pytest.raises(ModelError, match=r"index\.json names .*, which is no file beside it"):
        open_model(folder)
