"""The canvas of sounds, in Chromium."""

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import soundfile
from sound_page import Page, opened_sounds
from web_server import PIANO, Server


@pytest.fixture
def sounds(chromium: Any, server: Server) -> Iterator[Page]:
    with opened_sounds(chromium, server.address) as page:
        yield page


def results(form: dict[str, Any], *verbs: str) -> list[dict[str, Any]]:
    """Return results that look like those of jobs, of the source itself."""
    shown = form["input"]
    made = {"job": "x", "medium": "sound", "url": shown["url"], "seconds": shown["seconds"], "model": "bandstand"}
    return [
        made | {"id": f"x/{i}", "name": f"{i}.wav", "words": f"{verb} {i}", "verb": verb, "url": f"{shown['url']}?{i}"}
        for i, verb in enumerate(verbs)
    ]


DRAWN = """() => {
    const canvas = document.querySelector('regrow-track > div').shadowRoot.querySelector('.canvases canvas');
    const {data, width, height} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const rows = Array.from({length: height}, (_, y) => y)
        .filter((y) => Array.from({length: width}, (_, x) => data[4 * (y * width + x) + 3]).some((a) => a > 128));
    return rows.at(-1) - rows[0];
}"""  # rows of the waveform that are painted


def test_a_span_is_dragged_typed_and_removed(sounds: Page) -> None:
    sounds.source()
    sounds.drag(0.2, 0.4)
    begin, end = map(float, sounds.until(lambda form: form["span"])["span"].split(":"))
    assert begin == pytest.approx(0.2 * 6, abs=0.1)
    assert end == pytest.approx(0.4 * 6, abs=0.1)
    sounds.drag(0.6, 0.7)
    sounds.until(lambda form: form["span"].count(":") == 2)
    field = sounds.page.get_by_label("Seconds that may change")
    field.fill("0.5:1, 4:5")
    sounds.change(source="a piano")  # as when the description of a file arrives: what is being typed stays
    sounds.page.wait_for_timeout(100)
    field.press("Tab")
    sounds.until(lambda form: form["span"] == "0.5:1,4:5")
    field.fill("now and then")
    field.press("Tab")
    sounds.page.reload()
    sounds.page.wait_for_selector(".where [name=span]")
    assert field.input_value() == sounds.form()["span"] == "0.5:1,4:5"


def test_spans_that_touch_become_one(sounds: Page) -> None:
    sounds.source()
    sounds.page.get_by_label("Seconds that may change").fill("3:4,1:3.5")
    sounds.page.keyboard.press("Tab")
    assert sounds.until(lambda form: form["span"])["span"] == "1:4"


def test_an_end_is_pulled_and_takes_the_place_of_a_span(sounds: Page) -> None:
    sounds.source()
    sounds.change(span="1:2")
    box = sounds.page.locator(".grip.after").bounding_box()
    x, y = box["x"] + 7, box["y"] + 60
    sounds.page.mouse.move(x, y)
    sounds.page.mouse.down()
    sounds.page.mouse.move(x + 60, y, steps=4)
    sounds.page.mouse.move(x + 120, y, steps=4)
    sounds.page.mouse.up()
    form = sounds.until(lambda form: form["extend"]["after"])
    width = sounds.page.locator(".lanes").bounding_box()["width"]
    assert form["extend"]["after"] == pytest.approx(120 * 6 / width, abs=0.2)
    assert form["span"] == ""
    for side, seconds in (("before the beginning", "0.5"), ("after the end", "4")):
        field = sounds.page.get_by_label(f"Seconds added {side}")
        field.fill(seconds)
        field.press("Tab")
    sounds.until(lambda form: form["extend"] == {"before": 0.5, "after": 4})
    sounds.drag(0.2, 0.4)
    assert sounds.until(lambda form: form["span"])["extend"] == {"before": 0, "after": 0}


def test_the_heard_sound_is_switched_without_losing_the_place(sounds: Page) -> None:
    sounds.source()
    source = sounds.form()["input"]["url"]
    sounds.change(results=results(sounds.form(), "edit", "edit"))
    sounds.page.locator("regrow-track > div").nth(2).wait_for()
    sounds.page.keyboard.press("a")
    sounds.page.keyboard.press(" ")
    sounds.until(lambda _: sounds.heard()[1] > 0.3)
    playing, before, heard = sounds.heard()
    assert playing
    assert heard == source
    sounds.page.keyboard.press("c")
    playing, after, heard = sounds.heard()
    assert playing
    assert heard == f"{source}?1"
    assert before - 1e-3 <= after < before + 1  # two players may round one place otherwise
    assert sounds.form()["shown"] == 1
    sounds.page.get_by_role("radio", name="B: edit 0").check(force=True)
    assert sounds.heard()[2] == f"{source}?0"
    sounds.page.keyboard.press(" ")
    assert not sounds.heard()[0]


