"""A server for all tests of a process, and a headless Chromium; without one those tests are skipped."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from batches import Batches
from homes import sharing_engines
from hub_server import HubServer
from web_server import PATIENCE, PROGRAM, Server

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-fake-device-for-media-stream"
)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """What the server takes for the hub."""
    started = HubServer(tmp_path_factory.mktemp("hub"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, hub: HubServer) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("home"), hub.address)
    yield started
    started.stop()
    # a failed test's training would go on for minutes
    for told in (started.home / "page" / "processes").glob("*.json"):
        kill(json.loads(told.read_text()))


def kill(training: dict[str, Any]) -> None:
    """Kill a training of the page, if the process of that number is it: killpg(1) would kill every process there is."""
    pid = training["pid"]
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        if pid > 1 and abs(psutil.Process(pid).create_time() - training["began"]) < 1:
            os.killpg(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a password."""
    started = Server(tmp_path_factory.mktemp("locked"), password="eight letters")
    yield started
    started.stop()


@pytest.fixture(params=["server", "locked"])
def either(request: pytest.FixtureRequest) -> Server:
    """The server without a password, and the one with."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("the browser tests were not run: no Chromium or Chrome is here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def profiles() -> dict[str, list]:
    """Browser profiles that tests have left: each keeps the page's scripts, which are half of what opening it costs."""
    return {}


@pytest.fixture
def opened(chromium, server: Server, profiles: dict[str, list]) -> Iterator[Callable]:
    """Opens the page in a browser profile that knows nothing of it, and fails if anything was asked of the network."""
    outside, taken = [], []

    def new(language: str = "en-US", **options):
        kind = json.dumps([language, options])
        left = profiles.setdefault(kind, [])
        context = left.pop() if left else chromium.new_context(locale=language, **options)
        taken.append((kind, context))
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        own = (server.address, "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(own) else outside.append(asked.url))
        page.goto(server.address)
        page.wait_for_selector("regrow-app")
        return page

    yield new
    for kind, context in taken:
        for page in context.pages:
            page.evaluate("localStorage.clear(); sessionStorage.clear()")
            page.close()
        context.clear_cookies()
        profiles[kind].append(context)
    assert outside == []


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[Batches]:
    """Starts `regrow batch` on the jobs in the test's folder."""
    home, started = sharing_engines(tmp_path / "home"), []

    def start(*options: str, out: str = "out") -> subprocess.Popen:
        command = ["batch", str(tmp_path / "jobs.jsonl"), "--out", str(tmp_path / out), "--json", *options]
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *command],
            env={**os.environ, "REGROW_HOME": str(home), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a shell in the background ignores
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
