"""Presets: kept, listed, replaced and deleted; each owner's own; damaged ones are set aside."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_api import Api

from regrow.interfaces.server.history.presets import Preset, Presets


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


PRESET = {"verb": "edit", "settings": {"steps": 9, "strength": 0.5}, "style": "a painting of {prompt}"}


def test_a_preset_is_kept_replaced_and_deleted() -> None:
    with Api().caller() as client:
        assert client.get("/api/presets").json() == []
        assert client.put("/api/presets/soft", json=PRESET).json() == PRESET | {"name": "soft"}
        assert (
            client.put(f"/api/presets/{quote('Ä 画/?', safe='')}", json=PRESET | {"name": "x"}).json()["name"]
            == "Ä 画/?"
        )
        client.put("/api/presets/soft", json=PRESET | {"style": ""})
        assert [one["name"] for one in client.get("/api/presets").json()] == ["soft", "Ä 画/?"]
        assert client.get("/api/presets/soft").json()["style"] == ""
        assert client.delete("/api/presets/soft").status_code == 200
        assert client.delete("/api/presets/soft").json()["error"] == "There is no preset called soft."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (PRESET | {"style": "a painting"}, "style"),
        (PRESET | {"settings": {"seed": 10**30}}, "settings"),
        (PRESET | {"settings": 3}, "settings"),
        (PRESET | {"verb": ""}, "verb"),
        (PRESET | {"more": 1}, "more"),
        ({}, "verb"),
    ],
)
def test_what_is_no_preset_is_refused_at_its_field(body: dict[str, Any], field: str) -> None:
    with Api().caller() as client:
        answer = client.put("/api/presets/x", json=body)
        assert (answer.status_code >= 400, answer.json()["field"]) == (True, field)
        assert client.get("/api/presets").json() == []


def test_behind_a_password_everyone_has_their_own() -> None:
    api = Api(private=True)
    with api.caller() as one, api.caller() as other:
        one.put("/api/presets/mine", json=PRESET)
        assert other.get("/api/presets").json() == []
        assert other.delete("/api/presets/mine").status_code == 404
        assert [preset["name"] for preset in one.get("/api/presets").json()] == ["mine"]


def test_a_damaged_preset_is_set_aside(home: Path) -> None:
    presets = Presets(None)
    presets.put(Preset(name="good", verb="edit"))
    presets.put(Preset(name="bad", verb="edit"))
    bad = next(path for path in (home / "page" / "presets" / "all").glob("*.json") if "bad" in path.read_text())
    bad.write_text('{"name": "bad", "verb": 3}')
    (bad.parent / "renamed.json").write_text('{"name": "good", "verb": "edit"}')
    assert [preset.name for preset in presets.list()] == ["good"]
    assert bad.with_name(bad.name + ".damaged").is_file()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_any_name_is_one(name: str) -> None:
    presets = Presets("someone")
    presets.put(Preset(name=name, verb="edit", settings={"words": [name]}))
    assert presets.get(name).settings == {"words": [name]}
    presets.delete(name)
    assert presets.list() == []
