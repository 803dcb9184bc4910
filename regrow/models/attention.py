"""Attention that edits share with the source, through diffusers' attention processors.

Source and targets are denoised in one call, so that the source's attention is there where the targets attend:

    p2p       Prompt-to-Prompt (Hertz et al. 2022, arXiv 2208.01626): targets see their words where the source saw its
              own, and, for the first half of that, their places look where the source's looked
    masactrl  MasaCtrl (Cao et al. 2023, arXiv 2304.08465): the places of a target look at those of the source, so that
              what is drawn anew is made of the source's parts

Processors are changed for the time of one call only, and put back whatever happens in it.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from regrow.core.attention import Alignment, align, take_over
from regrow.core.denoiser import Batch, Prediction
from regrow.core.guidance import Guidance, mix
from regrow.core.levels import Level
from regrow.core.names import SharingName
from regrow.models.condition import Condition
from regrow.models.model import Model

SELF_SHARE = 0.5
"""The share of p2p's steps in which places look where the source's looked; the paper's is 0.4 of 0.8."""


class Shared:
    """A denoiser of target prompts that share the source's attention.

    Args:
        model: the checkpoint, whose network must be a UNet of diffusers' transformer blocks.
        kind: what is shared.
        share: of the steps, in [0, 1]: p2p the first of them, masactrl the last.
        source: the source's words.
        targets: the target prompts, one a sample.
        negative: what guidance leads away from, one a sample; None without guidance.
        guidance: one for all or one a sample; 1 = off.
        path: the source's own state at a level, shape `1 c h w`.
        levels: of the walk, from noisy to clean.
        emphasis: factors by word, for p2p.

    Raises:
        ValueError: the model takes no words, or no target has a word of the emphasis.
    """

    def __init__(
        self,
        model: Model,
        kind: SharingName,
        share: float,
        source: str,
        targets: Sequence[str],
        negative: Condition | None,
        guidance: Guidance,
        path: Callable[[Level], Batch],
        levels: Sequence[Level],
        emphasis: Mapping[str, float],
    ) -> None:
        if not model.takes_words:
            raise ValueError(f"{model.name} takes no prompts, so there is no attention to share.")
        if not model.shares_attention:
            raise ValueError(
                f"The network of {model.name} ({model.family}) has no attention that {kind} can share: leave "
                "attention out."
            )
        self._model, self._kind, self._share = model, kind, share
        self._guidance, self._path, self._levels = guidance, path, levels
        # an engine would not see that attention is changed
        words = model.condition([source, *targets])
        self._denoise = model.using(None).batched().denoiser(words if negative is None else words.cat(negative))
        self._alignment = alignment_of(model, source, targets, emphasis)

    def __call__(self, x_t: Batch, level: Level) -> Prediction:
        done, targets = self._levels.index(level) / (len(self._levels) - 1), len(x_t)
        guided = isinstance(self._guidance, Tensor) or self._guidance != 1
        rows = torch.cat([self._path(level), x_t, *([x_t] if guided else [])])
        with attending(self._model.network, self._ways(done, targets)):
            every = self._denoise(rows, level)
        edited = Prediction(every.x0[1 : 1 + targets], every.eps[1 : 1 + targets])
        if not guided:
            return edited
        return mix(edited, Prediction(every.x0[1 + targets :], every.eps[1 + targets :]), self._guidance)

    def _ways(self, done: float, targets: int) -> dict[str, Any]:
        """What is put in place of which processors after this share of the steps."""
        if self._kind == "masactrl":
            return {"attn1": _SourceParts} if done >= 1 - self._share else {}
        ways: dict[str, Any] = {}
        if done < self._share:
            ways["attn2"] = lambda _: _Maps(targets, self._alignment)
        if done < self._share * SELF_SHARE:
            ways["attn1"] = lambda _: _Maps(targets, None)
        return ways


def alignment_of(model: Model, source: str, targets: Sequence[str], emphasis: Mapping[str, float]) -> Alignment:
    """Return how the tokens of the targets stand to the source's, and the factors of emphasised words.

    Raises:
        ValueError: no target has one of these words.
    """
    ids = model.tokenize([source, *targets]).tolist()
    factors: list[dict[int, float]] = [{} for _ in targets]
    end = model.tokenizer.eos_token_id
    for word, factor in emphasis.items():
        known = False
        wanted = [i for i in model.tokenizer(word).input_ids if i not in (model.tokenizer.bos_token_id, end)]
        for target, factor_at in zip(ids[1:], factors, strict=True):
            for at in range(len(target) - len(wanted) + 1):
                if wanted and target[at : at + len(wanted)] == wanted:
                    factor_at.update(dict.fromkeys(range(at, at + len(wanted)), factor))
                    known = True
        if not known:
            raise ValueError(f'No target has the word "{word}" that --emphasis names; use a word of a --target.')
    return align(ids[0], ids[1:], end, factors)


@contextmanager
def attending(unet: Any, ways: Mapping[str, Callable[[Any], Any]]) -> Generator[None]:
    """Change a network's attention processors, and put them back at the end, whatever happened.

    Args:
        unet: the network.
        ways: by the name of an attention in diffusers' transformer blocks, attn1 for places or attn2 for words: from
            the processor that is there to the one that stands in for it.
    """
    there = unet.attn_processors if ways else {}
    changed = {}
    for name, processor in there.items():
        block, _, attention = name.removesuffix(".processor").rpartition(".")
        if "transformer_blocks" in block and attention in ways:
            changed[name] = ways[attention](processor)
    if not changed:
        yield
        return
    unet.set_attn_processor(there | changed)
    try:
        yield
    finally:
        unet.set_attn_processor(there)


class _SourceParts:
    """Every row's places look at those of the first row, which is the source's."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, attn: Any, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        kwargs["encoder_hidden_states"] = hidden_states[:1].expand_as(hidden_states)
        return self._inner(attn, hidden_states, **kwargs)


class _Maps:
    """Attention written out; rows 1 to `targets` take their maps from row 0: by an alignment, or as they are."""

    def __init__(self, targets: int, alignment: Alignment | None) -> None:
        self._targets, self._alignment = targets, alignment

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, *_: Any, **__: Any
    ) -> Tensor:
        words = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            attn.head_to_batch_dim(part) for part in (attn.to_q(hidden_states), attn.to_k(words), attn.to_v(words))
        )
        maps = attn.get_attention_scores(query, key).unflatten(0, (len(hidden_states), -1))
        targets = slice(1, 1 + self._targets)
        if self._alignment is None:
            taken = maps[:1].expand_as(maps[targets])
        else:
            taken = take_over(maps[:1], maps[targets], self._alignment)
        maps = torch.cat([maps[:1], taken, maps[1 + self._targets :]])
        attended = attn.batch_to_head_dim(torch.bmm(maps.flatten(0, 1), value))
        return attn.to_out[1](attn.to_out[0](attended)) / attn.rescale_output_factor
