"""Serve the page from a temporary home and open it in Chromium, for pictures of it and for measurements."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

PROGRAM = "from regrow.interfaces.cli import main; main()"
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
DESK: dict[str, Any] = {"locale": "en-US", "viewport": {"width": 1280, "height": 800}}


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Serve the page from its own home, and yield its address once it answers."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        os.environ |= {"REGROW_HOME": str(home), "SCENES": str(Path(place) / "scenes")}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen([sys.executable, "-c", PROGRAM, "serve", "--port", str(port), "--no-browser"],
                                  stdout=subprocess.PIPE, text=True)  # fmt: skip
        assert server.stdout
        server.stdout.readline()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(10)
            end_trainings(home)


def chromium(playwright: Playwright) -> Browser:
    """Start Chromium, or Chrome."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=path, args=OPTIONS.split())


@contextlib.contextmanager
def page_of(browser: Browser, address: str, options: dict[str, Any]) -> Iterator[Page]:
    """Open the page in its own browser profile, and wait until it can be used."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(address)
    page.wait_for_selector(".easel")
    page.wait_for_function("() => document.querySelector('regrow-model-chip b')?.textContent")
    yield page
    context.close()


def end_trainings(home: Path) -> None:
    """End the trainings of a page, which outlive its server."""
    for record in (home / "page" / "processes").glob("*.json"):
        pid = json.loads(record.read_text())["pid"]
        with contextlib.suppress(ProcessLookupError):
            if pid > 1 and os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
