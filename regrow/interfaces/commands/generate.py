"""`regrow generate`."""

from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.requests.generate import Generate


def generate(request: Annotated[Generate, tyro.conf.arg(name="")], run: MakingOptions, out: Path | None = None) -> None:
    """Make pictures or sounds from words.

    Args:
        out: the file to write (png, jpg or webp; wav, flac or ogg); named after the words if not given. Never
            overwritten: a second file of that name gets a number.
    """
    from regrow.editing.generate import generate as operation
    from regrow.interfaces.reporting import (
        engaged,
        for_medium,
        replay_of,
        say,
        slug,
        watched,
        write_results,
    )
    from regrow.media.output import check_output, default_output

    request = for_medium(request, request.melody, out)
    check_output(out or Path("result"))
    model = engaged(request.model, run)
    medium = model.medium
    first = out or default_output(slug(request.prompt), medium.ending)
    medium.check_savable(first)
    made = watched(operation(request, model), run)
    paths, notes = write_results(made, first, medium, run.keep_paths and request)
    figures = made.recipes[0]["figures"]
    say(
        run,
        {"files": paths, "notes": notes, "recipes": made.recipes},
        *notes,
        *(f"wrote {path} (seed {request.seed + i})" for i, path in enumerate(paths)),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


COMMAND = Command("generate", 10, generate)
