"""Generating on a tiny random checkpoint: where guidance is on, what it costs, and that a picture can be made again."""

from dataclasses import replace

import pytest
import torch

from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.editing.result import Result
from regrow.models.model import Model
from regrow.requests.generate import Generate

ASKED = Generate("a cat", steps=5, guidance=4.0, guidance_share=1.0)


def run(request: Generate, model: Model) -> Result:
    return finish(generate(request, model))


@pytest.mark.parametrize(("share", "evaluations"), [(0.0, 5), (0.2, 6), (0.5, 8), (1.0, 10)])
def test_guidance_costs_a_second_evaluation_in_its_share_of_the_steps(
    model: Model, share: float, evaluations: int
) -> None:
    made = run(replace(ASKED, guidance_share=share), model)
    assert made.recipes[0]["figures"]["evaluations"] == evaluations


def test_guidance_in_no_step_is_no_guidance_and_elsewhere_it_is_some(model: Model) -> None:
    full, none, off = (
        run(replace(ASKED, **changes), model).frames for changes in ({}, {"guidance_share": 0.0}, {"guidance": 1.0})
    )
    assert torch.equal(none, off)
    assert not torch.equal(full, none)
    assert not torch.equal(run(replace(ASKED, guidance_share=0.5), model).frames, full)


def test_one_of_several_is_what_its_seed_gives_alone(model: Model) -> None:
    both = run(replace(ASKED, count=2, guidance_share=0.5), model).frames
    alone = run(replace(ASKED, seed=1, guidance_share=0.5), model).frames
    assert torch.allclose(both[1], alone[0], atol=1e-5)


@pytest.mark.parametrize("share", [-0.1, 1.01])
def test_a_share_beyond_all_steps_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="guidance-share must be from 0 to 1"):
        Generate("a cat", guidance_share=share)
