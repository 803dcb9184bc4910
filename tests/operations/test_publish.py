"""Removing, publishing and getting models: whole or not at all, and one sentence for everything that can go wrong."""

import errno
import importlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
from checkpoints import edit_json
from huggingface_hub import errors
from huggingface_hub.utils import filter_repo_objects, hf_raise_for_status
from safetensors.torch import load_file

from regrow.families.model import ModelError
from regrow.families.registry import list_models, open_model, user_models
from regrow.media.home import home
from regrow.operations import model_card, publish

httpx = importlib.import_module(errors.Response.__module__.split(".")[0])  # whichever the hub's client is built on
UNET = "unet/diffusion_pytorch_model.safetensors"
TRAINING = {
    "base_model": ["stabilityai/sd-turbo", "storybook"],
    "license": "cc-by-4.0",
    "data": {"folder": "pets", "pictures": 1200},
    "settings": {"steps": 4000},
    "optimizer": "muon",
    "figures": {"validation loss": 0.25},
}


class Hub:
    """A hub in a folder, with the methods of `HfApi` that regrow calls, and `snapshot_download`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commit = "c0ffee"
        self.public: set[str] = set()
        self.fetched: list[str] = []
        self.calls: list[str] = []
        self.failing: dict[str, Exception] = {}

    def create_repo(self, repo: str, *, private: bool | None, exist_ok: bool) -> str:
        self._called("create_repo")
        assert exist_ok
        if not private:
            self.public.add(repo)
        (self.root / repo).mkdir(parents=True, exist_ok=True)
        return f"https://huggingface.co/{repo}"

    def model_info(self, repo: str) -> SimpleNamespace:
        self._called("model_info")
        siblings = [SimpleNamespace(rfilename=name) for name in self._names(repo)]
        return SimpleNamespace(sha=self.commit, siblings=siblings, private=repo not in self.public)

    def upload_folder(self, *, repo_id: str, folder_path: Path, commit_message: str) -> None:
        self._called("upload_folder")
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)

    def snapshot_download(self, repo: str, *, revision: str, local_dir: Path, allow_patterns: list[str]) -> str:
        self._called("snapshot_download")
        assert revision == self.commit
        (local_dir / ".cache/huggingface").mkdir(parents=True, exist_ok=True)
        (local_dir / ".cache/huggingface/CACHEDIR.TAG").touch()
        for name in filter_repo_objects(self._names(repo), allow_patterns=allow_patterns):
            if not (local_dir / name).exists():
                self._called(name)
                (local_dir / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / repo / name, local_dir / name)
                self.fetched.append(name)
        return str(local_dir)

    def _names(self, repo: str) -> list[str]:
        return files(self.root / repo)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    made = Hub(tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: made)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", made.snapshot_download)
    return made


@pytest.fixture
def mine(checkpoint: Callable[[str], Path]) -> Path:
    """A model of the user's, with what a trainer leaves beside it."""
    folder = user_models() / "mine"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    (folder / "training.json").write_text(json.dumps(TRAINING))
    (folder / "samples").mkdir()
    (folder / "samples" / "a cat.png").write_bytes(b"png")
    (folder / ".secret").write_text("token")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def names() -> set[str]:
    return {model.name for model in list_models() if model.folder.parent == user_models()}


