"""What the command line's verbs do: open the model, run the operation, write the files, say so."""

import shlex
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.editing import compare as comparing
from regrow.editing import edit as editing
from regrow.editing import explore as exploring
from regrow.editing import extend as extending
from regrow.editing import generate as generating
from regrow.editing import interpolate as interpolating
from regrow.editing import replay as replaying
from regrow.editing.recipe import Recipe
from regrow.editing.result import Result
from regrow.interfaces.reporting import (
    engaged,
    for_medium,
    free_paths,
    replay_of,
    say,
    slug,
    watched,
    write_results,
)
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.image.picture import check_savable, save
from regrow.media.image.sheet import sheet as make_sheet
from regrow.media.medium import medium_of
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate

if TYPE_CHECKING:
    from regrow.interfaces.run import Run


def generate(request: Generate, run: "Run", out: Path | None) -> None:
    request = for_medium(request, request.melody, out)
    model = engaged(request.model, run)
    medium = model.medium
    first = out or Path(f"{slug(request.prompt)}{medium.ending}")
    medium.check_savable(first)
    made = watched(generating.generate(request, model), run)
    paths, notes = write_results(made, first, medium)
    figures = made.recipes[0]["figures"]
    say(
        run,
        {"files": paths, "notes": notes, "recipes": made.recipes},
        *notes,
        *(f"wrote {path} (seed {request.seed + i})" for i, path in enumerate(paths)),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def edit(request: Edit, run: "Run", out: Path | None, sheet: Path | None) -> None:
    medium, request = medium_of(request.image), for_medium(request, request.image)
    first = out or Path(f"{request.image.stem}-{slug(request.target[0])}{medium.ending}")
    medium.check_savable(first)
    if sheet:
        check_savable(sheet)
    model = engaged(request.model, run, lambda model: medium.check(request, model))
    if sheet:
        compared = watched(comparing.compare(request, model), run)
        edited = compared.edited
        (sheet,) = free_paths(sheet, 1)
        page = make_sheet(compared.rows, medium.layout.cell, "regrow edit")
        save(sheet, page, {"regrow": "sheet", "of": edited.recipes[0]})
    else:
        edited = watched(editing.edit(request, model), run)
    paths, notes = write_results(edited, first, medium)
    masks = _save_masks(edited, paths) if request.mask == "auto" else {}
    figures = edited.recipes[0]["figures"]
    counted = figures["evaluations"]
    say(
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
        f"{counted['regrowth']} for the regrowth, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def explore(
    request: Edit, run: "Run", out: Path | None, strengths: Sequence[float], guidances: Sequence[float]
) -> None:
    medium, request = medium_of(request.image), for_medium(request, request.image)
    first = out or Path(f"{request.image.stem}-explored.png")
    check_savable(first)
    model = engaged(request.model, run, lambda model: medium.check(request, model))
    explored = watched(exploring.explore(request, model, strengths, guidances), run)
    (path,) = free_paths(first, 1)
    cell = 3 * medium.layout.cell // 4
    save(path, make_sheet(explored.rows, cell, f"regrow edit --explore: {request.image.name}"))
    commands = [command_of(cell.request) for cell in explored.cells]
    say(
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
        f"wrote {path}: {len(commands)} cells from one inversion, {explored.evaluations} evaluations, "
        f"{explored.seconds} s",
        f"pick a cell by its strength and guidance, for example: {commands[len(commands) // 2]}",
    )


def command_of(request: Edit) -> str:
    """The command that runs a request: what it asks for, and every setting that is not the default."""
    words = ["regrow", "edit", str(request.image), "--target", *request.target]
    for field in fields(Edit):
        value = getattr(request, field.name)
        if field.name in ("image", "target") or (value == field.default and field.name != "guidance"):
            continue
        option = f"--{field.name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{field.name.replace('_', '-')}")
        else:
            words += [option, *(map(str, value) if isinstance(value, tuple) else [f"{value}"])]
    return shlex.join(words)


