"""The command line: run the commands of `interfaces.commands`, and print errors and warnings in a sentence."""

import io
import itertools
import os
import signal
import sys
import threading
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import tyro
from tyro.conf import OmitArgPrefixes

from regrow.interfaces.commands import all_commands
from regrow.interfaces.option_groups import flags_off, grouped, lists, named
from regrow.messages.message import say, worded_here
from regrow.requests.aliases import current_arguments

VERBS = {command.name: command.run for command in all_commands()}


def _say_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Print a warning of regrow as a sentence, without its line of code; print a library's as usual."""
    if category.__name__ == "TracerWarning":  # filters hold for one thread only, and the server traces in another
        return
    if issubclass(category, UserWarning) and Path(filename).is_relative_to(Path(__file__).parents[1]):
        print(f"regrow: {' '.join(worded_here(message).split())}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), end="", file=file or sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Run a command.

    Exit status: 0 done, 1 failed with a sentence on stderr, 2 wrong option, 130 stopped by Ctrl-C, 143 by SIGTERM.
    """
    warnings.showwarning = _say_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # print ? for letters that the console lacks
            stream.reconfigure(errors="replace")
    try:
        with _ending_with_a_word():
            _run(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:
        pass  # the reader, such as head, has ended
    finally:
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)


@contextmanager
def _ending_with_a_word() -> Iterator[None]:
    """Print a sentence if SIGTERM ends the process before a command handles it itself, as imports take seconds."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:  # the owner of another handler reports it
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        print(f"regrow: {worded_here(say('stopped_by_sigterm'))}", file=sys.stderr, flush=True)
        if _importing(frame):  # a half-imported library may catch SystemExit, or abort
            os._exit(143)
        sys.exit(143)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_globals.get("__name__") != "importlib._bootstrap":
        frame = frame.f_back
    return frame is not None


def _run(arguments: list[str]) -> None:
    arguments, renamed = current_arguments(with_also(arguments))
    for sentence in renamed:
        print(f"regrow: {worded_here(sentence)}", file=sys.stderr)
    verb = arguments[0] if arguments and arguments[0] in VERBS else ""
    action = "".join(arguments[1:2])
    needless = flags_off(VERBS[verb], action) if verb else set()
    arguments = gathered(arguments, lists(VERBS[verb], action)) if verb else arguments
    try:
        tyro.extras.subcommand_cli_from_dict(
            {name: grouped(run) if name == verb else named(run) for name, run in VERBS.items()},
            args=[argument for argument in arguments if argument not in needless],
            prog="regrow",
            description="Edit and generate pictures and sounds with diffusion models, and train such models.",
            config=(OmitArgPrefixes,),
        )
    except KeyboardInterrupt:
        print(f"regrow: {worded_here(say('stopped_by_hand'))}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"regrow: {' '.join(worded_here(error).split())}", file=sys.stderr)
        sys.exit(1)


def with_also(arguments: list[str]) -> list[str]:
    """Return the arguments of `regrow edit` with all files after the first as --also, as a shell expands *.png."""
    files = list(itertools.takewhile(lambda argument: not argument.startswith("-"), arguments[1:]))
    if arguments[:1] != ["edit"] or len(files) < 2:
        return arguments
    return ["edit", files[0], "--also", *arguments[2:]]


def gathered(arguments: list[str], several: Collection[str]) -> list[str]:
    """Return arguments with all values of a repeated option behind its first: the parser would keep only the last."""
    parts: list[list[str]] = [[]]
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not argument.startswith("--"):
            parts[-1].append(argument)
        elif name in several and (first := next((part for part in parts if part[:1] == [name]), None)):
            parts.append(first)  # whatever follows is its value
            first += [value] if equals else []
        else:
            parts.append([name, value] if name in several and equals else [argument])
    whole = {id(part): part for part in parts}
    return [argument for part in whole.values() for argument in part]


def _flush(stream: Any) -> None:
    """Flush a stream; if its reader has ended, redirect it to the null device, or Python prints an error at exit."""
    if stream is None:  # a program without a console has no streams
        return
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
