"""`regrow serve`."""

import os
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.requests.serve import Serve


def serve(request: Annotated[Serve, tyro.conf.arg(name="")]) -> None:
    """Open the page in a browser; its HTTP API is described at /docs."""
    from regrow.interfaces.server.server_lock import only_one
    from regrow.interfaces.server.tls import tls_of

    tls = tls_of(request.certificate, request.key)
    lock = only_one()

    from regrow.interfaces.server.app import serve as serve_page

    serve_page(request, os.environ.get("REGROW_PASSWORD", ""), lock, tls)


COMMAND = Command("serve", 120, serve)
