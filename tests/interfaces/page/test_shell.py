"""The page around the canvas in a real browser: words, the one button, history, queue, language, phone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CAT = Path(__file__).parents[3] / "examples" / "cat.png"
BOX = "regrow-prompt textarea"
LONG = {"steps": 500}
"""Settings of an edit that is still working when a test looks at it."""


KEPT = "JSON.parse(localStorage['regrow create'])"
"""The form as the browser keeps it; a condition that waits must not be a promise, which is always true."""


def form(page: Any) -> dict[str, Any]:
    return page.evaluate("import('/page/js/store.js').then(({state}) => state.create)")


def holds(page: Any, words: str) -> None:
    """Wait until the text box holds these words."""
    page.wait_for_function("([box, words]) => document.querySelector(box).value === words", arg=[BOX, words])


def change(page: Any, **changes: object) -> None:
    page.evaluate("changes => import('/page/js/store.js').then(({change}) => change(changes))", changes)


def drop(page: Any) -> None:
    """Put the cat on the canvas, and wait until the model has said what it sees."""
    page.set_input_files("regrow-canvas input[type=file]", str(CAT))
    page.wait_for_function("() => document.querySelector('.seen input')?.value")


def ask(page: Any, words: str) -> None:
    page.fill(BOX, words)
    page.press(BOX, "Control+Enter")


def idle(page: Any, name: str = "Edit") -> None:
    """Wait until the button offers work again."""
    page.wait_for_function("name => document.querySelector('.go b')?.textContent === name", arg=name)


@pytest.fixture
def page(opened: Callable) -> Any:
    return opened(viewport={"width": 1280, "height": 800})


@pytest.fixture
def edited(page: Any) -> Any:
    """The page after one edit of the cat."""
    drop(page)
    ask(page, "make it a dog")
    page.wait_for_selector(".items li.shown")
    idle(page)
    return page


def test_three_actions_make_a_dog_of_a_cat(edited: Any) -> None:
    assert "cat" in edited.input_value(".seen input")
    assert [item["words"] for item in form(edited)["results"]] == ["make it a dog"]
    assert edited.locator(".items li.shown b").inner_text() == "make it a dog"
    assert not edited.locator(".wrong").count()


def test_several_wishes_are_as_many_results(page: Any) -> None:
    drop(page)
    ask(page, "make it a dog\nmake it a fox")
    page.wait_for_function(f"() => {KEPT}.results.length === 2")
    assert [item["words"] for item in form(page)["results"]] == ["make it a dog", "make it a fox"]
    assert "2 results" in page.locator("#meaning").inner_text()


def test_words_that_are_not_known_are_marked_and_taken_on_a_click(page: Any) -> None:
    drop(page)
    page.fill(BOX, "make it a dgo")
    page.wait_for_selector(".marks mark.corrected")
    page.locator(".chip.guess").click()
    holds(page, "make it a dog")
    page.wait_for_function("() => !document.querySelector('.marks mark')")
    assert "puppy" in page.locator("#meaning").inner_text()


def test_a_guess_is_amber(page: Any) -> None:
    drop(page)
    page.fill(BOX, "make it a dog with a ufo")
    page.wait_for_selector("#meaning.guess")
    assert page.locator(".marks mark.unknown").inner_text() == "ufo"
    assert "ufo" in page.locator("#meaning").inner_text()


def test_a_chip_takes_the_place_of_a_word_of_its_kind(page: Any) -> None:
    page.fill(BOX, "a black cat")
    page.locator(".chips .chip", has_text="Colour").click()
    page.wait_for_function("() => document.querySelector('#meaning').textContent.includes('black')")
    page.locator(".chips .chip", has_text="white").click()
    holds(page, "a white cat")


def test_nothing_asked_for_is_said_where_the_words_belong(page: Any) -> None:
    page.locator(".go").click()
    page.wait_for_selector(".wrong >> text=Say what should appear.")
    assert page.locator(BOX).get_attribute("aria-invalid") == "true"
    page.fill(BOX, "a cat")
    page.locator(".wrong").wait_for(state="detached")


def test_the_button_is_cancel_while_it_works(page: Any) -> None:
    drop(page)
    change(page, settings=LONG)
    ask(page, "make it a dog")
    page.wait_for_function("() => document.querySelector('.go b')?.textContent === 'Cancel'")
    page.locator(".go").click()
    idle(page)
    assert form(page)["results"] == []


def test_a_reload_finds_the_form_and_the_job(page: Any) -> None:
    drop(page)
    change(page, settings=LONG, keep=0.8)
    ask(page, "make it a fox")
    page.wait_for_selector(".go small")
    before = form(page)
    page.reload()
    page.wait_for_selector(".go small")
    after = form(page)
    assert {key: after[key] for key in ("words", "input", "keep", "settings", "job")} == {
        key: before[key] for key in ("words", "input", "keep", "settings", "job")
    }
    assert page.input_value(BOX) == "make it a fox"
    page.locator(".go").click()
    idle(page)


def test_the_slider_grows_the_last_edit_again(edited: Any) -> None:
    first = form(edited)["results"][0]
    edited.evaluate("import('/page/js/create.js').then(({regrow}) => regrow(0.9))")
    edited.wait_for_function(f"id => {KEPT}.results[0].id !== id", arg=first["id"])
    again = form(edited)["results"][0]
    assert again["words"] == first["words"]
    assert again["seed"] == first["seed"]
    assert form(edited)["keep"] == 0.9


def test_history_stars_boards_deletes_and_takes_back(edited: Any) -> None:
    items = edited.locator(".items li")
    count, first = items.count(), items.first
    board = f"Board {count}"
    first.hover()
    first.locator(".star").click()
    edited.wait_for_selector(".items li:first-child .star.on")
    first.locator(".dots").click()
    edited.fill("#item-menu input[name=board]", board)
    edited.keyboard.press("Enter")
    edited.locator(".boards .chip", has_text=board).wait_for()
    edited.locator("#item-menu").get_by_text("Copy as command").click()
    edited.locator("dialog pre", has_text="regrow edit ").wait_for()
    edited.keyboard.press("Escape")
    first.locator(".dots").click()
    edited.locator("#item-menu .danger").click()
    edited.wait_for_function("n => document.querySelectorAll('.items li').length === n", arg=count - 1)
    edited.locator("#toasts .button").click()
    edited.wait_for_function("n => document.querySelectorAll('.items li').length === n", arg=count)
    edited.locator(".boards .chip", has_text=board).click()
    edited.wait_for_function("() => document.querySelectorAll('.items li').length === 1")
    edited.locator(".boards .chip", has_text=board).click()
    edited.fill(".filters input[type=search]", "no such words")
    edited.wait_for_selector("regrow-history .empty")


def test_a_click_in_the_history_loads_picture_words_and_settings(edited: Any) -> None:
    made = form(edited)
    edited.evaluate("import('/page/js/create.js').then(({take}) => take(null))")
    edited.fill(BOX, "something else")
    edited.locator(".items li .open").first.click()
    edited.wait_for_function("box => document.querySelector(box).value === 'make it a dog'", arg=BOX)
    loaded = form(edited)
    assert loaded["input"]["id"] == made["input"]["id"]
    assert loaded["results"] == made["results"]
    assert loaded["source"] == made["source"]
    edited.locator("#toasts .button").click()
    holds(edited, "something else")


def test_own_jobs_of_the_queue_can_be_put_in_another_order(page: Any) -> None:
    drop(page)
    change(page, settings=LONG)
    for words in ("make it a dog", "make it a fox", "make it a rabbit"):
        ask(page, words)
    page.wait_for_function("() => document.querySelector('regrow-queue .badge')?.textContent === '3'")
    page.locator("regrow-queue > .icon-button").click()
    page.locator(".queue [aria-label='Earlier: make it a rabbit']").click()
    page.wait_for_function("() => document.querySelectorAll('.queue li')[1].textContent.includes('rabbit')")
    page.locator(".queue [aria-label='Cancel: make it a rabbit']").click()
    page.wait_for_function("() => document.querySelectorAll('.queue li').length === 2")
    page.keyboard.press("Escape")
    page.locator(".go").click()
    idle(page)


def test_the_chip_says_what_the_model_knows_and_finds_others(page: Any) -> None:
    assert re.search(r"storybook.*cat", page.locator(".model").inner_text(), re.DOTALL)
    page.locator(".model").click()
    page.locator("#model-list .open", has_text="piano").click()
    page.wait_for_selector("regrow-sound")
    assert form(page)["medium"] == "sound"


def test_language_and_theme_are_kept(page: Any) -> None:
    page.fill(BOX, "a cat")
    page.get_by_text("中文").click()
    page.wait_for_selector("html[lang=zh-CN] .go")
    assert page.locator(".go").inner_text() == "生成"
    assert page.input_value(BOX) == "a cat"
    page.get_by_label("深色主题").click()
    page.reload()
    page.wait_for_selector("html[lang=zh-CN][data-theme=dark] .go")


def test_the_canvas_never_moves(page: Any) -> None:
    def place() -> dict[str, float]:
        return page.locator(".stage").bounding_box()

    before = place()
    drop(page)
    ask(page, "make it a dog\nmake it a fox\na cat\na fox")
    assert place() == before
    page.wait_for_selector(".items li.shown")
    assert place() == before
    page.locator("#side-more").click()
    assert place() == before


def test_a_server_that_is_gone_is_said_until_it_is_back(page: Any) -> None:
    page.route("**/api/events*", lambda route: route.fulfill(status=404))
    page.reload()
    page.wait_for_selector(".banner")
    assert "regrow serve" in page.locator(".banner").inner_text()
    page.unroute("**/api/events*")
    page.wait_for_function("() => !document.querySelector('.banner')")


def test_keys_are_listed(page: Any) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("dialog.shortcuts >> text=Ctrl")
    page.keyboard.press("Escape")
    page.locator("dialog.shortcuts").wait_for(state="detached")


def test_on_a_phone_the_history_comes_from_below(opened: Callable) -> None:
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert not page.locator(".filters").is_visible()
    page.locator(".acts [aria-label=History]").tap()
    page.locator(".filters input[type=search]").wait_for()
    page.locator(".side [aria-label=Close]").tap()
    page.locator(".filters").wait_for(state="hidden")
