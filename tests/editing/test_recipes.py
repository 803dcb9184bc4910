"""Recipes: no paths of the machine, files found by their names, and a stranger's recipe as data."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.generate import generate
from regrow.editing.invert import invert
from regrow.editing.recipe import Recipe, with_paths
from regrow.editing.replay import recipe_in, replay, request_from
from regrow.editing.trajectories import save_trajectory
from regrow.media.files import MediaError
from regrow.media.image.picture import save
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.requests.invert import Invert

SENT = ["steps", "seed", "target", "image", "model", "strength", "guidance", "size", "mask", "trajectory", "method"]
JUNK: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**400, -1, 100_000, "../../etc/passwd", "/dev/zero", "user/repo", "\0", "auto"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("sd-tiny"))


@pytest.fixture(scope="module")
def made(model: Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Edit, Recipe]:
    """A folder with an edit that had every kind of file, its request and its recipe."""
    folder = tmp_path_factory.mktemp("secret-user")
    torch.manual_seed(0)
    save(folder / "in.png", torch.rand(3, 40, 40) * 2 - 1)
    save(folder / "m.png", torch.ones(3, 4, 4))
    common: dict[str, Any] = {"source": "a cat", "model": str(model.folder), "steps": 3}
    inverted = finish(invert(Invert(folder / "in.png", **common, reference=0), model))
    save_trajectory(folder / "path.safetensors", inverted.trajectory, inverted.made_of)
    request = Edit(
        folder / "in.png", ("a dog",), **common, mask=folder / "m.png", trajectory=folder / "path.safetensors"
    )
    edited = finish(edit(request, model))
    edited.save(folder / "out.png")
    edited.save(folder / "kept.png", request)
    return folder, request, edited.recipes[0]


def test_no_folder_of_the_machine_is_in_it(model: Model, made: tuple[Path, Edit, Recipe]) -> None:
    folder, _, recipe = made
    text = json.dumps(recipe)
    assert "secret-user" not in text
    assert "/" not in text.replace("a/", "").replace("torch/", "")
    assert b"secret-user" not in (folder / "out.png").read_bytes()
    assert recipe["input"]["file"] == recipe["settings"]["image"] == "in.png"
    assert recipe["trajectory"]["file"] == recipe["settings"]["trajectory"] == "path.safetensors"
    assert recipe["mask"]["file"] == "m.png"
    assert recipe["model"]["name"] == recipe["settings"]["model"] == model.folder.name


def test_replay_finds_the_files_or_says_what_is_the_matter(
    model: Model, made: tuple[Path, Edit, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _, recipe = made
    monkeypatch.chdir(tmp_path)
    assert finish(replay(recipe, request_from(recipe, folder), model)).identical
    with pytest.raises(MediaError, match=r"The source file in\.png is not in .*: add its folder with --files"):
        request_from(recipe)
    kept = recipe_in(folder / "kept.png")
    assert kept["paths"]["image"] == str(folder / "in.png")
    assert request_from(kept).model == str(model.folder)
    old = {**recipe, "input": {**recipe["input"], "file": str(folder / "in.png")}}
    for name in ("m.png", "path.safetensors"):  # copied into the current folder
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert request_from(old).model == str(model.folder), "older recipes hold whole paths"
    save(tmp_path / "in.png", torch.zeros(3, 8, 8))
    with pytest.raises(MediaError, match=r"in\.png has changed since the result was made: restore the original file"):
        request_from(recipe)
    (tmp_path / "in.png").write_bytes((folder / "in.png").read_bytes())
    damaged = (folder / "path.safetensors").read_bytes()
    (tmp_path / "path.safetensors").write_bytes(damaged[:-1] + bytes([damaged[-1] ^ 1]))
    with pytest.raises(MediaError, match=r"path\.safetensors has changed"):
        request_from(recipe)


@pytest.mark.parametrize(
    ("place", "value"),
    [("threads", 100_000), ("threads", True), ("threads", 0), ("threads", None), ("result", []), ("settings", [[[]]]),
     ("operation", "../edit"), ("operation", 5), ("input", "in.png"), ("input", {"file": 5}), ("model", None),
     ("mask", {"file": "m.png"}), ("result", {"hash": "x", "index": -1}), ("result", {"hash": "x", "index": 10**9})],
)  # fmt: skip
def test_a_strangers_recipe_is_checked(made: tuple[Path, Edit, Recipe], place: str, value: Any) -> None:
    folder, _, recipe = made
    with pytest.raises(MediaError) as told:
        request_from({**recipe, place: value}, folder)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("setting", "value"), [("trajectory", 5), ("trajectory", ["a"]), ("trajectory", {}), ("model", "é" * 300)]
)
def test_a_setting_that_names_no_file_is_a_sentence(made: tuple[Path, Edit, Recipe], setting: str, value: Any) -> None:
    folder, _, recipe = made
    older = {name: part for name, part in recipe.items() if name != "trajectory"} | {"paths": {}}
    with suppress(MediaError):  # a model of that name is looked for when it is opened
        request_from({**older, "settings": {**recipe["settings"], setting: value}}, folder)


def test_a_result_that_the_batch_does_not_have(model: Model, made: tuple[Path, Edit, Recipe]) -> None:
    folder, _, recipe = made
    other = {**recipe, "result": {"hash": "x", "index": 900}}
    with pytest.raises(MediaError, match="This recipe is damaged: it is of result 901, but there are only 1"):
        finish(replay(other, request_from(other, folder), model))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*SENT, "threads", "result", "input", "inputs", "paths", "engine", "versions"]), JUNK)
def test_junk_anywhere_is_a_sentence_or_a_request(made: tuple[Path, Edit, Recipe], name: str, junk: Any) -> None:
    folder, _, recipe = made
    recipe = {**recipe, "settings": dict(recipe["settings"])}
    (recipe["settings"] if name in SENT else recipe)[name] = junk
    with suppress(MediaError):  # and nothing else
        request_from(recipe, folder)


def test_nothing_is_fetched_for_a_recipe(
    model: Model, made: tuple[Path, Edit, Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _, recipe = made
    fetched: list[bool] = []

    def snapshot_download(*_: object, local_files_only: bool = False, **__: object) -> str:
        fetched.append(not local_files_only)
        raise OSError("it is not in the cache")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(
        ModelError,
        match="download it with `regrow models pull user/repo` if you trust its author, or add --download",
    ):
        open_model("user/repo", download=False)
    assert fetched == [False]
    captioned = {**recipe, "settings": {**recipe["settings"], "source": "auto", "describer": "user/captioner"}}
    with pytest.raises(MediaError, match="names a captioning model"):
        request_from(captioned, folder)


def test_a_melody_or_model_by_another_spelling_leaves_no_path(model: Model, tmp_path: Path) -> None:
    (tmp_path / "mine").symlink_to(model.folder)
    for spelling in (str(tmp_path / "mine"), f"{tmp_path}/./mine/"):
        opened = open_model(spelling)
        recipe = finish(generate(Generate("a cat", model=spelling, steps=1), opened)).recipes[0]
        assert (recipe["settings"]["model"], recipe["model"]["name"]) == ("mine", "mine")
        assert with_paths(recipe, Generate("a cat", model=spelling))["paths"] == {"model": str(model.folder.resolve())}
    save(tmp_path / "x.png", torch.zeros(3, 8, 8), recipe)
    assert str(tmp_path).encode() not in (tmp_path / "x.png").read_bytes()
