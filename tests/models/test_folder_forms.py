"""Forms of folders that people have: variants in shards, pickles, IP-Adapters, quantised parts, the hub's cache."""

import json
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import edit_json
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from regrow.models.folder_forms import quantised
from regrow.models.model import ModelError
from regrow.models.open import has_model, open_model
from regrow.models.registry import wanted_files

STEM = {"unet": "diffusion_pytorch_model", "text_encoder": "model"}
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def folder(checkpoint: Callable[[str], Path], tmp_path: Path) -> Path:
    """A checkpoint of its own."""
    return shutil.copytree(checkpoint("sd1"), tmp_path / "mine")


def refused(folder: Path, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(folder, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def in_shards(part: Path, stem: str, index: str, shard: str, save: Callable[..., Any] = save_file) -> None:
    """Lay the weights of a part in two shards."""
    whole = part / f"{stem}.safetensors"
    weights = load_file(whole)
    whole.unlink()
    names = sorted(weights)
    halves = (names[: len(names) // 2], names[len(names) // 2 :])
    table = {}
    for number, half in enumerate(halves, 1):
        name = shard.format(number)
        save({key: weights[key] for key in half}, part / name, *([{"format": "pt"}] if save is save_file else []))
        table |= dict.fromkeys(half, name)
    (part / index).write_text(json.dumps({"metadata": {}, "weight_map": table}))


@pytest.mark.parametrize("part", STEM)
@pytest.mark.parametrize("index", ["{}.fp16.safetensors.index.json", "{}.safetensors.index.fp16.json"])
def test_shards_of_a_variant_open_by_both_names_of_their_index(
    folder: Path, checkpoint: Callable[[str], Path], part: str, index: str
) -> None:
    stem = STEM[part]
    in_shards(folder / part, stem, index.format(stem), stem + ".fp16-0000{}-of-00002.safetensors")
    model, plain = open_model(folder), open_model(checkpoint("sd1"))
    ours, theirs = model.parts[part].state_dict(), plain.parts[part].state_dict()
    assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())
    assert model.content_hash != plain.content_hash
    assert len(model.files) == len(plain.files) + 2
    (folder / part / f"{stem}.fp16-00002-of-00002.safetensors").unlink()
    assert "00002.safetensors is missing; it is one of the 2 weight files named by" in refused(folder)


def test_the_weights_of_a_variant_are_all_downloaded() -> None:
    there = ["unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors", "vae/diffusion_pytorch_model.safetensors"]
    there += ["unet/diffusion_pytorch_model.safetensors.index.fp16.json", "unet/config.json"]
    patterns = wanted_files(False, there)
    assert [name for name in there if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    pickled = ["unet/diffusion_pytorch_model.fp16.bin", "text_encoder/pytorch_model-00001-of-00002.bin"]
    assert not [name for name in pickled if any(fnmatch(name, pattern) for pattern in patterns)]
    allowed = wanted_files(True, pickled)
    assert [name for name in pickled if not any(fnmatch(name, pattern) for pattern in allowed)] == []


@pytest.mark.parametrize(
    ("part", "stem", "name"),
    [
        ("unet", "diffusion_pytorch_model", "diffusion_pytorch_model.fp16.bin"),
        ("text_encoder", "model", "pytorch_model.fp16.bin"),
    ],
)
def test_a_pickled_variant_opens_where_pickles_are_allowed(
    folder: Path, checkpoint: Callable[[str], Path], part: str, stem: str, name: str
) -> None:
    whole = folder / part / f"{stem}.safetensors"
    torch.save(load_file(whole), folder / part / name)
    whole.unlink()
    assert f"{name} is a pickle, which can run any program when it is read" in refused(folder)
    model, plain = open_model(folder, allow_pickle=True), open_model(checkpoint("sd1"))
    ours, theirs = model.parts[part].state_dict(), plain.parts[part].state_dict()
    assert all(torch.equal(ours[key], tensor) for key, tensor in theirs.items())


def test_pickled_shards_open_where_pickles_are_allowed(folder: Path) -> None:
    stem = "diffusion_pytorch_model"
    in_shards(folder / "unet", stem, f"{stem}.bin.index.json", stem + "-0000{}-of-00002.bin", torch.save)
    assert "is a pickle, which can run any program" in refused(folder)
    assert open_model(folder, allow_pickle=True).network.config["sample_size"] == 8


def with_ip_adapter(folder: Path) -> None:
    """Load an IP-Adapter of random weights into the network, by diffusers' own means, and save it."""
    net = UNet2DConditionModel.from_pretrained(folder / "unet")
    attended = [name for name in net.attn_processors if "attn2" in name]
    adapter: dict[str, torch.Tensor] = {}
    for number, name in enumerate(attended):
        block = net.get_submodule(name.removesuffix(".processor"))
        width = block.to_q.out_features
        for key in ("to_k_ip", "to_v_ip"):
            adapter[f"{2 * number + 1}.{key}.weight"] = torch.randn(width, 16)
    projection = {"proj.weight": torch.randn(4 * 16, 8), "proj.bias": torch.randn(4 * 16)}
    projection |= {"norm.weight": torch.ones(16), "norm.bias": torch.zeros(16)}
    net._load_ip_adapter_weights([{"image_proj": projection, "ip_adapter": adapter}], low_cpu_mem_usage=False)
    net.save_pretrained(folder / "unet")


def test_an_ip_adapter_in_a_network_is_named_for_what_it_is(folder: Path) -> None:
    with_ip_adapter(folder)
    said = "contains an IP-Adapter, which is not supported: open the original checkpoint"
    assert f"unet/diffusion_pytorch_model.safetensors {said}" in refused(folder)
    edit_json(folder / "unet" / "config.json", encoder_hid_dim_type="ip_image_proj")
    assert f"unet/config.json {said}" in refused(folder)


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "quantised by bitsandbytes in 4 bits, which is not"),
        (
            {"load_in_8bit": True, "load_in_4bit": False},
            "bitsandbytes in 8 bits, which is not installed: pip install",
        ),
        (
            {"quant_method": "quanto"},
            "by quanto, which is not installed: pip install optimum-quanto, or use the checkpoint",
        ),
        ({"quant_method": "magic"}, "quantised by magic, which regrow does not support: use the checkpoint that they"),
    ],
)
def test_a_quantised_part_is_named_for_what_it_is(
    folder: Path, part: str, settings: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantised, "find_spec", lambda name: None)  # whatever is installed here
    edit_json(folder / part / "config.json", quantization_config=settings)
    message = refused(folder)
    assert sentence in message
    assert str(folder / part / "config.json") in message
    assert "damaged" not in message


def cached(folder: Path, root: Path, *commits: str) -> Path:
    """A folder of the hub's cache, with a snapshot for each commit, of links to blobs."""
    cache = root / "models--jane--cats"
    for commit in commits:
        for path in filter(Path.is_file, folder.rglob("*")):
            blob = cache / "blobs" / f"{path.relative_to(folder).as_posix().replace('/', '-')}"
            blob.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, blob)
            link = cache / "snapshots" / commit / path.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(blob)
    return cache


