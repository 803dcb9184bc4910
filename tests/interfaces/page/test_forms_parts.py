"""What is built on the forms: Train, Models, Compare, presets."""

import csv
import json
from collections.abc import Callable

import pytest
from form_page import (
    ITEM,
    TRAINING,
    answer,
    create,
    field,
    item,
    job,
    opened_at,
    row,
    with_picture,
)
from web_server import EXAMPLE, Server, until


def test_a_training_is_watched_and_stopped(opened: Callable) -> None:
    page = opened_at(opened, "create")
    answer(page, "**/api/trainings", [TRAINING, TRAINING | {"name": "dogs", "state": "stopped", "losses": []}])
    page.goto(page.url.replace("#create", "#train"))
    page.wait_for_selector("regrow-train .curve")
    card = page.locator("regrow-train article")
    assert "step 300 · loss 0.2500 · 41.2 samples a second · 3 min left" in card.inner_text()
    curves = card.locator("polyline").evaluate_all("all => all.map(one => one.getAttribute('points').split(' '))")
    assert [len(set(points)) for points in curves] == [3, 2]
    assert curves[0][0] == "0.00,0.00"
    assert curves[0][-1] == "100.00,100.00"
    page.evaluate(
        "(told) => window.dispatchEvent(new CustomEvent('regrow-training', {detail: told}))", TRAINING | {"step": 400}
    )
    page.get_by_text("step 400").wait_for()
    stopped = answer(page, "**/api/trainings/cats/stop", TRAINING | {"state": "stopped"})
    card.get_by_role("button", name="Stop").click()
    card.get_by_role("button", name="Resume").wait_for()
    assert len(stopped) == 1
    page.locator("regrow-train .open", has_text="dogs").click()
    page.locator("regrow-train article[aria-label=dogs]").wait_for()


def test_many_files_become_a_set(opened: Callable, server: Server) -> None:
    page = opened_at(opened, "train")
    files = [{"name": name, "mimeType": kind, "buffer": data} for name, kind, data in (
        ("one.png", "image/png", EXAMPLE.read_bytes()), ("two.png", "image/png", EXAMPLE.read_bytes()),
        ("two.txt", "text/plain", b"a cat by the sea"))]  # fmt: skip
    page.locator("regrow-set input[type=file]").set_input_files(files)
    page.get_by_text("3 files").wait_for()
    asked = answer(page, "**/api/train", TRAINING, 202)
    field(page, "name").fill("cats")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_selector("regrow-train article")
    (kept,) = (server.home / "page" / "sets").rglob(asked[0]["data"])
    assert sorted(path.name for path in kept.iterdir()) == ["one.png", "two.png", "two.txt"]
    assert (kept / "two.txt").read_text() == "a cat by the sea"
    assert asked[0] == {
        "data": kept.name,
        "name": "cats",
        "dry_run": False,
    }


def test_a_folder_is_named_in_place_of_files_and_taken_back(opened: Callable) -> None:
    page = opened_at(opened, "train")
    asked = answer(page, "**/api/train", {"error": "There is no such folder.", "field": "data"}, 400)
    folder = page.get_by_label("or a folder on this computer")
    folder.fill("/no/such/folder")
    folder.press("Tab")
    page.get_by_role("button", name="Start training").click()
    page.locator("[data-field=data] [role=alert]", has_text="There is no such folder.").wait_for()
    page.reload()
    assert folder.input_value() == "/no/such/folder"
    folder.fill("")
    folder.press("Tab")
    with page.expect_response("**/api/train"):
        page.get_by_role("button", name="Start training").click()
    assert asked == [{"data": "/no/such/folder", "dry_run": False}, {"dry_run": False}]


def test_models_say_what_they_are_and_what_they_take(opened: Callable) -> None:
    page = opened_at(opened, "models")
    page.locator("regrow-models .open").nth(2).wait_for()
    page.locator("regrow-models .open", has_text="storybook").click()
    card = page.locator("regrow-models article")
    card.get_by_text("stable-diffusion").wait_for()
    assert card.get_by_text("256 × 256").count() == 1
    assert card.get_by_role("button", name="Remove").count() == 0
    card.get_by_role("button", name="What it needs here").click()
    card.get_by_text("this machine", exact=False).first.wait_for()
    card.get_by_role("button", name="Use it").click()
    page.wait_for_selector("regrow-create")
    assert create(page)["model"] == "storybook"


def test_models_are_got_added_and_refused_at_their_fields(opened: Callable) -> None:
    page = opened_at(opened, "models")
    field(page, "repo").fill("nonsense")
    page.get_by_role("button", name="Download or resume").click()
    page.locator("[data-field=repo] [role=alert]:not(:empty)").wait_for()
    field(page, "path").fill("/no/such/folder")
    page.get_by_role("button", name="Add a model of this computer").click()
    page.locator("regrow-models form:last-of-type [role=alert]:not(:empty)").wait_for()
    told = {"pull": {"repo": "user/cats", "state": "running", "came": 3_000_000, "size": 9_000_000, "said": ""}}
    page.evaluate("(told) => window.dispatchEvent(new CustomEvent('regrow-models', {detail: told}))", told)
    page.get_by_text("3 MB / 9 MB").wait_for()
    assert page.locator("regrow-models progress").evaluate("bar => bar.value / bar.max") == pytest.approx(1 / 3)


