"""The address /mcp: the protocol's streamable HTTP, behind the same guard as all other routes."""

import asyncio

from fastapi import FastAPI
from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from regrow import __version__
from regrow.interfaces.server.assistants.calls import Ask, call
from regrow.interfaces.server.assistants.tools import tools
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.sessions import COOKIE
from regrow.interfaces.server.threads import in_thread
from regrow.interfaces.server.wording import worded
from regrow.messages.message import sentence_of

PLACE = "/mcp"
INSTRUCTIONS = (
    "regrow edits and makes pictures and sounds with diffusion models on this computer. Give a file with add_file "
    "first: every tool names files by the ids that it returns. Results have ids, too (JOB/NAME). "
    "list_models says which words each model knows; other words are outside its world."
)


def offer_tools(app: FastAPI) -> None:
    """Add the endpoint /mcp to an application."""

    async def listed(context: ServerRequestContext, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=await in_thread(tools, app.state.local))

    async def called(context: ServerRequestContext, params: CallToolRequestParams) -> CallToolResult:
        assert context.request is not None  # always set for HTTP
        caller = context.request.scope[COOKIE]
        try:
            ask = Ask(app.state, caller, context.session.report_progress)
            return await call(ask, params.name, params.arguments or {})
        except Refused as problem:
            return _refused(problem.sentence(caller.language))
        except (ValueError, OSError) as problem:
            return _refused(worded(sentence_of(problem), caller.language))

    server = Server("regrow", version=__version__, instructions=INSTRUCTIONS, on_list_tools=listed, on_call_tool=called)
    app.router.routes.append(Route(PLACE, _Endpoint(server)))


def _refused(sentence: str) -> CallToolResult:
    """Return the answer to a call that cannot be served, so that the assistant can correct it."""
    return CallToolResult(content=[TextContent(text=sentence)], is_error=True)


class _Endpoint:
    """Answers each request independently, without sessions, in a task group that starts with the first."""

    def __init__(self, server: Server) -> None:
        self._manager = StreamableHTTPSessionManager(server, stateless=True)
        self._runs: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._runs is None:
            ready = asyncio.Event()
            self._runs = asyncio.get_running_loop().create_task(self._run(ready))
            await ready.wait()
        await self._manager.handle_request(scope, receive, send)

    async def _run(self, ready: asyncio.Event) -> None:
        async with self._manager.run():
            ready.set()
            await asyncio.Event().wait()
