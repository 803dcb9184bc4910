"""The command line: all commands of `interfaces.commands`, and how an error or a warning is said."""

import io
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import tyro
from tyro.conf import OmitArgPrefixes

from regrow.interfaces.commands import all_commands
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
    """A warning of regrow's as a sentence, without the line of code that it came from; a library's as ever."""
    if issubclass(category, UserWarning) and Path(filename).is_relative_to(Path(__file__).parents[1]):
        print(f"regrow: {' '.join(str(message).split())}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), end="", file=file or sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Run a verb. Exit status: 0 done, 1 a clear sentence on stderr, 2 a wrong option, 130 stopped by Ctrl-C."""
    warnings.showwarning = _say_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a letter that the console lacks is a ? and no error
            stream.reconfigure(errors="replace")
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:
        pass  # who reads, such as head, has enough
    finally:
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)


def _run(arguments: list[str]) -> None:
    arguments, renamed = current_arguments(arguments)
    for sentence in renamed:
        print(f"regrow: {sentence}", file=sys.stderr)
    try:
        tyro.extras.subcommand_cli_from_dict(
            VERBS,
            args=arguments,
            prog="regrow",
            description="Rewind a picture or a sound to noise along a model's own path, and let it grow back.",
            config=(OmitArgPrefixes,),
        )
    except KeyboardInterrupt:
        print("regrow: stopped; nothing was left half-written.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"regrow: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


def _flush(stream: Any) -> None:
    """Write out what is left, to nowhere where nobody reads any more: or Python complains as it ends."""
    if stream is None:  # of a program without a console
        return
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
