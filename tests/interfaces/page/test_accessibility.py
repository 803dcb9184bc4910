"""Every state of the page is checked by axe-core: nothing serious or critical, light and dark, on a phone too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from form_page import ITEM, TRAINING, answer, item, job, row
from web_server import EXAMPLE, PIANO, Server

AXE = Path(__file__).with_name("axe") / "axe.min.js"
BOX = "regrow-prompt textarea"
SOUND = {"medium": "sound", "model": "", "input": None, "words": "", "results": [], "settings": {}}

FIND = """async (only) => {
    const options = {resultTypes: ["violations"], ...(only && {runOnly: {type: "rule", values: [only]}})};
    const {violations} = await axe.run(document, options);
    return violations.filter(({impact}) => impact === "serious" || impact === "critical").map(
        ({id, impact, nodes}) => [impact, id, nodes.map(({target, any}) => `${target} ${any[0]?.message}`)]);
}"""


class Checked:
    """A page that axe-core looks at: all rules in the light, its colours once more in the dark."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.faults: list[tuple[str, str, Any]] = []
        page.add_style_tag(content="*, *::before, *::after { transition: none !important; animation: none !important }")
        page.evaluate(AXE.read_text(encoding="utf-8"))

    def look(self, state: str) -> None:
        """Check what is shown now."""
        for theme, only in (("light", None), ("dark", "color-contrast")):
            self.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            self.faults += [(state, theme, fault) for fault in self.page.evaluate(FIND, only)]

    def done(self) -> None:
        """Fail if something was serious."""
        assert not self.faults, "\n".join(map(str, self.faults))


def change(page: Any, **changes: object) -> None:
    page.evaluate("changes => import('/page/js/store.js').then(({change}) => change(changes))", changes)


def idle(page: Any) -> None:
    page.wait_for_function("() => !document.querySelector('.go small')")


def paint(page: Any) -> None:
    """Draw a stroke over the picture."""
    page.keyboard.press("b")
    box = page.locator(".world").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()


def test_create_with_a_picture(opened: Callable) -> None:
    page = opened(viewport={"width": 1280, "height": 800})
    page.wait_for_selector(".examples img")
    checked = Checked(page)
    checked.look("empty")
    page.set_input_files("regrow-canvas input[type=file]", str(EXAMPLE))
    page.wait_for_function("() => document.querySelector('.seen input')?.value")
    page.fill(BOX, "make it a dgo with a ufo")
    page.wait_for_selector(".marks mark.unknown")
    checked.look("with a picture and words that are not known")
    page.fill(BOX, "make it a dog\nmake it a fox")
    paint(page)
    checked.look("with a mask")
    change(page, settings={"steps": 60}, mask=None)
    page.press(BOX, "Control+Enter")
    page.wait_for_selector(".go small")
    page.locator("regrow-queue > .icon-button").click()
    page.wait_for_selector(".queue li")
    checked.look("working, the queue open")
    page.keyboard.press("Escape")
    page.locator(".go").click()
    idle(page)
    change(page, settings={}, words="make it a dog\nmake it a fox")
    page.press(BOX, "Control+Enter")
    page.wait_for_function("() => document.querySelectorAll('.results [type=radio]').length === 2")
    idle(page)
    checked.look("results")
    page.locator("[data-mode=beside]").click()
    checked.look("side by side")
    page.locator(".items li").first.hover()
    page.locator(".items li .dots").first.click()
    checked.look("the menu of a result")
    page.locator("#item-menu .danger").click()
    page.wait_for_selector("#toasts .button")
    checked.look("deleted")
    page.locator("#side-more").click()
    page.wait_for_selector("regrow-more [data-field]")
    checked.look("more settings")
    page.locator("regrow-presets .icon-button").first.click()
    checked.look("presets")
    page.keyboard.press("Escape")
    page.locator(".model").click()
    checked.look("models to choose from")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("h1").evaluate("() => document.activeElement?.blur()")
    page.keyboard.press("?")
    checked.look("shortcuts")
    checked.done()


