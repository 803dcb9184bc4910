"""Fixtures that several rooms' tests share."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import FACTORIES
from diffusers.utils import logging as diffusers_logging
from homes import ENGINES, HOME
from jaxtyping import config as jaxtyping_config
from jaxtyping import install_import_hook
from tiny import FAMILIES
from transformers.utils import logging as transformers_logging

torch.set_num_threads(1)
install_import_hook("regrow.core", "shapes.check")  # nothing above may import regrow

pytest_plugins = ["shared_fixtures"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From the name of a factory of `checkpoints.py` or `tiny/` to a folder with its checkpoint, to be left as is."""
    root = tmp_path_factory.mktemp("checkpoints")
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()

    def folder(name: str) -> Path:
        path = root / name
        build = FACTORIES[name] if name in FACTORIES else FAMILIES[name].build
        return path if path.exists() else build(path)

    return folder


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the check of `shapes.py` out, as it is left out for users: for wrong values, and for speed."""
    monkeypatch.setattr(jaxtyping_config, "jaxtyping_disable", True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):  # the others still use it
        shutil.rmtree(ENGINES, ignore_errors=True)
        shutil.rmtree(HOME, ignore_errors=True)
