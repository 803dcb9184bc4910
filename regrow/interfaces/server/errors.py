"""Errors of routes, sent as {"error": sentence, "field": name or null}."""

import errno
import sqlite3
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticSerializationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, Response

from regrow.interfaces.server.sessions import COOKIE, Caller
from regrow.interfaces.server.texts import said
from regrow.interfaces.server.wording import worded
from regrow.messages.message import sentence_of

KINDS = {
    "missing": "missing",
    "extra_forbidden": "unknown_setting",
    "json_invalid": "no_json",
    **dict.fromkeys(("string_type", "literal_error", "enum"), "wants_text"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "wants_number"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "wants_integer"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "wants_switch"),
    **dict.fromkeys(("list_type", "tuple_type"), "wants_list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "wants_object"),
    "greater_than_equal": "at_least",
    "less_than_equal": "at_most",
}
"""The sentence for each type of pydantic error; other types keep pydantic's message."""


class Refused(HTTPException):
    """A request that is refused.

    Args:
        status: 4xx, or 5xx if the server is at fault.
        key: of the sentence in `server/texts/`.
        field: the wrong field of the request, if any.
        figures: values for the placeholders of the sentence.
    """

    def __init__(self, status: int, key: str, field: str | None = None, **figures: Any) -> None:
        super().__init__(status, key)
        self.key, self.field, self.figures = key, field, figures

    def sentence(self, language: str) -> str:
        """Return the sentence in "en" or "zh"."""
        return said(self.key, language, **self.figures)


def refusal(status: int, sentence: str, field: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """Return the answer that says why a request is refused."""
    return JSONResponse({"error": sentence, "field": field}, status, headers=headers)


def answer_errors(app: FastAPI) -> None:
    """Let an app answer errors with a sentence; unexpected errors are answered by the guard."""
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ValueError, _failed)
    app.add_exception_handler(OSError, _failed)
    app.add_exception_handler(sqlite3.OperationalError, _failed)


def is_full(problem: BaseException | None) -> bool:
    """Return whether an error, or its cause, says that the disk is full."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(problem, sqlite3.OperationalError) and "full" in str(problem):
            return True
        problem = problem.__cause__
    return False


async def _refused(request: Request, problem: Exception) -> Response:
    language = _language(request)
    if isinstance(problem, Refused):
        return refusal(problem.status_code, problem.sentence(language), problem.field)
    assert isinstance(problem, StarletteHTTPException)
    status = problem.status_code
    key = {404: "no_route", 405: "no_method", 400: "no_json"}.get(status)
    sentence = said(key, language, path=request.url.path, method=request.method) if key else problem.detail
    return refusal(status, sentence)


async def _invalid(request: Request, problem: Exception) -> Response:
    """Answer with the first error in a request's fields."""
    assert isinstance(problem, RequestValidationError)
    first, language = problem.errors()[0], _language(request)
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    field = next((part for part in place if not part.isdigit()), None)
    figures = {"field": field or said("the_request", language), "given": f"{first.get('input')!r:.60}"}
    figures |= first.get("ctx", {})
    key = "no_body" if field is None and first["type"] == "missing" else KINDS.get(first["type"])
    sentence = said(key, language, **figures) if key else said("invalid", language, why=first["msg"], **figures)
    return refusal(422, sentence, field)


async def _failed(request: Request, problem: Exception) -> Response:
    """Answer with the sentence of an operation's error, or one about a full disk."""
    if is_full(problem):
        return refusal(507, said("disk_full", _language(request)))
    if isinstance(problem, UnicodeError | PydanticSerializationError):
        return refusal(422, said("bad_letters", _language(request)))
    sentence = worded(sentence_of(problem), _language(request))
    return refusal(400 if isinstance(problem, ValueError) else 500, sentence)


def _language(request: Request) -> str:
    return request.scope.get(COOKIE, Caller()).language
