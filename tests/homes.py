"""A home for every test; what OpenVINO makes of the embedded models is made once for all of them."""

import os
import tempfile
from pathlib import Path

if "REGROW_TEST_ENGINES" not in os.environ:  # the process that starts the others sets it for them
    os.environ["REGROW_TEST_ENGINES"] = tempfile.mkdtemp(prefix="regrow-engines-")
ENGINES = Path(os.environ["REGROW_TEST_ENGINES"])
if "REGROW_TEST_HOME" not in os.environ:
    os.environ["REGROW_TEST_HOME"] = tempfile.mkdtemp(prefix="regrow-home-")
HOME = Path(os.environ["REGROW_TEST_HOME"])
"""Of tests that ask for none of their own, so that none writes into the user's."""
os.environ["REGROW_HOME"] = str(HOME)


def sharing_engines(home: Path) -> Path:
    """A home like any other whose cache of compiled networks is that of all tests: each takes ten seconds to make."""
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "engine").symlink_to(ENGINES)
    return home
