"""The page on a server of its own: over HTTP, and in headless Chromium; without one those tests are skipped."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from regrow.families.registry import EMBEDDED
from regrow.media.audio import read_recipe as read_sound_recipe
from regrow.media.image import read_recipe
from regrow.worlds.storybook import Scene, draw

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PROGRAM = "from regrow.interfaces.cli import main; main()"
PATIENCE = 120
"""Seconds after which something does not come any more; a busy machine may be slow."""
EXAMPLE = Path(__file__).parents[2] / "examples" / "cat.png"
PIANO = EXAMPLE.with_name("piano.flac")


class Server:
    """`regrow serve` as a process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "serve", "--port", str(self.port), "--no-browser"],
            env={**os.environ, "REGROW_HOME": str(self.home), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        assert "The page is at" in self.process.stdout.readline()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def made(self) -> list[Path]:
        return sorted((self.home / "page" / "made").glob("*/*.png"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("home"))
    yield started
    started.stop()
    for told in (started.home / "page" / "processes").glob(
        "*.json"
    ):  # a failed test's training would go on for minutes
        with contextlib.suppress(ProcessLookupError):
            os.killpg(json.loads(told.read_text())["pid"], signal.SIGKILL)


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("the browser tests were not run: no Chromium or Chrome is here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS.split())
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, server: Server) -> Iterator[Callable]:
    """Opens the page in a new browser profile, and fails if anything was asked of the network."""
    outside, contexts = [], []

    def new(language: str = "en-US", **options):
        context = chromium.new_context(locale=language, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        own = (server.address, "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(own) else outside.append(asked.url))
        page.goto(server.address)
        page.wait_for_selector("#go-edit")
        return page

    yield new
    for context in contexts:
        context.close()
    assert outside == []


def set_slider(page, name: str, value: float) -> None:
    number = page.locator(f"#{name} input[type=number]")
    number.fill(str(value))
    number.press("Tab")


def to_sounds_and_back(page, switch: str, picture: str) -> None:
    for choice, shown in ((1, False), (0, True)):
        page.locator(f"#{switch} label").nth(choice).click()
        page.wait_for_function(
            "([id, shown]) => (document.querySelector(id)?.offsetParent != null) == shown",
            arg=[picture, shown],
        )


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)


def status(address: str, path: str, **headers: str) -> int:
    request = urllib.request.Request(address + path, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize(
    "path",
    [
        "file=/etc/passwd",
        "file=../../../../etc/passwd",
        "file=%2e%2e/%2e%2e/etc/passwd",
        "file=/proc/self/environ",
        "file=pyproject.toml",
        "file=C:/etc/passwd",
        "file=http://127.0.0.1:1/",
        "file=https://example.org/",
        "file/etc/passwd",
        "proxy=https://example.org/",
    ],
)
def test_no_file_outside_can_be_read(server: Server, path: str) -> None:
    assert status(server.address, f"/gradio_api/{path}") in (403, 404)


def test_its_home_is_not_its_to_show_and_other_names_are_refused(server: Server) -> None:
    assert status(server.address, "/") == 200
    assert status(server.address, "/docs") == 404
    for host in ("evil.example", "evil.example:80"):
        assert status(server.address, "/", Host=host) == 403
    with urllib.request.urlopen(server.address + "/") as answer:
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "fonts.googleapis.com" not in answer.read().decode()


def test_uploads_are_bounded_and_a_second_server_is_refused(server: Server) -> None:
    too_much = {"files": ("big.png", bytes(31_000_000))}
    assert httpx.post(f"{server.address}/gradio_api/upload", files=too_much).status_code == 413
    second = subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", "--no-browser"],
        env={**os.environ, "REGROW_HOME": str(server.home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert second.stderr == (
        f"regrow: The page is open already, at {server.address}/; end that one first, or set REGROW_HOME to another "
        "folder.\n"
    )


def test_the_http_api_edits_as_documented(server: Server) -> None:
    """The example of docs/page.md."""
    text = (Path(__file__).parents[2] / "docs" / "page.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    shown: dict = {}
    exec(code.replace("http://127.0.0.1:7860", server.address).replace("examples/cat.png", str(EXAMPLE)), shown)
    recipe = read_recipe(shown["files"][0])
    assert recipe is not None
    assert recipe["settings"]["target"] == ["an orange puppy on a beach"]
    client = shown["client"]
    made = client.predict("a white rabbit in the snow", "storybook", 3, 2, 0, api_name="/generate")
    assert [read_recipe(file)["settings"]["seed"] for file in made] == [3, 3]  # of the first; the second has one more
    hostile = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    # not by the client, which would upload its own machine's file
    call = f"{server.address}/gradio_api/call/edit"
    event = httpx.post(call, json={"data": [hostile, "a", "b", 0.5]}).json()["event_id"]
    assert "event: error" in httpx.get(f"{call}/{event}", timeout=PATIENCE).text
    taken = [path for path in (server.home / "page").rglob("*") if path.is_file()]
    assert not [path for path in taken if b"root:" in path.read_bytes()]


def test_edit_the_example_cat_and_drag_the_slider(opened: Callable, server: Server) -> None:
    page = opened()
    before = len(server.made())
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.get_by_role("button", name="All settings").first.click()
    set_slider(page, "edit-steps", 6)
    page.click("#go-edit")
    page.wait_for_selector("#edit-status .done")
    assert "PSNR" in page.inner_text("#edit-status")
    assert page.locator("#compared img").count() == 2
    (made,) = server.made()[before:]
    recipe = read_recipe(made)
    assert recipe is not None
    assert recipe["settings"]["target"] == ["an orange puppy on a beach"]
    assert recipe["settings"]["strength"] == 0.9
    assert "Told in full" in page.inner_text("#edit-status")
    # less change, on the path that is kept
    slider = page.locator("#strength input[type=range]")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    until(lambda: len(server.made()) > before + 1)
    page.wait_for_selector("#edit-status .done")
    again = read_recipe(server.made()[-1])
    assert again is not None
    assert again["settings"]["strength"] == pytest.approx(0.65)
    assert again["figures"]["evaluations"]["inversion"] == 0
    page.click("#use-result")
    page.wait_for_function("document.querySelector('#source input, #source textarea').value.includes('puppy')")


def test_the_last_place_of_the_slider_and_the_last_words_win(opened: Callable, server: Server) -> None:
    page = opened()
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value != ''")
    page.get_by_role("button", name="All settings").first.click()
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
    number = page.locator("#strength input[type=number]")
    page.wait_for_selector("#edit-status .done")
    until(lambda: len(server.made()) > 0)
    recipe = read_recipe(server.made()[-1])
    assert recipe is not None
    assert recipe["settings"]["strength"] == pytest.approx(float(number.input_value()))
    assert recipe["settings"]["strength"] < 0.4
    jobs = [json.loads(path.read_text()) for path in (server.home / "page" / "made").glob("*/job.json")]
    assert [job["state"] for job in jobs if job["settings"].get("steps") == 200] == ["cancelled"]
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
    page.wait_for_function("document.querySelector('#painter canvas')?.width == 128")
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
        assert made.crop((0, 64, 128, 128)).tobytes() == before.crop((0, 64, 128, 128)).tobytes()
        assert made.tobytes() != before.tobytes()
    page.click("#painter button:text('Clear')")
    page.wait_for_selector("#mask img", state="detached")
    count = len(server.made())
    page.click("#go-edit")
    until(lambda: len(server.made()) > count)
    made = Image.open(server.made()[-1])
    assert made.crop((0, 64, 128, 128)).tobytes() != before.crop((0, 64, 128, 128)).tobytes()


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
    (made,) = sorted((server.home / "page" / "made").glob("*/*.wav"))
    recipe = read_sound_recipe(made)
    assert recipe is not None
    assert recipe["settings"]["target"] == ["a slow sad violin melody"]
    assert recipe["settings"]["span"] == "1:2"


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


def test_fields_for_pictures_take_files_after_a_switch_to_sounds_and_back(opened: Callable, tmp_path: Path) -> None:
    Image.new("L", (128, 128), 255).save(tmp_path / "mask.png")
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


def test_cancel_is_quick_and_two_browsers_do_not_mix(opened: Callable, server: Server) -> None:
    one, other = opened(), opened()
    for page in (one, other):
        page.get_by_role("tab", name="Generate").click()
        page.fill("#prompt textarea", "a white rabbit in the snow")
    one.get_by_role("button", name="All settings").last.click()
    set_slider(one, "generate-steps", 200)
    one.click("#go-generate")
    one.wait_for_selector("#generate-status progress")
    other.get_by_role("button", name="All settings").last.click()
    set_slider(other, "generate-steps", 4)
    other.click("#go-generate")
    other.wait_for_selector("#generate-status .waiting")
    assert "1 before it" in other.inner_text("#generate-status")
    one.wait_for_selector("#generated img")  # it is seen while it grows
    clicked = time.monotonic()
    one.click("#cancel-generate")
    one.wait_for_selector("#generate-status .cancelled")
    assert time.monotonic() - clicked < 5  # with a browser on a busy machine; of the worker a test asks a second
    other.wait_for_selector("#generate-status .done")
    assert one.locator("#generate-status .cancelled").count() == 1
    # opened again, a browser sees its own last one
    other.reload()
    other.wait_for_selector("#go-edit")
    other.get_by_role("tab", name="Generate").click()
    other.wait_for_selector("#generate-status .done")


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
    page.click("#delete")
    page.click("#really")
    until(lambda: not newest.exists())
    # what is made again is what is picked then, and the one it was made from stays
    page.locator("#history img").nth(1).click()
    old = everything(server)
    page.click("#replay")
    page.wait_for_function("document.querySelector('#history-status').innerText.includes('bit for bit')")
    (again,) = set(everything(server)) - set(old)
    chosen = "document.querySelector('#history .selected')"
    page.wait_for_function(f"{chosen} && {chosen} === {chosen}.parentElement.firstElementChild")
    page.click("#delete")
    page.click("#really")
    until(lambda: not again.parent.exists())
    assert everything(server) == old
    page.click("#delete")
    page.wait_for_function("document.querySelector('#history-status').innerText.includes('Pick one')")
    recipes = {path: read_recipe(path) for path in server.made()}
    six = [path for path, recipe in recipes.items() if recipe and recipe["settings"]["steps"] == 6]
    page.set_input_files("#dropped input[type=file]", str(six[0]))
    page.wait_for_function("document.querySelector('#target textarea').value.includes('puppy')")
    assert page.get_by_role("tab", name="Edit").get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="All settings").last.click()  # what is folded away is not in the page
    assert page.input_value("#edit-steps input[type=number]") == "6"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.png", b"", "empty"),
        ("text.png", b"not a picture at all", "is text"),
        ("cut.png", EXAMPLE.read_bytes()[:600], "damaged or cut short"),
    ],
)
def test_hostile_pictures_get_a_sentence(opened: Callable, tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    page = opened()
    page.set_input_files("#picture input[type=file]", str(tmp_path / name))
    page.fill("#target textarea", "a dog")
    page.wait_for_timeout(300)
    page.click("#go-edit")
    page.wait_for_selector(".toast-body")
    assert said in page.inner_text(".toast-body")


@pytest.mark.parametrize("language", ["zh-CN", "zh-HK", "zh"])
def test_chinese_and_a_phone(opened: Callable, language: str) -> None:
    page = opened(language, viewport={"width": 390, "height": 844})
    assert page.get_by_role("button", name="编辑图片").is_visible()
    page.click("#example")
    page.wait_for_function("document.querySelector('#target textarea').value.includes('小狗')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # every field that takes something has a name for screen readers
    unnamed = page.evaluate(
        """[...document.querySelectorAll('input:not([type=file]):not([type=hidden]), textarea, button')]
        .filter(e => e.offsetParent && !(e.labels?.length || e.ariaLabel || e.title || e.innerText.trim()))
        .map(e => e.outerHTML.slice(0, 150))"""
    )
    assert unnamed == []


def test_checks_are_readable_on_a_phone_and_all_that_takes_long_can_be_stopped(opened: Callable) -> None:
    page = opened("zh-CN", viewport={"width": 390, "height": 844})

    def go_to(tab: str) -> None:
        page.locator(".overflow-menu button").first.click()
        page.get_by_role("button", name=tab, exact=True).last.click()

    go_to("内部")
    page.click("#look-example")
    page.wait_for_selector("#look-picture img")
    set_slider(page, "look-steps", 100)
    page.click("#go-look")
    page.wait_for_selector("#look-status progress")
    page.click("#cancel-look")
    page.wait_for_selector("#look-status .cancelled")
    page.click("#go-prove")
    page.wait_for_function("document.querySelector('#checks').innerText.includes('pass')")
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


def test_a_killed_server_takes_up_its_job_and_finds_its_training(opened: Callable, server: Server) -> None:
    page = opened()
    page.get_by_role("tab", name="Train").click()
    folder = server.home.parent / "pictures"
    folder.mkdir()
    for i in range(40):
        drawing = draw(Scene.random(seed=i), 64)
        Image.fromarray(drawing.picture).save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(drawing.caption)
    page.fill("#train-folder textarea, #train-folder input", str(folder))
    page.fill("#train-name textarea, #train-name input", "mine")
    page.click("#go-train")
    page.wait_for_function("document.querySelector('#train-told textarea').value.includes('goes on')")
    # the plot stands there empty before the first step, and draws its line all the same
    page.wait_for_function("document.querySelector('#loss .mark-line path')?.getTotalLength() > 0")
    assert "held out" in (page.locator("#loss").text_content() or "")
    page.wait_for_function("/loss .* samples a second/.test(document.querySelector('#train-status').innerText)")
    page.get_by_role("tab", name="Generate").click()
    page.fill("#prompt textarea", "a grey fox in the forest")
    page.get_by_role("button", name="All settings").last.click()
    set_slider(page, "generate-steps", 60)
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
