"""Pydantic models for the API and its OpenAPI description, made from the request dataclasses."""

import types
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, Strict, create_model

from regrow.interfaces.server.schemas.requests import FORMS
from regrow.interfaces.server.schemas.settings import Setting, settings_of, summary_of

SEED = "seed"
"""The field of the seed, which the server draws if it is null."""
MODEL = "model"
"""The field of the model, which is chosen by the file's medium if it is null."""
FILE = "The id of an uploaded file, or JOB/NAME of a result."


class Body(BaseModel):
    """The settings of a request as JSON; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


@cache
def body_of(verb: str) -> type[Body]:
    """Return the pydantic model of a verb's settings.

    Files are named by their ids. `seed` and `model` may be null: the server draws the seed, and takes the model of the
    file's medium, or the request's own default.
    """
    kind = FORMS[verb]
    parts: dict[str, Any] = {name: _part(setting) for name, setting in settings_of(kind).items()}
    name = "".join(word.capitalize() for word in verb.split("_"))
    return create_model(f"{name}Settings", __base__=Body, __doc__=summary_of(kind), **parts)


def own_defaults(verb: str) -> Mapping[str, Any]:
    """Return the defaults of a request as JSON, without those that the server chooses."""
    return {
        name: _as_json(setting.default)
        for name, setting in settings_of(FORMS[verb]).items()
        if not setting.is_required and name not in (SEED, MODEL)
    }


def _part(setting: Setting) -> tuple[Any, Any]:
    """Return the type and the default of a field of the pydantic model."""
    hint, default = _json_type(setting.hint), setting.default
    limits = {"ge": setting.least, "le": setting.most} if setting.least is not None else {}
    if limits and setting.kinds[0] in (int, float):
        number = Annotated[_json_type(setting.kinds[0]), Field(**limits)]
        hint = Union[number, None] if setting.is_optional else number  # noqa: UP007  # built from values
    description = setting.description[:1].upper() + setting.description[1:]
    if setting.is_file:
        description = f"{description} {FILE}".strip()
    if setting.name in (SEED, MODEL) and not setting.is_required:
        hint, default = Union[hint, None], None  # noqa: UP007
    if isinstance(default, tuple) and get_args(setting.hint)[-1] is ...:
        default = list(default)
    return hint, Field(... if setting.is_required else default, description=description)


def _json_type(hint: Any) -> Any:
    """Return a type for JSON: files become ids, tuples become lists, and text is not converted to numbers."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        return Union[tuple(_json_type(part) for part in parts)]  # noqa: UP007
    if kind is tuple and parts[-1] is ...:
        return Annotated[list[_json_type(parts[0])], Field(max_length=1000)]
    if kind is tuple:
        return tuple[tuple(_json_type(part) for part in parts)]
    if hint is Path:
        return Annotated[str, Strict()]
    return Annotated[hint, Strict()] if hint in (int, float, bool, str) else hint


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
