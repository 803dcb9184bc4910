"""A page that shows sounds, for tests of the canvas of sounds and of songs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from web_server import PATIENCE, PIANO

FORM = "async () => (await import('/page/js/store.js')).state.create"
FORMS = "async () => Boolean((await import('/page/js/store.js')).state.schemas.generate)"
CHANGE = "async (changes) => (await import('/page/js/store.js')).change(changes)"
PLAYER = "() => {const {player, heard} = document.querySelector('regrow-sound');"
HEARD = PLAYER + "return [Boolean(player.voice), player.currentTime, heard]}"


class Page:
    """A page that shows sounds."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def form(self) -> dict[str, Any]:
        return self.page.evaluate(FORM)

    def change(self, **changes: Any) -> None:
        self.page.evaluate(CHANGE, changes)

    def heard(self) -> tuple[bool, float, str]:
        return tuple(self.page.evaluate(HEARD))

    def until(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Return the form once something holds of it."""
        end = time.monotonic() + PATIENCE
        while not holds(form := self.form()):
            assert time.monotonic() < end, form
            self.page.wait_for_timeout(50)
        return form

    def open(self, name: str = "piano.flac", label: str = "Original") -> None:
        self.page.locator("regrow-sound input[type=file]").set_input_files(
            {"name": name, "mimeType": "audio/flac", "buffer": PIANO.read_bytes()}
        )

    def source(self) -> None:
        self.open()
        self.until(lambda form: form["input"])
        self.page.wait_for_selector("regrow-track > div")
        self.page.wait_for_timeout(300)

    def drag(self, begin: float, end: float) -> None:
        """Drag over the source, from one share of its width to another."""
        box = self.page.locator("regrow-track").first.bounding_box()
        at = [box["x"] + share * box["width"] for share in (begin, (begin + end) / 2, end)]
        self.page.mouse.move(at[0], box["y"] + 20)
        self.page.mouse.down()
        for x in at[1:]:
            self.page.mouse.move(x, box["y"] + 20, steps=4)
        self.page.mouse.up()

    def note(self, index: int) -> dict[str, float]:
        note = self.page.locator(".note").nth(index)
        note.scroll_into_view_if_needed()
        return note.bounding_box()


@contextmanager
def opened_sounds(chromium: Any, address: str) -> Iterator[Page]:
    """Open the page on the canvas of sounds, in a browser that knows nothing of it; no script may fail."""
    context = chromium.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.add_init_script(
        "localStorage.setItem('regrow create', localStorage.getItem('regrow create') ?? "
        "JSON.stringify({medium: 'sound'}))"
    )
    page.goto(address)
    page.wait_for_selector("regrow-sound > *")
    sounds = Page(page)
    sounds.until(lambda _: page.evaluate(FORMS))  # without them nothing is asked for
    yield sounds
    context.close()
    assert faults == []
