"""The command line: all commands of `interfaces.commands`, and how an error or a warning is said."""

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
    arguments, renamed = current_arguments(sys.argv[1:] if arguments is None else arguments)
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
    except BrokenPipeError:  # who reads, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it ends
    except (ValueError, OSError) as error:
        print(f"regrow: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)
