"""Allow only one server per folder; without slow imports, so that a second one is refused at once."""

import fcntl
from typing import TextIO

from regrow.media.cache import check_home
from regrow.media.home import home
from regrow.messages.message import say


def only_one() -> TextIO:
    """Lock the page's folder, as two servers there would both run the waiting jobs.

    Returns:
        The lock file, held until it is closed; the server writes its address there.

    Raises:
        ValueError: another server is running.
    """
    folder = home() / "page"
    check_home()
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        lock.seek(0)
        address = lock.read()
        raise ValueError(
            say("page_is_open", address=address) if address else say("page_is_open_elsewhere")
        ) from problem
    lock.truncate(0)
    return lock
