"""`regrow edit`: an edit, a sheet that compares it, or a sheet of strengths and guidances."""

import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import Making, MakingOptions
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
    if explore and out and sheet:
        raise ValueError("--explore writes one sheet: name it by --out or by --sheet, not by both.")
    from regrow.interfaces.lyrics import with_lyrics
    from regrow.media.files import readable

    request = with_lyrics(request)
    readable(request.image)  # before a model is opened, which takes seconds
    if explore:
        _explore(request, run, out or sheet, strengths, guidances)
    else:
        _edit(request, run, out, sheet)


def _edit(request: Edit, run: Making, out: Path | None, sheet: Path | None) -> None:
    from regrow.editing.compare import compare
    from regrow.editing.edit import edit as operation
    from regrow.interfaces import reporting
    from regrow.media.image.picture import check_savable, save
    from regrow.media.image.sheet import sheet as make_sheet
    from regrow.media.medium import medium_of
    from regrow.media.output import default_output

    medium, request = medium_of(request.image), reporting.for_medium(request, request.image)
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
    reporting.say(
        run,
        {
            "files": [*paths, *([sheet] if sheet else [])],
            "masks": list(masks),
            "notes": notes,
            "recipes": edited.recipes,
        },
        *notes,
        *(
            f"wrote {path}: {medium.distance_text(recipe['figures']['to_source'])} to the source"
            for path, recipe in zip(paths, edited.recipes, strict=True)
        ),
        *([f"wrote {sheet}"] if sheet else []),
        *(f"wrote {path}: {share}; change it by hand and give it back with --mask" for path, share in masks.items()),
        *([f"{counted['mask']} evaluations for the mask"] if "mask" in counted else []),
        f"{counted['inversion']} evaluations for the inversion{' (kept from before)' if edited.reused else ''}, "
        f"{counted['regrowth']} for the regrowth, {figures['seconds']} s; again with: {reporting.replay_of(paths[0])}",
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

    medium, request = medium_of(request.image), reporting.for_medium(request, request.image)
    first = out or default_output(f"{request.image.stem}-explored", ".png")
    check_savable(first)
    model = reporting.engaged(request.model, run, lambda model: medium.check(request, model))
    explored = reporting.watched(operation(request, model, strengths, guidances), run)
    (path,) = reporting.free_paths(first, 1)
    cell = 3 * medium.layout.cell // 4
    save(path, make_sheet(explored.rows, cell, f"regrow edit --explore: {request.image.name}"))
    commands = [command_of(cell.request) for cell in explored.cells]
    reporting.say(
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
        f"wrote {path}: {len(commands)} {'cell' if len(commands) == 1 else 'cells'} from one inversion, "
        f"{explored.evaluations} evaluations, {explored.seconds} s",
        f"pick a cell by its strength and guidance, for example: {commands[len(commands) // 2]}",
    )


def command_of(request: Edit) -> str:
    """The command that runs a request: what it asks for, and every setting that is not the default."""
    from regrow.interfaces import reporting

    words = ["regrow", "edit", reporting.as_argument(request.image), "--target", *request.target]
    for field in fields(Edit):
        value = getattr(request, field.name)
        if field.name in ("image", "target") or value == field.default:
            continue
        option = f"--{field.name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{field.name.replace('_', '-')}")
        else:
            words += [option, *(map(str, value) if isinstance(value, tuple) else [f"{value}"])]
    return shlex.join(words)


def _save_masks(edited: "Result", paths: Sequence[Path]) -> dict[Path, str]:
    """The found masks beside the results that they belong to, and what each says."""
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
        saved[place] = f"what may change, {100 * edited.recipes[i]['mask']['share']:.0f} % of the picture"
    return saved


COMMAND = Command("edit", 20, edit)
