"""Prompt-to-Prompt's alignment and edits of maps, on maps small enough to write down."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.core.attention import align, take_over

START, END = 98, 99
WORDS = st.lists(st.integers(0, 5), max_size=6)


def padded(*words: int, length: int = 10) -> list[int]:
    return [START, *words, *[END] * (length - 1 - len(words))]


def maps(seed: int, rows: int = 1, tokens: int = 10) -> torch.Tensor:
    return torch.randn(rows, 2, 4, tokens, generator=torch.Generator().manual_seed(seed)).softmax(-1)


def whole(found: torch.Tensor) -> torch.Tensor:
    return found / found.sum(-1, keepdim=True)


def test_a_word_for_a_word_takes_its_place() -> None:
    source, target = maps(1), maps(2)
    found = take_over(source, target, align(padded(1, 2, 3), [padded(1, 4, 3)], END))
    assert torch.allclose(found, source)


def test_a_new_word_keeps_its_own_and_the_rest_moves_with_the_words() -> None:
    source, target = maps(1), maps(2)
    found = take_over(source, target, align(padded(1, 2), [padded(1, 5, 2)], END))
    wanted = torch.cat([source[..., :2], target[..., 2:3], source[..., 2:-1]], -1)
    assert torch.allclose(found, whole(wanted))


def test_two_words_for_one_share_its_attention_and_one_for_two_has_both() -> None:
    source, target = maps(1), maps(2)
    found = take_over(source, target, align(padded(1, 2, 3), [padded(1, 4, 5, 3)], END))
    half = source[..., 2:3] / 2
    assert torch.allclose(found, whole(torch.cat([source[..., :2], half, half, source[..., 3:-1]], -1)))
    found = take_over(source, target, align(padded(1, 4, 5, 3), [padded(1, 2, 3)], END))
    both = source[..., 2:3] + source[..., 3:4]
    assert torch.allclose(found, whole(torch.cat([source[..., :2], both, source[..., 4:], source[..., -1:]], -1)))


def test_a_dropped_word_leaves_the_others_as_strong_together() -> None:
    source, target = maps(1), maps(2)
    found = take_over(source, target, align(padded(1, 2, 3), [padded(1, 3)], END))
    wanted = torch.cat([source[..., :2], source[..., 3:], source[..., -1:]], -1)
    assert torch.allclose(found, whole(wanted))
    assert torch.allclose(found.sum(-1), torch.ones(1, 2, 4))


def test_factors_are_of_their_target_alone() -> None:
    source, target = maps(1), maps(2, rows=2)
    ids = padded(1, 2)
    plain = take_over(source, target, align(ids, [ids, ids], END))
    found = take_over(source, target, align(ids, [ids, ids], END, [{}, {2: 3.0}]))
    assert torch.equal(found[0], plain[0])
    assert torch.allclose(found[1, ..., 2], 3 * plain[1, ..., 2])
    assert torch.equal(found[1, ..., :2], plain[1, ..., :2])


@given(source=WORDS, target=WORDS)
@settings(max_examples=200, deadline=None)
def test_every_token_of_a_target_has_attention_from_somewhere(source, target) -> None:
    alignment = align(padded(*source), [padded(*target)], END)
    own, taken = alignment.own[0], alignment.taken[0]
    assert ((own == 1) == (taken.sum(0) == 0)).all()
    assert taken[0, 0] == 1
    if source == target:
        assert torch.equal(taken, torch.eye(10))
    stop, there = len(source) + 1, len(target) + 1
    assert taken[stop, there] == 1, "an end stands for the end"
