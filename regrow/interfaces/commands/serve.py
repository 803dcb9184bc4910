"""`regrow serve`."""

import os

from regrow.interfaces.commands import Command


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    share: bool = False,
    browser: bool = True,
) -> None:
    """Open the page: edit, generate, train and look inside in a browser on this computer.

    Args:
        host: the address to listen on; any other than this computer's own needs a password in $REGROW_PASSWORD.
        port: 0 takes the first free one from 7860 on.
        share: let others reach it at a public address of gradio's; needs a password in $REGROW_PASSWORD.
        browser: show it in the browser at once.
    """
    from regrow.interfaces.web.server_lock import only_one

    lock = only_one()

    from regrow.interfaces.web.app import serve as serve_page

    serve_page(host, port, share, os.environ.get("REGROW_PASSWORD", ""), browser, lock)


COMMAND = Command("serve", 120, serve)
