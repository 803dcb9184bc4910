"""Shared attention in whole edits on a tiny random checkpoint."""

from dataclasses import replace
from pathlib import Path

import pytest

from regrow.core.progress import finish
from regrow.editing.compare import compare
from regrow.editing.edit import edit
from regrow.models.model import Model
from regrow.requests.edit import Edit

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("kind", ["p2p", "masactrl"])
@pytest.mark.parametrize("method", ["direct_inversion", "edict", "belm", "edit_friendly_2m", "naive"])
def test_with_every_inversion_it_changes_the_edit_and_leaves_the_network_as_it_was(
    model: Model, image: Path, kind, method
) -> None:
    request = Edit(image, ("a bird", "a dog"), "a cat", method=method, steps=4, attention=kind, strength=1.0)
    request = replace(request, guidance_share=1.0)
    there = dict(model.network.attn_processors)
    shared, plain = (finish(edit(replace(request, attention=a), model)) for a in (kind, "none"))
    assert (shared.frames - plain.frames).abs().max() > 1e-3
    assert dict(model.network.attn_processors) == there
    calls = [made.recipes[0]["figures"]["evaluations"]["regrowth"] for made in (shared, plain)]
    assert calls[0] * 2 == calls[1] * 3, "the source is asked, too"


@pytest.mark.parametrize("kind", ["p2p", "masactrl"])
def test_the_sources_own_words_still_give_the_picture_back(model: Model, image: Path, kind) -> None:
    edited = finish(edit(Edit(image, ("a cat",), "a cat", steps=5, strength=1.0, attention=kind), model))
    assert (edited.frames[0] - edited.codec).abs().max() < 1e-3


def test_a_comparison_sheet_leaves_out_what_its_other_cells_cannot_have(model: Model, image: Path) -> None:
    request = Edit(image, ("a bird",), "a cat", steps=4, attention="p2p", emphasis=("bird=2",), strength="auto")
    compared = finish(compare(replace(request, mask="auto", frame="pad"), model))
    assert len(compared.rows[0].cells) == 5
    assert (compared.reconstructed.frames[0] - compared.edited.codec).abs().max() < 1e-3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"method": "img2img", "attention": "p2p"}, "img2img has no inverted path to share attention with"),
        ({"method": "uni_edit", "attention": "masactrl"}, "uni_edit has no inverted path to share attention with"),
        ({"guidance_share": -0.5}, "guidance-share must be from 0 to 1"),
        ({"attention": "p2p", "attention_share": 1.5}, "attention-share must be from 0 to 1"),
        ({"emphasis": ("hat=2",)}, "emphasis works only with Prompt-to-Prompt: add attention=p2p"),
        ({"attention": "p2p", "emphasis": ("hat",)}, "emphasis must be words with factors"),
        ({"attention": "p2p", "emphasis": ("hat=-1",)}, "emphasis must be words with factors"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(changes: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Edit(Path("in.png"), ("a dog",), **changes)
