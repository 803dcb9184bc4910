"""Works that a worker process can import: tests hand them to executors by name."""

import os
import signal
import time
from collections.abc import Iterator, Mapping

from regrow.interfaces.server.jobs.job import At, Job, Work


def told(job: Job, open_model: object) -> Iterator[At]:
    """Fill in everything that an executor may."""
    (job.folder / "a-cat-1.txt").write_text(str(os.getpid()), encoding="ascii")
    job.files.append("a-cat-1.txt")
    job.facts["pid"] = os.getpid()
    yield At("generate", 1, 2)
    job.notes.append("A note.")
    job.summary = "It is made."
    yield At("generate", 2, 2)


def endless(job: Job, open_model: object) -> Iterator[At]:
    """Compute until it is dropped."""
    index = 0
    while True:
        index += 1
        time.sleep(0.01)
        yield At("wait", index, 0)


def together(job: Job, open_model: object) -> Iterator[At]:
    """End when another job of the folder has begun as well: two that are computed side by side."""
    (job.folder / "begun").touch()
    while len(list(job.folder.parent.glob("*/begun"))) < 2:
        time.sleep(0.01)
        yield At("wait", 1, 0)


def killed(job: Job, open_model: object) -> Iterator[At]:
    """End the process, as the system does for want of memory; the second time only where the settings say so."""
    if not (job.folder / "killed").exists() or job.settings.get("always"):
        (job.folder / "killed").touch()
        job.files.append("half-made.txt")
        yield At("wait", 1, 0)
        os.kill(os.getpid(), signal.SIGKILL)
    job.summary = "It is made."
    yield At("wait", 1, 1)


def all_kinds() -> Mapping[str, Work]:
    return {work.__name__: work for work in (told, endless, together, killed)}  # pyright: ignore
