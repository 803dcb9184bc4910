"""The canvas in a real browser: pictures come in, are painted on by mouse, touch and keyboard, and are compared."""

import base64
import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SIZE = 320, 240
"""Width and height of the picture that most tests paint on."""


def picture(size: tuple[int, int] = SIZE, seed: int = 0) -> bytes:
    """Return a PNG of soft colours."""
    cells = np.random.default_rng(seed).integers(0, 255, (4, 5, 3)).astype("uint8")
    file = io.BytesIO()
    Image.fromarray(cells).resize(size).save(file, "PNG")
    return file.getvalue()


def choose(page: Any, data: bytes, name: str = "cat.png") -> None:
    """Put a picture on the canvas by the file chooser."""
    before = page.locator("img.base").first.get_attribute("src") if page.locator("img.base").count() else None
    page.set_input_files("regrow-canvas input[type=file]", [{"name": name, "mimeType": "image/png", "buffer": data}])
    page.wait_for_function(
        "before => { const one = document.querySelector('img.base');"
        " return one?.complete && one.naturalWidth && one.getAttribute('src') !== before }",
        arg=before,
    )


def state(page: Any) -> dict[str, Any]:
    return page.evaluate("import('/page/js/store.js').then(({state}) => state.create)")


def until(page: Any, holds: Callable[[], Any]) -> None:
    """Wait until something holds, however busy the machine is."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def width(page: Any) -> float:
    return page.locator(".world").bounding_box()["width"]


def at(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a share of the picture lies on the page."""
    box = page.locator(".world").first.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Any, *points: tuple[float, float]) -> None:
    """Drag the mouse along shares of the picture."""
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=8)
    page.mouse.up()


def mask(page: Any) -> np.ndarray | None:
    """Return the mask that the server was given, in [0, 1], once it was; None where there is none."""
    page.evaluate("import('/page/js/canvas/mask_upload.js').then(({settled}) => settled())")
    name = state(page)["mask"]
    if name is None:
        return None
    sent = page.request.get(page.url.split("#")[0] + f"api/{'results' if '/' in name else 'files'}/{name}")
    assert sent.ok
    return np.asarray(Image.open(io.BytesIO(sent.body())).convert("L")) / 255


def painted(page: Any) -> np.ndarray:
    """Return what the eye sees of the mask, in [0, 1]."""
    coded = page.evaluate("document.querySelector('.world canvas').toDataURL()").partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))).convert("L")) / 255


@pytest.fixture
def bare(page_of_file: Any) -> Any:
    """The page with an empty canvas."""
    address = page_of_file.url.split("#")[0]
    page_of_file.goto(f"{address}page/icon.svg")  # where no script of the page writes the form anew
    page_of_file.evaluate("localStorage.clear()")
    page_of_file.goto(address)
    page_of_file.wait_for_selector(".welcome")
    page_of_file.wait_for_function("() => document.querySelector('regrow-model-chip b')?.textContent")
    return page_of_file


@pytest.fixture
def page(bare: Any) -> Any:
    """The page with a picture on the canvas."""
    choose(bare, picture())
    return bare


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other).max() < 0.02)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(bare: Any, way: str) -> None:
    page = bare
    data = page.evaluate_handle(
        """coded => {
            const data = new DataTransfer(), bytes = Uint8Array.from(atob(coded), one => one.charCodeAt(0));
            data.items.add(new File([bytes], "dropped.png", {type: "image/png"}));
            return data;
        }""",
        base64.b64encode(picture()).decode(),
    )
    if way == "drop":
        page.dispatch_event(".easel", "dragover", {"dataTransfer": data})
        page.wait_for_selector(".stage.dragged")
        page.dispatch_event(".easel", "drop", {"dataTransfer": data})
    else:
        page.evaluate(
            "data => document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}))",
            data,
        )
    page.wait_for_selector("img.base")
    assert (state(page)["input"]["width"], state(page)["input"]["name"]) == (SIZE[0], "dropped.png")
    assert "dragged" not in page.locator(".stage").get_attribute("class")


