"""Count what users take of a server: pixels in the queue, minutes of computing, space on disk."""

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.jobs.queue import line_name
from regrow.interfaces.server.jobs.records import job_on_disk
from regrow.interfaces.server.limits import AT_HOME, Limits
from regrow.interfaces.server.places import KEPT, find, made, page

HOUR = 3600.0
"""Seconds of the window in which minutes of computing are counted."""
FRESH = 60.0
"""Seconds for which measured disk usage is cached; it is measured again before anyone is refused."""
USUAL = 512 * 512
"""Pixels assumed for a picture in the model's own size, as no model is opened to find out."""
SEVERAL = ("target", "methods", "models", "strengths", "guidances")
"""Settings with several values that multiply the number of results."""
GIGA = 1e9


class Usage:
    """Counts what users take, and refuses requests beyond the limits; thread-safe.

    Args:
        limits: of each user, and of all users together.
        private: whether callers are separated; otherwise all count as one.
    """

    def __init__(self, limits: Limits = AT_HOME, private: bool = False) -> None:
        self.limits, self._private = limits, private
        self._lock = threading.Lock()
        self._computed = defaultdict[str, deque[tuple[float, float]]](deque)
        self._looked, self._used, self._uploads = -math.inf, dict[str, float](), 0.0
        self._sizes: dict[str, tuple[int, str, int]] = {}

    def check_job(self, job: Job, line: str, waiting: Sequence[Job]) -> None:
        """Refuse a job if its user has too much in the queue, or has computed too long.

        Args:
            job: the requested job.
            line: the name under which its user is counted.
            waiting: this user's other waiting jobs.

        Raises:
            Refused: a limit is reached; the sentence says which, and what to do.
        """
        limits = self.limits
        if limits.jobs and len(waiting) >= limits.jobs:
            raise Refused(429, "too_many_jobs", most=f"{limits.jobs:g}")
        if limits.megapixels:
            wanted = sum(map(pixels_of, (*waiting, job))) / 1e6
            if wanted > limits.megapixels:
                raise Refused(429, "too_many_pixels", given=f"{wanted:.1f}", most=f"{limits.megapixels:g}")
        if limits.minutes:
            self._check_minutes(line)

    def note_computed(self, job: Job, seconds: float) -> None:
        """Count the seconds that a job has computed, and the bytes that it wrote."""
        size, line = sum(_bytes(job.folder.rglob("*"))), line_name(job)
        with self._lock:
            self._computed[line].append((time.monotonic(), seconds))
            self._used[line] = self._used.get(line, 0.0) + size

    def check_disk(self, owners: Sequence[str], more: int = 0, upload: bool = False) -> None:
        """Refuse further files if those of a user, or the uploads of all users, take too much space.

        Args:
            owners: the names under which the user's files are recorded.
            more: bytes to be written.
            upload: whether they are an upload.

        Raises:
            Refused: a limit is reached; the sentence says which, and what to do.
        """
        limits = self.limits
        for fresh in (FRESH, 0.0):
            self._look(fresh)
            with self._lock:
                used = sum(self._used.get(name, 0.0) for name in (owners if self._private else self._used))
                own = limits.gigabytes and used + more > limits.gigabytes * GIGA
                full = upload and limits.uploads and self._uploads + more > limits.uploads * GIGA
                if not own and not full:
                    for name in owners[:1] if upload else ():
                        self._used[name] = self._used.get(name, 0.0) + more
                        self._uploads += more
                    return
        if own:
            raise Refused(507, "disk_quota", used=f"{used / GIGA:.2f}", most=f"{limits.gigabytes:g}")
        raise Refused(507, "uploads_full", most=f"{limits.uploads:g}")

    def _check_minutes(self, line: str) -> None:
        now = time.monotonic()
        with self._lock:
            computed = self._computed[line]
            while computed and computed[0][0] < now - HOUR:
                computed.popleft()
            seconds = sum(each for _, each in computed)
            over, wait = seconds - 60 * self.limits.minutes, 0.0
            for ended, each in computed:
                if over < 0:
                    break
                over, wait = over - each, ended + HOUR - now
        if wait:
            figures = {"given": f"{seconds / 60:.1f}", "most": f"{self.limits.minutes:g}"}
            raise Refused(429, "too_many_minutes", wait=math.ceil(wait / 60), **figures)

    def _look(self, fresh: float) -> None:
        """Measure the disk usage of each owner, unless that was done less than `fresh` seconds ago."""
        from regrow.interfaces.server.files import owners_of

        with self._lock:
            if time.monotonic() - self._looked < fresh:
                return
        used, uploads = defaultdict[str, float](float), 0.0
        sizes = {folder.name: self._size(folder) for folder in made().glob("*") if folder.is_dir()}
        for _, owner, size in sizes.values():
            used[owner] += size
        whose = owners_of() if self._private else {}
        for path in (path for kept in KEPT for path in (page() / kept).glob("*")):
            with suppress(OSError):
                size = path.stat().st_size
                uploads += size
                for owner in whose.get(path.name, ()) if self._private else ("",):
                    used[owner] += size
        with self._lock:
            self._looked, self._used, self._uploads, self._sizes = time.monotonic(), dict(used), uploads, sizes

    def _size(self, folder: Path) -> tuple[int, str, int]:
        """Return the time of the last change of a job's folder, its owner, and its bytes."""
        with suppress(OSError):
            changed = max(one.stat().st_mtime_ns for one in (folder, folder / "beside") if one.exists())
            known = self._sizes.get(folder.name)
            if known and known[0] == changed:
                return known
            job = job_on_disk(folder.name)
            return changed, line_name(job) if job else "", sum(_bytes(folder.rglob("*")))
        return 0, "", 0


def pixels_of(job: Job) -> float:
    """Return the pixels of all pictures of a job, estimated from its settings; 0 for sounds."""
    settings = job.settings
    if any(settings.get(name) for name in ("duration", "lyrics", "tune", "melody", "sound", "span")):
        return 0
    count = float(settings.get("count") or settings.get("frames") or 1)
    for name in SEVERAL:
        count *= max(1, len(settings[name])) if isinstance(settings.get(name), list | tuple) else 1
    return count * _size_of(settings)


def _size_of(settings: dict[str, Any]) -> float:
    """Return the pixels of one result; for an edit, those of its file."""
    from PIL import Image

    if file := settings.get("image") or settings.get("first"):
        path = find(file) if isinstance(file, str) else None
        # the job itself reports errors of the file
        with suppress(Exception), Image.open(path) as image:  # pyright: ignore[reportArgumentType]
            return float(math.prod(image.size))
        return 0  # a sound, or no file
    return float(math.prod(settings.get("size") or (USUAL,)))


def _bytes(paths: Iterable[Path]) -> Iterable[int]:
    for path in paths:
        with suppress(OSError):
            yield path.stat().st_size
