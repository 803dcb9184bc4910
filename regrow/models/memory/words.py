"""Prompts that are encoded before the network is opened, so that text encoders and network need not fit together."""

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
    """Return the same opened checkpoint with prompts encoded, and what encodes them released if memory needs it.

    Where text encoders and network fit together into what is free, nothing is done, and nothing is opened twice. Else
    the prompts are encoded now, when the network has left; and the text encoders leave before the network comes. The
    codec, which is small, stays for as long as there is room.

    Args:
        model: whose `condition` will be called with these lists; others are encoded when they come.
        prompts: lists that are encoded at once each, so that they are rounded as they always are.
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
    """Return a family's `condition` that knows the prompts that are encoded already."""

    @wraps(condition)
    def known(model: Any, prompts: Sequence[str]) -> Condition:
        encoded = model.encoded.get(tuple(prompts))
        return condition(model, prompts) if encoded is None else encoded

    return known
