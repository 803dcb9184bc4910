"""Settings out of a result, or out of a file that comes from anyone, back into the form."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from record_api import EXAMPLE, Api, job, owner_of

from regrow.interfaces.server.places import made
from regrow.media.files import file_hash
from regrow.media.image.picture import save


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


SETTINGS: dict[str, Any] = {
    "image": "cat.png", "target": ["a dog"], "source": "a cat", "strength": 0.5, "model": "storybook", "steps": 3,
    "mask": "/etc/passwd", "trajectory": "/etc/passwd", "cache": True, "evil": "x", "seed": "none",
}  # fmt: skip


def recipe(**changed: Any) -> dict[str, Any]:
    known = {"file": "/somewhere/cat.png", "hash": file_hash(EXAMPLE)}
    return {"operation": "edit", "settings": SETTINGS, "input": known, **changed}


def dropped(client: Any, tmp_path: Path, made_of: dict[str, Any]) -> Any:
    """What the server says of the recipe of a file that is dropped on the page."""
    save(tmp_path / "made.png", torch.zeros(3, 8, 8), made_of)
    answer = client.post("/api/files?name=made.png", content=(tmp_path / "made.png").read_bytes())
    assert answer.status_code == 200, answer.text
    return answer.json()["recipe"]


def test_a_recipe_brings_settings_and_only_the_callers_own_unchanged_files(tmp_path: Path) -> None:
    api = Api(private=True)
    with api.caller() as one, api.caller() as other:
        source = one.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()["id"]
        for client, file, complete in ((one, source, True), (other, None, False)):
            form = dropped(client, tmp_path, recipe())
            assert (form["verb"], form["complete"], form["settings"].pop("image")) == ("edit", complete, file)
            assert form["settings"] == {
                "target": ["a dog"], "source": "a cat", "strength": 0.5, "model": "storybook", "steps": 3, "mask": None,
            }  # fmt: skip
            assert (form["input"] or {}).get("id") == file
        changed = dropped(one, tmp_path, recipe(input={"file": "cat.png", "hash": "0" * 32}))
        assert (changed["complete"], changed["settings"]["image"]) == (False, None)


def test_a_recipe_finds_a_result_that_something_was_made_from(tmp_path: Path) -> None:
    api = Api(private=True)
    with api.caller() as one, api.caller() as other:
        name = job(1, owner_of(one))
        known = {"file": "a-cat-1.png", "hash": file_hash(made() / name / "a-cat-1.png")}
        for client, file in ((one, f"{name}/a-cat-1.png"), (other, None)):
            assert dropped(client, tmp_path, recipe(input=known))["settings"]["image"] == file


@pytest.mark.parametrize(
    "known",
    [None, 3, {}, {"file": 3, "hash": "x"}, {"file": "/etc/passwd", "hash": file_hash(Path("/etc/passwd"))},
     {"file": "..", "hash": ""}, {"file": "*", "hash": ["x"]}, {"file": "a\0b", "hash": "x"}],
)  # fmt: skip
@pytest.mark.parametrize("field", ["input", "mask", "reference_sound", "inputs"])
def test_no_recipe_names_a_file_of_the_server(tmp_path: Path, known: Any, field: str) -> None:
    with Api().caller() as client:
        form = dropped(
            client, tmp_path, recipe(**{"input": None, field: [known, known] if field == "inputs" else known})
        )
        assert (form["settings"]["image"], form["settings"]["mask"], form["input"]) == (None, None, None)


@pytest.mark.parametrize(
    "made_of",
    [{}, {"operation": "verify", "settings": {}}, {"operation": ["edit"], "settings": {}}, {"operation": "edit"},
     {"operation": "edit", "settings": []}],
)  # fmt: skip
def test_a_file_without_a_recipe_of_a_form_has_none(tmp_path: Path, made_of: dict[str, Any]) -> None:
    with Api().caller() as client:
        assert dropped(client, tmp_path, made_of) is None


def test_what_was_made_by_comparing_has_the_settings_of_its_own_row() -> None:
    api = Api()
    with api.caller() as client:
        source = client.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()["id"]
        asked = {"image": source, "target": ["a dog"], "method": "ddim", "methods": ["edict"], "strengths": [0.3, 0.9]}
        name = job(1, files=("a-dog-1.png", "a-dog-2.png"), verb="compare", settings=asked)
        row = {"method": "edict", "strength": 0.9, "guidance": None, "model": "storybook"}
        folder = made() / name / "job.json"
        rows = [{"error": "x", "result": None}, row | {"result": f"{name}/a-dog-2.png"}]
        folder.write_text(folder.read_text().replace('"state"', f'"facts": {json.dumps({"rows": rows})}, "state"'))
        api.history.refresh(name)
        form = client.get(f"/api/history/{name}/a-dog-2.png/settings").json()
        assert form["verb"] == "edit"
        assert (form["settings"]["method"], form["settings"]["strength"]) == ("edict", 0.9)
        assert "methods" not in form["settings"]


def test_words_with_a_slash_are_no_file() -> None:
    api = Api()
    with api.caller() as client:
        name = job(1, verb="interpolate", settings={"first": "a cat/dog", "second": f"{'0' * 32}.png", "frames": 3})
        api.history.refresh(name)
        form = client.get(f"/api/history/{name}/a-cat-1.png/settings").json()
        assert (form["settings"], form["complete"]) == ({"first": "a cat/dog", "second": "", "frames": 3}, False)
