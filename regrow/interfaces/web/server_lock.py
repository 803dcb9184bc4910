"""One server at a time in the page's folder; nothing heavy is imported, so that a second one is refused at once."""

import fcntl
from typing import TextIO

from regrow.media.cache import check_home
from regrow.media.home import home


def only_one() -> TextIO:
    """Hold the page's folder: two servers there would both take up what is waiting.

    Returns:
        The lock, held until it is closed; the address is to be written there.

    Raises:
        ValueError: another server is at work.
    """
    folder = home() / "page"
    check_home()
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        lock.seek(0)
        raise ValueError(
            f"The page is open already, at {lock.read() or 'an address of its own'}; end that one first, or set "
            "REGROW_HOME to another folder."
        ) from problem
    lock.truncate(0)
    return lock
