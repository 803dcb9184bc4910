"""`regrow serve` as a process, and what its tests do over HTTP and in the browser."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from homes import sharing_engines

PROGRAM = "from regrow.interfaces.cli import main; main()"
PATIENCE = 300
"""Seconds after which something does not come any more; a busy machine may be slow."""
EXAMPLE = Path(__file__).parents[1] / "examples" / "cat.png"
PIANO = EXAMPLE.with_name("piano.flac")


class Server:
    """`regrow serve` as a process."""

    def __init__(
        self,
        home: Path,
        hub: str = "http://127.0.0.1:9",
        password: str = "",
        options: Sequence[str] = (),
        before: Sequence[str] = (),
    ) -> None:
        self.home = sharing_engines(home)
        self.before = before
        self.hub = hub
        self.password, self.options = password, options
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--no-browser", *self.options]
        self.process = subprocess.Popen(
            [*self.before, sys.executable, "-c", PROGRAM, "serve", *options],
            env={**os.environ, "REGROW_HOME": str(self.home), "HF_ENDPOINT": self.hub, "OMP_NUM_THREADS": "1",
                 "REGROW_PASSWORD": self.password},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        assert "The page is at" in self.process.stdout.readline()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def caller(self) -> Iterator[httpx.Client]:
        """A program that keeps its cookies, logged in where a password is asked."""
        with httpx.Client(base_url=self.address, timeout=PATIENCE) as client:
            if self.password:
                assert client.post("/login", data={"password": self.password}).status_code == 303
            yield client

    def made(self) -> list[Path]:
        return sorted((self.home / "page" / "made").glob("*/*.png"))


def set_slider(page, name: str, value: float) -> None:
    number, bar = (page.locator(f"#{name} input[type={kind}]") for kind in ("number", "range"))

    def taken() -> bool:
        number.fill(str(value))
        number.press("Tab")
        page.wait_for_timeout(50)
        return float(bar.input_value()) == value

    until(taken)  # a page that is still being drawn forgets it, and what is pressed too soon has the value before


def press_when(page, shown: str, button: str) -> None:
    """Press a button in the moment something is shown: between two commands a busy machine finishes what it was at."""
    page.wait_for_function(
        "([shown, button]) => document.querySelector(shown) && (document.querySelector(button).click(), true)",
        arg=[shown, button],
    )


def to_sounds_and_back(page, switch: str, picture: str) -> None:
    for choice, shown in ((1, False), (0, True)):
        page.locator(f"#{switch} label").nth(choice).click()
        page.wait_for_function(
            "([id, shown]) => (document.querySelector(id)?.offsetParent != null) == shown",
            arg=[picture, shown],
        )


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)


def status(address: str, path: str, **headers: str) -> int:
    request = urllib.request.Request(address + path, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code
