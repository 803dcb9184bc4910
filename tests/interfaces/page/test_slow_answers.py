"""A server whose answers come late, as over a slow network: events may come before them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CAT = Path(__file__).parents[3] / "examples" / "cat.png"
BOX = "regrow-prompt textarea"
HELD = """async () => {
    const {state} = await import('/page/js/store.js'), plain = window.fetch;
    let sent = 0;
    window.fetch = async (address, options) => {
        const mine = address === '/api/edit' && ++sent, answer = await plain(address, options);
        while (mine && !(MAY)) await new Promise((done) => setTimeout(done, 50));
        return answer;
    };
}"""
"""Holds the answers to edits until something is true of the page's state or of how many were sent."""
ENDED = "Object.values(state.jobs).some((job) => job.verb === 'edit' && job.state === 'done')"
CLICKED = "(sent > 1 || document.querySelector('regrow-prompt textarea').value.includes('fox'))"


@pytest.fixture
def page(opened: Callable) -> Any:
    page = opened(viewport={"width": 1280, "height": 800})
    page.set_input_files("regrow-canvas input[type=file]", str(CAT))
    page.wait_for_function("() => document.querySelector('.seen input')?.value")
    return page


def ask(page: Any, words: str) -> None:
    page.fill(BOX, words)
    page.press(BOX, "Control+Enter")


def test_a_job_that_ends_before_its_answer_comes_is_shown(page: Any) -> None:
    page.evaluate(HELD.replace("MAY", ENDED))
    ask(page, "make it a dog")
    page.wait_for_selector(".items li.shown")
    page.wait_for_function("() => document.querySelector('.go b').textContent === 'Edit'")
    form = page.evaluate("import('/page/js/store.js').then(({state}) => state.create)")
    assert [item["words"] for item in form["results"]] == ["make it a dog"]


def test_jobs_are_made_in_the_order_of_the_clicks(page: Any) -> None:
    page.evaluate("import('/page/js/store.js').then(({change}) => change({settings: {steps: 500}}))")
    page.evaluate(HELD.replace("MAY", CLICKED))
    ask(page, "make it a dog")
    ask(page, "make it a fox")
    page.wait_for_function("() => document.querySelector('regrow-queue .badge')?.textContent === '2'")
    page.wait_for_function("() => JSON.parse(localStorage['regrow create']).batch.length === 2")
    page.locator("regrow-queue > .icon-button").click()
    rows = page.locator(".queue li")
    assert ["dog" in rows.nth(0).inner_text(), "fox" in rows.nth(1).inner_text()] == [True, True]
    page.keyboard.press("Escape")
    page.locator(".go", has_text="Cancel all 2").click()
    page.wait_for_function("() => document.querySelector('.go b').textContent === 'Edit'")


def test_of_two_results_that_are_opened_the_last_one_stays(page: Any) -> None:
    ask(page, "make it a dog\nmake it a fox")
    page.wait_for_function("() => JSON.parse(localStorage['regrow create']).results.length === 2")
    page.evaluate(
        """async () => {
            const {state} = await import('/page/js/store.js'), {load} = await import('/page/js/create.js');
            const [dog, fox] = state.create.results, plain = window.fetch;
            let last = () => {};
            const answered = new Promise((done) => (last = done));
            window.fetch = async (address, options) => {
                const answer = await plain(address, options);
                if (address.includes(dog.id)) await answered;
                return answer;
            };
            const first = load(dog);
            await load(fox);
            last();
            await first;
        }"""
    )
    assert page.input_value(BOX) == "make it a fox"
