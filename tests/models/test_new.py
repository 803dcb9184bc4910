"""New models have the sizes that their docstrings and `regrow train --help` tell."""

from typing import get_args

import pytest
import torch
from torch import nn

from regrow.models import new
from regrow.requests import train as training_request


def millions(module: nn.Module) -> float:
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6


@pytest.mark.parametrize(("size", "denoiser", "codec", "mel_codec"), [("tiny", 3, 0.5, 0.5), ("small", 10, 1.7, 1.9)])
def test_sizes(size: new.NewSize, denoiser: float, codec: float, mel_codec: float) -> None:
    assert millions(new.new_unet(0, 16, (16, 16), size)) == pytest.approx(denoiser, rel=0.15)
    assert millions(new.new_codec(0, size)) == pytest.approx(codec, rel=0.15)
    assert millions(new.new_mel_codec(0, size)) == pytest.approx(mel_codec, rel=0.15)


def test_medium_is_the_largest_and_all_that_can_be_asked_for_is_made() -> None:
    assert millions(new.new_unet(0, 16, (16, 16), "medium")) == pytest.approx(20, rel=0.15)
    assert get_args(training_request.NewSize) == get_args(new.NewSize)
    pixels = [millions(new.new_pixel_unet(0, (32, 32), size)) for size in get_args(new.NewSize)]
    assert pixels == sorted(set(pixels))


def test_new_weights_follow_from_their_seed_and_leave_the_draws_of_others_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one, other = (new.new_codec(3, "tiny").state_dict() for _ in range(2))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    assert torch.equal(torch.rand(3), expected)
