"""Everything a user can get wrong gives one sentence: what, where, and what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
from checkpoints import edit_json
from safetensors.torch import load_file, save_file

from regrow.models.model import ModelError
from regrow.models.open import open_model

Change = Callable[[Path], Any]
UNET = Path("unet") / "diffusion_pytorch_model.safetensors"
TEXT = Path("text_encoder") / "model.safetensors"


def sentence(folder: Path | str, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(folder, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def edit_weights(path: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    weights = load_file(path)
    change(weights)
    save_file(weights, path, {"format": "pt"})


def pickle(folder: Path, part: str, name: str) -> None:
    (whole,) = (folder / part).glob("*.safetensors")
    torch.save(load_file(whole), folder / part / name)
    whole.unlink()


def index_entry(part: str, entry: Any) -> Change:
    return lambda folder: edit_json(folder / "model_index.json", **{part: entry})


def config(part: str, name: str = "config.json", **changes: Any) -> Change:
    return lambda folder: edit_json(folder / part / name, **changes)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


CASES: dict[str, tuple[Change, str, str]] = {
    "no unet config": (lambda f: (f / "unet/config.json").unlink(), "unet/config.json", "is missing"),
    "no unet weights": (lambda f: (f / UNET).unlink(), str(UNET), "is missing"),
    "no text weights": (lambda f: (f / TEXT).unlink(), str(TEXT), "is missing"),
    "no text folder": (lambda f: shutil.rmtree(f / "text_encoder"), "text_encoder/config.json", "is missing"),
    "no codec": (lambda f: shutil.rmtree(f / "vae"), "vae/config.json", "is missing"),
    "no tokenizer": (lambda f: shutil.rmtree(f / "tokenizer"), "tokenizer/vocab.json", "is missing"),
    "no scheduler": (lambda f: shutil.rmtree(f / "scheduler"), "scheduler/scheduler_config.json", "is missing"),
    "broken index": (lambda f: (f / "model_index.json").write_text("{"), "model_index.json", "is not valid JSON"),
    "binary index": (
        lambda f: (f / "model_index.json").write_bytes(b"\xff\xfe\x00"),
        "model_index.json",
        "is not valid JSON",
    ),
    "index of a list": (
        lambda f: (f / "model_index.json").write_text("[]"),
        "model_index.json",
        "does not hold a JSON object",
    ),
    "broken config": (lambda f: (f / "vae/config.json").write_text("{,}"), "vae/config.json", "is not valid JSON"),
    "broken tokenizer": (
        lambda f: (f / "tokenizer/tokenizer.json").write_text("{}"),
        "tokenizer",
        "has no usable tokenizer",
    ),
    "cut unet": (lambda f: cut_in_half(f / UNET), str(UNET), "is damaged or was cut short"),
    "cut text": (lambda f: cut_in_half(f / TEXT), str(TEXT), "is damaged or was cut short"),
    "missing key": (
        lambda f: edit_weights(f / UNET, lambda w: w.pop("conv_out.bias")),
        str(UNET),
        "it lacks conv_out.bias: the two are not of the same model",
    ),
    "unexpected key": (
        lambda f: edit_weights(f / UNET, lambda w: w.update(new=torch.zeros(1), newer=torch.zeros(1))),
        str(UNET),
        "it holds tensors that the config does not have: new and 1 more",
    ),
    "mismatched key": (
        lambda f: edit_weights(f / UNET, lambda w: w.update({"conv_out.bias": torch.zeros(7)})),
        str(UNET),
        "conv_out.bias expected shape torch.Size([4]), but got torch.Size([7])",
    ),
    "missing text key": (
        lambda f: edit_weights(f / TEXT, lambda w: w.pop("final_layer_norm.bias")),
        str(TEXT),
        "it lacks final_layer_norm.bias",
    ),
    "mismatched text key": (
        lambda f: edit_weights(f / TEXT, lambda w: w.update({"final_layer_norm.bias": torch.zeros(7)})),
        str(TEXT),
        "it has another shape for final_layer_norm.bias",
    ),
    "config of another network": (
        config("unet", block_out_channels=[16, 64]),
        "unet/config.json",
        "do not make a model",
    ),
    "config that contradicts itself": (
        config("unet", block_out_channels=[16]),
        "unet/config.json",
        "do not make a model",
    ),
    "unknown prediction": (
        config("scheduler", "scheduler_config.json", prediction_type="score"),
        "scheduler/scheduler_config.json",
        "Unknown prediction_type 'score'",
    ),
    "unknown unet class": (
        index_entry("unet", ["diffusers", "MyUNet"]),
        "model_index.json",
        "The unet in",
    ),
    "unknown codec class": (
        index_entry("vae", ["diffusers", "VQModel"]),
        "model_index.json",
        "is a VQModel: regrow supports AutoencoderKL and AutoencoderTiny",
    ),
    "no text encoder": (index_entry("text_encoder", [None, None]), "model_index.json", "names no text_encoder"),
    "flux": (
        index_entry("_class_name", "NoSuchPipeline"),
        "model_index.json",
        "describes a NoSuchPipeline, which regrow does not support: it opens ",
    ),
    "size that is no size": (
        config("unet", sample_size=[8, 8, 8]),
        "unet/config.json",
        "must be a whole number or a pair [height, width] of them; got [8, 8, 8]",
    ),
    "size that is a word": (config("unet", sample_size="64"), "unet/config.json", "got '64'"),
    "needs classes": (
        config("unet", num_class_embeds=10),
        "unet/config.json",
        "regrow does not support networks with this input",
    ),
    "pickle": (
        lambda f: pickle(f, "unet", "diffusion_pytorch_model.bin"),
        "unet/diffusion_pytorch_model.bin",
        "convert it to safetensors, or use --allow-pickle",
    ),
    "old pickle": (lambda f: pickle(f, "vae", "vae.ckpt"), "vae/vae.ckpt", "use --allow-pickle"),
}


@pytest.mark.parametrize("case", CASES)
def test_broken_stable_diffusion(checkpoint: Callable[[str], Path], tmp_path: Path, case: str) -> None:
    change, where, said = CASES[case]
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    change(folder)
    message = sentence(folder)
    assert str(folder / where) in message
    assert said in message


def test_parts_of_different_models(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    shutil.rmtree(folder / "vae")
    shutil.copytree(checkpoint("sd-tiny") / "vae", folder / "vae")
    edit_json(folder / "model_index.json", vae=["diffusers", "AutoencoderTiny"])
    assert "takes 4 channels and returns 4, but its codec makes 16" in sentence(folder)


def test_pickles_open_where_they_are_allowed(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    pickle(folder, "unet", "diffusion_pytorch_model.bin")
    pickle(folder, "text_encoder", "pytorch_model.bin")
    model, same = open_model(folder, allow_pickle=True), open_model(checkpoint("sd1"))
    assert torch.equal(model.network.conv_in.weight, same.network.conv_in.weight)
    assert folder / "unet" / "diffusion_pytorch_model.bin" in model.files


def test_a_missing_shard(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    (folder / UNET).unlink()
    index = {"weight_map": {"conv_in.bias": "diffusion_pytorch_model-00001-of-00001.safetensors"}}
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    assert "unet/diffusion_pytorch_model-00001-of-00001.safetensors is missing" in sentence(folder)
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text('{"weight_map": ["a"]}')
    assert "index.json names no weight files" in sentence(folder)


def test_folders_and_files_that_are_no_model(tmp_path: Path) -> None:
    assert f"{tmp_path} is not a model: it has no model_index.json and no config.json" in sentence(tmp_path)
    assert "There is no model '~nobody-here'" in sentence(Path("~nobody-here"))
    (tmp_path / "config.json").write_text("[" * 100_000)
    assert "config.json is not valid JSON" in sentence(tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "sd.safetensors").write_bytes(b"")
    assert "sd.safetensors is empty (0 bytes)" in sentence(tmp_path / "sd.safetensors")
    (tmp_path / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    assert "config.json describes a AutoencoderKL, which is only a part of a model" in sentence(tmp_path)


def test_a_pixel_network_of_other_pictures(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("ddpm"), folder)
    edit_json(folder / "unet" / "config.json", num_class_embeds=10)
    assert "unet/config.json has num_class_embeds 10" in sentence(folder)
    shutil.rmtree(folder / "scheduler")
    edit_json(folder / "unet" / "config.json", num_class_embeds=None)
    assert "scheduler_config.json is missing" in sentence(folder)


def test_the_hub(checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def cached(name: str, allow_patterns: list[str], local_files_only: bool = False) -> str:
        asked.append(local_files_only)
        if local_files_only:
            raise FileNotFoundError("not in the cache")
        return str(checkpoint("sd1"))

    sizes = [SimpleNamespace(rfilename=name, size=2_000_000_000) for name in ("model_index.json", "unet/other.ckpt")]
    info = SimpleNamespace(siblings=sizes, card_data=SimpleNamespace(license="mit"))
    hub = SimpleNamespace(model_info=lambda name, files_metadata: info)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    with pytest.warns(UserWarning, match="Downloading somebody/model from the hub: 1 files, 2.00 GB; licence: mit"):
        assert open_model("somebody/model").family == "stable-diffusion"
    assert asked == [True, False]

    broken_off = tmp_path / "snapshot"
    shutil.copytree(checkpoint("sd1"), broken_off)
    (broken_off / UNET).unlink()

    with monkeypatch.context() as patch:
        patch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(tmp_path))
        with pytest.warns(UserWarning, match="Downloading somebody/model from the hub"):
            assert (
                "the layout of diffusers: if it holds weight files, get one with `regrow models pull somebody/model`"
                in sentence("somebody/model")
            )

    def half_cached(name: str, allow_patterns: list[str], local_files_only: bool = False) -> str:
        return str(broken_off if local_files_only else checkpoint("sd1"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", half_cached)
    assert open_model("somebody/model").folder == checkpoint("sd1")

    def offline(name: str, allow_patterns: list[str], local_files_only: bool = False) -> str:
        raise ConnectionError("no network.\nand a page more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    assert sentence("somebody/model") == (
        "There is no model 'somebody/model': it is not a folder, not in the hub's cache on this machine, and could "
        "not be downloaded (ConnectionError: no network. and a page more)."
    )
