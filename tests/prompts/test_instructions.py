"""Instructions to models that know no world: made into descriptions from the words of the source."""

from dataclasses import replace
from pathlib import Path

import pytest

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.models.open import open_model
from regrow.prompts.instructions import described
from regrow.requests.edit import Edit

CAT = "a photo of an orange cat with a red hat on a beach"
MAO = "沙滩上戴着红帽子的橘猫"


@pytest.mark.parametrize(
    ("target", "source", "description"),
    [
        ("make it a dog", CAT, "a photo of an orange dog with a red hat on a beach"),
        ("Turn the cat into a fox!", CAT, "a photo of an orange fox with a red hat on a beach"),
        ("could you replace the cat with a black dog?", CAT, "a photo of a black dog with a red hat on a beach"),
        ("a dog instead of the cat", CAT, "a photo of an orange dog with a red hat on a beach"),
        ("make the cat black", CAT, "a photo of a black cat with a red hat on a beach"),
        ("remove the hat", CAT, "a photo of an orange cat on a beach"),
        ("add a red scarf", "a cat", "a cat with a red scarf"),
        ("at night", "a cat on a beach", "a cat on a beach at night"),
        ("change the background to snow", "a cat on a beach", "a cat with snow in the background"),
        ("把猫换成狗", MAO, "沙滩上戴着红帽子的橘狗"),
        ("用狗代替猫吧", MAO, "沙滩上戴着红帽子的橘狗"),
        ("去掉帽子", MAO, "沙滩上橘猫"),
        ("背景换成雪地", MAO, "橘猫，背景是雪地"),
    ],
)
def test_an_instruction_changes_the_source(target: str, source: str, description: str) -> None:
    assert described(target, source) == description


@pytest.mark.parametrize(
    "target", ["a dog on a beach", "turn of the century photo of a dog", "make-up artist", "一只狗"]
)
@pytest.mark.parametrize("source", ["", CAT])
def test_a_description_stays(target: str, source: str) -> None:
    assert described(target, source) == target


@pytest.mark.parametrize("target", ["make it a dog", "turn it into a dog", "please change the picture to a dog"])
def test_what_the_whole_becomes_needs_no_source(target: str) -> None:
    assert described(target, "") == "a dog"


@pytest.mark.parametrize(
    ("target", "source", "said"),
    [
        ("turn the cat into a dog", "", '" is an instruction, and this model cannot describe the file: give --source'),
        ("make it red", "", '" is an instruction, and this model cannot describe the file: give --source'),
        ("remove the umbrella", "", '" is an instruction, and this model cannot describe the file: give --source'),
        ("replace the horse with a cow", CAT, '" is about "horse", which is not in the source "'),
        ("remove the umbrella", CAT, '" is about "umbrella", which is not in the source "'),
        ("make it look like winter came early", CAT, '" was not understood: describe the result instead'),
    ],
)
def test_what_cannot_be_done_says_how_to_say_it(target: str, source: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        described(target, source)


def test_an_edit_under_an_instruction_is_the_edit_under_its_description(checkpoint, tmp_path: Path) -> None:
    model = open_model(checkpoint("sd1"))
    image = Path(__file__).parents[2] / "examples" / "cat.png"
    request = Edit(image, ("make it a dog",), "a cat on a beach", str(model.folder), steps=2, cache=False)
    told = finish(edit(request, model))
    assert '"make it a dog" was understood as "a dog on a beach".' in told.notes
    same = finish(edit(replace(request, target=("a dog on a beach",)), model))
    assert (told.frames == same.frames).all()
    assert told.recipes[0]["settings"]["target"] == ("make it a dog",)
