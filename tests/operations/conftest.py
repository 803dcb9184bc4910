"""What tests of edits share: a tiny model, a picture that does not fit it, and a home of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from homes import sharing_engines

from regrow.families.model import Model
from regrow.families.registry import open_model
from regrow.media.image import save


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("sd-tiny"))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    pixels = torch.rand(3, 37, 53, generator=torch.Generator().manual_seed(2)) * 2 - 1
    save(tmp_path / "in.png", pixels, None)
    return tmp_path / "in.png"
