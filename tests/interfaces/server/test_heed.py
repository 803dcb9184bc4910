"""What a form shows with a method changes the result; what it hides changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from regrow.core.methods.registry import method, names
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.interfaces.server.schemas.heed import methods_heeding
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit

EXAMPLE = Path(__file__).parents[3] / "examples" / "cat.png"
CHANGES = {
    "seed": 7,
    "eta": 0.7,
    "label": "arrives",
    "tolerance": 0.5,
    "guidance_share": 0.0,
    "invert_guidance": 2.0,
    "negative": "a blue hat",
    "attention": "masactrl",
    "start_step": 2,
    "strength": 1.0,
    "spacing": "leading",
    "guidance": 2.0,
}
ONLY_WITH = {("naive", "seed"): "eta"}
"""Settings that a method reads where another one is on."""


@pytest.fixture(scope="module")
def tiny(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("sd1"))


def made(request: Edit, model: Model) -> Tensor | None:
    """The result; None where the request is refused."""
    try:
        return finish(edit(request, model)).frames[0]
    except ValueError:
        return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in names() if not method(name).needs])
def test_a_method_shows_what_changes_its_result(name: str, tiny: Model) -> None:
    base = Edit(
        EXAMPLE, ("a dog",), "a cat", method=name, steps=4, strength=0.75, guidance=3.0, size=(32, 32), cache=False
    )
    base = replace(base, frame="crop")
    before = made(base, tiny)
    assert before is not None
    for setting, value in CHANGES.items():
        heeding = methods_heeding(Edit, setting)
        shown = heeding is None or name in heeding
        on = {"eta": 0.7} if ONLY_WITH.get((name, setting)) else {}
        start = made(replace(base, **on), tiny) if on else before
        try:
            after = made(replace(base, **on, **{setting: value}), tiny)
        except ValueError:
            after = None
        changed = after is not None and start is not None and not torch.equal(after, start)
        assert changed == shown, (setting, "shown" if shown else "hidden")
