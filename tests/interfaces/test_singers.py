"""Which model sings where none is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from regrow.hub.known import known
from regrow.interfaces.cli import main
from regrow.interfaces.singers import singer
from regrow.models.open import user_models

pytestmark = pytest.mark.usefixtures("home")


def test_a_name_that_is_given_is_taken() -> None:
    assert singer("mine") == "mine"


def test_without_a_singer_the_sentence_says_which_there_are(
    checkpoint: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(checkpoint("stable-audio"), user_models() / "mine")  # makes sounds, and sings none
    with pytest.raises(SystemExit):
        main(["sing", "[verse] la la la", "--style", "pop"])
    said = capsys.readouterr().err
    assert "No model that sings is on this machine. These do: ace-step-1.5 (3.2 billion weights, MIT); " in said
    assert "ace-step-1.5-xl-turbo (of unknown size, MIT (check the card))" in said
    assert said.rstrip().endswith("regrow models fit ace-step-1.5.")
    assert known("ace-step-1.5").sings
