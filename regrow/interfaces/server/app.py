"""The application: all routes behind the guard, and `regrow serve`."""

import socket
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

import uvicorn
from fastapi import FastAPI

from regrow.interfaces.server.errors import answer_errors
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.guard import Guard, is_local
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.executors import executors
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.limits import limits_of
from regrow.interfaces.server.login import SHORTEST, USER, Login
from regrow.interfaces.server.news import keep_watch
from regrow.interfaces.server.places import made, page
from regrow.interfaces.server.routes import all_routers
from regrow.interfaces.server.routes.page import page_files
from regrow.interfaces.server.tls import Tls
from regrow.interfaces.server.uploads import remove_unused
from regrow.interfaces.server.usage import Usage
from regrow.interfaces.server.verbs import all_works
from regrow.media.files import reason
from regrow.messages.message import say
from regrow.requests.serve import Serve

PORTS = range(7860, 7960)
"""Ports that are tried one after the other if none is given."""
SWEEP = 3600.0
"""Seconds between two removals of unused uploads."""
FIRST_MODEL = "storybook"
"""The model that is opened before the first job."""


def build(
    worker: Worker, files: Files, events: Events, local: bool, password: str = "", assistants: bool = False
) -> FastAPI:
    """Return the application.

    Args:
        worker: runs the jobs.
        files: knows the owner of each file.
        events: sends events to open pages.
        local: whether requests may name folders of this computer, as only its user can reach the server.
        password: required of all users; "" for none: then only requests to this computer's own names are answered.
        assistants: whether /mcp offers the verbs as tools.
    """
    app = FastAPI(title="regrow", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.worker, app.state.files, app.state.events, app.state.history = worker, files, events, worker.history
    app.state.local, app.state.private = local, files.private
    keep_watch(app, events, files.private)
    for router in all_routers():
        app.include_router(router)
    app.mount("/page", page_files())
    if assistants:
        from regrow.interfaces.server.assistants.endpoint import offer_tools

        offer_tools(app)
    answer_errors(app)
    app.add_middleware(Guard, login=Login(password, page() / "sessions.json") if password else None)
    return app


def serve(request: Serve, password: str, lock: TextIO, tls: Tls | None = None) -> None:
    """Serve until the process is stopped.

    Args:
        request: the options of `regrow serve`.
        password: of the user "regrow"; required if other computers can reach the server.
        lock: the file of `only_one`, to which the server's address is written.
        tls: certificate and key; None for no encryption.

    Raises:
        ValueError: other computers could reach it and there is no password; a device, limit or cluster is unknown; or
            the port is taken.
        OSError: its folder cannot be written.
    """
    local = is_local(request.host)
    if (password or not local) and len(password.strip()) < SHORTEST:
        raise ValueError(say("page_needs_password", shortest=SHORTEST, user=USER))
    made().mkdir(parents=True, exist_ok=True)
    usage = Usage(limits_of(request.limits, bool(password)), bool(password))
    events, files = Events(), Files(bool(password), usage)
    history = History(
        files.private, lambda owner, change: events.publish("history", change, owner if files.private else None)
    )
    # for a single user, one job at a time gives the first result soonest and keeps the queue's order
    together = request.together or (0 if password else 1)
    computing = executors(all_works, request.devices, request.workers, together, request.ray)
    worker = Worker(computing, events, history, files.private, FIRST_MODEL, usage)
    # with a password, others may connect, even through a proxy on this computer
    app = build(worker, files, events, local and not password, password, request.mcp)
    listening = listening_on(request.host, request.port)
    name = f"[{request.host}]" if ":" in request.host else request.host
    address = f"http{'s' * bool(tls)}://{name}:{listening.getsockname()[1]}/"
    lock.write(address)
    lock.flush()
    server = _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            ssl_certfile=tls and tls.certificate,
            ssl_keyfile=tls and str(tls.key),
        )
    )
    server.when_ended = [worker.note_stop, events.end, worker.end]
    server.when_started = [
        lambda: print(f"The page is at {address} (Ctrl-C stops the server; trainings continue).", flush=True),
        worker.start,
        threading.Thread(target=_sweep, args=(usage.limits.days,), name="regrow sweep", daemon=True).start,
        *([lambda: threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()] * request.browser),
    ]
    server.run([listening])


def _sweep(days: float) -> None:
    """Remove unused uploads regularly."""
    while True:
        time.sleep(SWEEP)
        with suppress(OSError, ValueError):
            remove_unused(days)


class _Server(uvicorn.Server):
    """A server that announces when it is ready, and does not wait for open streams at shutdown."""

    when_started: Sequence[Callable[[], object]] = ()
    when_ended: Sequence[Callable[[], object]] = ()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for act in self.when_started:
            act()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for act in self.when_ended:
            act()
        await super().shutdown(sockets)


def listening_on(host: str, port: int) -> socket.socket:
    """Return a socket on the given port, or on the first free one.

    Raises:
        ValueError: the port is taken, or the address is not one of this computer.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem = OSError("no port")
    for one in [port] if port else PORTS:
        # asyncio sends small answers at once (TCP_NODELAY) only where the socket says TCP: else each waits 40 ms
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, one))
            listening.listen(1024)
            return listening
        except OSError as refused:
            listening.close()
            problem = refused
    raise ValueError(
        say("server_cannot_listen", host=host, port=port or f"{PORTS[0]} to {PORTS[-1]}", reason=reason(problem))
    ) from problem
