"""Fixtures that several rooms' tests share.

Nothing here or in `shared_fixtures.py` imports torch at its top: the process that starts the others has no use for it.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from homes import CHECKPOINTS, FOLDERS
from hypothesis import settings
from jaxtyping import config as jaxtyping_config
from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")
install_import_hook("regrow.core", "shapes.check")  # nothing above may import regrow
# on a busy machine an example takes as long as it takes
settings.register_profile("random", deadline=None)  # --hypothesis-profile random: other examples in every run
settings.register_profile("fixed", deadline=None, derandomize=True, database=None)
settings.load_profile("fixed")

pytest_plugins = ["shared_fixtures"]


@pytest.fixture(scope="session")
def checkpoint() -> Callable[[str], Path]:
    """From the name of a factory of `checkpoints.py` or `tiny/` to a folder with its checkpoint, to be left as is."""
    from checkpoints import FACTORIES
    from diffusers.utils import logging as diffusers_logging
    from tiny import FAMILIES
    from transformers.utils import logging as transformers_logging

    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()

    def folder(name: str) -> Path:
        path = CHECKPOINTS / name
        if path.exists():
            return path
        build = FACTORIES[name] if name in FACTORIES else FAMILIES[name].build
        with FileLock(CHECKPOINTS / f"{name}.lock"):
            if not path.exists():
                build(CHECKPOINTS / f"{name}.part").rename(path)
        return path

    return folder


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the check of `shapes.py` out, as it is left out for users: for wrong values, and for speed."""
    monkeypatch.setattr(jaxtyping_config, "jaxtyping_disable", True)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from scheduling import ByUnit

    return ByUnit(config, log)


DRIVING = Path(__file__).parent / "interfaces"
"""Tests here drive browsers, servers and processes, which a busy machine can delay past any patience."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if DRIVING in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))  # the summary names those that needed it: each is a bug
    if hasattr(config, "workerinput"):
        from scheduling import rank

        items.sort(key=lambda item: rank(item.nodeid))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):  # the others still use them
        for folder in FOLDERS:
            shutil.rmtree(folder, ignore_errors=True)
