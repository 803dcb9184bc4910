"""Shared attention on a tiny random network: what it is where source and wish agree, and that nothing stays behind."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from regrow.core.noise import noise
from regrow.models.attention import Shared, alignment_of, attending
from regrow.models.model import Model
from regrow.models.open import open_model


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("sd-tiny"))


def shared(model: Model, kind, share=1.0, targets=("a cat",), guidance=1.0, emphasis=None, path=None) -> Shared:
    levels = model.schedule.grid(4)
    x = noise(model.latent_shape(*model.size), [1])
    negative = model.condition(["a cat"] * len(targets)) if guidance != 1 else None
    path = path or (lambda _: x)
    return Shared(model, kind, share, "a cat", targets, negative, guidance, path, levels, emphasis or {})


@pytest.mark.parametrize("kind", ["p2p", "masactrl"])
@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_where_nothing_differs_it_is_the_plain_network(model: Model, kind, guidance: float) -> None:
    x, level = noise(model.latent_shape(*model.size), [1]), model.schedule.grid(4)[1]
    plain = model.denoiser(model.condition(["a cat"]))(x, level)
    found = shared(model, kind, guidance=guidance)(x, level)
    assert torch.allclose(found.eps, plain.eps, atol=1e-5)


@pytest.mark.parametrize("kind", ["p2p", "masactrl"])
def test_it_changes_what_other_words_give_and_no_share_is_the_plain_network(model: Model, kind) -> None:
    x, level = noise(model.latent_shape(*model.size), [3]), model.schedule.grid(4)[1]
    plain = model.denoiser(model.condition(["a bird"]))(x, level)
    off = shared(model, kind, share=0.0, targets=("a bird",))(x, level)
    assert torch.allclose(off.eps, plain.eps, atol=1e-5)
    on = shared(model, kind, targets=("a bird",))(x, level)
    assert (on.eps - plain.eps).abs().max() > 1e-3


def test_each_wish_of_a_batch_is_what_it_is_alone(model: Model) -> None:
    x, level = noise(model.latent_shape(*model.size), [3, 4]), model.schedule.grid(4)[1]
    for kind in ("p2p", "masactrl"):
        both = shared(model, kind, targets=("a bird", "a dog"), guidance=3.0)(x, level)
        for i, wish in enumerate(("a bird", "a dog")):
            alone = shared(model, kind, targets=(wish,), guidance=3.0)(x[i : i + 1], level)
            assert torch.allclose(both.eps[i : i + 1], alone.eps, atol=1e-5)


def test_the_share_is_of_the_first_steps_or_the_last(model: Model) -> None:
    x, levels = noise(model.latent_shape(*model.size), [3]), model.schedule.grid(4)
    plain = model.denoiser(model.condition(["a bird"]))
    for kind, changed in (("p2p", [True, True, False, False]), ("masactrl", [False, False, True, True])):
        denoise = shared(model, kind, share=0.5, targets=("a bird",))
        found = [(denoise(x, level).eps - plain(x, level).eps).abs().max() > 1e-4 for level in levels[:-1]]
        assert [bool(there) for there in found] == changed


def test_processors_are_put_back_even_when_the_network_breaks(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    there = dict(model.network.attn_processors)
    x, level = noise(model.latent_shape(*model.size), [1]), model.schedule.grid(4)[1]
    shared(model, "p2p", targets=("a bird",))(x, level)
    assert dict(model.network.attn_processors) == there
    seen = {}

    def broken(*_, **__):
        seen.update(model.network.attn_processors)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model.network, "forward", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        shared(model, "masactrl", targets=("a bird",))(x, level)
    assert seen != there, "they were changed while it ran"
    assert dict(model.network.attn_processors) == there


def test_no_way_changes_nothing(model: Model) -> None:
    there = dict(model.network.attn_processors)
    with attending(model.network, {}):
        assert dict(model.network.attn_processors) == there


def test_emphasis_finds_its_words(model: Model) -> None:
    found = alignment_of(model, "a cat", ["a cat", "a bird"], {"bird": 2.0})
    assert (found.factors[0] == 1).all()
    assert (found.factors[1] == 2).sum() == len(model.tokenizer("bird").input_ids) - 2
    with pytest.raises(ValueError, match='--emphasis names the word "horse", which no target has'):
        alignment_of(model, "a cat", ["a bird"], {"bird": 2.0, "horse": 2.0})


def test_emphasis_acts(model: Model) -> None:
    x, level = noise(model.latent_shape(*model.size), [3]), model.schedule.grid(4)[1]
    plain, strong = (shared(model, "p2p", targets=("a bird",), emphasis=e)(x, level) for e in ({}, {"bird": 4.0}))
    assert (plain.eps - strong.eps).abs().max() > 1e-3