def refused(action: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        action(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def http_error(status: int, url: str = "https://huggingface.co/api/repos/create", **headers: str) -> Exception:
    """What the hub's client makes of an answer."""
    with pytest.raises(errors.HfHubHTTPError) as caught:
        hf_raise_for_status(httpx.Response(status, request=httpx.Request("POST", url), headers=headers))
    return caught.value


def test_what_is_published_is_the_model_and_a_card(mine: Path, tmp_path: Path) -> None:
    model = open_model("mine")
    published = publish.write_publishable(model, "jane/pets", tmp_path / "out" / "pets")
    assert files(published) == sorted([*(name for name in files(mine) if name != ".secret"), "README.md"])
    assert all((published / n).read_bytes() == (mine / n).read_bytes() for n in files(published) if n != "README.md")
    assert open_model(published).content_hash == model.content_hash
    assert model_card.read_front_matter(published) == {
        "license": "cc-by-4.0",
        "library_name": "diffusers",
        "tags": ["diffusers", "regrow", "text-to-image"],
        "base_model": ["stabilityai/sd-turbo"],
    }
    card = (published / "README.md").read_text()
    for said in (
        "# pets\n",
        "32 x 48 pixels",
        "trained further from stabilityai/sd-turbo and storybook",
        "![a cat](samples/a%20cat.png)",
        'regrow generate "WORDS" --model jane/pets',
        "## Training data\n\n| what | value |\n|---|---|\n| folder | pets |\n| pictures | 1200 |\n\n",
        "## Settings\n\n| what | value |\n|---|---|\n| steps | 4000 |\n| optimizer | muon |\n\n",
        "## Figures\n\n| what | value |\n|---|---|\n| validation loss | 0.25 |\n",
        model.content_hash,
    ):
        assert said in card
    assert str(tmp_path) not in card
    assert [path.name for path in published.parent.iterdir()] == ["pets"]


def test_the_facts_of_a_trained_model_go_where_they_belong(mine: Path, tmp_path: Path) -> None:
    stage = {"batch": 4, "loss": 1.14, "seconds": 2.1, "settings": {"seconds": 60, "rate": 0.001}}
    request = {"data": "/home/jane/pets", "prompts": [], "lora": 0, "time": "", "text": None, "words": "a|b"}
    facts = {"base_model": "/home/jane/base", "data": "pets", "stages": {"denoiser": stage}, "request": request}
    (mine / "training.json").write_text(json.dumps(facts))
    card = model_card.make_card(open_model("mine"), "jane/pets")
    assert "trained further from base.\n" in card
    assert "/home" not in card
    assert "base_model" not in card
    sections = (section.split("\n", 1) for section in card.split("\n## ")[1:])
    tables = {title: re.findall(r"^\| (.*) \|$", text, re.MULTILINE)[1:] for title, text in sections}
    assert tables["Training data"] == ["data | pets"]
    assert tables["Figures"] == ["stages.denoiser.loss | 1.14", "stages.denoiser.seconds | 2.1"]
    assert tables["Settings"] == [
        "stages.denoiser.batch | 4",
        "stages.denoiser.settings.seconds | 60",
        "stages.denoiser.settings.rate | 0.001",
        "request.data | pets",
        "request.lora | 0",
        r"request.words | a\|b",
    ]


@pytest.mark.parametrize("name", ["sd1", "sd-tiny", "ddpm", "bare-pixel"])
def test_the_cards_lines_for_diffusers_open_the_model(
    name: str, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint(name), folder)
    if name == "sd1":  # as in a pulled folder: named in the index and not there
        entry = ["stable_diffusion", "StableDiffusionSafetyChecker"]
        edit_json(folder / "model_index.json", safety_checker=entry)
    published = publish.write_publishable(open_model(folder), "jane/it", tmp_path / "out")
    card = (published / "README.md").read_text()
    assert ("unconditional-image-generation" in card) == (name in ("ddpm", "bare-pixel"))
    assert "Not recorded with the model." in card
    assert "license: unknown" in card
    (lines,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    found: dict[str, Any] = {}
    exec(lines.replace("jane/it", str(published)).split("pipeline(")[0], found)  # all but the drawing itself
    network = found["network"] if name == "bare-pixel" else found["pipeline"].unet
    ours = open_model(published).unet.state_dict()
    assert all(torch.equal(weights, ours[key]) for key, weights in network.state_dict().items())


def test_the_cards_lines_for_diffusers_draw_with_what_regrow_carries(tmp_path: Path) -> None:
    published = publish.write_publishable(open_model("storybook"), "jane/it", tmp_path / "out")
    (published / "README.md").unlink()  # its own, for one made from what is known
    lines = "\n".join(model_card.make_card(open_model(published), "jane/it").split("```python\n")[1].split("```")[:1])
    found: dict[str, Any] = {}
    exec(lines.replace("jane/it", str(published)).split("pipeline(")[0], found)
    (picture,) = found["pipeline"]("a cat", num_inference_steps=1).images
    assert picture.size == (128, 128)


def test_a_card_of_the_authors_own_is_kept(mine: Path, tmp_path: Path) -> None:
    own = "---\nlicense: mit\n---\n\n# Mine\n"
    (mine / "README.md").write_text(own)
    published = publish.write_publishable(open_model("mine"), "jane/pets", tmp_path / "a")
    assert (published / "README.md").read_text() == own
    (mine / "README.md").write_text("# Mine\n")
    published = publish.write_publishable(open_model("mine"), "jane/pets", tmp_path / "b")
    assert (published / "README.md").read_text().endswith("---\n\n# Mine\n")
    assert model_card.read_front_matter(published)["license"] == "cc-by-4.0"


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("README.md", b"---\na: [\n---\n", "front matter of"),
        ("README.md", b"\xff\xfe", "front matter of"),
        ("training.json", b"{", "training.json is not valid JSON"),
        ("training.json", b"[]", "training.json holds no JSON object"),
    ],
)
def test_a_card_that_cannot_be_read_is_not_published(
    mine: Path, tmp_path: Path, hub: Hub, file: str, content: bytes, words: str
) -> None:
    (mine / file).write_bytes(content)
    model = open_model("mine")
    assert words in refused(publish.write_publishable, model, "jane/pets", tmp_path / "out")
    assert words in refused(publish.upload, model, "jane/pets", False)
    assert not (tmp_path / "out").exists()
    assert hub.calls == []


def test_nothing_is_published_over_something_else(mine: Path, tmp_path: Path) -> None:
    model = open_model("mine")
    taken = tmp_path / "taken"
    taken.mkdir()
    assert publish.write_publishable(model, "jane/pets", taken) == taken  # empty
    assert "exists already" in refused(publish.write_publishable, model, "jane/pets", taken)
    assert "exists already" in refused(publish.write_publishable, model, "jane/pets", taken / "README.md")
    assert "own folder" in refused(publish.write_publishable, model, "jane/pets", mine / "out")


def full_disk(source: Path, target: Path) -> None:
    if Path(source).suffix == ".safetensors":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    Path(target).write_bytes(Path(source).read_bytes())


def test_a_full_disk_leaves_nothing(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model("mine")
    monkeypatch.setattr(shutil, "copyfile", full_disk)
    (tmp_path / "out").mkdir()
    assert "No space left" in refused(publish.write_publishable, model, "jane/pets", tmp_path / "out" / "pets")
    assert list((tmp_path / "out").iterdir()) == []
    assert "No space left" in refused(publish.pull, str(mine), "other")
    assert [path.name for path in user_models().iterdir()] == ["mine"]


def test_upload_puts_the_same_on_the_hub(mine: Path, tmp_path: Path, hub: Hub) -> None:
    model = open_model("mine")
    assert publish.upload(model, "jane/pets", True) == "https://huggingface.co/jane/pets"
    assert "jane/pets" not in hub.public
    published = publish.write_publishable(model, "jane/pets", tmp_path / "out")
    assert files(hub.root / "jane/pets") == files(published)
    assert publish.upload(model, "jane/pets", True)  # again, after more training
    assert list((home() / "cache" / "push").iterdir()) == []


def test_a_private_model_is_not_put_into_a_public_repository(mine: Path, hub: Hub) -> None:
    hub.create_repo("jane/pets", private=None, exist_ok=True)
    assert "is public, and nothing was uploaded" in refused(publish.upload, open_model("mine"), "jane/pets", True)
    assert "upload_folder" not in hub.calls


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ("create_repo", errors.LocalTokenNotFoundError("Token is required"), "log in with `hf auth login`"),
        ("create_repo", http_error(401), "log in with `hf auth login`"),
        ("create_repo", http_error(403), "check that jane is you or an organisation of yours"),
        ("create_repo", errors.OfflineModeIsEnabled("offline mode is enabled."), "HF_HUB_OFFLINE is set"),
        ("create_repo", httpx.ConnectError("[Errno -2] Name or service not known"), "check network and disk"),
        ("upload_folder", http_error(500), "could not be uploaded (Server error '500"),
        ("upload_folder", http_error(404, **{"X-Error-Code": "RepoNotFound"}), "log in with `hf auth login`"),
    ],
)
def test_what_the_hub_refuses_on_the_way_up(mine: Path, hub: Hub, call: str, error: Exception, words: str) -> None:
    hub.failing[call] = error
    assert words in refused(publish.upload, open_model("mine"), "jane/pets", False)
    assert not (home() / "cache" / "push" / "jane--pets").exists()