def test_a_photo_is_taken(opened: Callable) -> None:
    page = opened(permissions=["camera"])
    page.click("[data-do=camera]")
    page.wait_for_function("() => document.querySelector('dialog.camera video')?.videoWidth > 0")
    page.click("dialog.camera .primary")
    page.wait_for_selector("img.base")
    assert state(page)["input"]["name"] == "camera.png"
    assert page.locator("dialog.camera").count() == 0


def test_a_camera_that_is_refused_is_said(bare: Any) -> None:
    page = bare
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('denied')) }")
    page.click("[data-do=camera]")
    page.wait_for_selector("#toasts >> text=The browser gives no access to a camera")


def test_an_example_is_one_click(bare: Any) -> None:
    page = bare
    page.locator(".examples button:has(img)").first.click()
    page.wait_for_selector("img.base")
    assert state(page)["input"]["medium"] == "picture"


def test_an_example_of_a_sound_changes_the_medium(bare: Any) -> None:
    page = bare
    page.locator(".examples button:not(:has(img))").first.click()
    page.wait_for_selector("regrow-canvas", state="detached")
    assert state(page)["medium"] == "sound"


def test_what_is_no_picture_is_refused_in_a_sentence(bare: Any) -> None:
    page = bare
    page.set_input_files(
        "regrow-canvas input[type=file]", [{"name": "a.png", "mimeType": "image/png", "buffer": b"no"}]
    )
    page.wait_for_selector("regrow-prompt .error")
    assert state(page)["input"] is None


def test_the_brush_paints_what_the_server_gets(page: Any) -> None:
    page.keyboard.press("b")
    drag(page, (0.3, 0.5), (0.6, 0.5))
    sent = mask(page)
    assert sent is not None
    assert sent.shape == SIZE[::-1]
    assert sent[120, 96:192].min() == 1
    assert sent[120 - 24 :: 48, 140].max() == 0
    assert sent[:, :70].max() == sent[:, 220:].max() == 0
    assert same(painted(page), sent)


def test_a_smaller_brush_paints_less_and_the_eraser_takes_away(page: Any) -> None:
    page.keyboard.press("b")
    page.locator(".brush-size").fill("20")
    drag(page, (0.2, 0.5), (0.8, 0.5))
    wide = painted(page).sum()
    page.keyboard.press("Control+z")
    page.wait_for_function("() => !document.querySelector('[data-do=redo]').disabled")
    page.locator(".brush-size").fill("10")
    drag(page, (0.2, 0.5), (0.8, 0.5))
    assert painted(page).sum() < 0.6 * wide
    page.keyboard.press("e")
    drag(page, (0.5, 0.4), (0.5, 0.6))
    sent = mask(page)
    assert sent is not None
    assert sent[120, 160] == 0
    assert sent[120, 100] == sent[120, 220] == 1


def test_a_box_is_exact_and_alt_takes_away(page: Any) -> None:
    page.keyboard.press("r")
    drag(page, (0.25, 0.25), (0.75, 0.75))
    sent = mask(page)
    assert sent is not None
    rows, columns = np.nonzero(sent)
    assert set(np.unique(sent)) == {0, 1}
    assert max(abs(rows.min() - 60), abs(rows.max() - 179), abs(columns.min() - 80), abs(columns.max() - 239)) <= 1
    page.keyboard.down("Alt")
    drag(page, (0.4, 0.4), (0.6, 0.6))
    page.keyboard.up("Alt")
    sent = mask(page)
    assert sent is not None
    assert sent[120, 160] == 0
    assert sent[70, 160] == 1


def test_a_lasso_fills_what_it_goes_around(page: Any) -> None:
    page.keyboard.press("l")
    drag(page, (0.5, 0.2), (0.8, 0.8), (0.2, 0.8))
    sent = mask(page)
    assert sent is not None
    assert sent[160, 160] == 1
    assert sent[60, 80] == 0


def test_a_click_with_the_box_changes_nothing(page: Any) -> None:
    page.keyboard.press("r")
    page.mouse.click(*at(page, 0.5, 0.5))
    assert mask(page) is None


