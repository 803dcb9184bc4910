"""The option --method: its choices and help come from the files of `core/methods/`, without opening them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from regrow.core.methods.registry import names
from regrow.core.names import LabelConvention
from regrow.messages.message import say

if TYPE_CHECKING:
    from regrow.core.methods.method import Method


def _choices() -> Any:
    return Literal[names()]  # pyright: ignore[reportInvalidTypeForm]  # known only when the methods are listed


MethodOption = Annotated[str, arg(constructor_factory=_choices, metavar="NAME")]
"""Name of an editing method."""


def check_label(chosen: "Method", label: LabelConvention) -> None:
    """Refuse a label convention that a method's inversion does not have.

    Raises:
        ValueError: naming the method.
    """
    if chosen.path and not chosen.takes_label and label != "leaves":
        raise ValueError(say("label_only_for_naive", method=chosen.name))
