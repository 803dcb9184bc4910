"""The command line: one verb an operation, made from the operations' dataclasses.

Everything heavy is imported inside the verbs, so that `regrow --help` answers at once.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from regrow.operations.requests import Edit, Generate, Invert, Train


@dataclass(frozen=True)
class Run:
    """How a command runs and reports.

    Attributes:
        json: print one JSON document instead of sentences.
        threads: of the CPU; 0 leaves torch's choice. Beside another busy process take 1.
        device: where the model runs: cpu, cuda, mps.
        dtype: of the model's weights.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """

    json: bool = False
    threads: int = 0
    device: str = "cpu"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    allow_pickle: bool = False


Options = Annotated[Run, tyro.conf.arg(name="")]


def generate(request: Annotated[Generate, tyro.conf.arg(name="")], run: Options, out: Path | None = None) -> None:
    """Make pictures from words.

    Args:
        out: the file to write (png, jpg or webp); named after the words if not given. Never overwritten: a
            second picture of that name gets a number.
    """
    from regrow.interfaces import verbs

    verbs.generate(request, run, out)


def edit(
    request: Annotated[Edit, tyro.conf.arg(name="")], run: Options, out: Path | None = None, sheet: Path | None = None
) -> None:
    """Change what the words change in a picture, and keep the rest.

    Args:
        out: the file to write (png, jpg or webp); named after picture and words if not given.
        sheet: also write a comparison sheet here: source, codec, reconstruction, edit, img2img, with distances.
    """
    from regrow.interfaces import verbs

    verbs.edit(request, run, out, sheet)


def invert(request: Annotated[Invert, tyro.conf.arg(name="")], run: Options, out: Path | None = None) -> None:
    """Rewind a picture to noise, measure how well that worked, and save the path.

    Args:
        out: the .safetensors file to write, for `regrow edit --trajectory`; named after the picture if not given.
    """
    from regrow.interfaces import verbs

    verbs.invert(request, run, out)


def replay(file: Positional[Path], run: Options, out: Path | None = None) -> None:
    """Make a result again from the recipe in its file, and say whether it is the same bit for bit.

    Args:
        file: a picture that regrow saved.
        out: the file to write; named after the picture if not given.
    """
    from regrow.interfaces import verbs

    verbs.replay(file, run, out)


def train(request: Annotated[Train, tyro.conf.arg(name="")], run: Options) -> None:
    """Grow a small picture model on a drawn world. Killed at any moment, the same command goes on."""
    from regrow.interfaces import verbs

    verbs.train(request, run)


def verify(run: Options, model: Positional[str] = "") -> None:
    """Prove the maths: every formula against a closed form. With a model, check that checkpoint too.

    Args:
        model: name of an embedded or installed model, a folder, or a hub id `user/repo`.
    """
    from regrow.interfaces import verbs

    verbs.verify(model, run)


def models(run: Options, model: Positional[str] = "") -> None:
    """List the models that are here, or show one.

    Args:
        model: the one to show.
    """
    from regrow.interfaces import verbs

    verbs.models(model, run)


def inspect(
    file: Positional[Path], run: Options, model: str = "", source: str = "", steps: int = 28, out: Path | None = None
) -> None:
    """Show what a picture or a saved path says about itself: size, notes, recipe.

    Args:
        file: a picture, or a .safetensors file of `regrow invert`.
        model: also draw a page with what this model's codec loses and the path to noise.
        source: words that describe the picture, for that path.
        steps: of that path.
        out: the page's PNG file; named after the picture if not given.
    """
    from regrow.interfaces import verbs

    verbs.inspect(file, run, model, source, steps, out)


VERBS = {
    "generate": generate,
    "edit": edit,
    "invert": invert,
    "replay": replay,
    "train": train,
    "verify": verify,
    "models": models,
    "inspect": inspect,
}


def main(arguments: list[str] | None = None) -> None:
    """Run a verb. Exit status: 0 done, 1 a clear sentence on stderr, 2 a wrong option, 130 stopped by Ctrl-C."""
    try:
        tyro.extras.subcommand_cli_from_dict(
            VERBS,
            args=arguments,
            prog="regrow",
            description="Rewind a picture to noise along a diffusion model's own path, and let it grow back.",
            config=(OmitArgPrefixes,),
        )
    except KeyboardInterrupt:
        print("regrow: stopped; nothing was left half-written.", file=sys.stderr)
        sys.exit(130)
    except (ValueError, OSError) as error:
        print(f"regrow: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)
