"""The other tabs in headless Chromium."""

import re
import shutil
import threading
from collections.abc import Callable

import pytest
from hub_server import HubServer
from hubs import UNET
from PIL import Image
from web_server import EXAMPLE, PIANO, Server, press_when, set_slider, until

from regrow.media.audio.sound import read_recipe as read_sound_recipe
from regrow.media.image.picture import read_recipe
from regrow.models.open import EMBEDDED
from regrow.worlds.storybook.drawing import Scene, draw


def test_a_melody_dropped_beside_the_words_is_played(opened: Callable, server: Server) -> None:
    page = opened()
    page.get_by_role("tab", name="Generate").click()
    page.locator("#generate-medium label").nth(1).click()
    page.wait_for_selector("#melody input[type=file]", state="attached")
    page.set_input_files("#melody input[type=file]", PIANO)
    page.wait_for_function("document.querySelector('#melody #duration')?.textContent == '0:06'")
    page.fill("#prompt textarea", "a slow sad violin melody")
    page.get_by_role("button", name="All settings").first.click()
    set_slider(page, "generate-steps", 3)
    page.click("#go-generate")
    page.wait_for_selector("#generated-sounds audio")
    assert "notes of the melody are played" in page.inner_text("#generate-status")
    newest = max((server.home / "page" / "made").glob("*/*.wav"), key=lambda path: path.stat().st_mtime)
    recipe = read_sound_recipe(newest)
    assert recipe is not None
    assert recipe["operation"] == "generate"
    assert recipe["settings"]["melody"]


def test_a_job_is_cancelled_and_two_browsers_do_not_mix(opened: Callable, server: Server) -> None:
    one, other = opened(), opened()
    for page in (one, other):
        page.get_by_role("tab", name="Generate").click()
        page.fill("#prompt textarea", "a white rabbit in the snow")
    one.get_by_role("button", name="All settings").last.click()
    set_slider(one, "generate-steps", 200)
    other.get_by_role("button", name="All settings").last.click()
    set_slider(other, "generate-steps", 4)
    one.click("#go-generate")
    one.wait_for_selector("#generate-status progress")
    other.click("#go-generate")
    other.wait_for_selector("#generate-status .waiting")
    assert "1 before it" in other.inner_text("#generate-status")
    press_when(one, "#generated img", "#cancel-generate")  # it is seen while it grows
    one.wait_for_selector("#generate-status .cancelled")
    other.wait_for_selector("#generate-status .done")
    assert one.locator("#generate-status .cancelled").count() == 1
    # opened again, a browser sees its own last one
    other.reload()
    other.wait_for_selector("#go-edit")
    other.get_by_role("tab", name="Generate").click()
    other.wait_for_selector("#generate-status .done")


@pytest.mark.parametrize("language", ["zh-HK", "zh"])
def test_every_chinese_browser_gets_chinese(opened: Callable, language: str) -> None:
    assert opened(language).get_by_role("button", name="编辑图片").is_visible()


def test_chinese_and_a_phone(opened: Callable) -> None:
    page = opened("zh-CN", viewport={"width": 390, "height": 844})
    assert page.get_by_role("button", name="编辑图片").is_visible()
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value.includes('小狗')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")
    assert not re.search("[a-z]{3}", page.inner_text("#edit-status")), "all of it is Chinese"
    # every field that takes something has a name for screen readers
    page.wait_for_function(
        """![...document.querySelectorAll('input:not([type=file]):not([type=hidden]), textarea, button')]
        .some(e => e.offsetParent && !(e.labels?.length || e.ariaLabel || e.title || e.innerText.trim()))"""
    )


