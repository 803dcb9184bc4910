"""Getting what is no folder in diffusers' layout: single files, GGUF, LoRA files; what is said before a download."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from hubs import UNET, Hub, refused
from safetensors.torch import load_file, save_file

from regrow.hub import pulling
from regrow.interfaces.cli import main
from regrow.models.model import ModelError
from regrow.models.open import list_models, open_model, user_models

pytestmark = pytest.mark.usefixtures("home")
NETWORK = {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(320, 4, 3, 3)}
LORA = {"lora_unet_mid.lora_down.weight": torch.zeros(4, 32)}
CONTROL = {"control_model.input_hint_block.0.weight": torch.zeros(16, 3, 3, 3)}


def repository(hub: Hub, name: str, **files: dict[str, torch.Tensor]) -> Path:
    """A repository of weight files, with what is beside such files on the hub."""
    folder = hub.root / name
    folder.mkdir(parents=True)
    for stem, state in files.items():
        save_file(state, folder / f"{stem}.safetensors")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    (folder / "picture.png").write_bytes(b"png")
    return folder


def test_the_only_file_is_taken_and_named_as_it_is(hub: Hub) -> None:
    folder = repository(hub, "jane/paint", painter=NETWORK)
    hub.server.licence = "openrail++"
    offers: list[pulling.Offer] = []
    got = pulling.pull("jane/paint", offer=offers.append)
    assert got == user_models() / "painter.safetensors"
    assert got.read_bytes() == (folder / "painter.safetensors").read_bytes()
    (offer,) = offers
    assert (offer.files, offer.size) == (1, got.stat().st_size)
    assert (offer.repository.licence, offer.repository.gated) == ("openrail++", False)
    assert hub.fetched == ["painter.safetensors"]  # its header came without
    assert [model.name for model in list_models() if model.folder == got] == ["painter"]
    assert sorted(path.name for path in user_models().iterdir()) == ["painter.safetensors"]
    assert "exists already" in refused(pulling.pull, "jane/paint")
    assert pulling.pull("jane/paint", "other").name == "other.safetensors"
    save_file(NETWORK, folder / "model.safetensors")
    assert pulling.pull("jane/paint", file="model.safetensors").name == "paint.safetensors"


def test_of_several_files_one_is_chosen(hub: Hub) -> None:
    folder = repository(hub, "jane/paint", full=NETWORK, half=NETWORK)
    (folder / "old").mkdir()
    save_file(NETWORK, folder / "old" / "first.safetensors")
    said = refused(pulling.pull, "jane/paint")
    assert said.startswith(
        "jane/paint has 3 weight files: choose one with --file; there are full.safetensors (46.2 kB)"
    )
    assert "old/first.safetensors (46.2 kB)" in said
    assert hub.fetched == []
    assert pulling.pull("jane/paint", file="half.safetensors").name == "half.safetensors"
    assert pulling.pull("jane/paint", file="old/first.safetensors").name == "first.safetensors"
    assert refused(pulling.pull, "jane/paint", "", False, None, "", "none.safetensors").startswith(
        "jane/paint has no weight file 'none.safetensors'; there are full.safetensors"
    )


def test_a_file_beside_a_folder_is_had_by_its_name(hub: Hub, checkpoint: Callable[[str], Path]) -> None:
    folder = hub.root / "jane/pets"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    save_file(NETWORK, folder / "pets-v1.safetensors")
    assert pulling.pull("jane/pets").is_dir()
    assert pulling.pull("jane/pets", file="pets-v1.safetensors") == user_models() / "pets-v1.safetensors"


def test_sharded_weights_come_with_their_index(hub: Hub, checkpoint: Callable[[str], Path]) -> None:
    folder = hub.root / "jane/pets"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    state = load_file(folder / UNET)
    names, place = sorted(state), folder / "unet"
    (folder / UNET).unlink()
    places = {}
    for i, some in enumerate((names[::2], names[1::2]), 1):
        shard = f"diffusion_pytorch_model-0000{i}-of-00002.safetensors"
        save_file({name: state[name] for name in some}, place / shard, {"format": "pt"})
        places |= dict.fromkeys(some, shard)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (place / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    pulling.pull("jane/pets")
    first, second = (open_model(one).network.state_dict() for one in ("pets", checkpoint("sd-tiny")))
    assert all(torch.equal(first[name], second[name]) for name in second)


def test_a_file_that_broke_off_goes_on(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    folder = repository(hub, "jane/paint", full=NETWORK, half=NETWORK)
    hub.server.cut["half.safetensors"] = 20_000
    assert "which continues from there" in refused(pulling.pull, "jane/paint", "", False, None, "", "half.safetensors")
    (left,) = pulling.unfinished_pulls()
    assert (left.repo, left.came >= 20_000, left.file) == ("jane/paint", True, "half.safetensors")
    main(["models"])
    assert "Continue: regrow models pull jane/paint --file half.safetensors. Delete" in capsys.readouterr().out
    # without the choice, what came stays
    refused(pulling.pull, "jane/paint")
    hub.server.cut.clear()
    hub.server.asked.clear()
    got = pulling.pull("jane/paint", file="half.safetensors")
    assert hub.server.asked == [("half.safetensors", 20_000)]
    assert got.read_bytes() == (folder / "half.safetensors").read_bytes()
    assert pulling.unfinished_pulls() == []


def test_a_gguf_transformer_is_kept_beside_the_parts_that_it_lacks(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = hub.root / "jane/small"
    folder.mkdir(parents=True)
    writer = gguf.GGUFWriter(folder / "flux1-dev-Q8_0.gguf", "flux")
    for name, shape in {
        "double_blocks.0.img_attn.norm.key_norm.scale": (8,),
        "img_in.weight": (8, 64),
        "final_layer.linear.weight": (64, 8),
        "guidance_in.in_layer.weight": (8, 8),
    }.items():
        writer.add_tensor(name, np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    main(["models", "pull", "jane/small"])
    said = capsys.readouterr()
    assert (user_models() / "flux1-dev-Q8_0.gguf").is_file()
    assert "jane/small: 1 file, " in said.err
    assert "licence: not stated (see https://huggingface.co/jane/small)" in said.err
    assert "holds only the transformer of" in said.out


def test_a_lora_file_goes_to_the_loras_and_what_is_of_no_use_is_not_fetched(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    repository(hub, "jane/style", pytorch_lora_weights=LORA)
    main(["models", "pull", "jane/style"])
    assert (user_models() / "loras" / "style.safetensors").is_file()
    assert "it is a LoRA file: use it with --model NAME --lora style\n" in capsys.readouterr().out
    repository(hub, "jane/night", night={"emb_params": torch.zeros(2, 768)})
    assert pulling.pull("jane/night") == user_models() / "embeddings" / "night.safetensors"
    repository(hub, "jane/control", canny=CONTROL)
    with pytest.raises(
        ModelError, match=r"^canny.safetensors of jane/control is not a checkpoint but a ControlNet. regr"
    ):
        pulling.pull("jane/control")
    assert "canny.safetensors" not in hub.fetched
    broken = repository(hub, "jane/broken", whole=NETWORK)
    (broken / "whole.safetensors").write_bytes(b"\xff" * 100)
    assert "is damaged, or not a safetensors file" in refused(pulling.pull, "jane/broken")


def test_pickles_are_not_fetched_unasked(hub: Hub) -> None:
    folder = hub.root / "jane/old"
    folder.mkdir(parents=True)
    torch.save({"state_dict": NETWORK}, folder / "old.ckpt")
    assert "has only pickled weights (old.ckpt), which can run any program when they are read" in refused(
        pulling.pull, "jane/old"
    )
    assert hub.fetched == []
    assert pulling.pull("jane/old", allow_pickle=True) == user_models() / "old.ckpt"


def test_a_gate_is_said_before_and_refuses_in_a_sentence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(hub, "jane/paint", painter=NETWORK)
    hub.server.gate = "hf_secret"
    for token in ("", "hf_other"):
        monkeypatch.setattr("regrow.hub.download.build_hf_headers", lambda token=token: _bearer(token))
        said = refused(pulling.pull, "jane/paint")
        assert "accept its licence or ask at https://huggingface.co/jane/paint, then log in" in said
        assert "or set HF_TOKEN" in said
    monkeypatch.setattr("regrow.hub.download.build_hf_headers", lambda: _bearer("hf_secret"))
    offers: list[pulling.Offer] = []
    pulling.pull("jane/paint", offer=offers.append)
    assert offers[0].repository.gated


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def test_a_file_or_a_folder_where_the_other_is_meant(tmp_path: Path, checkpoint: Callable[[str], Path]) -> None:
    save_file(NETWORK, tmp_path / "mine.safetensors")
    assert f"regrow models add {tmp_path}/mine.safetensors" in refused(pulling.pull, str(tmp_path / "mine.safetensors"))
    folder = str(checkpoint("sd-tiny"))
    assert "leave it out for a folder" in refused(pulling.pull, folder, "", False, None, "", "x.safetensors")


def run(hub: Hub, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process, which reads the environment of the hub's client as it starts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-m", "regrow", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, "HF_ENDPOINT": hub.server.address, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )


def test_the_environment_of_the_hub_s_client_is_heeded(
    hub: Hub, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = hub.root / "jane/pets"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    hub.server.gate, hub.server.licence = "hf_secret", "mit"
    cache = {"HF_HOME": str(tmp_path / "hf")}
    alone = run(hub, "generate", "a cat", "--model", "jane/pets", "--offline", **cache)
    assert alone.returncode == 1
    assert "The model jane/pets is not on this machine: download it with `regrow models pull jane/pets`" in alone.stderr
    cached = tmp_path / "hf" / "hub" / "models--jane--pets"  # as another program's download leaves it
    shutil.copytree(folder, cached / "snapshots" / "abc")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    made = tmp_path / "made.png"
    there = run(
        hub, "generate", "a cat", "--model", "jane/pets", "--offline", "--steps", "1", "--out", str(made), **cache
    )
    assert (there.returncode, made.is_file()) == (0, True), there.stderr
    offline = run(hub, "models", "pull", "jane/pets", HF_HUB_OFFLINE="1", **cache)
    assert (offline.returncode, offline.stdout) == (1, "")
    assert "HF_HUB_OFFLINE is set" in offline.stderr
    closed = run(hub, "models", "pull", "jane/pets", **cache)
    assert closed.returncode == 1
    assert f"accept its licence or ask at {hub.server.address}/jane/pets" in closed.stderr
    assert hub.server.tokens[-1] == ""
    got = run(hub, "models", "pull", "jane/pets", HF_TOKEN="hf_secret", **cache)
    assert got.returncode == 0, got.stderr
    assert hub.server.tokens[-1] == "hf_secret"
    said = got.stderr[: got.stderr.index("\n")]
    assert said.startswith("jane/pets: ")
    assert said.endswith(f"; licence: mit; gated: accept its terms with your account at {hub.endpoint}/jane/pets first")
