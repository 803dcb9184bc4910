"""One POST per verb, which submits a job; and a POST that returns a request as command line and Python."""

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from regrow.interfaces.server.jobs.as_json import job_json
from regrow.interfaces.server.schemas.bodies import Body, body_of
from regrow.interfaces.server.schemas.requests import REQUESTS
from regrow.interfaces.server.schemas.settings import summary_of
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["verbs"])
Verb = Literal[tuple(REQUESTS)]  # pyright: ignore[reportInvalidTypeForm]  # of the table


def _route(verb: str) -> Callable[..., Coroutine[Any, Any, dict[str, Any]]]:
    """Return the function that handles POST requests of a verb."""
    kind = body_of(verb)

    async def ask(body: kind, request: Request, caller: Asker) -> dict[str, Any]:  # pyright: ignore
        return await in_thread(_submitted, verb, body, request.app.state, caller)

    ask.__name__, ask.__doc__ = (
        verb,
        f"{summary_of(REQUESTS[verb])}\n\nThe answer is the job; follow it by /api/events.",
    )
    return ask


for _verb in REQUESTS:
    router.add_api_route(f"/api/{_verb}", _route(_verb), methods=["POST"], status_code=202)


class AsCommand(BaseModel):
    """A request to be written as a command."""

    verb: Verb  # pyright: ignore[reportInvalidTypeForm]
    settings: dict[str, Any]


@router.post("/api/command")
async def command(body: AsCommand, request: Request, caller: Asker) -> dict[str, str]:
    """Return a request as command line and as Python: {"command": ..., "python": ...}."""
    return await in_thread(_written, body.verb, body.settings, request.app.state, caller)


def _submitted(verb: str, body: Body, state: Any, caller: Caller) -> dict[str, Any]:
    from regrow.interfaces.server.verbs.asking import submit

    job = submit(state.worker, state.files, caller, verb, body.model_dump(exclude_unset=True))
    return job_json(job, state.worker, caller)


def _written(verb: str, settings: dict[str, Any], state: Any, caller: Caller) -> dict[str, str]:
    from regrow.interfaces.server.verbs.written import written

    try:
        given = body_of(verb).model_validate(settings).model_dump(exclude_unset=True)
    except ValidationError as problem:
        raise RequestValidationError(problem.errors()) from problem
    return written(state.files, caller, verb, given, state.local)
