"""What went wrong on the page once, in headless Chromium: each kind of it stays right."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from web_server import EXAMPLE, Server, set_slider, until

from regrow.media.image.picture import read_recipe

QUICK = 3
"""Steps of an edit that is only to be done."""


def edited(page, steps: int = QUICK) -> None:
    """Edit the example cat."""
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.get_by_role("button", name="All settings").first.click()
    set_slider(page, "edit-steps", steps)
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")


def newest(server: Server) -> dict:
    recipe = read_recipe(server.made()[-1])
    assert recipe is not None
    return recipe


def pick_newest(page) -> None:
    page.get_by_role("tab", name="History").click()
    page.locator("#history img").first.click()
    page.wait_for_selector("#chosen img")


def edits_again(page, server: Server, words: str) -> None:
    """Other words on what stands in the fields are done, without an error."""
    count = len(server.made())
    page.fill("#target textarea", words)
    page.click("#go-edit")
    until(lambda: len(server.made()) > count)
    page.wait_for_selector("#edit-status .done")
    assert page.locator(".toast-body").count() == 0
    assert newest(server)["settings"]["target"] == [words]


def test_settings_taken_from_history_or_a_dropped_result_can_be_edited_at_once(
    opened: Callable, server: Server
) -> None:
    page = opened()
    edited(page)
    pick_newest(page)
    page.click("#reuse")
    page.wait_for_function("document.querySelector('#history-status').innerText.includes('Edit tab')")
    edits_again(page, server, "a grey fox on a beach")
    page.get_by_role("tab", name="History").click()
    page.set_input_files("#dropped input[type=file]", str(server.made()[-1]))
    page.wait_for_function("document.querySelector('#target textarea').value.includes('fox')")
    edits_again(page, server, "a black penguin on a beach")


def test_edit_this_turns_no_value_into_a_label(opened: Callable, server: Server) -> None:
    page = opened()
    edited(page)
    pick_newest(page)
    page.click("#edit-this")
    page.wait_for_function("document.querySelector('#picture img')?.src.includes('puppy')")
    assert page.locator("#edit-medium input:checked").input_value() == "picture"
    assert "Value:" not in page.inner_text("body")
    for tab, switch in (("Train", "train-medium"), ("Generate", "generate-medium"), ("Look inside", "look-medium")):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_selector(f"#{switch} input:checked")
        assert page.locator(f"#{switch} input:checked").input_value() == "picture"
        assert "Value:" not in page.inner_text("body")
    page.get_by_role("tab", name="Edit").click()
    for words in ("picture", "seed", "edit", "cancel"):  # words that were names of labels
        page.fill("#source textarea, #source input", words)
        page.get_by_role("tab", name="Train").click()
        page.get_by_role("tab", name="Edit").click()
        assert page.input_value("#source textarea, #source input") == words


def test_a_wrong_file_is_reported_where_it_is_dropped(opened: Callable, tmp_path: Path) -> None:
    wrong = {"text.png": b"no picture at all", "cut.png": EXAMPLE.read_bytes()[:600], "text.wav": b"no sound at all"}
    wrong["empty.png"] = b""
    for name, data in wrong.items():
        (tmp_path / name).write_bytes(data)
    page = opened()

    def reported(field: str, name: str, said: str) -> None:
        page.set_input_files(f"{field} input[type=file]", str(tmp_path / name))
        toast = page.locator(".toast-body").filter(has_text=said)
        toast.first.wait_for()
        page.locator(".toast-close").first.click()
        toast.first.wait_for(state="detached")
        page.wait_for_selector(f"{field} input[type=file]", state="attached")  # it is empty again

    page.click("#where button")
    for field in ("#picture", "#mask"):
        reported(field, "text.png", "text.png is text")
    reported("#picture", "cut.png", "damaged or cut short")
    reported("#picture", "empty.png", "is empty")
    page.locator("#edit-medium label").nth(1).click()
    reported("#sound", "text.wav", "text.wav is no sound")
    page.get_by_role("tab", name="History").click()
    reported("#dropped", "text.png", "text.png is text")
    page.set_input_files("#dropped input[type=file]", str(EXAMPLE))
    page.locator(".toast-body").filter(has_text="cat.png carries no recipe").wait_for()
    assert str(tmp_path.parent) not in page.inner_text("body")
    page.get_by_role("tab", name="Look inside").click()
    reported("#look-picture", "cut.png", "damaged or cut short")


def test_a_reload_brings_picture_words_and_slider_back(opened: Callable, server: Server) -> None:
    page = opened()
    edited(page)
    page.reload()
    page.wait_for_selector("#edit-status .done")
    page.wait_for_function("document.querySelector('#target textarea').value.includes('puppy')")
    page.wait_for_selector("#picture img")
    assert "cat" in page.input_value("#source textarea, #source input")
    slider = page.locator("#strength input[type=range]")
    count = len(server.made())
    slider.focus()
    slider.press("ArrowLeft")
    until(lambda: len(server.made()) > count)
    page.wait_for_selector("#edit-status .done")
    again = newest(server)
    assert again["settings"]["steps"] == QUICK
    assert again["figures"]["evaluations"]["inversion"] == 0  # the path was kept
    page.get_by_role("tab", name="Generate").click()
    page.fill("#prompt textarea", "a white rabbit in the snow")
    page.get_by_role("button", name="All settings").last.click()
    set_slider(page, "generate-steps", QUICK)
    page.click("#go-generate")
    page.wait_for_selector("#generate-status .done")
    page.reload()
    page.get_by_role("tab", name="Generate").click()
    page.wait_for_function("document.querySelector('#prompt textarea').value.includes('rabbit')")


def test_undo_after_a_stroke_takes_the_stroke_and_leaves_the_words(opened: Callable) -> None:
    page = opened()
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.locator("#target textarea").press_sequentially("XY")
    words = page.input_value("#target textarea")
    page.click("#where button")
    page.wait_for_function("document.querySelector('#painter canvas')?.width == 256")
    page.locator("#painter canvas").scroll_into_view_if_needed()
    box = page.locator("#painter canvas").bounding_box()

    def stroke(down: float) -> None:
        page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * down)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * down, steps=3)
        page.mouse.up()

    painted = """() => {
        const canvas = document.querySelector('#painter canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
        return count;
    }"""
    stroke(0.2)
    one = page.evaluate(painted)
    stroke(0.8)
    assert page.evaluate(painted) > one > 0
    page.wait_for_selector("#mask img")
    page.keyboard.press("Control+z")
    assert page.evaluate(painted) == one
    page.keyboard.press("Control+z")
    assert page.evaluate(painted) == 0
    page.wait_for_selector("#mask img", state="detached")
    page.keyboard.press("Control+z")  # nothing is left
    assert page.input_value("#target textarea") == words
    page.locator("#target textarea").focus()
    page.keyboard.press("Control+z")
    assert page.input_value("#target textarea") != words  # in the words it is as ever


def test_a_seed_is_drawn_unless_it_is_fixed(opened: Callable, server: Server) -> None:
    page = opened()
    page.get_by_role("tab", name="Generate").click()
    page.fill("#prompt textarea", "a white rabbit in the snow")
    page.get_by_role("button", name="All settings").last.click()
    set_slider(page, "generate-steps", 2)

    def seed_of(button: str) -> int:
        count = len(server.made())
        page.click(button)
        until(lambda: len(server.made()) > count)
        page.wait_for_selector("#generate-status .done")
        seed = newest(server)["settings"]["seed"]
        page.wait_for_function(f"document.querySelector('#generate-status').innerText.includes('Seed {seed}.')")
        return seed

    drawn = [seed_of(button) for button in ("#go-generate", "#go-generate", "#again", "#again")]
    assert len(set(drawn)) == 4
    page.fill("#seed input", "7")
    page.locator("#seed input").press("Tab")
    assert [seed_of("#go-generate"), seed_of("#go-generate")] == [7, 7]
    assert seed_of("#again") != 7


def test_the_picture_is_whole_while_it_grows_and_the_bar_begins_empty(opened: Callable) -> None:
    page = opened()
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.get_by_role("button", name="All settings").first.click()
    set_slider(page, "edit-steps", 190)
    page.click("#go-edit")
    page.wait_for_selector("#growing img")
    page.wait_for_function("document.querySelector('#growing img').naturalWidth > 0")
    seen = page.evaluate(
        """() => {
            const image = document.querySelector('#growing img').getBoundingClientRect();
            let seen = { top: -1e6, bottom: 1e6 };
            for (let part = document.querySelector('#growing img').parentElement; part; part = part.parentElement)
                if (getComputedStyle(part).overflowY != 'visible' && part.tagName != 'HTML' && part.tagName != 'BODY') {
                    const box = part.getBoundingClientRect();
                    seen = { top: Math.max(seen.top, box.top), bottom: Math.min(seen.bottom, box.bottom) };
                }
            return [image.top - seen.top, seen.bottom - image.bottom, image.height];
        }"""
    )
    assert min(seen[:2]) >= -1, "a part of it cannot be seen"
    page.evaluate(
        "document.querySelector('#edit-status').innerHTML = `<div class=status><progress id=bar max=1 value=0>"
        "</progress><progress id=full max=1 value=1></progress></div>`"
    )
    shots = [Image.open(io.BytesIO(page.locator(f"#{name}").screenshot())).convert("L") for name in ("bar", "full")]
    empty, full = (shot.getpixel((shot.width // 2, shot.height // 2)) for shot in shots)
    assert (empty > 200, full < 128) == (True, True), "an empty bar is pale, a full one dark"
    page.click("#cancel-edit")


def test_chinese_pages_show_no_english_values_and_nothing_shows_internal_names(
    opened: Callable, server: Server
) -> None:
    (server.home / "page" / "processes").mkdir(parents=True, exist_ok=True)
    dry = {"pid": 2**22, "began": 0, "command": ["train", "x"]}
    (server.home / "page" / "processes" / ".rehearsal-0123456789abcdef.json").write_text(json.dumps(dry))
    page = opened("zh-CN")
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value.includes('小狗')")
    page.get_by_role("button", name="全部设置").first.click()
    set_slider(page, "edit-steps", QUICK)
    assert not re.search("[a-z]", page.inner_text("#prompt-expansion label >> nth=0"))
    page.locator("#picture").scroll_into_view_if_needed()
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")
    status = page.inner_text("#edit-status")
    assert not re.search('[a-z]{2}|"', status), status
    page.get_by_role("tab", name="训练").click()
    page.locator("#runs input").click()
    assert "rehearsal" not in page.inner_text("body")


def test_behind_a_password_a_browser_sees_its_own_history_alone(chromium, locked: Server) -> None:
    contexts = [chromium.new_context() for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.goto(locked.address)
        page.locator("input").first.fill("regrow")
        page.locator("input[type=password]").fill(locked.password)
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("#go-edit")
    edited(pages[0])
    made = locked.made()[-1]
    for page, sees in zip(pages, (True, False), strict=True):
        with page.expect_response("**/queue/data*"):
            page.get_by_role("tab", name="History").click()
        if sees:
            page.locator("#history img").first.click()
            page.wait_for_selector("#chosen img")
        else:
            page.wait_for_timeout(1000)
            assert page.locator("#history img").count() == 0
    for context in contexts:
        context.close()
    assert made.exists()
