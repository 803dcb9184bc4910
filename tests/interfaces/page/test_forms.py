"""Forms drawn from schemas: More, and Look inside."""

import re
from collections.abc import Callable

import pytest
from form_page import ITEM, answer, create, field, inside, item, job, more, opened_at, shown, with_picture
from web_server import EXAMPLE, until

CONTROLS = """async () => {
    const {state} = await import("/page/js/store.js"), wrong = [];
    for (const {verb, groups, fields} of Object.values(state.schemas)) {
        const all = fields.map((one) => ({...one, methods: null}));
        const form = Object.assign(document.createElement("regrow-form"), {schema: {verb, groups, fields: all}});
        document.body.append(form);
        await form.updateComplete;
        for (const {name, label, help} of fields) {
            const row = form.querySelector(`[data-field=${name}]`), words = row?.querySelector("label");
            const control = words && row.querySelector(`#${CSS.escape(words.htmlFor)}`);
            if (!control || !help || words.textContent !== label || !row.textContent.includes(help))
                wrong.push(`${verb}.${name}`);
        }
        form.remove();
    }
    return wrong;
}"""


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_every_field_of_every_form_has_a_labelled_control_and_a_reason(opened: Callable, language: str) -> None:
    page = opened_at(opened, "inside", language)
    page.wait_for_selector("regrow-form [data-field]")
    assert page.evaluate(CONTROLS) == []


def test_more_shows_what_the_method_and_the_medium_heed_and_sends_nothing_else(opened: Callable) -> None:
    page = opened_at(opened, "create")
    with_picture(page)
    more(page)
    assert "eta" not in shown(page)
    assert {"method", "frame", "steps"} <= shown(page)
    assert not {"target", "image", "strength", "seed", "model", "span", "notes"} & shown(page)
    field(page, "method", "select").select_option(label="DDIM inversion")
    page.wait_for_selector("regrow-more [data-field=eta]", state="attached")
    field(page, "eta", "input[type=number]").evaluate(
        "(box) => { box.value = 0.5; box.dispatchEvent(new Event('change')); }"
    )
    sent = "import('/page/js/create.js').then(({requestOf}) => requestOf().settings)"
    assert page.evaluate(sent)["eta"] == 0.5
    page.locator("regrow-more [data-field=method] .form-back").click()
    page.wait_for_selector("regrow-more [data-field=eta]", state="detached")
    assert "eta" not in page.evaluate(sent)
    assert "method" not in page.evaluate(sent)
    page.evaluate("import('/page/js/create.js').then(({take}) => take(null))")
    page.evaluate("import('/page/js/store.js').then(({change}) => change({medium: 'sound', settings: {}}))")
    page.wait_for_selector("regrow-more [data-field=duration]")
    assert "size" not in shown(page)


def test_more_marks_what_differs_and_takes_it_back(opened: Callable) -> None:
    page = opened_at(opened, "create")
    more(page)
    field(page, "negative").fill("blurry")
    field(page, "negative").press("Tab")
    page.wait_for_selector("regrow-more .differs[data-field=negative]")
    assert create(page)["settings"] == {"negative": "blurry"}
    page.reload()
    more(page)
    assert field(page, "negative").input_value() == "blurry"
    page.get_by_role("button", name="Reset all").click()
    page.wait_for_selector("regrow-more .differs", state="detached")
    assert create(page)["settings"] == {}
    assert field(page, "negative").input_value() == ""
    page.locator(".toast").get_by_role("button").click()
    page.wait_for_selector("regrow-more .differs[data-field=negative]")
    field(page, "negative").fill("")
    field(page, "negative").press("Tab")
    page.wait_for_selector("regrow-more .differs", state="detached")


def test_words_that_are_being_typed_stay_when_the_page_draws_anew(opened: Callable) -> None:
    page = opened_at(opened, "create")
    more(page)
    field(page, "negative").focus()
    page.keyboard.type("blur")
    page.evaluate("import('/page/js/store.js').then(({update}) => update({queue: []}))")
    page.wait_for_timeout(100)
    assert field(page, "negative").input_value() == "blur"


