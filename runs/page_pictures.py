"""Make docs/pictures/page-*.webp: the page, light and dark, on a desktop and on a phone. Takes some minutes.

python runs/page_pictures.py              # all of them
python runs/page_pictures.py mask phone   # some of them
"""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from served_page import DESK, chromium, page_of, served
from store_pictures import store

from regrow.worlds.storybook.drawing import Scene
from regrow.worlds.storybook.drawing import draw as draw_scene

EXAMPLES = Path(__file__).parents[1] / "examples"
BOX = "regrow-prompt textarea"


def start(page: Page) -> None:
    """Show the page before a picture is chosen."""
    page.wait_for_selector(".examples img")


def create(page: Page) -> None:
    """Show three edits of the example cat beside each other."""
    drop(page)
    ask(page, "make it a dog\nmake it a fox\nmake it a black cat")
    page.wait_for_function("() => document.querySelectorAll('.results [type=radio]').length === 3")
    page.locator("[data-mode=beside]").click()


def mask(page: Page) -> None:
    """Show a mask that the model found by words, with an added stroke."""
    drop(page)
    page.fill(BOX, "make it a dog")
    page.locator("[data-tool=find], [data-do=find]").or_(page.get_by_role("button", name="Find by words")).first.click()
    page.get_by_placeholder("the cat").fill("the cat")
    page.keyboard.press("Enter")
    page.wait_for_function("() => /% may change/.test(document.querySelector('#canvas-said').textContent)")


def working(page: Page) -> None:
    """Show one running job and two waiting ones."""
    drop(page)
    settings(page, steps=100)
    for words in ("make it a penguin", "a grey cat in the snow", "make it a rabbit"):
        page.fill(BOX, words)
        page.press(BOX, "Control+Enter")
    page.wait_for_function("() => document.querySelectorAll('.queue li').length === 3")
    page.wait_for_selector(".go small")
    page.wait_for_timeout(3000)
    page.locator("regrow-queue > .icon-button").click()


def compare(page: Page) -> None:
    """Show one edit by four methods."""
    drop(page)
    page.fill(BOX, "make it a dog")
    page.get_by_role("button", name="Compare methods and settings").click()
    page.wait_for_selector("regrow-compare .chip")
    for index in range(4):
        page.locator("regrow-compare [role=group]").first.locator(".chip").nth(index).click()
    page.locator("regrow-compare .button.primary").click()
    page.wait_for_function("() => document.querySelectorAll('.form-sheet figure img').length === 4")


def more(page: Page) -> None:
    """Show all other settings, and an unknown word."""
    drop(page)
    page.fill(BOX, "make it a dgo with a ufo")
    page.locator("#side-more").click()
    page.wait_for_selector("regrow-more [data-field]")
    page.wait_for_selector(".marks mark.unknown")


def sound(page: Page) -> None:
    """Show the example piano edited to a violin."""
    medium(page, "sound")
    page.locator("regrow-sound input[type=file]").set_input_files(str(EXAMPLES / "piano.flac"))
    page.wait_for_selector("regrow-track > div")
    ask(page, "make it a violin")
    page.wait_for_selector(".items li.shown")


def song(page: Page) -> None:
    """Show a line of lyrics, and the tune made for it."""
    medium(page, "sound", model="songbook")
    page.locator("regrow-song textarea").first.fill("twinkle twinkle little star")
    page.get_by_role("button", name="Make a tune").or_(page.locator("regrow-song .chip")).first.click()
    page.wait_for_selector(".note")
    page.locator(".go").click()
    page.wait_for_selector(".items li.shown")
    idle(page)


def train(page: Page) -> None:
    """Show a running training."""
    page.evaluate("location.hash = 'train'")
    page.wait_for_selector("regrow-train form")
    page.locator("regrow-set input:not([type=file])").last.fill(os.environ["SCENES"])
    page.keyboard.press("Tab")
    page.locator("[data-field=name] input").fill("scenes")
    page.locator("[data-field=start] input, [data-field=start] select").first.fill("storybook")
    page.locator("regrow-train .button.primary").first.click()
    page.wait_for_selector("regrow-train polyline", state="attached")
    page.wait_for_timeout(20_000)
    page.locator("regrow-train").evaluate("(tab) => tab.scrollTo(0, 0)")