def test_undo_goes_back_through_all_that_was_done(page: Any) -> None:
    seen = []
    first = state(page)["input"]["id"]

    def step(act: Callable[[], Any]) -> None:
        seen.append(painted(page))
        act()
        page.wait_for_timeout(100)

    page.keyboard.press("b")
    step(lambda: drag(page, (0.2, 0.2), (0.4, 0.2)))
    step(lambda: drag(page, (0.6, 0.7), (0.8, 0.7)))
    step(lambda: page.keyboard.press("i"))
    step(lambda: page.keyboard.press("Delete"))
    step(lambda: find(page, "the cat"))
    last = painted(page)
    choose(page, picture((200, 100), seed=1), "dog.png")
    assert state(page)["mask"] is None
    assert painted(page).shape == (100, 200)
    page.keyboard.press("Control+z")
    page.wait_for_function("id => document.querySelector('img.base').src.includes(id)", arg=first)
    for expected in [last, *reversed(seen)]:
        until(page, lambda expected=expected: same(painted(page), expected))
        sent = mask(page)
        assert same(sent if sent is not None else 0 * expected, expected)
        page.keyboard.press("Control+z")
    page.wait_for_selector(".welcome")  # before there was a picture
    for _ in range(2):
        page.keyboard.press("Control+Shift+z")
        page.wait_for_timeout(100)
    until(page, lambda: same(painted(page), seen[1]))


def find(page: Any, words: str) -> None:
    page.click("[data-do=find]")
    page.fill(".find input", words)
    page.keyboard.press("Enter")
    page.wait_for_function("() => JSON.parse(localStorage['regrow create']).mask?.includes('mask.png')")
    sent = mask(page)
    assert sent is not None
    until(page, lambda: same(painted(page), sent))


def test_what_is_found_by_words_can_be_painted_on(page: Any) -> None:
    find(page, "the cat")
    page.wait_for_function("() => document.querySelector('#canvas-said').textContent.includes('may change')")
    found = painted(page)
    assert 0 < found.mean() < 1
    page.keyboard.press("b")
    drag(page, (0.02, 0.02), (0.1, 0.02))
    sent = mask(page)
    assert sent is not None
    assert sent.sum() > found.sum()
    assert (sent >= found - 0.02).all()


def test_a_mask_and_its_picture_survive_a_reload(page: Any) -> None:
    page.keyboard.press("b")
    drag(page, (0.3, 0.5), (0.6, 0.5))
    sent = mask(page)
    page.reload()
    page.wait_for_function("() => document.querySelector('#canvas-said')?.textContent.includes('may change')")
    assert sent is not None
    assert same(painted(page), sent)


def test_a_stroke_just_before_the_click_counts(page: Any) -> None:
    page.fill("regrow-prompt textarea", "a dog")
    page.click(".easel", position={"x": 5, "y": 5})
    page.keyboard.press("b")
    drag(page, (0.3, 0.5), (0.6, 0.5))
    with page.expect_request("**/api/edit") as waiting:
        page.keyboard.press("Control+Enter")
    assert waiting.value.post_data_json["mask"] == state(page)["mask"] is not None


def test_a_large_picture_has_a_mask_of_2048_pixels(bare: Any) -> None:
    page = bare
    choose(page, picture((3000, 1500)))
    page.keyboard.press("r")
    drag(page, (0.25, 0.25), (0.5, 0.5))
    sent = mask(page)
    assert sent is not None
    assert sent.shape == (1024, 2048)
    assert sent[300, 700] == 1
    assert sent[200, 700] == sent[300, 400] == 0


def edit(page: Any, words: str = "a dog") -> None:
    before = state(page)["batch"]
    page.fill("regrow-prompt textarea", words)
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        """before => {
            const {batch, results} = JSON.parse(localStorage['regrow create']);
            return String(batch) !== before && results.length && results.every(({job}) => batch.includes(job));
        }""",
        arg=",".join(before),
    )
    page.wait_for_selector("[data-do=download]")