def test_checks_are_readable_on_a_phone_and_all_that_takes_long_can_be_stopped(opened: Callable) -> None:
    page = opened("zh-CN", viewport={"width": 390, "height": 844})

    def go_to(tab: str) -> None:
        shown = page.get_by_role("tab", name=tab, exact=True)
        if shown.count() and shown.first.is_visible():  # how many fit beside each other is a matter of the font
            shown.first.click()
        else:
            page.locator(".overflow-menu button").first.click()
            page.get_by_role("button", name=tab, exact=True).last.click()

    go_to("内部")
    page.click("#look-example")
    page.wait_for_selector("#look-picture img")
    set_slider(page, "look-steps", 100)
    page.click("#go-look")
    press_when(page, "#look-status progress", "#cancel-look")
    page.wait_for_selector("#look-status .cancelled")
    page.click("#go-prove")
    page.wait_for_function("document.querySelector('#checks').innerText.includes('通过')")
    page.click("#cancel-prove")
    page.wait_for_selector("#prove-status .cancelled")
    assert page.inner_text("#checks thead").replace("⋮", "").split()[:4] == ["状态", "检验", "误差", "允许"]
    widths = page.evaluate("[...document.querySelector('#checks .virtual-row').children].map(e => e.clientWidth)")
    assert min(widths) >= 60
    go_to("模型")
    page.wait_for_function("document.querySelector('#models').innerText.includes('bandstand')")
    headings = page.inner_text("#models thead").replace("⋮", "").split()  # the sign is a menu's
    assert headings == ["名称", "图片或声音", "类别", "许可", "大小"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_download_shows_how_far_it_is_and_goes_on_after_a_stop(
    opened: Callable, server: Server, hub: HubServer
) -> None:
    shutil.copytree(EMBEDDED / "storybook", hub.root / "jane" / "pets")
    size = (hub.root / "jane" / "pets" / UNET).stat().st_size
    whole = sum(path.stat().st_size for path in (hub.root / "jane" / "pets").rglob("*") if path.is_file())
    go_on = threading.Event()
    hub.sending = lambda name, sent: (name != UNET or sent < size / 2 or go_on.wait()) and None
    page = opened()
    page.get_by_role("tab", name="Models").click()
    page.fill("#repo textarea, #repo input", "jane/pets")
    page.click("#go-pull")
    page.wait_for_function(
        """() => {
            const bar = document.querySelector('#models-status progress')
            return bar && bar.value > 0.4 * bar.max && bar.value < bar.max
        }"""
    )
    assert re.search(rf"jane/pets: [\d.]+ MB of {whole / 1e6:.1f} MB came", page.inner_text("#models-status"))
    page.click("#stop-pull")
    page.wait_for_function("document.querySelector('#models-status').innerText.includes('what came is kept')")
    go_on.set()
    page = opened()  # another day
    page.get_by_role("tab", name="Models").click()
    page.wait_for_function("document.querySelector('#models-status').innerText.includes('are here')")
    assert page.input_value("#repo textarea, #repo input") == "jane/pets"
    hub.asked.clear()
    page.click("#go-pull")
    page.wait_for_function("document.querySelector('#models').innerText.includes('pets')")
    assert hub.asked[0][0] == UNET
    assert hub.asked[0][1] >= size / 2
    assert (server.home / "models" / "pets" / UNET).read_bytes() == (hub.root / "jane" / "pets" / UNET).read_bytes()


def test_a_killed_server_takes_up_its_job_and_finds_its_training(opened: Callable, server: Server) -> None:
    page = opened()
    page.get_by_role("tab", name="Train").click()
    folder = server.home.parent / "pictures"
    folder.mkdir()
    for i in range(12):
        drawing = draw(Scene.random(seed=i), 64)
        Image.fromarray(drawing.picture).save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(drawing.caption)
    page.fill("#train-folder textarea, #train-folder input", str(folder))
    page.fill("#train-name textarea, #train-name input", "mine")
    assert not page.locator("#train-new").is_visible()
    page.locator("#train-from input").click()
    page.get_by_role("option", name="nothing: a new model").click()
    page.locator("#train-new input").click()
    page.get_by_role("option", name="tiny").click()
    page.get_by_role("button", name="All settings").and_(page.locator(":visible")).click()
    set_slider(page, "train-batch", 4)
    page.click("#go-train")
    page.wait_for_function("document.querySelector('#train-told textarea').value.includes('goes on')")
    # the plot stands there empty before the first step, and draws its line all the same
    page.wait_for_function("document.querySelector('#loss .mark-line path')?.getTotalLength() > 0")
    assert "held out" in (page.locator("#loss").text_content() or "")
    page.wait_for_function("/loss .* samples a second/.test(document.querySelector('#train-status').innerText)")
    page.get_by_role("tab", name="Generate").click()
    page.fill("#prompt textarea", "a grey fox in the forest")
    page.get_by_role("button", name="All settings").last.click()
    set_slider(page, "generate-steps", 40)
    before = len(server.made())
    page.click("#go-generate")
    page.wait_for_selector("#generate-status .running, #generate-status progress")
    server.process.kill()
    server.process.wait()
    server.start()
    until(lambda: len(server.made()) > before)
    recipe = read_recipe(server.made()[-1])
    assert recipe is not None
    assert recipe["settings"]["prompt"] == "a grey fox in the forest"
    page.goto(server.address)
    page.get_by_role("tab", name="Train").click()
    page.wait_for_function("document.querySelector('#train-status').innerText.includes('left')")
    page.click("#stop-train")
    page.wait_for_function("document.querySelector('#train-status').innerText.includes('stopped')")
    assert list((server.home / "runs" / "mine").rglob("*.safetensors"))
    # as it is when a training ends: a grid of samples, and a model more without a card
    (server.home / "runs" / "mine" / "samples").mkdir(exist_ok=True)
    shutil.copy(EXAMPLE, server.home / "runs" / "mine" / "samples" / "final.png")
    shutil.copytree(EMBEDDED / "storybook", server.home / "models" / "mine", ignore=lambda *_: ["README.md"])
    page.wait_for_function("document.querySelector('#train-status').innerText.includes('finished')")
    page.wait_for_selector("#samples button[aria-label='Newest samples'] img[alt='Newest samples']")
    page.get_by_role("tab", name="Generate").click()
    page.get_by_role("button", name="All settings").last.click()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="mine").wait_for()
    page.get_by_role("tab", name="Models").click()
    page.locator("#models").get_by_text("mine").last.click()
    page.wait_for_function("document.querySelector('#model-facts').innerText.includes('It was trained on storybook')")
