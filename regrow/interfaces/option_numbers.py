"""Read numbers among the options of the command line, with one error message for text that is not a number."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from tyro.constructors import PrimitiveConstructorSpec

from regrow.messages.message import say, worded_here


def read_as_number(hint: Any) -> Any:
    """Return the type of an option, annotated with how its number or pair of numbers is read; others do not change.

    For text that is not a number, tyro itself would print one error for each part of a type such as
    `float | None | Literal["auto"]`.
    """
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    parts = set(get_args(plain) if get_origin(plain) in (Union, types.UnionType) else (plain,))
    words = {word for part in parts if get_origin(part) is Literal for word in get_args(part)}
    kinds = [part for part in parts if get_origin(part) is not Literal and part is not type(None)]
    numbers = get_args(kinds[0]) if len(kinds) == 1 and get_origin(kinds[0]) is tuple else kinds
    if tuple(numbers) not in ((int,), (float,), (int, int), (float, float)) or len(kinds) > 1:
        return hint
    kind = numbers[0]
    is_pair = len(numbers) == 2

    def read(given: list[str]) -> Any:
        if given[0] in words:
            return given[0]
        found = tuple(_number(kind, text) for text in given)
        return found if is_pair else found[0]

    def is_instance(value: Any) -> bool:
        each = value if isinstance(value, tuple) else (value,)
        return value is None or value in words or all(isinstance(one, int | kind) for one in each)

    def as_text(value: Any) -> list[str]:
        return [str(one) for one in (value if isinstance(value, tuple) else (value,))]

    return Annotated[hint, PrimitiveConstructorSpec(len(numbers), "N", read, is_instance, as_text)]


def _number(kind: type[int] | type[float], text: str) -> float:
    try:
        return kind(text)
    except ValueError as problem:
        whole = kind is int
        said = say("option_is_no_whole_number", text=text) if whole else say("option_is_no_number", text=text)
        raise ValueError(worded_here(said)) from problem