def test_the_result_grows_where_the_picture_lay(page: Any) -> None:
    before = page.locator(".world").bounding_box()
    # so many steps that previews are sent, however fast or loaded the machine is
    page.evaluate("import('/page/js/store.js').then(({change}) => change({settings: {steps: 200}}))")
    page.evaluate(
        """() => new MutationObserver(() => {
            const one = document.querySelector("img.growing");
            const {x, y, width, height} = one?.getBoundingClientRect() ?? {};
            if (width) window.grew = {x, y, width, height};
        }).observe(document.querySelector("regrow-canvas"), {subtree: true, childList: true, attributes: true})"""
    )
    edit(page)
    assert page.locator(".world").bounding_box() == before
    assert page.locator("img.base").get_attribute("src").startswith("/api/results/")
    assert page.locator("progress.edge").count() == 0
    grew = page.evaluate("window.grew")  # the storybook sees the square in the middle
    assert grew["height"] == pytest.approx(before["height"], abs=1)
    assert grew["width"] == pytest.approx(before["height"], abs=1)
    assert grew["x"] == pytest.approx(before["x"] + (before["width"] - before["height"]) / 2, abs=1)


def shows(page: Any, *addresses: str) -> None:
    """Wait until these pictures lie on the canvas, and no other."""
    sources = "[...document.querySelectorAll('img.base')].map(one => one.getAttribute('src')).join()"
    page.wait_for_function(f"addresses => {sources} === addresses", arg=",".join(addresses))


def test_original_and_result_are_compared(page: Any) -> None:
    original = page.locator("img.base").get_attribute("src")
    edit(page)
    base, result = page.locator("img.base"), page.locator("img.base").get_attribute("src")
    page.click(".easel", position={"x": 5, "y": 5})
    page.keyboard.down("Space")
    page.wait_for_function(f"() => document.querySelector('img.base').getAttribute('src') === '{original}'")
    page.keyboard.up("Space")
    page.wait_for_function(f"() => document.querySelector('img.base').getAttribute('src') === '{result}'")
    box = page.locator("[data-do=hold]").bounding_box()
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    assert base.get_attribute("src") == original
    page.mouse.up()
    assert base.get_attribute("src") == result
    page.click(".segmented [data-mode=split]")
    drag(page, (0.5, 0.5), (0.25, 0.5))
    cut = page.locator("img.over").evaluate("one => parseFloat(getComputedStyle(one).clipPath.split(' ')[1])")
    assert cut == pytest.approx(75, abs=1.5)
    page.get_by_label("Share of the width").fill("45")
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('img.over')).clipPath.startsWith('inset(0px 55')"
    )
    page.click(".segmented [data-mode=beside]")
    shows(page, original, result)
    page.click(".segmented [data-mode=original]")
    shows(page, original)


def test_results_of_several_wishes_are_a_row(page: Any) -> None:
    edit(page, "a dog\na bird")
    row = page.locator(".results [type=radio]")
    page.wait_for_function("() => document.querySelectorAll('.results [type=radio]').length === 2")
    assert page.locator(".results label").all_inner_texts() == ["a dog", "a bird"]
    page.locator(".results label").nth(1).click()
    second = page.locator("img.base").get_attribute("src")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => document.querySelector('img.base').getAttribute('src') !== '{second}'")
    assert row.nth(0).evaluate("one => one === document.activeElement")
    assert row.nth(0).is_checked()


def test_a_result_becomes_the_input_and_undo_brings_the_old_one_back(page: Any) -> None:
    first = state(page)["input"]["id"]
    edit(page)
    result = state(page)["results"][0]
    page.click("[data-do=reuse]")
    page.wait_for_selector("[data-do=download]", state="detached")
    assert state(page)["input"]["id"] == f"{result['job']}/{result['name']}"
    assert page.locator("img.base").get_attribute("src") == result["url"]
    page.keyboard.press("Control+z")
    page.wait_for_selector("[data-do=download]")
    assert state(page)["input"]["id"] == first
    assert state(page)["results"] == [result]
    page.keyboard.press("Control+z")
    page.wait_for_selector("[data-do=download]", state="detached")
    assert state(page)["input"]["id"] == first  # the edit is undone, the picture stays
    page.keyboard.press("Control+y")
    page.wait_for_selector("[data-do=download]")
    assert state(page)["results"] == [result]
    for _ in range(2):
        page.keyboard.press("Control+z")
    page.wait_for_selector(".welcome")


