"""What tests of the server share."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_running_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let tests run loops of their own: a browser that other tests of the process drive leaves one running."""
    if "chromium" in request.fixturenames:  # which needs its loop
        yield
        return
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)