def test_a_folder_of_the_hubs_cache_opens_the_snapshot_of_main(folder: Path, tmp_path: Path) -> None:
    cache = cached(folder, tmp_path, "a" * 40, "b" * 40)
    assert "holds 2 snapshots, and no refs/main chooses one: name a folder in" in refused(cache)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("b" * 40)
    assert open_model(cache).folder == cache / "snapshots" / ("b" * 40)
    assert has_model(str(cache))
    for commit in (b"", b"..", b"../snapshots/" + b"b" * 40, b"\xff\xfe"):
        (cache / "refs" / "main").write_bytes(commit)
        assert "lacks the snapshot named by its refs/main: run hf download jane/cats" in refused(cache)
    (cache / "refs" / "main").write_text("c" * 40)
    assert "lacks the snapshot named by its refs/main: run hf download jane/cats" in refused(cache)
    shutil.rmtree(cache / "refs")
    shutil.rmtree(cache / "snapshots" / ("a" * 40))
    assert open_model(cache).folder.name == "b" * 40


@pytest.mark.parametrize(("name", "parts"), [("sd1", ("unet",)), ("flux", ("transformer", "text_encoder_2"))])
def test_float8_weights_are_computed_with_in_the_wanted_precision(
    checkpoint: Callable[[str], Path], name: str, parts: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "stored"
    shutil.copytree(checkpoint(name), folder)
    for file in (file for part in parts for file in (folder / part).glob("*.safetensors")):
        small = {
            key: tensor.to(torch.float8_e4m3fn) if tensor.ndim > 1 else tensor
            for key, tensor in load_file(file).items()
        }
        save_file(small, file, {"format": "pt"})
    for dtype in (torch.float32, torch.bfloat16):
        model = open_model(folder, dtype=dtype)
        assert {parameter.dtype for part in parts for parameter in model.parts[part].parameters()} == {dtype}
        x = torch.randn(1, *model.latent_shape(*model.size), generator=torch.manual_seed(0)).to(dtype)
        answer = model.forward(x, torch.tensor([500.0], dtype=dtype), model.condition(["a cat"]))
        assert answer.dtype == dtype
        assert answer.isfinite().all()
    # float8 keeps 3 bits behind the first
    exact = open_model(checkpoint(name)).network.state_dict()
    for key, tensor in open_model(folder).network.state_dict().items():
        torch.testing.assert_close(tensor, exact[key], rtol=0.07, atol=0.002)
