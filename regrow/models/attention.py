"""Share attention between source and targets, through diffusers' attention processors.

Source and targets are denoised in one batch, so that the targets can use the source's attention:

    p2p       Prompt-to-Prompt (Hertz et al. 2022, arXiv 2208.01626): targets take the source's cross-attention maps of
              matching words and, in the first half of the steps that do so, its self-attention maps
    masactrl  MasaCtrl (Cao et al. 2023, arXiv 2304.08465): self-attention of the targets takes keys and values from
              the source, so that new content is made of the source's features

Processors are replaced during one call only, and restored even if it fails.
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
from regrow.messages.message import say
from regrow.models.condition import Condition
from regrow.models.engines.gathering import gathered_by
from regrow.models.model import Model

SELF_SHARE = 0.5
"""Fraction of p2p's steps that also share self-attention maps; in the paper, 0.4 of all steps against 0.8."""


class Shared:
    """A denoiser of target prompts that share the source's attention.

    Args:
        model: the checkpoint, whose network must be a UNet of diffusers' transformer blocks.
        kind: the method, p2p or masactrl.
        share: fraction of the steps that share, in [0, 1]: the first ones for p2p, the last ones for masactrl.
        source: the source prompt.
        targets: the target prompts, one per sample.
        negative: negative prompts, one per sample; None without guidance.
        guidance: one for all or one per sample; 1 = off.
        path: returns the source's state at a level, shape `1 c h w`.
        levels: the levels of sampling, from noisy to clean.
        emphasis: attention factors by word, for p2p.

    Raises:
        ValueError: the model takes no prompts or cannot share attention, or no target contains a word of `emphasis`.
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
            raise ValueError(say("no_prompts_no_attention", name=model.name))
        if not model.shares_attention:
            raise ValueError(say("no_attention_to_share", name=model.name, family=model.family, kind=kind))
        self._model, self._kind, self._share = model, kind, share
        self._guidance, self._path, self._levels = guidance, path, levels
        # an engine ignores replaced processors, and other requests batched with this one would use them
        words = model.condition([source, *targets])
        self._denoise = gathered_by(model.using(None).batched(), None).denoiser(
            words if negative is None else words.cat(negative)
        )
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
        """Return the replacement processors, by attention name, after this fraction of the steps."""
        if self._kind == "masactrl":
            return {"attn1": _SourceParts} if done >= 1 - self._share else {}
        ways: dict[str, Any] = {}
        if done < self._share:
            ways["attn2"] = lambda _: _Maps(targets, self._alignment)
        if done < self._share * SELF_SHARE:
            ways["attn1"] = lambda _: _Maps(targets, None)
        return ways


def alignment_of(model: Model, source: str, targets: Sequence[str], emphasis: Mapping[str, float]) -> Alignment:
    """Align the targets' tokens with the source's, with the factors of emphasised words.

    Raises:
        ValueError: no target contains one of these words.
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
            raise ValueError(say("emphasis_word_missing", word=word))
    return align(ids[0], ids[1:], end, factors)


@contextmanager
def attending(unet: Any, ways: Mapping[str, Callable[[Any], Any]]) -> Generator[None]:
    """Replace a network's attention processors, and restore them at the end, also after an error.

    Args:
        unet: the network.
        ways: by the name of the attention in diffusers' transformer blocks (attn1: self-attention, attn2:
            cross-attention), a function from the present processor to its replacement.
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
    """Self-attention in which every row takes keys and values from the first row, the source."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, attn: Any, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        kwargs["encoder_hidden_states"] = hidden_states[:1].expand_as(hidden_states)
        return self._inner(attn, hidden_states, **kwargs)


class _Maps:
    """Explicit attention in which rows 1 to `targets` take the maps of row 0: by an alignment, or unchanged."""

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
