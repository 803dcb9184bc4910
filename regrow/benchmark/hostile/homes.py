"""Set $REGROW_HOME for a while, to write into a folder that is read as a home later."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def home_at(folder: Path) -> Iterator[None]:
    """Set $REGROW_HOME to a folder within the context."""
    before = os.environ.get("REGROW_HOME")
    os.environ["REGROW_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["REGROW_HOME"]
        else:
            os.environ["REGROW_HOME"] = before