@pytest.mark.parametrize(
    "repo", ["pets", "a/b/c", "jane/..", "jane/a--b", "ja ne/pets", "/pets", "jane/", "jane/a.git"]
)
def test_a_bad_repository_name_is_known_before_anything_happens(mine: Path, hub: Hub, repo: str) -> None:
    assert "is no name of a hub repository" in refused(publish.upload, open_model("mine"), repo, False)
    assert "neither a folder nor the name of a hub repository" in refused(publish.pull, repo)
    assert hub.calls == []


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
    folder = publish.pull("jane/pets")
    assert folder == user_models() / "pets"
    assert set(files(there)) - set(files(folder)) == {"everything.ckpt", "unet/other.bin"}
    assert set(files(folder)) <= set(files(there))
    assert open_model("pets").content_hash == open_model(there).content_hash
    assert publish.pull("jane/pets", "other").name == "other"
    assert sorted(path.name for path in user_models().iterdir()) == ["other", "pets"]


def test_a_broken_download_goes_on(hub: Hub, there: Path) -> None:
    hub.failing["vae/config.json"] = httpx.ReadTimeout("timed out")
    assert "fetches only what did not come whole" in refused(publish.pull, "jane/pets")
    assert names() == set()
    before = list(hub.fetched)
    assert UNET in before
    hub.failing.clear()
    publish.pull("jane/pets")
    assert len(hub.fetched) == len(set(hub.fetched)) > len(before)
    assert [path.name for path in user_models().iterdir()] == ["pets"]