def test_a_refusal_stands_at_its_field_and_opens_the_group_that_hides_it(opened: Callable) -> None:
    page = opened_at(opened, "inside")
    inside(page, "invert")
    answer(page, "**/api/invert", {"error": "reference must be smaller.", "field": "reference"}, 400)
    page.get_by_role("button", name="Invert to noise").click()
    page.wait_for_selector("regrow-form details[open]")
    assert page.locator("[data-field=reference] [role=alert]").inner_text() == "reference must be smaller."
    assert field(page, "reference").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.closest('[data-field]').dataset.field") == "reference"
    answer(page, "**/api/invert", {"error": "The disk is full.", "field": None}, 409)
    page.get_by_role("button", name="Invert to noise").click()
    page.get_by_text("The disk is full.").wait_for()


def test_the_server_itself_refuses_at_the_field(opened: Callable) -> None:
    page = opened_at(opened, "train")
    page.get_by_role("button", name="Start training").click()
    page.locator("[data-field=name] [role=alert]:not(:empty)").wait_for()


def test_a_number_out_of_range_is_said_before_it_is_sent(opened: Callable) -> None:
    page = opened_at(opened, "inside")
    inside(page, "invert")
    field(page, "steps", "input[type=number]").fill("0")
    field(page, "steps", "input[type=number]").press("Tab")
    page.locator("[data-field=steps] [role=alert]:not(:empty)").wait_for()
    field(page, "steps", "input[type=number]").fill("")  # the default comes back
    field(page, "steps", "input[type=number]").press("Tab")
    page.wait_for_selector("[data-field=steps].differs", state="detached")
    assert field(page, "steps", "input[type=number]").input_value() == "30"


def test_a_file_is_dropped_shown_and_taken_away(opened: Callable) -> None:
    page = opened_at(opened, "inside")
    field(page, "image", "input[type=file]").set_input_files(EXAMPLE)
    page.wait_for_selector("[data-field=image] img")
    assert page.evaluate("document.querySelector('[data-field=image] img').decode().then(() => true)")
    page.locator("[data-field=image]").get_by_role("button", name="Take the file away").click()
    page.wait_for_selector("[data-field=image] img", state="detached")
    field(page, "image", "input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    page.locator("[data-field=image] [role=alert]:not(:empty)").wait_for()


def test_words_or_a_file(opened: Callable) -> None:
    page = opened_at(opened, "inside")
    inside(page, "interpolate")
    asked = answer(page, "**/api/interpolate", {"error": "no", "field": "first"}, 400)
    field(page, "first", "input[type=text]").fill("a cat")
    field(page, "second", "input[type=file]").set_input_files(EXAMPLE)
    page.wait_for_selector("[data-field=second] img")
    page.get_by_role("button", name="Make the steps between").click()
    page.locator("[data-field=first] [role=alert]:not(:empty)").wait_for()
    assert asked[0]["first"] == "a cat"
    assert re.fullmatch(r"[0-9a-f]{32}\.png", asked[0]["second"])


def test_formulas_come_row_by_row_and_the_work_can_be_cancelled(opened: Callable) -> None:
    page = opened_at(opened, "inside")
    inside(page, "verify")
    page.get_by_role("button", name="Verify every formula").click()
    until(lambda: page.evaluate("document.querySelectorAll('.form-scroll tbody tr').length > 3"))
    assert page.locator(".form-scroll tbody tr:nth-child(1) td:nth-child(5)").first.inner_text()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("Cancelled.").wait_for()
    page.reload()
    page.get_by_text("Cancelled.").wait_for()  # which job it was is known after a reload


@pytest.mark.parametrize(("identical", "words"), [(True, "The same, bit for bit."), (False, "Not the same.")])
def test_replay_says_its_verdict(opened: Callable, identical: bool, words: str) -> None:
    page = opened_at(opened, "inside")
    inside(page, "replay")
    facts = {"identical": identical, "differences": [] if identical else [["torch", "2.4", "2.5"]]}
    answer(page, "**/api/replay", job("replay", facts, [ITEM | item("again-1.png")]), 202)
    page.get_by_role("button", name="Make it again").click()
    page.get_by_text(words).wait_for()
    assert (page.get_by_text("torch: 2.4 → 2.5").count() == 1) is not identical
    assert page.locator("regrow-inside figure img").count() == 1