def test_a_model_is_removed_after_a_question(opened: Callable) -> None:
    page = opened_at(opened, "models")
    page.locator("regrow-models .open").nth(2).wait_for()
    mine = {"name": "my-cats", "medium": "picture", "embedded": False, "licence": "", "about": "cats", "size_bytes": 9,
            "problem": "", "abilities": {}}  # fmt: skip
    page.evaluate("(mine) => import('/page/js/store.js').then(({update}) => update({models: [mine]}))", mine)
    answer(page, "**/api/models/my-cats", {"removed": "my-cats"})
    page.locator("regrow-models .open").click()
    page.get_by_role("button", name="Remove").click()
    page.locator(".form-sure").wait_for()
    page.keyboard.press("Escape")
    page.locator(".form-sure").wait_for(state="hidden")
    assert page.locator("regrow-models article").count() == 1
    page.get_by_role("button", name="Remove").click()
    page.locator(".form-sure").get_by_role("button", name="Remove").click()
    page.get_by_text("my-cats is removed.").wait_for()
    assert page.locator("regrow-models article").count() == 0


def test_compare_makes_every_combination_and_measures_it(opened: Callable) -> None:
    page = opened_at(opened, "create")
    with_picture(page)
    page.evaluate("import('/page/js/store.js').then(({change}) => change({words: 'a dog'}))")
    page.get_by_role("button", name="Compare").click()
    sheet = page.locator("regrow-compare")
    for name in ("DDIM inversion", "img2img (SDEdit)", "0.7", "0.85"):
        sheet.get_by_role("button", name=name, exact=True).click()
    sheet.get_by_label("Strengths: another").fill("0.75")
    sheet.get_by_label("Strengths: another").press("Enter")
    rows = [
        row(method, psnr, i) for i, (method, psnr) in enumerate([("naive", 20.0), ("img2img", 25.5), ("naive", None)])
    ]
    rows[2] |= {"error": "It needs more steps.", "result": None}
    results = [ITEM | item(f"made-{i}.png") for i in range(2)]
    asked = answer(page, "**/api/compare", job("compare", {"rows": rows}, results), 202)
    sheet.get_by_role("button", name="Make 6").click()
    sheet.locator("figure").nth(2).wait_for()
    assert asked[0]["methods"] == ["naive", "img2img"]
    assert asked[0]["strengths"] == [0.7, 0.85, 0.75]
    assert asked[0]["target"] == ["a dog"]
    assert not {"guidances", "models"} & set(asked[0])
    sheet.locator("select").select_option("psnr")
    until(lambda: page.evaluate("document.querySelector('regrow-compare figure').textContent.includes('25.5')"))
    assert "It needs more steps." in sheet.locator("figure").nth(2).inner_text()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Download CSV").click()
    (best, *_, worst) = csv.DictReader(download.value.path().read_text().splitlines())
    assert (best["method"], best["psnr"], best["evaluations"]) == ("img2img", "25.5", "12")
    assert (worst["psnr"], worst["error"]) == ("", "It needs more steps.")
    sheet.locator("figure").nth(1).get_by_role("button", name="To the canvas").click()
    assert [one["id"] for one in create(page)["results"]] == ["j/made-1.png", "j/made-0.png"]
    assert create(page)["shown"] == 1


def test_a_request_is_copied_as_a_command_and_as_python(opened: Callable) -> None:
    page = opened_at(opened, "create")
    with_picture(page)
    page.get_by_role("button", name="Compare").click()
    asked = answer(page, "**/api/command", {"command": "regrow edit cat.png", "python": "import regrow"})
    page.get_by_role("button", name="Copy as command").click()
    page.locator("dialog pre", has_text="regrow edit cat.png").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy as Python").click()
    page.locator("dialog pre", has_text="import regrow").wait_for()
    assert asked[0]["verb"] == "edit"


def test_presets_are_saved_applied_taken_back_and_shared(opened: Callable) -> None:
    page = opened_at(opened, "create")
    page.evaluate(
        "import('/page/js/store.js').then(({change}) => change({settings: {negative: 'blurry'}, words: 'a dog'}))"
    )
    page.get_by_role("button", name="Presets").click()
    page.locator("#presets [name=name]").fill("Watercolour")
    page.locator("#presets [name=style]").fill("no place for words")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("#presets [role=alert]").wait_for()
    page.locator("#presets [name=style]").fill("{prompt}, watercolour")
    page.get_by_role("button", name="Save", exact=True).click()
    preset = page.locator("#presets .open", has_text="Watercolour")
    preset.wait_for()
    page.evaluate("import('/page/js/store.js').then(({change}) => change({settings: {}}))")
    preset.click()
    preset.click()  # a style is not put on twice
    assert create(page)["settings"] == {"negative": "blurry"}
    assert create(page)["words"] == "a dog, watercolour"
    page.locator(".toast").first.get_by_role("button").click()
    assert create(page)["settings"] == {}
    assert create(page)["words"] == "a dog"
    page.get_by_role("button", name="Presets").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    shared = json.loads(download.value.path().read_text())
    page.get_by_role("button", name="Delete Watercolour").click()
    preset.wait_for(state="detached")
    chosen = page.locator("#presets input[type=file]")
    chosen.set_input_files({"name": "x.json", "mimeType": "application/json", "buffer": b"{}"})
    page.locator("#presets [role=alert]", has_text="x.json").wait_for()
    chosen.set_input_files({"name": "p.json", "mimeType": "application/json", "buffer": json.dumps(shared).encode()})
    preset.wait_for()


@pytest.mark.parametrize("name", ["train", "inside", "models"])
def test_a_phone_shows_each_tab_without_scrolling_sideways(opened: Callable, name: str) -> None:
    page = opened_at(opened, name, viewport={"width": 390, "height": 844})
    page.wait_for_selector("regrow-form [data-field]")
    assert page.evaluate(
        "document.querySelector('main > *').scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth"
    )