def test_comparing(opened: Callable) -> None:
    page = opened(viewport={"width": 1280, "height": 800})
    rows = [row("direct_inversion", 31.5, 0), row("naive", None, 1) | {"result": None, "error": "It was refused."}]
    done = job("compare", {"rows": rows, "measured": "whole"}, [ITEM | item("made-0.png")])
    answer(page, "**/api/compare", done)
    page.set_input_files("regrow-canvas input[type=file]", str(EXAMPLE))
    page.wait_for_selector("img.base")
    checked = Checked(page)
    page.get_by_role("button", name="Compare methods and settings").click()
    page.locator("regrow-compare .button.primary").click()
    page.wait_for_selector(".form-sheet figure")
    checked.look("compare")
    checked.done()


def test_create_with_a_sound(opened: Callable) -> None:
    page = opened(viewport={"width": 1280, "height": 800})
    checked = Checked(page)
    change(page, **SOUND)
    page.wait_for_selector("regrow-sound > *")
    checked.look("no sound")
    page.locator("regrow-sound input[type=file]").set_input_files(str(PIANO))
    page.wait_for_selector("regrow-track > div")
    page.fill(BOX, "a slow sad violin melody")
    page.press(BOX, "Control+Enter")
    page.wait_for_selector("regrow-track:nth-of-type(2), regrow-sound .lane:nth-child(2)")
    idle(page)
    checked.look("two sounds")
    change(page, **SOUND | {"model": "songbook"})
    page.wait_for_selector("regrow-song")
    page.locator("regrow-song textarea").first.fill("twinkle twinkle little star")
    page.get_by_role("button", name="Make a tune").click()
    page.wait_for_selector(".note")
    checked.look("a song")
    checked.done()


def test_other_tabs(opened: Callable) -> None:
    page = opened(viewport={"width": 1280, "height": 1000})
    answer(page, "**/api/trainings", [TRAINING, TRAINING | {"name": "dogs", "state": "stopped"}])
    checked = Checked(page)
    page.evaluate("location.hash = 'train'")
    page.wait_for_selector("regrow-train form")
    page.get_by_text("It learns 12 pictures.").first.wait_for(state="attached")
    checked.look("train")
    page.evaluate("location.hash = 'inside'")
    page.wait_for_selector("regrow-inside form")
    checked.look("look inside")
    page.locator("regrow-inside [role=tab]").last.click()
    checked.look("verify")
    page.evaluate("location.hash = 'models'")
    page.wait_for_selector("regrow-models .open")
    page.locator("regrow-models .open", has_text="storybook").click()
    page.wait_for_selector("regrow-models dl")
    checked.look("models")
    checked.done()


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_on_a_phone(opened: Callable, language: str) -> None:
    page = opened(language, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.wait_for_selector(".examples img")
    checked = Checked(page)
    checked.look("empty")
    page.locator(".examples button").first.tap()
    page.wait_for_selector("img.base")
    checked.look("with a picture")
    page.locator(".acts [aria-label=History], .acts [aria-label=历史]").first.tap()
    page.locator(".filters input[type=search]").wait_for()
    checked.look("history")
    checked.done()


def test_the_page_that_asks_for_the_password_and_the_list_of_addresses(
    chromium: Any, locked: Server, server: Server
) -> None:
    for address in (locked.address, f"{server.address}/docs"):
        for scheme in ("light", "dark"):
            page = chromium.new_page(color_scheme=scheme, bypass_csp=True)
            page.goto(address)
            checked = Checked(page)
            faults = page.evaluate(FIND, None)
            page.close()
            assert not faults, (address, scheme, faults)
            assert checked.faults == []


def test_what_is_wrong_is_found(opened: Callable) -> None:
    page = opened()
    checked = Checked(page)
    page.evaluate("document.querySelector('.welcome h2').style.color = '#ddd'")
    checked.look("spoiled")
    with pytest.raises(AssertionError, match=r"spoiled.*color-contrast"):
        checked.done()
