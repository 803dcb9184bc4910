"""Receive large request bodies without holding them in memory."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from fastapi import Request

from regrow.interfaces.server.places import page
from regrow.interfaces.server.threads import in_thread

IN_MEMORY = 1_000_000
"""Size in bytes above which a body is stored on disk."""


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[IO[bytes]]:
    """Yield a request's body as a temporary file, at its beginning. The guard limits its length.

    Raises:
        OSError: the disk is full.
    """
    page().mkdir(parents=True, exist_ok=True)
    with tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(page())) as file:
        pending, size = [], 0
        async for chunk in request.stream():
            pending.append(chunk)
            size += len(chunk)
            if size > IN_MEMORY:
                await in_thread(file.write, b"".join(pending))
                pending, size = [], 0
        await in_thread(file.write, b"".join(pending))
        file.seek(0)
        yield file
