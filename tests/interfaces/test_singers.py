"""Which model sings where none is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from regrow.hub.known import known
from regrow.interfaces.cli import main
from regrow.interfaces.singers import named_singer
from regrow.media.audio.sound import load, read_recipe
from regrow.models.open import user_models

pytestmark = pytest.mark.usefixtures("home")


def test_a_name_that_is_given_is_taken() -> None:
    assert named_singer("mine") == "mine"


def test_notes_are_sung_by_the_embedded_singer_and_styles_by_a_large_model(checkpoint: Callable[[str], Path]) -> None:
    shutil.copytree(checkpoint("ace-step"), user_models() / "ace")
    assert named_singer("") == "songbook"
    assert named_singer("", notes=True) == "songbook"
    assert named_singer("", style=True) == "ace"


def test_without_a_singer_the_sentence_says_which_there_are(
    checkpoint: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(checkpoint("stable-audio"), user_models() / "mine")  # makes sounds, and sings none
    with pytest.raises(SystemExit):
        main(["sing", "[verse] la la la", "--style", "pop"])
    said = capsys.readouterr().err
    assert (
        "No model on this machine sings in a style. These models do: ace-step-1.5 (3.2 billion weights, MIT); " in said
    )
    assert "ace-step-1.5-xl-turbo (of unknown size, MIT (check the card))" in said
    assert said.rstrip().endswith("`regrow models fit ace-step-1.5` shows what one needs and how to download it.")
    assert known("ace-step-1.5").sings


def test_one_command_leads_from_lyrics_to_a_flac(
    checkpoint: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(checkpoint("ace-step"), user_models() / "singer")
    Path("words.txt").write_text("﻿[verse]\nSoft notes\n", encoding="utf-8")
    more = [
        "--bpm",
        "92",
        "--key",
        "a minor",
        "--duration",
        "2",
        "--steps",
        "2",
        "--out",
        "song.flac",
        "--threads",
        "1",
    ]
    main(["sing", "words.txt", "--style", "warm pop ballad, female voice", *more])
    wave = load(Path("song.flac"))
    recipe = read_recipe(Path("song.flac"))
    assert recipe is not None
    assert wave.wave.shape == (2, 2 * wave.rate)
    assert recipe["settings"]["lyrics"] == "[verse]\nSoft notes"
    assert recipe["settings"]["model"] == "singer"
    lyrics = ["--lyrics", "words.txt", "--to-lyrics", "[verse] Loud drums"]
    more = ["--source", "warm pop ballad, female voice", "--steps", "2", "--out", "other.flac", "--threads", "1"]
    main(["edit", "song.flac", *lyrics, "--model", "singer", *more])
    assert not torch.equal(load(Path("other.flac")).wave, wave.wave)
    main(["replay", "other.flac", "--threads", "1"])
    assert "the same, bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("none.txt", "The lyrics none.txt cannot be read"),
        ("  ", "There are no lyrics: give them as text, or a text file."),
        ("bytes.txt", "bytes.txt is not text in UTF-8 or UTF-16: save it as UTF-8."),
    ],
)
def test_lyrics_that_cannot_be_had_are_named(
    given: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bytes.txt").write_bytes(b"\xff\xfa\x80 la")
    with pytest.raises(SystemExit):
        main(["sing", given, "--model", "storybook"])
    assert sentence in capsys.readouterr().err


def test_a_known_checkpoint_that_is_not_here_is_no_unknown_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sing", "la", "--model", "ace-step-1.5"])
    assert (
        "ace-step-1.5 is not on this machine: `regrow models fit ace-step-1.5` shows what it needs"
        in capsys.readouterr().err
    )
