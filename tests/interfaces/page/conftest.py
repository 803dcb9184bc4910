"""The page in a headless Chromium: it asks nothing of the network, and its console stays free of errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from web_server import Server

PATIENCE = 60
"""Seconds after which something does not come any more; the page answers at once where the machine is not busy."""
REFUSED = "Failed to load resource: the server responded with a status of 4"
"""What the browser says of each refusal; the page says it in a sentence."""


@contextmanager
def openings(chromium, server: Server) -> Iterator[Callable]:
    """Opens the page in a new browser profile; fails if it asked for anything outside, or its console has an error."""
    outside: list[str] = []
    faults: list[str] = []
    contexts = []

    def new(language: str = "en-US", **options):
        context = chromium.new_context(locale=language, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        own = (server.address, "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(own) else outside.append(asked.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type == "error" and REFUSED not in said.text else None,
        )
        page.goto(server.address)
        page.wait_for_selector(".easel")
        page.wait_for_function("() => document.querySelector('regrow-model-chip b')?.textContent")
        return page

    yield new
    for context in contexts:
        context.close()
    assert outside == []
    assert faults == []


@pytest.fixture
def opened(chromium, server: Server) -> Iterator[Callable]:
    """Opens the page in a new browser profile."""
    with openings(chromium, server) as new:
        yield new


@pytest.fixture(scope="module")
def page_of_file(chromium, server: Server) -> Iterator[Any]:
    """One page for all tests of a file, which begin it anew."""
    with openings(chromium, server) as new:
        yield new(viewport={"width": 1280, "height": 800})
