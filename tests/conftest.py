"""Fixtures that several rooms' tests share."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import FACTORIES
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From the name of a factory of `checkpoints.py` to a folder with its checkpoint, to be left as it is."""
    root = tmp_path_factory.mktemp("checkpoints")
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()

    def folder(name: str) -> Path:
        path = root / name
        return path if path.exists() else FACTORIES[name](path)

    return folder
