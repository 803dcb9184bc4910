"""Songs and their piano roll, in Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest
from sound_page import Page, opened_sounds
from web_server import Server


@pytest.fixture
def singing(chromium: Any, server: Server) -> Iterator[Page]:
    """A page on which the songbook sings."""
    with opened_sounds(chromium, server.address) as page:
        page.change(model="songbook")
        page.page.wait_for_selector("regrow-song textarea")
        yield page


def test_a_tune_is_made_changed_and_sung(singing: Page) -> None:
    page = singing.page
    page.get_by_label("Words to sing").fill("twinkle twinkle little star")
    page.get_by_role("button", name="Make a tune").click()
    made = singing.until(lambda form: form["settings"].get("tune"))["settings"]["tune"]
    page.locator(".note").first.wait_for()
    assert page.locator(".note").all_inner_texts() == ["twinkle", "–", "twinkle", "–", "little", "–", "star"]
    singing.change(settings={"lyrics": "twinkle twinkle little star", "tune": "C4 C4 G4 G4 A4 A4 G4:2"})
    page.get_by_label("C4, 1 beats, twinkle").wait_for()  # a note that the tune before has not
    assert made != "C4 C4 G4 G4 A4 A4 G4:2"
    box = singing.note(2)
    page.mouse.move(box["x"] + 6, box["y"] + 7)
    page.mouse.down()
    page.mouse.move(box["x"] + 6, box["y"] + 7 - 28, steps=4)
    page.mouse.up()
    singing.until(lambda form: form["settings"]["tune"] == "C4 C4 A4 G4 A4 A4 G4:2")
    box = singing.note(2)
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 7)
    page.mouse.down()
    page.mouse.move(box["x"] + 2 * box["width"], box["y"] + 7, steps=4)
    page.mouse.up()
    singing.until(lambda form: form["settings"]["tune"] == "C4 C4 A4:2 G4 A4 A4 G4:2")
    page.keyboard.press("Control+Enter")
    song = singing.until(lambda form: form["results"])["results"][0]
    assert song["model"] == "songbook"
    page.locator("regrow-track > div").first.wait_for()


def test_the_roll_is_changed_by_keys(singing: Page) -> None:
    page = singing.page
    singing.change(settings={"lyrics": "la la la", "tune": "C4 D4 E4"})
    page.locator(".note").nth(1).focus()
    for key, tune in (
        ("ArrowUp", "C4 D#4 E4"),
        ("Shift+ArrowUp", "C4 D#5 E4"),
        ("Shift+ArrowRight", "C4 D#5:1.25 E4"),
        ("Enter", "C4 D#5:1.25 D#5 E4"),
        ("r", "C4 D#5:1.25 R E4"),
        ("Delete", "C4 D#5:1.25 E4"),
        ("ArrowDown", "C4 D#5:1.25 D#4"),
    ):
        page.keyboard.press(key)
        singing.until(lambda form, tune=tune: form["settings"]["tune"] == tune)


def test_a_tune_moves_to_a_key_and_says_where_it_cannot(singing: Page) -> None:
    singing.change(settings={"lyrics": "la la la la la", "tune": "C4 E4 G4 E4 C4:2"})
    singing.page.locator(".note").first.wait_for()
    singing.change(settings={"lyrics": "la la la la la", "tune": "C4 E4 G4 E4 C4:2", "key": "D major"})
    singing.page.get_by_label("F#4, 1 beats, la").first.wait_for()
    singing.change(settings={"lyrics": "la la la la la", "tune": "C4 E4 G4 E4 C4:2", "key": "A minor"})
    singing.page.locator("regrow-song .error").get_by_text("cannot be moved to A minor").wait_for()


def test_a_dropped_tune_brings_its_notes_and_words(singing: Page) -> None:
    abc = b"X:1\nM:4/4\nL:1/4\nK:C\nC C G G|A A G2|\nw: twin-kle twin-kle lit-tle star\n"
    singing.page.locator("regrow-sound input[type=file]").set_input_files(
        {"name": "star.abc", "mimeType": "text/plain", "buffer": abc}
    )
    form = singing.until(lambda form: form["settings"].get("tune") == "C4 C4 G4 G4 A4 A4 G4:2")
    assert form["settings"]["lyrics"] == "twinkle twinkle little star"


def test_a_sound_that_nobody_sang_here_gives_its_melody(singing: Page) -> None:
    singing.open()
    form = singing.until(lambda form: " " in form["settings"].get("tune", ""))
    assert form["input"] is None
    assert singing.page.locator(".note").count() > 2
    assert "Its melody is the tune" in singing.page.locator("#toasts").inner_text()


def test_words_typed_for_another_model_are_not_sent_with_a_song(singing: Page) -> None:
    singing.change(words="make it a trumpet", settings={"lyrics": "la la"})
    request = singing.page.evaluate("async () => (await import('/page/js/create.js')).requestOf()")
    assert request["settings"]["prompt"] == ""
    assert request["settings"]["lyrics"] == "la la"


def test_a_dropped_song_comes_with_its_singer(singing: Page) -> None:
    page = singing.page
    singing.change(settings={"lyrics": "twinkle twinkle little star", "tune": "C4 C4 G4 G4 A4 A4 G4:2"})
    page.keyboard.press("Control+Enter")
    song = singing.until(lambda form: form["results"])["results"][0]
    file = page.request.get(page.url.split("#")[0] + song["url"].lstrip("/")).body()
    page.evaluate("import('/page/js/create.js').then(({take}) => take(null))")
    singing.change(model="", settings={})
    page.locator("regrow-sound input[type=file]").set_input_files(
        {"name": "song.wav", "mimeType": "audio/wav", "buffer": file}
    )
    assert singing.until(lambda form: form["input"])["model"] == "songbook"
    words = page.get_by_label("Words that it sings")
    singing.until(lambda _: words.input_value() == "twinkle twinkle little star")


def test_a_word_of_a_song_is_changed_and_its_tune_kept(singing: Page) -> None:
    page = singing.page
    singing.change(settings={"lyrics": "twinkle twinkle little star", "tune": "C4 C4 G4 G4 A4 A4 G4:2"})
    page.keyboard.press("Control+Enter")
    song = singing.until(lambda form: form["results"])["results"][0]
    page.get_by_role("button", name="Continue from this").click()
    words = page.get_by_label("Words that it sings")
    singing.until(lambda _: words.input_value() == "twinkle twinkle little star")
    words.fill("twinkle twinkle little car")
    page.get_by_label("G4, 2 beats, car").wait_for()
    assert singing.form()["settings"] == {"to_lyrics": "twinkle twinkle little car"}
    page.keyboard.press("Control+Enter")
    form = singing.until(lambda form: form["results"] and form["results"][0]["id"] != song["id"])
    assert form["results"][0]["verb"] == "edit"
    words.fill("twinkle twinkle little star")
    words.press_sequentially(" now")
    assert words.input_value() == "twinkle twinkle little star now"  # with the space, which changes no word
    words.fill("twinkle twinkle little star")
    assert singing.until(lambda form: "to_lyrics" not in form["settings"])["settings"] == {}


def test_a_line_is_added_to_a_song_on_a_tune_of_its_own(singing: Page) -> None:
    page = singing.page
    singing.change(settings={"lyrics": "la la la", "tune": "C4 D4 E4", "bpm": 120})
    page.keyboard.press("Control+Enter")
    song = singing.until(lambda form: form["results"])["results"][0]
    page.get_by_role("button", name="Continue from this").click()
    singing.until(lambda _: page.get_by_label("Words that it sings").input_value() == "la la la")
    page.get_by_role("button", name="Add a line").click()
    page.get_by_label("Words of the next line").fill("ha ha")
    page.get_by_role("button", name="Make a tune").click()
    form = singing.until(lambda form: form["settings"].get("tune"))
    assert form["settings"]["tune"] != "C4 D4 E4"
    assert page.locator("regrow-song").evaluate("song => song.tune.bpm") == 120
    page.keyboard.press("Control+Enter")
    longer = singing.until(lambda form: form["results"])["results"][0]
    assert longer["verb"] == "extend"
    assert longer["seconds"] > song["seconds"] + 0.5