def test_a_result_is_downloaded(page: Any) -> None:
    edit(page)
    with page.expect_download() as waiting:
        page.click("[data-do=download]")
    assert Image.open(Path(waiting.value.path())).size == SIZE


def test_the_wheel_zooms_where_the_pointer_is(page: Any) -> None:
    point = at(page, 0.7, 0.3)
    wide = width(page)
    page.mouse.move(*point)
    page.mouse.wheel(0, -400)
    until(page, lambda: width(page) > 1.5 * wide)
    assert np.allclose(at(page, 0.7, 0.3), point, atol=1.5)
    before = page.locator(".world").bounding_box()
    drag(page, (0.5, 0.5), (0.55, 0.55))
    after = page.locator(".world").bounding_box()
    assert after["x"] - before["x"] == pytest.approx(0.05 * before["width"], abs=2)
    page.keyboard.press("0")
    until(page, lambda: width(page) == pytest.approx(wide))


def test_paint_lands_under_the_pointer_when_zoomed(page: Any) -> None:
    wide = width(page)
    page.mouse.move(*at(page, 0.6, 0.6))
    page.mouse.wheel(0, -600)
    until(page, lambda: width(page) > 1.5 * wide)
    page.keyboard.press("b")
    page.mouse.click(*at(page, 0.6, 0.6))
    sent = mask(page)
    assert sent is not None
    rows, columns = np.nonzero(sent > 0.5)
    assert rows.mean() == pytest.approx(0.6 * SIZE[1], abs=2)
    assert columns.mean() == pytest.approx(0.6 * SIZE[0], abs=2)


def touch(page: Any, kind: str, *points: tuple[float, float]) -> None:
    touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    page.touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_a_finger_paints_and_two_pinch(opened: Callable) -> None:
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    choose(page, picture())
    page.touches = page.context.new_cdp_session(page)
    page.tap("[data-do=brush]")
    touch(page, "touchStart", at(page, 0.3, 0.5))
    for x in (0.4, 0.5, 0.6):
        touch(page, "touchMove", at(page, x, 0.5))
    touch(page, "touchEnd")
    sent = mask(page)
    assert sent is not None
    assert sent[120, 110:180].min() == 1
    wide, x, y = width(page), *at(page, 0.5, 0.2)
    touch(page, "touchStart", (x - 20, y))
    touch(page, "touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 40, 60):
        touch(page, "touchMove", (x - apart, y), (x + apart, y))
    touch(page, "touchEnd")
    until(page, lambda: width(page) == pytest.approx(3 * wide, rel=0.15))
    assert same(painted(page), sent)  # the first finger of a pinch leaves no stroke


def test_what_the_model_will_see_is_said_before(bare: Any) -> None:
    page = bare
    choose(page, picture((900, 600)))
    said = page.locator("#canvas-said")
    page.wait_for_selector("path.frame", state="attached")
    assert said.inner_text() == "The model sees 600 × 600 of 900 × 600 pixels"  # the storybook crops
    assert page.locator("path.frame").get_attribute("d") == "M150 0h600v600h-600z"
    page.evaluate("import('/page/js/store.js').then(({change}) => change({settings: {frame: 'whole'}}))")
    page.wait_for_selector("path.frame", state="detached")
    page.get_by_text("works at").wait_for()
    assert re.fullmatch(r"The model works at \d+ × \d+ of 900 × 600 pixels", said.inner_text())
    page.evaluate("import('/page/js/store.js').then(({change}) => change({settings: {frame: 'whole', tiles: true}}))")
    page.wait_for_selector("path.frame >> nth=2", state="attached")
    assert re.search(r"(?i)in \d+ tiles", said.inner_text())


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_every_control_has_a_name(opened: Callable, language: str) -> None:
    page = opened(language)
    choose(page, picture())
    page.keyboard.press("b")
    controls = page.locator("regrow-canvas :is(button, a, input:not([type=file]))")
    names = controls.evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label') ?? (one.closest('label') ?? one).textContent.trim())"
    )
    assert len(names) > 12
    assert [name for name in names if not name or name.startswith("canvas_")] == []
    assert ({bool(re.search("[\u4e00-\u9fff]", name)) for name in names}) == {language == "zh-CN"}
