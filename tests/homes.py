"""Folders that all processes of a test run share: a home, and what takes seconds to make and serves every test."""

import os
import tempfile
from pathlib import Path


def _shared(name: str) -> Path:
    """Return a folder of this run's: the process that starts the others makes it for them."""
    variable = f"REGROW_TEST_{name.upper()}"
    if variable not in os.environ:
        os.environ[variable] = tempfile.mkdtemp(prefix=f"regrow-{name}-")
    return Path(os.environ[variable])


ENGINES = _shared("engines")
"""What OpenVINO makes of the embedded models."""
CHECKPOINTS = _shared("checkpoints")
"""Tiny checkpoints, each in a folder of its factory's name."""
HOME = _shared("home")
"""Of tests that ask for none of their own, so that none writes into the user's."""
os.environ["REGROW_HOME"] = str(HOME)
FOLDERS = ENGINES, CHECKPOINTS, HOME


def sharing_engines(home: Path) -> Path:
    """A home like any other whose cache of compiled networks is that of all tests: each takes ten seconds to make."""
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "engine").symlink_to(ENGINES)
    return home
