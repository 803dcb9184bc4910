"""Removing and publishing models: whole or not at all, and one sentence for everything that can go wrong."""

import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import edit_json
from hubs import Hub, files, http_error, httpx, names, refused
from huggingface_hub import errors

from regrow.hub import model_card, publish, pulling
from regrow.media.home import home
from regrow.models.open import EMBEDDED, open_model, user_models

pytestmark = pytest.mark.usefixtures("home")


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


def test_a_card_of_sounds_speaks_of_sounds(mine: Path) -> None:
    shutil.copytree(EMBEDDED / "bandstand", mine.with_name("band"), ignore=lambda *_: ["README.md"])
    card = model_card.make_card(open_model("band"), "jane/band")
    assert "- text-to-audio\n" in card
    assert "for sounds at 22050 Hz, as mels of 128 bands and in clips of 5.9 s." in card
    assert "regrow edit SOUND" in card
    assert "picture" not in card.split("## Training data")[0].lower()


@pytest.mark.parametrize("name", ["sd1", "sd-tiny", "ddpm", "bare-pixel", "sdxl"])
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
    ours = open_model(published).network.state_dict()
    assert all(torch.equal(weights, ours[key]) for key, weights in network.state_dict().items())


def test_the_cards_lines_for_diffusers_draw_with_what_regrow_carries(tmp_path: Path) -> None:
    published = publish.write_publishable(open_model("storybook"), "jane/it", tmp_path / "out")
    (published / "README.md").unlink()  # its own, for one made from what is known
    lines = "\n".join(model_card.make_card(open_model(published), "jane/it").split("```python\n")[1].split("```")[:1])
    found: dict[str, Any] = {}
    exec(lines.replace("jane/it", str(published)).split("pipeline(")[0], found)
    (picture,) = found["pipeline"]("a cat", num_inference_steps=1).images
    assert picture.size == (256, 256)


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
        ("training.json", b"[]", "training.json does not hold a JSON object"),
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
    assert "No space left" in refused(pulling.pull, str(mine), "other")
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
    assert "is already public on the hub, so nothing was uploaded" in refused(
        publish.upload, open_model("mine"), "jane/pets", True
    )
    assert "upload_folder" not in hub.calls


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ("create_repo", errors.LocalTokenNotFoundError("Token is required"), "log in with `hf auth login`"),
        ("create_repo", http_error(401), "log in with `hf auth login`"),
        ("create_repo", http_error(403), "check that jane is you or your organisation"),
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
    assert "is not a name on the Hugging Face hub" in refused(publish.upload, open_model("mine"), repo, False)
    assert "neither a folder nor the name of a hub repository" in refused(pulling.pull, repo)
    assert hub.calls == []


@pytest.mark.parametrize("name", ["", " ", "..", ".", "../mine", "a/b", "/tmp", "a\\b", ".hidden", "C:"])
def test_names_that_are_paths_are_refused(mine: Path, checkpoint: Callable[[str], Path], name: str) -> None:
    assert "give a plain name" in refused(publish.remove, name)
    if name:
        assert "give a plain name" in refused(pulling.pull, str(checkpoint("ddpm")), name)
    assert names() == {"mine"}


def test_remove_removes_the_users_own_only(mine: Path, checkpoint: Callable[[str], Path]) -> None:
    assert "is part of regrow and cannot be removed" in refused(publish.remove, "storybook")
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
