"""Conditions: rows are joined, expanded and mixed with all that belongs to them."""

import pytest
import torch

from regrow.models.condition import Condition


def condition(length: int, rows: int = 1, value: float = 1.0, **extra: torch.Tensor) -> Condition:
    return Condition(torch.full((rows, length, 4), value), extra=extra)


def test_shorter_tokens_are_padded_and_masked() -> None:
    both = condition(2).cat(condition(3, 2))
    assert both.tokens.shape == (3, 3, 4)
    assert both.mask is not None
    assert both.mask.tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert (both.tokens[0, 2] == 0).all()
    assert condition(2).cat(condition(2)).mask is None, "of equal lengths nothing is masked"


def test_extra_tensors_go_along() -> None:
    first, second = (condition(2, pooled=torch.full((1, 3), float(i))) for i in (0, 1))
    assert first.cat(second).extra["pooled"].tolist() == [[0.0] * 3, [1.0] * 3]
    assert first.expand(4).extra["pooled"].shape == (4, 3)
    assert first.lerp(second, torch.tensor([0.0, 0.25, 1.0])).extra["pooled"][:, 0].tolist() == [0, 0.25, 1]
    with pytest.raises(ValueError, match=r"These prompts were encoded by two models, \['pooled'\] and \[\]"):
        first.cat(condition(2))
    with pytest.raises(ValueError, match="A batch of 3 needs 1 or 3 prompts; got 2"):
        first.cat(second).expand(3)


def test_between_prompts_of_two_lengths_both_count() -> None:
    mixed = condition(1).lerp(condition(2, value=3.0), torch.tensor([0.0, 0.5, 1.0]))
    assert mixed.tokens[:, :, 0].tolist() == [[1, 0], [2, 1.5], [3, 3]]
    assert mixed.mask is not None
    assert mixed.mask.tolist() == [[True, False], [True, True], [True, True]]


def test_tensors_are_taken_out_and_put_back_in_order() -> None:
    whole = Condition(
        torch.rand(1, 2, 4), torch.ones(1, 2, dtype=torch.bool), {"b": torch.rand(1, 1), "a": torch.rand(1, 2)}
    )
    again = whole.with_tensors(whole.tensors)
    assert len(whole.tensors) == 4
    assert torch.equal(again.extra["a"], whole.extra["a"])
    assert torch.equal(again.extra["b"], whole.extra["b"])
    assert again.mask is not None
    assert Condition(torch.zeros(3, 0, 0)).tensors == (), "a network without words takes nothing"