def _save_masks(edited: Result, paths: Sequence[Path]) -> dict[Path, str]:
    """The found masks beside the results that they belong to, and what each says."""
    assert edited.region is not None
    saved = {}
    for i, path in enumerate(paths):
        (beside,) = free_paths(path.with_name(f"{path.stem}-mask.png"), 1)
        mask = edited.region.picture(i)
        assert mask is not None
        save(beside, mask)
        saved[beside] = f"what may change, {100 * edited.recipes[i]['mask']['share']:.0f} % of the picture"
    return saved


def extend(request: Extend, run: "Run", out: Path | None) -> None:
    first = out or Path(f"{request.sound.stem}-extended{SOUND.ending}")
    SOUND.check_savable(first)
    longer = watched(extending.extend(request, engaged(request.model, run)), run)
    assert longer.rate
    paths, notes = write_results(longer, first, SOUND)
    figures = longer.recipes[0]["figures"]
    begin, end = (sample / longer.rate for sample in longer.known)
    say(
        run,
        {"files": paths, "known": [begin, end], "notes": notes, "recipes": longer.recipes},
        *notes,
        *(
            f"wrote {path}: {wave.shape[-1] / longer.rate:.2f} s, from {begin:.2f} to {end:.2f} s the file itself"
            for path, wave in zip(paths, longer.items, strict=True)
        ),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def interpolate(request: Interpolate, run: "Run", out: Path | None) -> None:
    of_words = interpolating.kind_of(request) is interpolating.WORDS
    request = for_medium(request, request.first, out)
    model = engaged(request.model, run)
    medium, ends = model.medium, (request.first, request.second)
    names = ends if of_words else (Path(end).stem for end in ends)
    first = out or Path(f"{slug(' to '.join(names))}{medium.ending}")
    medium.check_savable(first)
    made = watched(interpolating.interpolate(request, model), run)
    paths, notes = write_results(made, first, medium)
    (sheet,) = free_paths(first.with_name(f"{first.stem}-sheet.png"), 1)
    save(sheet, comparing.interpolate_sheet(request, made, model), {"regrow": "sheet", "of": made.recipes[0]})
    figures = made.recipes[0]["figures"]
    counted = figures["evaluations"]
    say(
        run,
        {"files": [*paths, sheet], "notes": notes, "recipes": made.recipes},
        *notes,
        *(
            f"wrote {path}: {100 * share:.0f} % of the way, "
            f"{medium.distance_text(recipe['figures']['to_first'])} to the first end"
            for path, share, recipe in zip(paths, made.shares, made.recipes, strict=True)
        ),
        f"wrote {sheet}",
        f"{counted['inversion']} evaluations for each inversion, {counted['regrowth']} for each step, "
        f"{figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def replay(file: Path, run: "Run", out: Path | None) -> None:
    recipe = replaying.recipe_in(file)
    request, medium = replaying.request_from(recipe), medium_of(file)
    first = out or Path(f"{file.stem}-replayed{medium.replayed_ending(file)}")
    medium.check_savable(first)
    model = engaged(request.model, _as_recorded(run, recipe) if run.engine == "auto" else run)
    replayed = watched(replaying.replay(recipe, request, model, run.engine), run)
    (path,) = free_paths(first, 1)
    medium.save(path, replayed.item, replayed.recipe, replayed.rate)
    other = "NOT the same: another machine, library, engine or thread count"
    same = "the same, bit for bit" if replayed.identical else other
    say(run, {"file": path, "identical": replayed.identical}, f"wrote {path}: {same}")


def _as_recorded(run: "Run", recipe: Recipe) -> "Run":
    """In torch as it was used then; any other engine is up to `replaying.replay`."""
    library, _, precision = str(recipe.get("engine", "")).partition(" ")
    known = library == "torch" and precision in ("bfloat16", "float16") and run.dtype == "auto"
    return replace(run, engine="torch", dtype=precision if known else run.dtype)
