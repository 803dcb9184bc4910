"""Encode prompts before the network is opened, so that text encoders and network need not fit in memory together."""

from collections.abc import Callable, Sequence
from copy import copy
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from regrow.models.condition import Condition
from regrow.models.memory.free import LEFT, WORKING, free_memory
from regrow.models.memory.room import part_size, releasable

if TYPE_CHECKING:
    from regrow.models.model import Model

AnyModel = TypeVar("AnyModel", bound="Model")


def with_words(model: AnyModel, prompts: Sequence[Sequence[str]]) -> AnyModel:
    """Return the same opened checkpoint, with prompts encoded and text encoders released if memory is short.

    If text encoders and network fit into free memory together, nothing is done. Else the network is released, the
    prompts are encoded now, and the text encoders are released before the network is opened again. The codec is
    released as well.

    Args:
        model: its `condition` will be called with these lists; other lists are encoded when needed.
        prompts: lists of prompts; each list is encoded as one batch, as without this function, so that rounding is the
            same.
    """
    parts = model.parts
    words = [name for name in parts if name not in (model.NETWORK, model.codec.part)]
    if not parts.in_turn or not model.takes_words or _fit_together(model, words):
        return model
    for name in releasable(parts):
        if name not in words:
            parts.release(name)
    encoded = {tuple(each): model.condition(each) for each in prompts}
    for name in releasable(parts):
        if name in words:
            parts.release(name)
    other = copy(model)
    other.encoded = {**model.encoded, **encoded}
    return other


def _fit_together(model: "Model", words: Sequence[str]) -> bool:
    parts = model.parts
    held = sum(part_size(parts, name) for name in releasable(parts))
    needed = sum(part_size(parts, name) for name in (*words, model.NETWORK))
    return WORKING * needed <= LEFT * (free_memory(parts.storage) + held)


def remembered(condition: Callable[[Any, Sequence[str]], Condition]) -> Callable[[Any, Sequence[str]], Condition]:
    """Wrap a family's `condition` so that it reuses already encoded prompts."""

    @wraps(condition)
    def known(model: Any, prompts: Sequence[str]) -> Condition:
        encoded = model.encoded.get(tuple(prompts))
        return condition(model, prompts) if encoded is None else encoded

    return known
