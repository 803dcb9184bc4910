"""The Edit tab, and the History of what it made, in headless Chromium."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from web_server import EXAMPLE, Server, set_slider, to_sounds_and_back, until

from regrow.media.audio.sound import read_recipe as read_sound_recipe
from regrow.media.image.picture import read_recipe
from regrow.models.open import open_model


def test_edit_the_example_cat_and_drag_the_slider(opened: Callable, server: Server) -> None:
    page = opened()
    before = len(server.made())
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.get_by_role("button", name="All settings").first.click()
    set_slider(page, "edit-steps", 7)
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")
    assert "PSNR" in page.inner_text("#edit-status")
    assert page.locator("#compared img").count() == 2
    line = page.locator("#compared [role=slider]")

    def is_left() -> bool:
        line.press("ArrowLeft")  # a key that comes before the pictures are drawn is lost
        return page.evaluate("Number(document.querySelector('#compared [role=slider]').ariaValueNow)") < 50

    until(is_left)
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('#compared [role=slider]').ariaValueNow > 80")  # gradio ends there
    assert page.locator("#compared img").first.get_attribute("alt") == "Before and after: drag the line"
    (made,) = server.made()[before:]
    recipe = read_recipe(made)
    assert recipe is not None
    assert recipe["settings"]["target"] == ["an orange puppy on a beach"]
    # of another animal: the model's own strength for it, where the slider goes
    assert (recipe["settings"]["strength"], recipe["settings"]["steps"]) == (0.65, 7)
    page.wait_for_function("document.querySelector('#strength input[type=number]').value == 0.65")
    assert "Expanded prompt" in page.inner_text("#edit-status")
    # less change, on the path that is kept
    slider = page.locator("#strength input[type=range]")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")

    def newest() -> Any:
        return read_recipe(server.made()[-1])

    # a place on the way may be done before the last one is asked for
    until(lambda: newest()["settings"]["strength"] == pytest.approx(0.4))
    page.wait_for_selector("#edit-status .done")
    assert not page.is_checked("#by-kind input")
    again = newest()
    assert again["figures"]["evaluations"]["inversion"] == 0
    page.click("#use-result")
    page.wait_for_function("document.querySelector('#source input, #source textarea').value.includes('puppy')")


def test_the_last_place_of_the_slider_and_the_last_words_win(opened: Callable, server: Server) -> None:
    page = opened()
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.get_by_role("button", name="All settings").first.click()
    page.fill("#target textarea", "an orange puppy on a beach\n" * 8)  # 200 steps of one wish may be over too soon
    set_slider(page, "edit-steps", 200)
    page.click("#go-edit")
    page.wait_for_selector("#edit-status progress")
    set_slider(page, "edit-steps", 4)
    slider = page.locator("#strength input[type=range]")

    def drag(start: float, end: float) -> None:
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * start, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
        page.mouse.up()

    drag(0.9, 0.6)
    drag(0.6, 0.2)
    last = float(page.input_value("#strength input[type=number]"))
    assert last < 0.4

    def newest() -> float | None:
        recipe = read_recipe(server.made()[-1])
        assert recipe is not None
        return recipe["settings"].get("strength")

    # on a fast machine a place on the way is done before the last one is asked for
    until(lambda: server.made() and newest() == pytest.approx(last))
    page.wait_for_selector("#edit-status .done")
    jobs = [json.loads(path.read_text()) for path in (server.home / "page" / "made").glob("*/job.json")]
    long = [job["state"] for job in jobs if job["kind"] == "edit" and job["settings"]["steps"] == 200]
    assert long == ["cancelled"]
    page.click("#go-edit")
    page.fill("#target textarea", "an orange rabbit on a beach")
    page.click("#go-edit")
    page.wait_for_selector('#compared img[src*="rabbit"]')
    assert "rabbit" in server.made()[-1].name


def test_a_mask_is_painted_kept_for_other_words_and_cleared(opened: Callable, server: Server) -> None:
    page = opened()
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.click("#where button")
    page.wait_for_function("document.querySelector('#painter canvas')?.width == 256")
    page.locator("#painter canvas").scroll_into_view_if_needed()
    box = page.locator("#painter canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.1, steps=4)
    page.mouse.up()
    page.wait_for_selector("#mask img")
    page.get_by_role("button", name="All settings").first.click()
    set_slider(page, "edit-steps", 3)
    before = Image.open(EXAMPLE).convert("RGB")
    for words in ("a grey fox in the snow", "a black penguin in the snow"):
        page.fill("#target textarea", words)
        count = len(server.made())
        page.click("#go-edit")
        until(lambda count=count: len(server.made()) > count)
        page.wait_for_selector("#edit-status .done")
        made = Image.open(server.made()[-1])
        assert made.crop((0, 128, 256, 256)).tobytes() == before.crop((0, 128, 256, 256)).tobytes()
        assert made.tobytes() != before.tobytes()
    page.click("#painter button:text('Clear')")
    page.wait_for_selector("#mask img", state="detached")
    count = len(server.made())
    page.click("#go-edit")
    until(lambda: len(server.made()) > count)
    made = Image.open(server.made()[-1])
    assert made.crop((0, 128, 256, 256)).tobytes() != before.crop((0, 128, 256, 256)).tobytes()


def test_edit_the_example_piano_and_switch_between_before_and_after(opened: Callable, server: Server) -> None:
    page = opened()
    page.locator("#edit-medium label").nth(1).click()
    page.click("#piano")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    assert not page.locator("#picture").is_visible()
    page.get_by_role("button", name="All settings").first.click()
    set_slider(page, "edit-steps", 3)
    page.fill("#end input", "2")
    page.fill("#begin input", "1")
    page.click("#go-edit")
    page.wait_for_selector("#edited-sounds .switch")
    page.wait_for_function("[...document.querySelectorAll('#edited-sounds audio')].every(a => a.duration == 6)")
    assert page.evaluate("[...document.querySelectorAll('#edited-sounds img')].every(i => i.naturalWidth > 0)")
    positions = page.evaluate(
        """() => {
            const [before, after] = document.querySelectorAll('#edited-sounds audio');
            const press = () => document.querySelector('#edited-sounds .switch').click();
            press();
            before.currentTime = 3.5;
            press();
            return [before.paused, after.paused, after.currentTime];
        }"""
    )
    assert positions == [True, False, 3.5]
    made = max((server.home / "page" / "made").glob("*/*.wav"), key=lambda path: path.stat().st_mtime)
    recipe = read_sound_recipe(made)
    assert recipe is not None
    assert recipe["settings"]["target"] == ["a slow sad violin melody"]
    assert recipe["settings"]["span"] == "1:2"


def test_fields_for_pictures_take_files_after_a_switch_to_sounds_and_back(opened: Callable, tmp_path: Path) -> None:
    Image.new("L", (256, 256), 255).save(tmp_path / "mask.png")
    page = opened()
    to_sounds_and_back(page, "edit-medium", "#picture")
    page.click("#example")
    page.get_by_role("button", name="All settings").first.click()
    page.click("#where button")
    page.set_input_files("#mask input[type=file]", str(tmp_path / "mask.png"))
    page.wait_for_selector("#mask img")
    set_slider(page, "edit-steps", 2)
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")
    page.get_by_role("tab", name="Look inside").click()
    to_sounds_and_back(page, "look-medium", "#look-picture")
    page.set_input_files("#look-picture input[type=file]", str(EXAMPLE))
    page.wait_for_selector("#look-picture img")
    set_slider(page, "look-steps", 2)
    page.click("#go-look")
    page.wait_for_selector("#strip img")


def everything(server: Server) -> list[Path]:
    """All results, sounds too."""
    return sorted(path for path in (server.home / "page" / "made").glob("*/*") if path.suffix in (".png", ".wav"))


def test_history_gives_settings_back_and_deletes(opened: Callable, server: Server, tmp_path: Path) -> None:
    page = opened()
    newest = server.made()[-1]
    long_ago = [server.home / "page" / "made" / f"20200101-0000{i:02}-aa" for i in range(60)]
    for folder in long_ago:
        folder.mkdir()
        shutil.copy(EXAMPLE, folder / "a-cat-1.png")
        (folder / "job.json").write_text('{"files": ["a-cat-1.png"]}')
    page.get_by_role("tab", name="History").click()
    page.wait_for_selector("#history img")
    assert page.locator("#history img").count() == 60
    page.click("#older")
    page.wait_for_function("document.querySelectorAll('#history img').length > 60")
    page.click("#edit-this")
    page.wait_for_function("document.querySelector('#history-status').innerText.includes('Pick one')")
    for folder in long_ago:
        shutil.rmtree(folder)
    page.get_by_role("button", name="Show what is new").click()
    page.wait_for_function("!document.querySelector('#older')?.offsetParent")
    page.locator("#history img").first.click()
    page.wait_for_selector("#chosen img")  # before, nothing is picked
    gone = "!document.querySelector('#really')?.offsetParent"  # with it, what was picked is picked no more
    page.click("#delete")
    page.click("#really")
    until(lambda: not newest.exists())
    page.wait_for_function(gone)
    # what is made again is what is picked then, and the one it was made from stays
    page.locator("#history img").nth(1).click()
    page.wait_for_selector("#chosen img")
    old = everything(server)
    page.click("#replay")
    page.wait_for_function("document.querySelector('#history-status').innerText.includes('bit for bit')")
    (again,) = set(everything(server)) - set(old)
    chosen = "document.querySelector('#history .selected')"
    page.wait_for_function(f"{chosen} && {chosen} === {chosen}.parentElement.firstElementChild")
    page.click("#delete")
    page.click("#really")
    until(lambda: not again.parent.exists())
    page.wait_for_function(gone)
    assert everything(server) == old
    page.click("#delete")
    page.wait_for_function("document.querySelector('#history-status').innerText.includes('Pick one')")
    recipes = {path: read_recipe(path) for path in server.made()}
    few = {path: recipe["settings"]["steps"] for path, recipe in recipes.items() if recipe}
    usual = open_model("storybook").edit_steps
    path, steps = next((path, steps) for path, steps in few.items() if steps != usual and "puppy" in path.name)
    page.set_input_files("#dropped input[type=file]", str(path))
    page.wait_for_function("document.querySelector('#target textarea').value.includes('puppy')")
    assert page.get_by_role("tab", name="Edit").get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="All settings").last.click()  # what is folded away is not in the page
    assert page.input_value("#edit-steps input[type=number]") == str(steps)
