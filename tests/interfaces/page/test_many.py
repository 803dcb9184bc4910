"""Eight browsers at once each get their own result; a page stays open while its server is killed and started again."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_server import PATIENCE, Server

BOX = "regrow-prompt textarea"
WISHES = [f"{article} {animal}" for animal in ("cat", "fox", "puppy", "rabbit") for article in ("a black", "a white")]
RESULTS = "JSON.parse(localStorage['regrow create'] ?? '{}').results ?? []"
"""What a page has on its canvas; a condition that waits must not be a promise, which is always true."""


def opened_page(browser: Any, address: str) -> Any:
    page = browser.new_context(locale="en-US").new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(address)
    page.wait_for_selector("regrow-prompt textarea")
    page.wait_for_function("() => document.querySelector('regrow-model-chip b')?.textContent")
    page.wait_for_selector(".chips .chip")  # the model's words, which come after the forms
    return page


def ask(page: Any, words: str, steps: int) -> None:
    page.evaluate("steps => import('/page/js/store.js').then(({change}) => change({settings: {steps}}))", steps)
    page.fill(BOX, words)
    page.press(BOX, "Control+Enter")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    started = Server(tmp_path / "home")
    yield started
    started.stop()


def test_eight_browsers_at_once_each_get_their_own_result(chromium: Any, server: Server) -> None:
    pages = [opened_page(chromium, server.address) for _ in WISHES]
    for page, words in zip(pages, WISHES, strict=True):
        ask(page, words, steps=2)
    found = set()
    for page, words in zip(pages, WISHES, strict=True):
        page.wait_for_function(f"() => ({RESULTS}).length")
        (result,) = page.evaluate(RESULTS)
        assert result["words"] == words
        shown = (
            "url => { const on = document.querySelector('img.base'); return on?.src.endsWith(url) && on.naturalWidth }"
        )
        page.wait_for_function(shown, arg=result["url"])
        found.add(result["id"])
        page.context.close()
    assert len(found) == len(WISHES)


def test_a_server_that_is_killed_and_started_again_ends_the_job_of_an_open_page(chromium: Any, own: Server) -> None:
    page = opened_page(chromium, own.address)
    ask(page, "a black fox", steps=60)
    page.wait_for_function("() => /[1-9]/.test(document.querySelector('.go small')?.textContent)")
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait(10)
    page.wait_for_selector(".banner")
    assert page.evaluate(RESULTS) == []
    own.start()
    page.wait_for_function(f"() => ({RESULTS}).length")
    assert [result["words"] for result in page.evaluate(RESULTS)] == ["a black fox"]
    page.wait_for_function("() => !document.querySelector('.banner')")
    page.wait_for_function("() => !document.querySelector('.go small')")
    page.context.close()