def test_an_unreachable_hub_does_not_make_half_a_download_a_whole_one(hub: Hub, there: Path) -> None:
    hub.failing["vae/config.json"] = httpx.ReadTimeout("timed out")
    refused(publish.pull, "jane/pets")
    hub.failing = {"model_info": httpx.ConnectError("no route")}
    assert "could not be downloaded (no route)" in refused(publish.pull, "jane/pets")
    hub.failing.clear()
    fetched = len(hub.fetched)
    publish.pull("jane/pets")
    assert UNET not in hub.fetched[fetched:]


def test_downloads_of_two_commits_are_not_mixed(hub: Hub, there: Path) -> None:
    (there / "LICENSE-OLD").write_text("old")
    hub.failing["vae/config.json"] = httpx.ReadTimeout("timed out")
    refused(publish.pull, "jane/pets")
    (there / "LICENSE-OLD").unlink()
    hub.commit = "decade"
    refused(publish.pull, "jane/pets")
    assert [path.name for path in user_models().glob(".pulling/jane--pets/*")] == ["decade"]
    hub.failing.clear()
    assert "LICENSE-OLD" not in files(publish.pull("jane/pets"))


def test_a_model_that_regrow_does_not_open_costs_no_download(hub: Hub, there: Path) -> None:
    edit_json(there / "model_index.json", _class_name="CogVideoXPipeline")
    said = refused(publish.pull, "jane/pets")
    assert said.startswith("jane/pets/model_index.json describes a CogVideoXPipeline, which regrow does not support")
    assert hub.fetched == ["model_index.json"]
    assert list(user_models().iterdir()) == []


def test_a_repository_without_a_model(hub: Hub, there: Path) -> None:
    (there / "model_index.json").unlink()
    assert refused(publish.pull, "jane/pets").startswith("jane/pets is no model")
    assert list(user_models().iterdir()) == []


def test_a_damaged_model_is_not_kept(hub: Hub, there: Path) -> None:
    (there / UNET).write_bytes((there / UNET).read_bytes()[:1000])
    with pytest.raises(ModelError, match=f"^jane/pets/{UNET} is damaged"):
        publish.pull("jane/pets")
    assert list(user_models().iterdir()) == []


def test_pickles_are_not_fetched_unasked(hub: Hub, there: Path) -> None:
    for whole in list(there.rglob("*.safetensors")):
        name = "pytorch_model.bin" if whole.parent.name == "text_encoder" else "diffusion_pytorch_model.bin"
        torch.save(load_file(whole), whole.parent / name)
        whole.unlink()
    assert "use --allow-pickle if you trust" in refused(publish.pull, "jane/pets")
    assert hub.fetched == []
    assert publish.pull("jane/pets", allow_pickle=True).name == "pets"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ("model_info", http_error(401, "https://huggingface.co/api/models/jane/pets"), "has no model jane/pets, or"),
        ("model_info", http_error(404, **{"X-Error-Code": "RepoNotFound"}), "has no model jane/pets, or hides it"),
        ("snapshot_download", http_error(403, **{"X-Error-Code": "GatedRepo"}), "ask at https://huggingface.co/jane/"),
        ("snapshot_download", http_error(403), "You may not read jane/pets"),
        ("model_info", errors.OfflineModeIsEnabled("offline mode is enabled."), "HF_HUB_OFFLINE is set"),
        ("snapshot_download", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "(No space left on device)"),
    ],
)
def test_what_the_hub_refuses_on_the_way_down(hub: Hub, there: Path, call: str, error: Exception, words: str) -> None:
    hub.failing[call] = error
    assert words in refused(publish.pull, "jane/pets")
    assert names() == set()


