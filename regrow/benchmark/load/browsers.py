"""Simulated users of a server under load who type into the page."""

import threading
import time
from typing import Any

from regrow.benchmark.load.clients import PATIENCE, PLACES, THINGS, Load

BOX = "regrow-prompt textarea"
RESULTS = "JSON.parse(localStorage['regrow create'] ?? '{}').results ?? []"
"""JavaScript for the results on the page's canvas."""


class Browsers(threading.Thread):
    """Browsers whose users type in turn, as playwright drives all of them from one thread.

    Args:
        load: the load that they are part of.
        count: number of browsers.
        chromium: path of the program.
    """

    def __init__(self, load: Load, count: int, chromium: str) -> None:
        super().__init__(name="browsers", daemon=True)
        self._load, self._count, self._chromium = load, count, chromium

    def run(self) -> None:
        """Type until the load ends, at least once."""
        from playwright.sync_api import sync_playwright

        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=self._chromium, args=["--no-sandbox"])
                pages = [self._open(browser) for _ in range(self._count)]
                self._turn(pages, 0)
                turn = 1
                while self._load.goes_on:
                    self._turn(pages, turn)
                    turn += 1
                browser.close()
        except Exception as problem:
            self._load.fault(f"browsers: {type(problem).__name__}: {problem}")

    def _open(self, browser: Any) -> Any:
        page = browser.new_context(locale="en-US").new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(self._load.address)
        page.fill("input[type=password]", self._load.password)
        page.press("input[type=password]", "Enter")
        page.wait_for_selector(BOX)
        page.wait_for_function("() => document.querySelector('regrow-model-chip b')?.textContent")
        page.evaluate(
            "steps => import('/page/js/store.js').then(({change}) => change({settings: {steps}}))", self._load.steps
        )
        return page

    def _turn(self, pages: list[Any], turn: int) -> None:
        """Type in all pages, then check the result on each canvas."""
        words = [f"{THINGS[i % len(THINGS)]} {PLACES[(i + turn) % len(PLACES)]}" for i in range(len(pages))]
        before, began = [], []
        for page, text in zip(pages, words, strict=True):
            before.append(page.evaluate(f"({RESULTS})[0]?.id ?? ''"))
            page.fill(BOX, text)
            page.press(BOX, "Control+Enter")
            began.append(time.monotonic())
        for i, (page, text) in enumerate(zip(pages, words, strict=True)):
            page.wait_for_function(f"before => ({RESULTS}).length && ({RESULTS})[0].id !== before", arg=before[i])
            result, user = page.evaluate(f"({RESULTS})[0]"), f"browser {i}"
            now = page.evaluate("job => fetch('/api/jobs/' + job).then(answer => answer.json())", result["job"])
            self._load.note(user, now, time.monotonic() - began[i])
            if result["words"] != text:
                self._load.fault(f"{user} typed {text!r} and was shown {result['words']!r}")
