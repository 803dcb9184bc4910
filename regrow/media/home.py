"""Where regrow keeps what it makes."""

import os
from pathlib import Path


def home() -> Path:
    """Return `$REGROW_HOME`, else `~/.local/share/regrow`: its `models`, `runs` and `cache` are below."""
    return Path(os.environ.get("REGROW_HOME") or Path.home() / ".local" / "share" / "regrow")
