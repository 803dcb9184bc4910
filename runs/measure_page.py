"""Measure the waiting times of the page in Chromium, for docs/explain/speed.md, "The page". Takes a minute.

python runs/measure_page.py

Each row has the median and the longest of several times. "slider" is the time from a movement of the slider to the
first visible picture of the new strength (a preview, or the result), after an edit of the example cat by the carried
model.
"""

import subprocess
import sys
import time
from statistics import median

from page_pictures import drop
from playwright.sync_api import Browser, Page, sync_playwright
from served_page import DESK, chromium, page_of, served

TIMES = 9
PLACES = (0.5, 0.7, 0.4, 0.8, 0.55, 0.75, 0.45, 0.65, 0.85)
"""Successive positions of the slider, all different."""
OPENED = """() => {
  const paints = Object.fromEntries(performance.getEntriesByType("paint").map((one) => [one.name, one.startTime]));
  const [page] = performance.getEntriesByType("navigation");
  return [page.responseStart, paints["first-paint"], paints["first-contentful-paint"]];
}"""
MOVED = """(place) => new Promise((shown) => {
  const slider = document.querySelector(".keep input[type=range]"), began = performance.now();
  const before = new Set([...document.querySelectorAll("regrow-canvas img")].map((img) => img.currentSrc));
  slider.value = place;
  slider.dispatchEvent(new Event("input", {bubbles: true}));
  const look = () => {
    const fresh = [...document.querySelectorAll("regrow-canvas img")]
      .find((img) => img.complete && img.naturalWidth && !before.has(img.currentSrc));
    fresh ? shown(performance.now() - began) : requestAnimationFrame(look);
  };
  look();
})"""


def idle(page: Page) -> None:
    """Wait until the form has no unfinished job."""
    page.wait_for_function("() => !document.querySelector('.go small')")
    page.wait_for_timeout(500)


def openings(browser: Browser, address: str) -> list[list[float]]:
    """Return milliseconds until the server answers, the first paint, and the first content."""
    rows = []
    for _ in range(TIMES):
        with page_of(browser, address, DESK) as page:
            page.wait_for_timeout(500)
            rows.append(page.evaluate(OPENED))
    return [list(column) for column in zip(*rows, strict=True)]


def slides(browser: Browser, address: str) -> tuple[list[float], list[float]]:
    """Return milliseconds from each movement of the slider to the first picture, and to the end of the job."""
    firsts, ends = [], []
    with page_of(browser, address, DESK) as page:
        drop(page)
        page.fill("regrow-prompt textarea", "make it a dog")
        page.press("regrow-prompt textarea", "Control+Enter")
        page.wait_for_selector(".items li.shown", state="attached")
        idle(page)
        for place in PLACES:
            began = time.perf_counter()
            firsts.append(page.evaluate(MOVED, place))
            page.wait_for_function("() => !document.querySelector('.go small')")
            ends.append(1000 * (time.perf_counter() - began))
            idle(page)
    return firsts, ends


def starts() -> dict[str, list[float]]:
    """Return milliseconds until `regrow serve` answers, and until a Python that only imports torch has ended."""
    torch, serve = [], []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch"], check=True)
        torch.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        with served():
            serve.append(1000 * (time.perf_counter() - began))
    return {"python -c 'import torch'": torch, "regrow serve, until it answers": serve}


def main() -> None:
    """Measure, and print a line for each kind of time."""
    rows = starts()
    with served() as address, sync_playwright() as playwright:
        browser = chromium(playwright)
        names = ("server answers", "first paint", "first content")
        rows |= {f"page: {name}": times for name, times in zip(names, openings(browser, address), strict=True)}
        rows |= dict(zip(("slider: first picture", "slider: result"), slides(browser, address), strict=True))
        browser.close()
    for name, times in rows.items():
        print(f"{name:32} {median(times):7.0f} ms   longest {max(times):7.0f} ms")


if __name__ == "__main__":
    main()
