"""What the tests of batches share: jobs, and who is at them."""

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from web_server import EXAMPLE

Batches = Callable[..., subprocess.Popen]
"""Starts `regrow batch` on the jobs in the test's folder, with options."""
EDIT = {"verb": "edit", "image": "cat.png", "target": "make it a dog", "source": "an orange cat on a beach", "steps": 2}


def written(folder: Path, *jobs: dict[str, Any]) -> Path:
    shutil.copy(EXAMPLE, folder / "cat.png")
    path = folder / "jobs.jsonl"
    path.write_text("\n".join(map(json.dumps, jobs)) + "\n\n")
    return path


def at_work(out: Path) -> list[int]:
    """The processes that are at a job."""
    return [process for process, _ in attempts_in(out)]


def attempts_in(out: Path) -> list[tuple[int, str]]:
    """The processes that are at a job, and the names of their attempts."""
    found = []
    for file in (out / ".attempts").glob("*"):
        with suppress(ValueError, OSError):  # it is being made, or has just been withdrawn
            found.append((json.loads(file.read_text())["process"], file.name))
    return found
