"""`regrow interpolate`."""

from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.messages.message import say
from regrow.requests.interpolate import Interpolate


def interpolate(
    request: Annotated[Interpolate, tyro.conf.arg(name="")], run: MakingOptions, out: Path | None = None
) -> None:
    """Interpolate between two pictures, two sounds or two prompts.

    Args:
        out: the first file to write; if not given, named after the two ends. png, jpg or webp; wav, flac or ogg. The
            others get numbers, and the sheet is called -sheet.png.
    """
    from regrow.editing.compare import interpolate_sheet
    from regrow.editing.interpolate import WORDS, kind_of
    from regrow.editing.interpolate import interpolate as operation
    from regrow.interfaces import reporting
    from regrow.media.image.picture import save
    from regrow.media.output import beside, check_output, default_output

    of_words = kind_of(request) is WORDS
    request = reporting.for_medium(request, request.first, out)
    check_output(out or Path("result"))
    model = reporting.engaged(request.model, run)
    medium, ends = model.medium, (request.first, request.second)
    names = ends if of_words else (Path(end).stem for end in ends)
    first = out or default_output(reporting.slug(" to ".join(names)), medium.ending)
    medium.check_savable(first)
    made = reporting.watched(operation(request, model), run)
    paths, notes = reporting.write_results(made, first, medium, run.keep_paths and request)
    (sheet,) = reporting.free_paths(beside(first, "-sheet", ".png"), 1)
    save(sheet, interpolate_sheet(request, made, model), {"regrow": "sheet", "of": made.recipes[0]})
    figures = made.recipes[0]["figures"]
    counted = figures["evaluations"]
    reporting.report(
        run,
        {"files": [*paths, sheet], "notes": notes, "recipes": made.recipes},
        *notes,
        *(
            say(
                "wrote_on_the_way",
                path=path,
                share=100 * share,
                distance=medium.distance_text(recipe["figures"]["to_first"]),
            )
            for path, share, recipe in zip(paths, made.shares, made.recipes, strict=True)
        ),
        say("wrote", path=sheet),
        say(
            "interpolation_cost",
            inversion=counted["inversion"],
            step=counted["regrowth"],
            seconds=figures["seconds"],
            again=reporting.replay_of(paths[0]),
        ),
    )


COMMAND = Command("interpolate", 40, interpolate)
