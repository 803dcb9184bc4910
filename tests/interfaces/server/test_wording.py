"""What operations say, as the server tells it to a caller."""

import re
from pathlib import Path

import pytest

from regrow.interfaces.server.wording import worded, worded_part
from regrow.media.image.framing import Box, place
from regrow.media.image.own_shape import Made, surroundings, whole
from regrow.messages.message import say


@pytest.mark.parametrize("size", [(96, 150), (128, 200), (300, 300), (64, 64)])
def test_what_was_cut_is_said_in_chinese(size: tuple[int, int]) -> None:
    made = Made((128, 128), 8)
    own = (
        whole(size, made),
        surroundings(size, Box(3, 50, 9, 9), 2, made),
        surroundings((600, 900), Box(3, 50, 400, 9), 2, made),
    )
    for note in (place(size, 8, (128, 128)).note, *(placement.note for placement in own)):
        assert not re.search("[a-z]{2}", worded(note, "zh")), note
        assert worded(note, "en") == note


def test_a_command_that_has_a_tab_becomes_the_tab() -> None:
    note = say("never_shown", name="storybook", words="'car'")
    assert worded(note, "en").endswith("; the Models tab lists its training data.")
    assert worded(note, "zh") == "storybook 没有学过 'car'，只能猜；“模型”页写明它学过什么。"
    assert worded("Something new.", "zh") == "Something new."


def test_no_sentence_shows_a_name_or_a_folder_of_the_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    name = "0123456789abcdef0123456789abcdef.wav"
    note = say("sound_resampled", name=name, rate=8000, model_rate=22050)
    assert worded(note, "en") == "the file was resampled from 8000 Hz to the model's 22050 Hz."
    assert "已从 8000 Hz 重采样到模型的 22050 Hz" in worded(note, "zh")
    for path, shown in (
        ("uploads/abc/cat.png", "cat.png"),
        ("sets/mine/x y.png", "x y.png"),
        (f"sounds/{name}", "the file"),
    ):
        assert worded(f"{tmp_path}/page/{path} is empty.", "en") == f"{shown} is empty."
    assert worded("There is no folder /tmp/pictures: check its name.", "en").startswith("There is no folder /tmp/pi")


def test_options_are_called_as_the_api_calls_them() -> None:
    assert (
        worded("--start-step must be a whole number; got 'x'.", "en") == "start_step must be a whole number; got 'x'."
    )
    assert worded("a -- b well--known", "en") == "a -- b well--known"


def test_every_part_of_the_work_has_a_name() -> None:
    for part in ("invert", "regrow", "generate", "mask", "strength", "tune", "find", "look", "verify"):
        assert worded_part(part, "zh") != part
    assert worded_part("something_new", "en") == "something new"
