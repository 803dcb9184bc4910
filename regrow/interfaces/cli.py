"""The command line: one verb an operation, made from the operations' dataclasses.

Everything heavy is imported inside the verbs, so that `regrow --help` answers at once.
"""

import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from regrow.interfaces.bench_cli import bench
from regrow.interfaces.models_cli import models
from regrow.interfaces.run import OpeningOptions, ReportOptions, RunOptions
from regrow.requests.aliases import current_arguments
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert
from regrow.requests.train import Train


def generate(request: Annotated[Generate, tyro.conf.arg(name="")], run: RunOptions, out: Path | None = None) -> None:
    """Make pictures or sounds from words.

    Args:
        out: the file to write (png, jpg or webp; wav, flac or ogg); named after the words if not given. Never
            overwritten: a second file of that name gets a number.
    """
    from regrow.interfaces import verbs

    verbs.generate(request, run, out)


def edit(
    request: Annotated[Edit, tyro.conf.arg(name="")],
    run: RunOptions,
    out: Path | None = None,
    sheet: Path | None = None,
    explore: bool = False,
    strengths: tuple[float, ...] = (0.5, 0.7, 0.85, 1.0),
    guidances: tuple[float, ...] = (2.0, 4.0, 7.0),
) -> None:
    """Change what the words change in a picture or a sound, and keep the rest.

    Args:
        out: the file to write (png, jpg or webp; wav, flac or ogg); named after source and words if not given.
        sheet: also write a comparison sheet here: source, codec, reconstruction, edit, img2img, with distances.
        explore: write a sheet of strengths x guidances from one inversion instead of an edit, and the command for
            each of its cells.
        strengths: of that sheet, a row each.
        guidances: of that sheet, a column each.
    """
    from regrow.interfaces import verbs

    if explore and out and sheet:
        raise ValueError("--explore writes one sheet: name it by --out or by --sheet, not by both.")
    if explore:
        verbs.explore(request, run, out or sheet, strengths, guidances)
    else:
        verbs.edit(request, run, out, sheet)


def extend(request: Annotated[Extend, tyro.conf.arg(name="")], run: RunOptions, out: Path | None = None) -> None:
    """Let a sound go on after its end, or begin before its beginning, and keep every sample of it.

    Args:
        out: the file to write (wav, flac or ogg); named after the sound if not given.
    """
    from regrow.interfaces import verbs

    verbs.extend(request, run, out)


def interpolate(
    request: Annotated[Interpolate, tyro.conf.arg(name="")], run: RunOptions, out: Path | None = None
) -> None:
    """Go step by step from one picture, sound or prompt to another, and lay the steps out on a sheet.

    Args:
        out: the first file to write (png, jpg or webp; wav, flac or ogg), the others get numbers and the sheet
            "-sheet.png"; named after the two ends if not given.
    """
    from regrow.interfaces import verbs

    verbs.interpolate(request, run, out)


def invert(request: Annotated[Invert, tyro.conf.arg(name="")], run: RunOptions, out: Path | None = None) -> None:
    """Rewind a picture or a sound to noise, measure how well that worked, and save the path.

    Args:
        out: the .safetensors file to write, for `regrow edit --trajectory`; named after the file if not given.
    """
    from regrow.interfaces import inspect_verbs

    inspect_verbs.invert(request, run, out)


def replay(file: Positional[Path], run: RunOptions, out: Path | None = None) -> None:
    """Make a result again from the recipe in its file, and say whether it is the same bit for bit.

    Args:
        file: a picture or a sound that regrow saved.
        out: the file to write; named after that file if not given.
    """
    from regrow.interfaces import verbs

    verbs.replay(file, run, out)


def train(request: Annotated[Train, tyro.conf.arg(name="")], run: ReportOptions) -> None:
    """Train a model on a folder of pictures or sounds, or on a world drawn or played by rule.

    Killed at any moment, the same command goes on.
    """
    from regrow.interfaces import train_verb

    train_verb.train(request, run)


def verify(run: OpeningOptions, model: Positional[str] = "") -> None:
    """Prove the maths: every formula against a closed form. With a model, check that checkpoint too.

    Args:
        model: name of an embedded or installed model, a folder, or a hub id `user/repo`.
    """
    from regrow.interfaces import inspect_verbs

    inspect_verbs.verify(model, run)


def inspect(
    file: Positional[Path],
    run: OpeningOptions,
    model: str = "",
    source: str = "",
    steps: int = 28,
    out: Path | None = None,
) -> None:
    """Show what a picture, a sound or a saved path says about itself, and look inside.

    Args:
        file: a picture, a sound, or a .safetensors file of `regrow invert`.
        model: also draw a page with what this model's codec loses and the path to noise and back; of a sound there is
            a page in any case. storybook where a source or the page's file is given.
        source: words that describe the picture, for that path.
        steps: of that path.
        out: the page's PNG file; named after the file if not given.
    """
    from regrow.interfaces import inspect_verbs

    inspect_verbs.inspect(file, run, model, source, steps, out)


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
    import os

    from regrow.interfaces.web.server_lock import only_one

    lock = only_one()

    from regrow.interfaces.web.app import serve as serve_page

    serve_page(host, port, share, os.environ.get("REGROW_PASSWORD", ""), browser, lock)


VERBS = {
    "generate": generate,
    "edit": edit,
    "extend": extend,
    "interpolate": interpolate,
    "invert": invert,
    "replay": replay,
    "train": train,
    "verify": verify,
    "bench": bench,
    "models": models,
    "inspect": inspect,
    "serve": serve,
}


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
    except (ValueError, OSError) as error:
        print(f"regrow: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)
