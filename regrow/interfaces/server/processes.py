"""Run trainings and downloads in separate processes, which continue when the page or the server ends."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import Field

from regrow.interfaces.server.stored import Stored, parse, read, write
from regrow.media.home import home
from regrow.media.one_process import began, is_at_work

SECRETS = ("REGROW_PASSWORD",)
"""Environment variables that are not passed to processes, as other users of this computer could read them."""
PROGRAM = (
    "import signal, sys; "
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit('It was stopped before it had begun; nothing is lost.')); "
    "from regrow.interfaces.cli import main; main()"
)
"""`regrow`, which prints a sentence if it is stopped during its imports."""
MOST_PRINTED = 30_000
"""Bytes that are read of the beginning, and of the end, of a process's output, which may have a line per step."""
MOST_SENTENCES = 40


class Started(Stored):
    """The record of a process, in `processes/NAME.json`.

    Attributes:
        pid: the process id.
        began: start time, in seconds since 1970; None if unknown.
        command: the arguments of `regrow`.
        owner: who started it; "" in older records.
    """

    pid: int
    began: float | None
    command: list[str] = Field(min_length=1)
    owner: str = ""


class Printed(Stored):
    """A line that a process printed: the fields of a JSON line, or `said` for any other line.

    Attributes:
        share: finished share of the current stage.
        seconds: since the stage began.
        notes: sentences.
        said: the line if it is not JSON, such as the reason why the process ended.
    """

    share: float | None = None
    seconds: float | None = None
    notes: list[str] = Field(default_factory=list)
    said: str = ""


def start(name: str, arguments: list[str], owner: str = "") -> None:
    """Start `regrow ARGUMENTS` in a new session; its output goes to `processes/NAME.log`.

    Raises:
        OSError: the disk cannot be written, or the process cannot be started.
    """
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if key not in SECRETS}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    write(_record(name), Started(pid=process.pid, began=began(process.pid), command=arguments, owner=owner))


def started(name: str) -> Started | None:
    """Return the record of the process that was last started under a name."""
    return read(_record(name), Started)


def all_started() -> dict[str, Started]:
    """Return the records of all processes, by name."""
    found = {path.stem: started(path.stem) for path in sorted(_folder().glob("*.json"))}
    return {name: one for name, one in found.items() if one}


def noted_at(name: str) -> float:
    """Return when a process was last started under a name, in seconds since 1970; 0 for never."""
    try:
        return _record(name).stat().st_mtime
    except OSError:
        return 0.0


def running(name: str) -> int | None:
    """Return the id of the process that was started under a name, if it is still running."""
    one = started(name)
    if one is None or one.began is None or one.pid < 2:  # for `kill`, ids below 2 mean init, a group, or all processes
        return None
    with suppress(ChildProcessError, OverflowError):  # a child of an earlier server
        if os.waitpid(one.pid, os.WNOHANG)[0] == one.pid:  # an own child that has ended
            return None
    return one.pid if is_at_work(one.pid, one.began) else None


def stop(name: str) -> bool:
    """Ask a process to save and stop; return whether it was running."""
    number = running(name)
    if number is None:
        return False
    try:
        os.kill(number, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def output(name: str) -> list[Printed]:
    """Return the lines that a process printed; the middle of a long output is left out."""
    path = _folder() / f"{name}.log"
    try:
        if path.is_symlink() or not path.is_file():  # opening a pipe would block
            return []
        with path.open("rb") as file:
            data = file.read(2 * MOST_PRINTED)
            if file.read(1):
                file.seek(-MOST_PRINTED, os.SEEK_END)
                data = data[:MOST_PRINTED].rpartition(b"\n")[0] + b"\n" + file.read().partition(b"\n")[2]
    except OSError:
        return []
    return [_line(line) for line in data.splitlines() if line.strip()]


def sentences(printed: list[Printed]) -> list[str]:
    """Return the last sentences of an output: notes, and lines that are not JSON."""
    found = [sentence for line in printed for sentence in (*line.notes, line.said) if sentence]
    return found[-MOST_SENTENCES:]


def _line(line: bytes) -> Printed:
    try:
        return parse(line, Printed)
    except ValueError:
        return Printed(said=line.decode("utf-8", "replace").rsplit("\r", 1)[-1].strip())


def _folder() -> Path:
    return home() / "page" / "processes"


def _record(name: str) -> Path:
    return _folder() / f"{name}.json"
