"""`regrow generate`."""

from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.messages.message import say
from regrow.requests.generate import Generate


def generate(request: Annotated[Generate, tyro.conf.arg(name="")], run: MakingOptions, out: Path | None = None) -> None:
    """Generate pictures or sounds from a prompt.

    Args:
        out: the file to write; if not given, named after the prompt. png, jpg or webp; wav, flac or ogg. Never
            overwritten: a second file of that name gets a number.
    """
    from regrow.editing.generate import generate as operation
    from regrow.interfaces import reporting
    from regrow.interfaces.lyrics import with_lyrics
    from regrow.media.files import readable
    from regrow.media.output import check_output, default_output

    request = with_lyrics(reporting.for_medium(request, request.melody, request.reference_sound, out))
    check_output(out or Path("result"))
    for file in filter(None, (request.melody, request.reference_sound)):
        readable(file)
    model = reporting.engaged(request.model, run)
    medium = model.medium
    first = out or default_output(reporting.slug(request.prompt), medium.ending)
    medium.check_savable(first)
    made = reporting.watched(operation(request, model), run)
    paths, notes = reporting.write_results(made, first, medium, run.keep_paths and request)
    figures = made.recipes[0]["figures"]
    reporting.report(
        run,
        {"files": paths, "notes": notes, "recipes": made.recipes},
        *notes,
        *(say("wrote_with_seed", path=path, seed=request.seed + i) for i, path in enumerate(paths)),
        say(
            "making_cost",
            evaluations=figures["evaluations"],
            seconds=figures["seconds"],
            again=reporting.replay_of(paths[0]),
        ),
    )


COMMAND = Command("generate", 10, generate)