def test_a_span_is_looped(sounds: Page) -> None:
    sounds.source()
    sounds.change(span="1:1.4")
    sounds.page.get_by_role("button", name="Repeat").click()
    sounds.page.get_by_role("button", name="Play or pause").click()
    places = []

    def jumped(_: object) -> bool:
        places.append(sounds.heard()[1])
        return any(later < sooner for sooner, later in pairwise(places))

    sounds.until(jumped)
    sounds.page.wait_for_timeout(500)
    places.append(sounds.heard()[1])
    assert all(0.99 <= place <= 1.41 for place in places)


def test_playing_ends_at_the_end(sounds: Page) -> None:
    sounds.source()
    box = sounds.page.locator("regrow-track").bounding_box()
    sounds.page.mouse.click(box["x"] + 0.95 * box["width"], box["y"] + 20)
    assert sounds.heard()[1] == pytest.approx(5.7, abs=0.1)
    sounds.page.get_by_role("button", name="Play or pause").click()
    sounds.until(lambda _: sounds.heard()[:2] == (False, 0))


def test_a_sound_gives_only_its_melody_and_another_takes_its_place(sounds: Page) -> None:
    sounds.source()
    first = sounds.form()["input"]["id"]
    sounds.page.get_by_role("button", name="Only its melody").click()
    form = sounds.until(lambda form: form["settings"].get("melody"))
    assert form["input"] is None
    assert form["settings"]["melody"] == first
    assert sounds.page.locator(".lane").get_by_text("Melody to play").is_visible()
    sounds.open("third.flac")
    assert "melody" not in sounds.until(lambda form: form["input"])["settings"]
    sounds.open("fourth.flac")
    sounds.until(lambda form: form["input"]["name"] == "fourth.flac")
    sounds.page.get_by_role("button", name="Undo").click()
    sounds.until(lambda form: form["input"]["name"] == "third.flac")


def test_a_result_becomes_the_source(sounds: Page) -> None:
    sounds.source()
    sounds.change(results=results(sounds.form(), "edit"))
    sounds.page.get_by_role("button", name="Continue from this").click()
    form = sounds.until(lambda form: form["input"]["id"] == "x/0")
    assert form["results"] == []
    assert sounds.page.locator(".lane").get_by_text("Original: 0.wav").is_visible()


def test_a_quiet_recording_is_drawn_as_high_as_a_loud_one(sounds: Page) -> None:
    samples, rate = soundfile.read(PIANO)
    quiet = io.BytesIO()
    soundfile.write(quiet, samples / 50, rate, format="WAV")
    heights, seen = [], []
    for sound in (PIANO.read_bytes(), quiet.getvalue()):
        sounds.page.locator("regrow-sound input[type=file]").set_input_files(
            {"name": "one.wav", "mimeType": "audio/wav", "buffer": sound}
        )
        sounds.until(lambda form, seen=tuple(seen): form["input"] and form["input"]["id"] not in seen)
        seen.append(sounds.form()["input"]["id"])
        sounds.page.wait_for_selector("regrow-track > div")
        sounds.page.wait_for_timeout(1000)
        sounds.until(lambda _: sounds.page.evaluate(DRAWN) > 10)
        heights.append(sounds.page.evaluate(DRAWN))
    assert heights[0] > 10
    assert abs(heights[0] - heights[1]) <= 2


def test_stereo_is_kept(sounds: Page) -> None:
    sounds.source()
    channels = sounds.page.evaluate(
        """() => {const clock = new AudioContext(), both = clock.createBuffer(2, 8000, 8000);
        both.getChannelData(0).fill(0.5); both.getChannelData(1).fill(-0.5);
        const track = document.querySelector('regrow-track'); track.buffer = both;
        return track.updateComplete.then(() => track.waves.options.peaks.map((one) => one[9]))}"""
    )
    assert channels == [0.5, -0.5]


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(sounds: Page) -> None:
    sounds.page.locator("regrow-sound input[type=file]").set_input_files(
        {"name": "no.wav", "mimeType": "audio/wav", "buffer": b"RIFF" + bytes(40)}
    )
    sounds.page.locator("regrow-prompt .error").wait_for()
    assert sounds.form()["input"] is None