def test_pull_copies_a_folder(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    source = tmp_path / "theirs"
    shutil.copytree(checkpoint("sd1"), source)
    for part, stem in (("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model")):
        (source / part / f"{stem}.safetensors").rename(source / part / f"{stem}.fp16.safetensors")
    (source / "LICENSE").write_text("mine")
    (source / "optimizer.pt").write_text("gigabytes")
    folder = publish.pull(str(source))
    assert folder == user_models() / "theirs"
    assert set(files(source)) - set(files(folder)) == {"optimizer.pt"}
    assert open_model("theirs").content_hash == open_model(source).content_hash
    assert [path.name for path in user_models().iterdir()] == ["theirs"]


def test_a_folder_that_is_no_model_is_not_copied(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    source = tmp_path / "theirs"
    shutil.copytree(checkpoint("sd1"), source)
    (source / UNET).unlink()
    assert f"{source}/{UNET} is missing" in refused(publish.pull, str(source))
    assert "is no model" in refused(publish.pull, str(tmp_path))
    assert "is neither a folder" in refused(publish.pull, str(source / "model_index.json"))
    assert not user_models().exists()


def test_pull_overwrites_nothing(mine: Path, checkpoint: Callable[[str], Path]) -> None:
    source = str(checkpoint("ddpm"))
    before = {name: (mine / name).read_bytes() for name in files(mine)}
    assert "exists already" in refused(publish.pull, source, "mine")
    assert {name: (mine / name).read_bytes() for name in files(mine)} == before
    assert "regrow carries a model storybook" in refused(publish.pull, source, "storybook")
    (user_models() / "dangling").symlink_to(user_models() / "nowhere")
    assert "exists already" in refused(publish.pull, source, "dangling")


@pytest.mark.parametrize("name", ["", " ", "..", ".", "../mine", "a/b", "/tmp", "a\\b", ".hidden", "C:"])
def test_names_that_are_paths_are_refused(mine: Path, checkpoint: Callable[[str], Path], name: str) -> None:
    assert "give a plain name" in refused(publish.remove, name)
    if name:
        assert "give a plain name" in refused(publish.pull, str(checkpoint("ddpm")), name)
    assert names() == {"mine"}


def test_remove_removes_the_users_own_only(mine: Path, checkpoint: Callable[[str], Path]) -> None:
    assert "carried by regrow itself" in refused(publish.remove, "storybook")
    assert "the models there are: mine" in refused(publish.remove, "other")
    elsewhere = checkpoint("ddpm")
    (user_models() / "link").symlink_to(elsewhere)
    assert names() == {"mine", "link"}
    publish.remove("link")
    assert (elsewhere / "model_index.json").exists()
    assert publish.remove("mine") == mine
    assert list(user_models().iterdir()) == []


def test_a_killed_removal_leaves_no_half_model(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(mine, user_models() / "second")

    def killed(folder: Path, ignore_errors: bool = False) -> None:
        (next(iter(Path(folder).iterdir())) / "model_index.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            publish.remove("mine")
    assert names() == {"second"}
    publish.remove("second")
    assert list(user_models().iterdir()) == []


def test_nested_facts_become_flat_words() -> None:
    facts = {"a": {"b": 1, "c": {"d": None}}, "e": [1, 2], "f": list(range(9)), "g": [{"h": 1}], "i": "two\nlines"}
    said = {"a.b": "1", "e": "1, 2", "f": "a list of 9, the last 8", "g": "a list of 1", "i": "two lines"}
    assert model_card.flat(facts) == said
    facts = {"loss": 1.139841914176941, "rate": 0.0, "on": False, "prompts": [], "notes": ["One, two.", "Three."]}
    assert model_card.flat(facts) == {"loss": "1.13984", "rate": "0", "on": "False", "notes": "One, two; Three"}
