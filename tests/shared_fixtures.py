"""Fixtures of tests that edit, train or publish: a tiny model, a picture that does not fit it, a home of their own."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from homes import sharing_engines

if TYPE_CHECKING:
    from hubs import Hub

    from regrow.models.model import Model

TRAINED = {
    "base_model": ["stabilityai/sd-turbo", "storybook"],
    "license": "cc-by-4.0",
    "data": {"folder": "pets", "pictures": 1200},
    "settings": {"steps": 4000},
    "optimizer": "muon",
    "figures": {"validation loss": 0.25},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> "Model":
    from regrow.models.open import open_model

    return open_model(checkpoint("sd-tiny"))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    import torch

    from regrow.media.image.picture import save

    pixels = torch.rand(3, 37, 53, generator=torch.Generator().manual_seed(2)) * 2 - 1
    save(tmp_path / "in.png", pixels, None)
    return tmp_path / "in.png"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Hub"]:
    import huggingface_hub
    from hubs import Hub

    from regrow.hub import download

    made = Hub(tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: made)
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)  # between tries
    yield made
    made.server.stop()


@pytest.fixture
def mine(home: None, checkpoint: Callable[[str], Path]) -> Path:
    """A model of the user's, with what a trainer leaves beside it."""
    from regrow.models.open import user_models

    folder = user_models() / "mine"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    (folder / "training.json").write_text(json.dumps(TRAINED))
    (folder / "samples").mkdir()
    (folder / "samples" / "a cat.png").write_bytes(b"png")
    (folder / ".secret").write_text("token")
    return folder
