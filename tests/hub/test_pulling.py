"""Getting models: whole or not at all, going on where it broke off, one sentence for all that can go wrong."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import edit_json
from hubs import UNET, Hub, files, http_error, httpx, names, refused
from huggingface_hub import errors
from safetensors.torch import load_file

from regrow.hub import download, pulling
from regrow.models.model import ModelError
from regrow.models.open import open_model, user_models

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def there(hub: Hub, checkpoint: Callable[[str], Path]) -> Path:
    """The folder of a repository `jane/pets`, with much beside the model."""
    folder = hub.root / "jane/pets"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    for name in ("README.md", "LICENSE", "training.json", "everything.ckpt", "samples/a.png", "unet/other.bin"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def test_pull_gets_the_model_and_what_is_told_of_it(hub: Hub, there: Path) -> None:
    folder = pulling.pull("jane/pets")
    assert folder == user_models() / "pets"
    assert set(files(there)) - set(files(folder)) == {"everything.ckpt", "unet/other.bin"}
    assert set(files(folder)) <= set(files(there))
    assert open_model("pets").content_hash == open_model(there).content_hash
    assert pulling.pull("jane/pets", "other").name == "other"
    assert sorted(path.name for path in user_models().iterdir()) == ["other", "pets"]


def test_pull_gets_half_precision_where_there_is_no_other(hub: Hub, there: Path) -> None:
    (there / UNET).rename((there / UNET).with_suffix(".fp16.safetensors"))
    folder = pulling.pull("jane/pets")
    assert (folder / "unet" / "diffusion_pytorch_model.fp16.safetensors").is_file()
    shutil.copy((there / UNET).with_suffix(".fp16.safetensors"), there / UNET)
    assert not list(pulling.pull("jane/pets", "whole").rglob("*.fp16.*"))


def test_a_broken_download_goes_on_at_the_byte_it_had_reached(hub: Hub, there: Path) -> None:
    size = (there / UNET).stat().st_size
    hub.server.cut[UNET] = size // 2
    said = refused(pulling.pull, "jane/pets")
    assert said.endswith("the same command again, which continues from there.")
    assert names() == set()
    (left,) = pulling.unfinished_pulls()
    wanted = set(files(there)) - {"everything.ckpt", "unet/other.bin"}
    assert (left.repo, left.size) == ("jane/pets", sum((there / name).stat().st_size for name in wanted))
    assert size // 2 < left.came < left.size
    assert hub.server.asked[-1] == (UNET, size // 2)
    before = set(hub.server.asked)
    hub.server.asked.clear()
    hub.server.cut.clear()
    seen: list[tuple[int, int]] = []
    pulling.pull("jane/pets", watch=lambda *place: seen.append(place))
    assert hub.server.asked[0] == (UNET, size // 2)
    assert not before & set(hub.server.asked[1:])
    assert left.came < seen[0][0] < seen[-1][0] == seen[-1][1] == left.size
    assert [path.name for path in user_models().iterdir()] == ["pets"]
    assert pulling.unfinished_pulls() == []
    assert open_model("pets").content_hash == open_model(there).content_hash


def test_a_line_that_drops_again_and_again_gets_there(hub: Hub, there: Path) -> None:
    size = (there / UNET).stat().st_size
    hub.server.cut[UNET] = size // 9

    def farther(name: str, sent: int) -> None:
        if name == UNET:
            hub.server.cut[UNET] = sent + size // 9

    hub.server.sending = farther
    pulling.pull("jane/pets")
    assert hub.fetched.count(UNET) >= 9
    assert open_model("pets").content_hash == open_model(there).content_hash


def test_a_hub_that_sends_the_whole_again_does_not_spoil_what_came(hub: Hub, there: Path) -> None:
    hub.server.cut[UNET] = 5000
    refused(pulling.pull, "jane/pets")
    hub.server.cut.clear()
    hub.server.ranges = False
    pulling.pull("jane/pets")
    assert (user_models() / "pets" / UNET).read_bytes() == (there / UNET).read_bytes()


def test_what_came_damaged_is_not_kept(hub: Hub, there: Path) -> None:
    hub.server.cut[UNET] = 5000
    refused(pulling.pull, "jane/pets")
    (part,) = user_models().glob(f".pulling/*/*/{UNET}.part")
    part.write_bytes(b"x" + part.read_bytes()[1:])
    hub.server.cut.clear()
    assert f"({UNET} arrived damaged and was deleted)" in refused(pulling.pull, "jane/pets")
    assert not part.exists()
    assert pulling.pull("jane/pets").name == "pets"


def test_a_disk_that_is_too_small_is_known_before_the_download(
    hub: Hub, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 1000))  # type: ignore[attr-defined]
    said = refused(pulling.pull, "jane/pets")
    assert "GB are still to be downloaded, but only 0.0 GB are free in" in said
    assert hub.fetched == ["model_index.json"]


@pytest.mark.parametrize("name", ["tokenizer/../../../../outside.json", "tokenizer/a\\..\\outside.json"])
def test_a_repository_writes_nothing_outside_its_folder(
    hub: Hub, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    siblings = [*hub.server.siblings("jane/pets"), {"rfilename": name, "size": 4}]
    monkeypatch.setattr(hub.server, "siblings", lambda repo: siblings)
    assert "would be written outside the model's folder" in refused(pulling.pull, "jane/pets")
    assert hub.fetched == ["model_index.json"]


@pytest.mark.parametrize(("status", "words"), [(403, "You may not read jane/pets"), (503, "503 Service Unavailable")])
def test_a_hub_that_refuses_a_file_on_the_way(hub: Hub, there: Path, status: int, words: str) -> None:
    hub.server.refused[UNET] = status
    assert words in refused(pulling.pull, "jane/pets")
    hub.server.refused.clear()
    assert pulling.pull("jane/pets").name == "pets"


def test_one_download_of_a_model_at_a_time(hub: Hub, there: Path) -> None:
    seen: list[str] = []
    pulling.pull("jane/pets", watch=lambda *_: seen.append(refused(pulling.pull, "jane/pets")))
    assert set(seen) == {"Another process is getting jane--pets now: stop it first."}
    assert names() == {"pets"}


def test_an_unreachable_hub_does_not_make_half_a_download_a_whole_one(hub: Hub, there: Path) -> None:
    hub.server.cut["vae/config.json"] = 0
    refused(pulling.pull, "jane/pets")
    hub.failing = {"model_info": httpx.ConnectError("no route")}
    assert "could not be downloaded (no route)" in refused(pulling.pull, "jane/pets")
    hub.failing.clear()
    hub.server.cut.clear()
    fetched = len(hub.fetched)
    pulling.pull("jane/pets")
    assert UNET not in hub.fetched[fetched:]


def test_downloads_of_two_commits_are_not_mixed(hub: Hub, there: Path) -> None:
    (there / "LICENSE-OLD").write_text("old")
    hub.server.cut["vae/config.json"] = 0
    refused(pulling.pull, "jane/pets")
    (there / "LICENSE-OLD").unlink()
    hub.server.commit = "decade"
    refused(pulling.pull, "jane/pets")
    assert [path.name for path in user_models().glob(".pulling/jane--pets/*/")] == ["decade"]
    hub.server.cut.clear()
    assert "LICENSE-OLD" not in files(pulling.pull("jane/pets"))


def test_a_model_that_regrow_does_not_open_costs_no_download(hub: Hub, there: Path) -> None:
    edit_json(there / "model_index.json", _class_name="CogVideoXPipeline")
    said = refused(pulling.pull, "jane/pets")
    assert said.startswith("jane/pets/model_index.json describes a CogVideoXPipeline, which regrow does not support")
    assert hub.fetched == ["model_index.json"]
    assert not user_models().exists()


def test_a_repository_without_a_model(hub: Hub, there: Path) -> None:
    for name in ("model_index.json", "everything.ckpt"):
        (there / name).unlink()
    assert refused(pulling.pull, "jane/pets").startswith("jane/pets is not a model")
    assert not user_models().exists()


def test_a_damaged_model_is_not_kept(hub: Hub, there: Path) -> None:
    (there / UNET).write_bytes((there / UNET).read_bytes()[:1000])
    with pytest.raises(ModelError, match=f"^jane/pets/{UNET} is damaged"):
        pulling.pull("jane/pets")
    assert not user_models().exists()


def test_pickles_are_not_fetched_unasked(hub: Hub, there: Path) -> None:
    for whole in list(there.rglob("*.safetensors")):
        name = "pytorch_model.bin" if whole.parent.name == "text_encoder" else "diffusion_pytorch_model.bin"
        torch.save(load_file(whole), whole.parent / name)
        whole.unlink()
    assert "add --allow-pickle if you trust" in refused(pulling.pull, "jane/pets")
    assert hub.fetched == []
    assert pulling.pull("jane/pets", allow_pickle=True).name == "pets"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ("model_info", http_error(401, "https://huggingface.co/api/models/jane/pets"), "has no model jane/pets, or"),
        (
            "model_info",
            http_error(404, **{"X-Error-Code": "RepoNotFound"}),
            "The hub has no model jane/pets, or it is private",
        ),
        ("model_info", http_error(403, **{"X-Error-Code": "GatedRepo"}), "ask at https://huggingface.co/jane/"),
        ("model_info", http_error(403), "You may not read jane/pets"),
        ("model_info", errors.OfflineModeIsEnabled("offline mode is enabled."), "HF_HUB_OFFLINE is set"),
        ("model_info", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "(No space left on device)"),
    ],
)
def test_what_the_hub_refuses_on_the_way_down(hub: Hub, there: Path, call: str, error: Exception, words: str) -> None:
    hub.failing[call] = error
    assert words in refused(pulling.pull, "jane/pets")
    assert names() == set()


def test_pull_copies_a_folder(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    source = tmp_path / "theirs"
    shutil.copytree(checkpoint("sd1"), source)
    for part, stem in (("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model")):
        (source / part / f"{stem}.safetensors").rename(source / part / f"{stem}.fp16.safetensors")
    (source / "LICENSE").write_text("mine")
    (source / "optimizer.pt").write_text("gigabytes")
    folder = pulling.pull(str(source))
    assert folder == user_models() / "theirs"
    assert set(files(source)) - set(files(folder)) == {"optimizer.pt"}
    assert open_model("theirs").content_hash == open_model(source).content_hash
    assert [path.name for path in user_models().iterdir()] == ["theirs"]


def test_a_folder_that_is_no_model_is_not_copied(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    source = tmp_path / "theirs"
    shutil.copytree(checkpoint("sd1"), source)
    (source / UNET).unlink()
    assert f"{source}/{UNET} is missing" in refused(pulling.pull, str(source))
    assert "is not a model" in refused(pulling.pull, str(tmp_path))
    assert "is neither a folder" in refused(pulling.pull, str(source / "model_index.json"))
    assert not user_models().exists()


def test_pull_overwrites_nothing(mine: Path, checkpoint: Callable[[str], Path]) -> None:
    source = str(checkpoint("ddpm"))
    before = {name: (mine / name).read_bytes() for name in files(mine)}
    assert "exists already" in refused(pulling.pull, source, "mine")
    assert {name: (mine / name).read_bytes() for name in files(mine)} == before
    assert "storybook is the name of a model of regrow" in refused(pulling.pull, source, "storybook")
    (user_models() / "dangling").symlink_to(user_models() / "nowhere")
    assert "exists already" in refused(pulling.pull, source, "dangling")