def inside(page: Page) -> None:
    """Show the cat's path to noise and back."""
    page.evaluate("location.hash = 'inside'")
    page.wait_for_selector("regrow-inside form")
    page.locator("regrow-inside input[type=file]").first.set_input_files(str(EXAMPLES / "cat.png"))
    page.wait_for_selector("regrow-inside .form-file img")
    page.locator("regrow-inside .button.primary").click()
    page.wait_for_selector("img.inside-page")
    page.locator("regrow-inside").evaluate("(tab) => tab.scrollTo(0, 0)")


def models(page: Page) -> None:
    """Show the facts about the carried model."""
    page.evaluate("location.hash = 'models'")
    page.locator("regrow-models .open", has_text="storybook").click()
    page.wait_for_selector("regrow-models dl")


def phone(page: Page) -> None:
    """Show a cat that was edited to a dog."""
    page.locator(".examples button").first.tap()
    page.wait_for_function("() => document.querySelector('.seen input')?.value")
    ask(page, "把猫换成狗")
    page.wait_for_selector(".items li.shown", state="attached")
    idle(page)


def sheet(page: Page) -> None:
    """Show the history, which slides up from below."""
    page.locator(".acts .narrow-only").first.tap()
    page.locator(".filters input[type=search]").wait_for()


def drop(page: Page) -> None:
    """Drop the cat, and show what the model recognises in it."""
    page.set_input_files("regrow-canvas input[type=file]", str(EXAMPLES / "cat.png"))
    page.wait_for_function("() => document.querySelector('.seen input')?.value")


def ask(page: Page, words: str) -> None:
    """Submit a prompt, and wait until the button can be used again."""
    page.fill(BOX, words)
    page.press(BOX, "Control+Enter")
    page.wait_for_selector(".items li.shown", state="attached")
    idle(page)


def idle(page: Page) -> None:
    """Wait until the form has no unfinished job."""
    page.wait_for_function("() => !document.querySelector('.go small')")


def medium(page: Page, name: str, model: str = "") -> None:
    """Switch the form to a medium."""
    page.evaluate(
        "changes => import('/page/js/store.js').then(({change}) => change(changes))", {"medium": name, "model": model}
    )
    page.wait_for_selector("regrow-sound > *")


def settings(page: Page, **values: object) -> None:
    """Set settings of the section More."""
    page.evaluate("settings => import('/page/js/store.js').then(({change}) => change({settings}))", values)


DARK: dict[str, Any] = DESK | {"color_scheme": "dark"}
PHONE: dict[str, Any] = {
    "locale": "zh-CN", "viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "device_scale_factor": 1.5,
    "has_touch": True, "is_mobile": True,
}  # fmt: skip
PICTURES = {
    "start": (start, DESK),
    "create": (create, DESK),
    "mask": (mask, DARK),
    "working": (working, DESK),
    "compare": (compare, DESK | {"viewport": {"width": 1280, "height": 1050}}),
    "more": (more, DARK),
    "sound": (sound, DESK),
    "song": (song, DARK),
    "train": (train, DESK),
    "inside": (inside, DESK),
    "models": (models, DARK),
    "phone": (phone, PHONE),
    "sheet": (sheet, PHONE | {"color_scheme": "light"}),
}


def draw(address: str, browser: Browser, names: list[str]) -> None:
    """Make the pictures of these names."""
    for name in names:
        prepare, options = PICTURES[name]
        with page_of(browser, address, options) as page:
            prepare(page)
            page.mouse.move(0, 0)
            page.wait_for_timeout(1500)  # the last transition
            store(io.BytesIO(page.screenshot()), f"page-{name}")
            print(name, flush=True)


def write_scenes(folder: Path) -> None:
    """Write forty pictures with captions, and a file that cannot be used for training."""
    folder.mkdir()
    for i in range(40):
        drawing = draw_scene(Scene.random(seed=i), 256)
        Image.fromarray(drawing.picture).save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(drawing.caption)
    (folder / "notes.pdf").write_bytes(b"%PDF-1.4")


def main() -> None:
    """Start the server, make the pictures, and stop it."""
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout:
        sys.exit("No font here has Chinese; as root: apt-get install fonts-wqy-microhei fontconfig")
    with served() as address, sync_playwright() as playwright:
        write_scenes(Path(os.environ["SCENES"]))
        browser = chromium(playwright)
        draw(address, browser, sys.argv[1:] or list(PICTURES))
        browser.close()


if __name__ == "__main__":
    main()
