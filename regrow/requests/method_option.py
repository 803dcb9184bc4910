"""The option --method: its choices and help come from the files of `core/methods/`, without opening them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from regrow.core.methods.registry import DEFAULT, about, names
from regrow.core.names import LabelConvention

if TYPE_CHECKING:
    from regrow.core.methods.method import Method


def _choices() -> Any:
    return Literal[names()]  # pyright: ignore[reportInvalidTypeForm]  # known only when the methods are listed


_HELP = f"The default is {DEFAULT}. " + " ".join(f"{name}: {about(name)}" for name in names())
MethodOption = Annotated[str, arg(constructor_factory=_choices, help=_HELP)]
"""Name of an editing method."""


def check_label(chosen: "Method", label: LabelConvention) -> None:
    """Refuse a label convention that a method's inversion does not have.

    Raises:
        ValueError: naming the method.
    """
    if chosen.path and not chosen.takes_label and label != "leaves":
        raise ValueError(f"{chosen.name} needs label=leaves; only methods on naive's path have the choice.")
