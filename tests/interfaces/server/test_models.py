"""Models: listed before torch is there, described, added, removed and downloaded."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_server import HubServer
from record_api import Api
from web_server import until

from regrow.interfaces.server import processes
from regrow.interfaces.server.models.catalogue import Catalogue
from regrow.interfaces.server.models.pull import NAME, pull_now
from regrow.models.open import EMBEDDED


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    if (number := processes.running(NAME)) is not None:
        os.kill(number, signal.SIGKILL)


def test_the_list_says_what_each_model_knows_and_can_do(home: Path) -> None:
    with Api().caller() as client:
        listed = {entry["name"]: entry for entry in client.get("/api/models").json()}
        assert set(listed) == {"bandstand", "songbook", "storybook"}
        story, band, song = (listed[name] for name in ("storybook", "bandstand", "songbook"))
        assert (story["medium"], story["extent"], story["embedded"], story["licence"]) == (
            "picture", [256, 256], True, "apache-2.0",
        )  # fmt: skip
        assert story["about"].startswith("cat, puppy, penguin, rabbit, fox; ")
        assert (band["medium"], round(band["extent"])) == ("sound", 6)
        assert (story["abilities"]["sings"], song["abilities"]["sings"], band["abilities"]["extends"]) == (
            False,
            True,
            True,
        )
        assert all(
            entry["problem"] == "" and entry["steps"] and entry["size_bytes"] > 10**6 for entry in listed.values()
        )
        chinese = client.get("/api/models", headers={"accept-language": "zh-CN"}).json()
        assert "猫、" in next(entry["about"] for entry in chinese if entry["name"] == "storybook")
        more = client.get("/api/models/storybook").json()
        (home / "models").mkdir()
        shutil.copytree(EMBEDDED / "storybook", home / "models" / "sly")
        (home / "models" / "sly" / "README.md").unlink()
        (home / "models" / "sly" / "README.md").symlink_to("/etc/passwd")
        assert client.get("/api/models/sly").json()["card"] == ""
        assert more["card"].startswith("# storybook")
        assert more["parameters"]["unet"] > 10**7
        assert "cat" in more["words"]["animal"]
        assert client.get("/api/models/nothing").json()["error"].startswith("There is no model nothing here")


def test_the_list_that_is_carried_is_what_opening_the_models_says() -> None:
    carried = Catalogue().entries()
    assert Catalogue().refresh() == carried, "write it anew: regrow.interfaces.server.models.catalogue.write_carried()"


def test_a_list_that_is_known_costs_no_torch_and_follows_the_folder(home: Path) -> None:
    known = [entry.name for entry in Catalogue().refresh()]
    look = (
        "import sys; from regrow.interfaces.server.models.catalogue import Catalogue; "
        "c = Catalogue(); c.refresh = lambda: None; "
        "print([e.name for e in c.entries()], 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{known} False"
    told: list[str] = []
    catalogue = Catalogue(lambda: told.append("changed"))
    assert [entry.name for entry in catalogue.entries()] == known
    (home / "models").mkdir()
    (home / "models" / "mine").symlink_to(EMBEDDED / "storybook")
    assert "mine" in [entry.name for entry in catalogue.entries()]
    (home / "models" / "broken").mkdir()
    (home / "models" / "broken" / "model_index.json").write_text("{}")
    broken = next(entry for entry in catalogue.entries() if entry.name == "broken")
    assert (broken.family, broken.abilities) == (None, {})
    assert broken.problem
    (home / "page" / "models.json").write_text('{"entries": 5}')
    assert "mine" in [entry.name for entry in Catalogue().entries()]
    assert told


def test_a_folder_is_linked_and_removed_again_and_carried_models_stay(home: Path, tmp_path: Path) -> None:
    with Api().caller() as client:
        added = client.post("/api/models/add", json={"path": str(EMBEDDED / "storybook"), "name": "tales"})
        assert (added.status_code, added.json()) == (201, {"added": "tales"})
        assert "tales" in [entry["name"] for entry in client.get("/api/models").json()]
        again = client.post("/api/models/add", json={"path": str(EMBEDDED / "storybook"), "name": "tales"})
        assert again.status_code == 409
        for wrong in (str(tmp_path / "nowhere"), str(tmp_path)):
            assert client.post("/api/models/add", json={"path": wrong}).status_code == 400
        assert client.delete("/api/models/tales").json() == {"removed": "tales"}
        assert (EMBEDDED / "storybook" / "model_index.json").is_file()
        assert "tales" not in [entry["name"] for entry in client.get("/api/models").json()]
        refused = client.delete("/api/models/storybook")
        assert (refused.status_code, refused.json()["error"]) == (
            400, "storybook is part of regrow and cannot be removed.",
        )  # fmt: skip
        for evil in ("..%2F..%2Fx", "nothing"):
            assert client.delete(f"/api/models/{evil}").status_code == 400


def test_behind_a_password_no_folder_is_added_and_nothing_removed() -> None:
    with Api(private=True).caller() as client:
        assert client.post("/api/models/add", json={"path": "/"}).status_code == 403
        assert client.delete("/api/models/storybook").status_code == 403
        assert "folder" not in client.get("/api/models/storybook").json()


def test_a_download_is_followed_stopped_and_dropped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # where nobody answers
    api = Api()
    with api.caller() as client:
        assert client.get("/api/models/pull").json()["state"] == "none"
        for wrong in ("storybook", "../..", "a/b/c", ""):
            refused = client.post("/api/models/pull", json={"repo": wrong})
            assert (refused.status_code, refused.json()["field"]) == (400, "repo")
        assert client.post("/api/models/pull", json={"repo": "a/b", "name": "../x"}).status_code == 400
        begun = client.post("/api/models/pull", json={"repo": "someone/something"})
        assert (begun.status_code, begun.json()["state"]) == (202, "running")
        assert client.post("/api/models/pull", json={"repo": "a/b"}).status_code == 409
        client.post("/api/models/pull/stop")
        until(lambda: pull_now().state != "running")
        assert client.get("/api/models/pull").json()["state"] == "stopped"
        place = home / "models" / ".pulling" / "some--one"
        (place / "0").mkdir(parents=True)
        from regrow.hub.download import announce

        announce(place, "some/one", 100)
        (place / "0" / "part").write_bytes(b"123")
        processes.start(NAME, ["models", "pull", "some/one"])
        processes.stop(NAME)
        found: dict[str, Any] = client.get("/api/models/pull").json()
        assert (found["repo"], found["came"], found["size"]) == ("some/one", 3, 100)
        assert client.delete("/api/models/some/one").status_code == 200
        assert not place.exists()


def test_what_a_model_takes_is_said_before_it_is_there() -> None:
    with Api().caller() as client:
        fit = client.get("/api/models/fit", params={"name": "storybook"}).json()
        assert json.dumps(fit["facts"])
        assert ["family", "stable-diffusion"] in fit["lines"]
        assert client.get("/api/models/fit", params={"name": "nothing at all"}).status_code == 400


def test_examples_are_files_of_whoever_asks() -> None:
    api = Api(private=True)
    with api.caller() as one, api.caller() as other:
        cat, piano = one.get("/api/examples").json()
        assert (cat["medium"], piano["medium"], cat["words"]) == ("picture", "sound", "make it a puppy")
        assert one.get(cat["url"]).status_code == 200
        assert other.get(cat["url"]).status_code == 404


UNET = "unet/diffusion_pytorch_model.safetensors"


def test_a_download_says_how_far_it_is_and_goes_on_after_a_stop(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = HubServer(tmp_path / "hub")
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    source = hub.root / "jane" / "pets"
    shutil.copytree(EMBEDDED / "storybook", source)
    size = (source / UNET).stat().st_size
    go_on = threading.Event()
    hub.sending = lambda name, sent: (name != UNET or sent < size / 2 or go_on.wait()) and None
    api = Api()

    def states() -> set[str]:
        return {data["pull"]["state"] for name, data, _ in api.events.told if name == "models" and "pull" in data}

    try:
        with api.caller() as client:
            client.post("/api/models/pull", json={"repo": "jane/pets"})
            until(lambda: (client.get("/api/models/pull").json()["came"] or 0) > size / 3)
            found = client.get("/api/models/pull").json()
            assert (found["state"], found["came"] < found["size"]) == ("running", True)
            client.post("/api/models/pull/stop")
            until(lambda: "stopped" in states())
            go_on.set()
            hub.asked.clear()
            client.post("/api/models/pull", json={"repo": "jane/pets"})
            until(lambda: client.get("/api/models/pull").json()["state"] == "done")
            assert hub.asked[0][0] == UNET
            assert hub.asked[0][1] > size / 3
            assert (home / "models" / "pets" / UNET).read_bytes() == (source / UNET).read_bytes()
            until(lambda: ("models", {}, None) in api.events.told)  # the list is another now
            assert "pets" in [entry["name"] for entry in client.get("/api/models").json()]
    finally:
        hub.stop()
    assert {"running", "stopped"} <= states()  # the last event may come after the answer
