"""Old spellings give the requests that today's give: on the command line with a sentence, in files without one."""

from pathlib import Path

import pytest

from regrow.benchmark.editors import MASKED
from regrow.editing.recipe import settings_from
from regrow.interfaces.cli import main
from regrow.requests.aliases import current, current_arguments, current_editor
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        (["edit", "--method", "anchored"], ["edit", "--method", "direct_inversion"], 1),
        (["edit", "--method=anchored"], ["edit", "--method=direct_inversion"], 1),
        (["edit", "--details", "leave"], ["edit", "--prompt-expansion", "off"], 2),
        (["generate", "--details=tell"], ["generate", "--prompt-expansion=on"], 2),
        (["bench", "edit", "--wishes", "24"], ["bench", "edit", "--tasks", "24"], 1),
        (
            ["bench", "edit", "--only", "anchored, masked", "anchored"],
            ["bench", "edit", "--only", "direct_inversion, masked", "direct_inversion"],
            2,
        ),
        (["bench", "speed", "--wishes", "24"], ["bench", "speed", "--tasks", "24"], 1),
        (["edit", "--target", "anchored"], ["edit", "--target", "anchored"], 0),
        (["edit", "--target", "tell", "--method", "naive"], ["edit", "--target", "tell", "--method", "naive"], 0),
    ],
)
def test_old_arguments_are_todays(old: list[str], new: list[str], sentences: int) -> None:
    arguments, said = current_arguments(old)
    assert arguments == new
    assert len(said) == sentences


def test_the_command_line_says_the_new_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["edit", "nowhere.png", "--target", "a dog", "--method", "anchored"])
    said = capsys.readouterr().err
    assert said.startswith("regrow: --method anchored is called --method direct_inversion now.\n")
    assert "nowhere.png" in said


def test_a_recipe_of_an_older_version_gives_the_same_request() -> None:
    request = Edit(Path("a.png"), ("a dog",), "a cat", prompt_expansion="off")
    stored = {**vars(request), "method": "anchored", "details": "leave"}
    del stored["prompt_expansion"]
    assert Edit(**settings_from({"settings": stored}, Edit)) == request
    drawn = {**vars(Generate("a cat")), "details": "tell"}
    del drawn["prompt_expansion"]
    assert Generate(**settings_from({"settings": drawn}, Generate)) == Generate("a cat")


def test_a_saved_path_of_an_older_version_is_recognised() -> None:
    assert current({"method": "anchored", "walked": 6}) == {"method": "direct_inversion", "steps_back": 6}


def test_outcomes_kept_by_an_older_version_are_found() -> None:
    assert current_editor("anchored, masked") == MASKED.name
    assert current_editor("picture anchored 0.9 4 7") == "picture direct_inversion 0.9 4 7"
