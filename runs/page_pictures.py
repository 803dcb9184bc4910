"""Draws docs/pictures/page-*.webp: the page as a user sees it, each tab at work. Takes a few minutes.

python runs/page_pictures.py
"""

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from store_pictures import store

from regrow.worlds.storybook.drawing import Scene
from regrow.worlds.storybook.drawing import draw as draw_scene

PROGRAM = "from regrow.interfaces.cli import main; main()"
EXAMPLE = Path(__file__).parents[1] / "examples" / "cat.png"
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def shoot(page: Page, name: str) -> None:
    """A picture of what is on the screen, after its last transition."""
    page.wait_for_timeout(1500)
    store(io.BytesIO(page.screenshot()), f"page-{name}")
    print(name, flush=True)


def edit(page: Page) -> None:
    """The example cat, three wishes."""
    take_example(page)
    page.fill("#target textarea", "an orange puppy on a beach\nan orange fox on a beach\na grey cat on a beach")
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")


def mask(page: Page) -> None:
    """Only the sky may change."""
    take_example(page)
    page.fill("#target textarea", "an orange cat on a beach at night")
    page.click("#where button")
    page.wait_for_function("document.querySelector('#painter canvas')?.width == 256")
    canvas = page.locator("#painter canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    for down in (0.05, 0.15, 0.25):
        page.mouse.move(box["x"] + 0.04 * box["width"], box["y"] + down * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.96 * box["width"], box["y"] + down * box["height"], steps=8)
        page.mouse.up()
    page.wait_for_selector("#mask img")
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")


def sound(page: Page) -> None:
    """The example piano as a violin, and the switch pressed."""
    page.locator("#edit-medium label").nth(1).click()
    page.click("#piano")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.click("#go-edit")
    page.wait_for_selector("#edited-sounds .switch")
    page.click("#edited-sounds .switch")


def generate(page: Page) -> None:
    """Four rabbits."""
    page.get_by_role("tab", name="Generate").click()
    page.fill("#prompt textarea", "a white rabbit in the snow")
    page.locator("input[aria-label='number input for How many']").fill("4")
    page.click("#go-generate")
    page.wait_for_selector("#generate-status .done")


def history(page: Page) -> None:
    """The newest picture and its recipe."""
    page.get_by_role("tab", name="History").click()
    page.locator("#history img").first.click()
    page.get_by_role("button", name="Recipe").click()


def train(page: Page) -> None:
    """A training at work."""
    page.get_by_role("tab", name="Train").click()
    page.fill("#train-folder input, #train-folder textarea", os.environ["SCENES"])
    page.fill("#train-name input, #train-name textarea", "scenes")
    page.click("#go-train")
    page.wait_for_function("document.querySelector('#train-status').innerText.includes('left')")
    page.wait_for_timeout(20_000)


def inside(page: Page) -> None:
    """The path of the cat, and the first formulas."""
    page.get_by_role("tab", name="Look inside").click()
    page.set_input_files("#look-picture input[type=file]", str(EXAMPLE))
    page.wait_for_timeout(1000)
    page.click("#go-look")
    page.wait_for_selector("#look-status .done")
    page.click("#go-prove")
    page.wait_for_function("document.querySelector('#checks').innerText.includes('pass')")
    page.wait_for_timeout(15_000)


def models(page: Page) -> None:
    """The card of the embedded model."""
    page.get_by_role("tab", name="Models").click()
    page.locator("#models").get_by_text("storybook").last.click()
    page.wait_for_timeout(3000)


def take_example(page: Page) -> None:
    """The cat and its words."""
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")


DESK: dict[str, Any] = {"locale": "en-US", "viewport": {"width": 1280, "height": 1000}}
PHONE: dict[str, Any] = {
    "locale": "zh-CN", "viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "device_scale_factor": 2,
}  # fmt: skip
TABS = {
    "edit": (edit, DESK),
    "mask": (mask, DESK | {"viewport": {"width": 1280, "height": 1250}}),
    "sound": (sound, DESK),
    "generate": (generate, DESK),
    "history": (history, DESK),
    "train": (train, DESK),
    "inside": (inside, DESK | {"viewport": {"width": 1280, "height": 1500}}),
    "models": (models, DESK),
    "phone": (take_example, PHONE),
}


def draw(address: str, browser: Any, names: list[str]) -> None:
    """These tabs, each in a browser profile of its own."""
    for name in names:
        prepare, options = TABS[name]
        context = browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(600_000)
        page.goto(address)
        page.wait_for_selector("#go-edit")
        prepare(page)
        page.mouse.move(0, 0)
        shoot(page, name)
        context.close()


def main() -> None:
    """Serve, draw, stop."""
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout:
        sys.exit("No font here has Chinese; as root: apt-get install fonts-wqy-microhei fontconfig")
    with tempfile.TemporaryDirectory() as place:
        os.environ["REGROW_HOME"] = str(Path(place) / "home")
        scenes = Path(place) / "scenes"
        os.environ["SCENES"] = str(scenes)
        scenes.mkdir()
        for i in range(40):
            drawing = draw_scene(Scene.random(seed=i), 256)
            Image.fromarray(drawing.picture).save(scenes / f"{i}.png")
            (scenes / f"{i}.txt").write_text(drawing.caption)
        (scenes / "notes.pdf").write_bytes(b"%PDF-1.4")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen([sys.executable, "-c", PROGRAM, "serve", "--port", str(port), "--no-browser"],
                                  stdout=subprocess.PIPE, text=True)  # fmt: skip
        assert server.stdout
        server.stdout.readline()
        try:
            with sync_playwright() as playwright:
                chromium = shutil.which("chromium") or shutil.which("google-chrome")
                browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS.split())
                draw(f"http://127.0.0.1:{port}", browser, sys.argv[1:] or list(TABS))
                browser.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(10)
            for told in (Path(place) / "home" / "page" / "processes").glob("*.json"):  # trainings outlive the server
                pid = json.loads(told.read_text())["pid"]
                with contextlib.suppress(ProcessLookupError):
                    if pid > 1 and os.getpgid(pid) == pid:
                        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
