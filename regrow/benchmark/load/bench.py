"""Several users of one server: are results correct, how long do users wait, and does memory grow?"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from regrow.benchmark.load.browsers import Browsers
from regrow.benchmark.load.clients import Load, Probe, Program
from regrow.benchmark.load.figures import LoadFigures, Memory
from regrow.core.progress import Progress
from regrow.media.home import home as user_home
from regrow.requests.bench_load import BenchLoad

LOOK = 1.0
"""Seconds between two measurements of the server's memory."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def bench_load(request: BenchLoad) -> Generator[Progress, None, LoadFigures]:
    """Start a server with a password, let users request small pictures, and measure.

    Raises:
        ValueError: httpx is not installed, or the server did not start.
    """
    try:
        import httpx  # noqa: F401
    except ImportError as problem:
        raise ValueError("The load benchmark needs httpx: pip install httpx.") from problem
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None) if request.browsers else None
    with (
        TemporaryDirectory(prefix="regrow-load-") as home,
        _serving(request, Path(home)) as (process, address, password),
    ):
        _warm(address, password, request)
        began = time.monotonic()
        load = Load(address, password, request.model, request.steps, began, began + 60 * request.minutes)
        users = [Program(load, number) for number in range(request.clients)]
        users += [Probe(load), *([Browsers(load, request.browsers, chromium)] if chromium else [])]
        for user in users:
            user.start()
        memory = list[Memory]()
        while any(user.is_alive() for user in users) and process.poll() is None:
            memory.append(Memory(time.monotonic() - began, len(load.done), _memory(process.pid)))
            yield Progress("load", min(int(memory[-1].at), int(60 * request.minutes)), int(60 * request.minutes))
            time.sleep(LOOK)
        if process.poll() is not None:
            load.fault(f"the server ended with {process.returncode}")
        return LoadFigures(
            request.clients, request.browsers if chromium else 0, time.monotonic() - began,
            load.done, load.faults, load.answers, memory,
        )  # fmt: skip


@contextmanager
def _serving(request: BenchLoad, home: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run a server within the context; yield its process, address and password."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for kept in ("models", "cache"):  # the user's models, and their converted networks
        if (user_home() / kept).is_dir():
            (home / kept).symlink_to(user_home() / kept)
    password = secrets.token_urlsafe(16)
    command = [sys.executable, "-m", "regrow", "serve", "--port", str(port), "--no-browser"]
    command += ["--workers", str(request.workers), "--together", str(request.together)]
    (home / "limits.toml").write_text("minutes = 0\n", encoding="ascii")  # no time limit: users compute without a break
    command += ["--limits", str(home / "limits.toml")]
    settings = {**os.environ, "REGROW_HOME": str(home), "REGROW_PASSWORD": password}
    process = subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        if "http" not in process.stdout.readline():
            raise ValueError("The server did not start; its output is above.")
        yield process, f"http://127.0.0.1:{port}", password
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def _warm(address: str, password: str, request: BenchLoad) -> None:
    """Let each worker open and convert the model before the measurement, by one job per worker."""
    import httpx

    wanted = {"prompt": "a cat", "model": request.model, "steps": request.steps}
    with httpx.Client(base_url=address, timeout=1200) as client:
        client.post("/login", data={"username": "regrow", "password": password})
        jobs = [client.post("/api/generate", json=wanted).json()["id"] for _ in range(max(1, request.workers))]
        for job in jobs:
            job_now = client.get(f"/api/jobs/{job}/wait?seconds=600").json()
            if job_now["state"] != "done":
                raise ValueError(f"The first job is {job_now['state']}: {job_now['error']}")


def _memory(pid: int) -> float:
    """Return the resident memory of a process and its children, in MiB."""
    with suppress(psutil.Error):
        server = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (server, *server.children(recursive=True))) / 2**20
    return 0.0
