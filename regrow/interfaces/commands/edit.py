"""`regrow edit`: an edit, a sheet that compares it, or a sheet of strengths and guidances."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from regrow.interfaces.as_command import command_of
from regrow.interfaces.commands import Command
from regrow.interfaces.run import Making, MakingOptions
from regrow.messages.message import say
from regrow.requests.edit import Edit

if TYPE_CHECKING:
    from regrow.editing.result import Result


def edit(
    request: Annotated[Edit, tyro.conf.arg(name="")],
    run: MakingOptions,
    out: Path | None = None,
    sheet: Path | None = None,
    explore: bool = False,
    strengths: tuple[float, ...] = (0.5, 0.7, 0.85, 1.0),
    guidances: tuple[float, ...] = (2.0, 4.0, 7.0),
    also: tuple[Path, ...] = (),
) -> None:
    """Edit a picture or a sound by words, and keep everything else.

    Args:
        out: the file to write; if not given, named after source and target. png, jpg or webp; wav, flac or ogg.
        sheet: also write a sheet that compares the steps of the edit. It shows the source, the codec's reconstruction,
            the inversion's reconstruction, the edit and img2img, with distances.
        explore: write a sheet of strengths x guidances instead of an edit. All cells come from one inversion; the
            command of each is printed.
        strengths: for --explore: the strengths, one row each.
        guidances: for --explore: the guidances, one column each.
        also: further files that get the same edit, as in `regrow edit *.png`. --out is then a folder, "edited" if not
            given. If it is stopped, the same command continues.
    """
    if explore and out and sheet:
        raise ValueError(say("explore_writes_one_sheet"))
    if also and (explore or sheet):
        raise ValueError(say("sheet_of_one_file"))
    from regrow.interfaces.lyrics import with_lyrics
    from regrow.media.files import readable

    request = with_lyrics(request)
    readable(request.image)  # raises before a model is opened, which takes seconds
    if also:
        _edit_all(request, (request.image, *also), run, out or Path("edited"))
    elif explore:
        _explore(request, run, out or sheet, strengths, guidances)
    else:
        _edit(request, run, out, sheet)


def _edit_all(request: Edit, files: Sequence[Path], run: Making, out: Path) -> None:
    """Apply the same edit to several files, as `regrow batch` does."""
    from regrow.interfaces.batch.drive import drive
    from regrow.interfaces.batch.jobs import BatchJob
    from regrow.interfaces.batch.processes import Processes
    from regrow.interfaces.batch.summary import print_summary
    from regrow.interfaces.reporting import for_medium, for_song

    if out.is_file():
        raise ValueError(say("several_need_folder", path=out))
    jobs = [
        BatchJob(number, "edit", for_medium(for_song(replace(request, image=file), file), file))
        for number, file in enumerate(files, 1)
    ]
    unlike = list({job.key: job for job in jobs}.values())  # a file may be given twice
    outcome = drive(unlike, out, lambda _: Processes(1, out, run), run.json)
    print_summary(unlike, outcome, out, run, by_file=True)
    if outcome.count("done") < len(unlike):
        sys.exit(1)


def _edit(request: Edit, run: Making, out: Path | None, sheet: Path | None) -> None:
    from regrow.editing.compare import compare
    from regrow.editing.edit import edit as operation
    from regrow.interfaces import reporting
    from regrow.media.image.picture import check_savable, save
    from regrow.media.image.sheet import sheet as make_sheet
    from regrow.media.medium import medium_of
    from regrow.media.output import default_output

    medium, request = (
        medium_of(request.image),
        reporting.for_medium(reporting.for_song(request, request.image), request.image),
    )
    first = out or default_output(f"{request.image.stem}-{reporting.slug(request.target[0])}", medium.ending)
    medium.check_savable(first)
    if sheet:
        check_savable(sheet)
    model = reporting.engaged(request.model, run, lambda model: medium.check(request, model))
    if sheet:
        compared = reporting.watched(compare(request, model), run)
        edited = compared.edited
        (sheet,) = reporting.free_paths(sheet, 1)
        page = make_sheet(compared.rows, medium.layout.cell, "regrow edit")
        save(sheet, page, {"regrow": "sheet", "of": edited.recipes[0]})
    else:
        edited = reporting.watched(operation(request, model), run)
    paths, notes = reporting.write_results(edited, first, medium, run.keep_paths and request)
    masks = _save_masks(edited, paths) if request.mask == "auto" else {}
    figures = edited.recipes[0]["figures"]
    counted = figures["evaluations"]
    reporting.report(
        run,
        {
            "files": [*paths, *([sheet] if sheet else [])],
            "masks": list(masks),
            "notes": notes,
            "recipes": edited.recipes,
        },
        *notes,
        *(
            say("wrote_with_distance", path=path, distance=medium.distance_text(recipe["figures"]["to_source"]))
            for path, recipe in zip(paths, edited.recipes, strict=True)
        ),
        *([say("wrote", path=sheet)] if sheet else []),
        *(say("wrote_mask", path=path, share=share) for path, share in masks.items()),
        *([say("mask_cost", evaluations=counted["mask"])] if "mask" in counted else []),
        say(
            "edit_cost",
            inversion=counted["inversion"],
            kept=" (kept from before)" if edited.reused else "",
            regrowth=counted["regrowth"],
            seconds=figures["seconds"],
            again=reporting.replay_of(paths[0]),
        ),
    )


def _explore(
    request: Edit, run: Making, out: Path | None, strengths: Sequence[float], guidances: Sequence[float]
) -> None:
    from regrow.editing.explore import explore as operation
    from regrow.interfaces import reporting
    from regrow.media.image.picture import check_savable, save
    from regrow.media.image.sheet import sheet as make_sheet
    from regrow.media.medium import medium_of
    from regrow.media.output import default_output

    medium, request = (
        medium_of(request.image),
        reporting.for_medium(reporting.for_song(request, request.image), request.image),
    )
    first = out or default_output(f"{request.image.stem}-explored", ".png")
    check_savable(first)
    model = reporting.engaged(request.model, run, lambda model: medium.check(request, model))
    explored = reporting.watched(operation(request, model, strengths, guidances), run)
    (path,) = reporting.free_paths(first, 1)
    cell = 3 * medium.layout.cell // 4
    save(path, make_sheet(explored.rows, cell, f"regrow edit --explore: {request.image.name}"))
    commands = [command_of(cell.request, "edit") for cell in explored.cells]
    reporting.report(
        run,
        {
            "file": path,
            "notes": explored.notes,
            "cells": [
                {
                    "target": cell.request.target[0],
                    "strength": cell.request.strength,
                    "guidance": cell.request.guidance,
                    "to_source": cell.to_source,
                    "command": command,
                }
                for cell, command in zip(explored.cells, commands, strict=True)
            ],
            "evaluations": explored.evaluations,
            "seconds": explored.seconds,
        },
        *explored.notes,
        say(
            "explored",
            path=path,
            count=len(commands),
            cells="cell" if len(commands) == 1 else "cells",
            evaluations=explored.evaluations,
            seconds=explored.seconds,
        ),
        say("pick_a_cell", example=commands[len(commands) // 2]),
    )


def _save_masks(edited: "Result", paths: Sequence[Path]) -> dict[Path, str]:
    """Save the found masks beside their results; return each path with a sentence about the mask."""
    from regrow.interfaces import reporting
    from regrow.media.image.picture import save
    from regrow.media.output import beside

    assert edited.region is not None
    saved = {}
    for i, path in enumerate(paths):
        (place,) = reporting.free_paths(beside(path, "-mask", ".png"), 1)
        mask = edited.region.picture(i)
        assert mask is not None
        save(place, mask)
        saved[place] = say("share_that_may_change", share=100 * edited.recipes[i]["mask"]["share"])
    return saved


COMMAND = Command("edit", 20, edit)
