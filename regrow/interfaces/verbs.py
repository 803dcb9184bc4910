"""What the command line's verbs do: open the model, run the operation, write the files, say so."""

import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.editing import compare as comparing
from regrow.editing import edit as editing
from regrow.editing import explore as exploring
from regrow.editing import generate as generating
from regrow.editing import inspect as inspecting
from regrow.editing import invert as inverting
from regrow.editing import replay as replaying
from regrow.editing.edit import Edited
from regrow.editing.edit_sounds import check_sounds
from regrow.editing.recipe import Recipe
from regrow.editing.trajectories import save_trajectory
from regrow.interfaces import sound_verbs as sounds
from regrow.interfaces.reporting import (
    checked,
    distance_text,
    engaged,
    free_paths,
    lines,
    opened,
    replay_of,
    say,
    set_threads,
    slug,
    watched,
)
from regrow.media.files import check_folder
from regrow.media.image.picture import check_savable, save
from regrow.media.image.sheet import sheet as make_sheet
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.requests.invert import Invert

if TYPE_CHECKING:
    from regrow.interfaces.run import Opening, Run


def generate(request: Generate, run: "Run", out: Path | None) -> None:
    if sounds.is_sound(out) or request.melody:
        request = sounds.for_sounds(request)
    model = engaged(request.model, run)
    if model.medium == "sound":
        sounds.generate(request, run, out, model)
        return
    first = checked(out or Path(f"{slug(request.prompt)}.png"))
    made = watched(generating.generate(request, model), run)
    paths = free_paths(first, len(made.pictures))
    for path, picture, recipe in zip(paths, made.pictures, made.recipes, strict=True):
        save(path, picture, recipe)
    figures = made.recipes[0]["figures"]
    say(
        run,
        {"files": paths, "notes": made.notes, "recipes": made.recipes},
        *made.notes,
        *(f"wrote {path} (seed {request.seed + i})" for i, path in enumerate(paths)),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def edit(request: Edit, run: "Run", out: Path | None, sheet: Path | None) -> None:
    if sounds.is_sound(request.image):
        request = sounds.for_sounds(request)
        model = engaged(request.model, run, lambda model: check_sounds(request, model))
        sounds.edit(request, run, out, sheet, model)
        return
    first = checked(out or Path(f"{request.image.stem}-{slug(request.target[0])}.png"))
    if sheet:
        check_savable(sheet)
    model = engaged(request.model, run, inverting.pictures_of)
    if sheet:
        compared = watched(comparing.compare(request, model), run)
        edited = compared.edited
        (sheet,) = free_paths(sheet, 1)
        save(sheet, make_sheet([compared.row], title="regrow edit"), {"regrow": "sheet", "of": edited.recipes[0]})
    else:
        edited = watched(editing.edit(request, model), run)
    paths = free_paths(first, len(edited.pictures))
    for path, picture, recipe in zip(paths, edited.pictures, edited.recipes, strict=True):
        save(path, picture, recipe)
    masks = _save_masks(edited, paths) if request.mask == "auto" else {}
    figures = edited.recipes[0]["figures"]
    counted = figures["evaluations"]
    say(
        run,
        {
            "files": [*paths, *([sheet] if sheet else [])],
            "masks": list(masks),
            "notes": edited.notes,
            "recipes": edited.recipes,
        },
        *edited.notes,
        *(
            f"wrote {path}: {distance_text(recipe['figures']['to_source'])} to the source"
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
    if sounds.is_sound(request.image):
        raise ValueError("--explore lays out pictures; for sounds give one --strength at a time.")
    first = checked(out or Path(f"{request.image.stem}-explored.png"))
    explored = watched(
        exploring.explore(request, engaged(request.model, run, inverting.pictures_of), strengths, guidances), run
    )
    (path,) = free_paths(first, 1)
    save(path, make_sheet(explored.rows, cell=192, title=f"regrow edit --explore: {request.image.name}"))
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


def _save_masks(edited: Edited, paths: Sequence[Path]) -> dict[Path, str]:
    """The found masks beside the results that they belong to, and what each says."""
    assert edited.region is not None
    saved = {}
    for i, path in enumerate(paths):
        (beside,) = free_paths(path.with_name(f"{path.stem}-mask.png"), 1)
        save(beside, edited.region.picture(i))
        saved[beside] = f"what may change, {100 * edited.recipes[i]['mask']['share']:.0f} % of the picture"
    return saved


def invert(request: Invert, run: "Run", out: Path | None) -> None:
    if out and out.suffix != ".safetensors":
        raise ValueError(f"A path is saved as .safetensors, so --out cannot be {out.name}.")
    first = out or Path(f"{request.image.stem}.safetensors")
    check_folder(first)
    model = engaged(request.model, run, inverting.pictures_of)
    inverted = watched(inverting.invert(request, model), run)
    (path,) = free_paths(first, 1)
    save_trajectory(path, inverted.trajectory, inverted.made_of)
    stuck = [c for c in inverted.trajectory.convergence if not c.converged]
    accuracy = inverted.latent_accuracy
    say(
        run,
        {
            "file": path,
            "notes": inverted.notes,
            "evaluations": inverted.evaluations,
            "seconds": inverted.seconds,
            "round_trip": inverted.round_trip,
            "latent_accuracy": accuracy,
            "convergence": [
                {"iterations": c.iterations, "residual": c.residual, "converged": c.converged}
                for c in inverted.trajectory.convergence
            ],
        },
        *inverted.notes,
        f"wrote {path}",
        f"{inverted.evaluations} evaluations, {inverted.seconds} s",
        f"round trip: RMS {inverted.round_trip:.2e} in the latent (0 = the way back ends where it began)",
        *(
            [f"latent accuracy: {accuracy:.2e} of the noise is off, against {request.reference} steps"]
            if accuracy is not None
            else []
        ),
        *([f"{len(stuck)} steps did not converge, the worst to {max(c.residual for c in stuck):.1e}"] if stuck else []),
    )


def replay(file: Path, run: "Run", out: Path | None) -> None:
    recipe = replaying.recipe_in(file)
    request = replaying.request_from(recipe)
    first = out or Path(f"{file.stem}-replayed{file.suffix if sounds.is_sound(file) else '.png'}")
    (sounds.check_savable if sounds.is_sound(file) else check_savable)(first)
    model = engaged(request.model, _as_recorded(run, recipe) if run.engine == "auto" else run)
    replayed = watched(replaying.replay(recipe, request, model, run.engine), run)
    (path,) = free_paths(first, 1)
    if replayed.rate:
        sounds.save(path, replayed.result, replayed.rate, replayed.recipe)
    else:
        save(path, replayed.result, replayed.recipe)
    other = "NOT the same: another machine, library, engine or thread count"
    same = "the same, bit for bit" if replayed.identical else other
    say(run, {"file": path, "identical": replayed.identical}, f"wrote {path}: {same}")


def _as_recorded(run: "Run", recipe: Recipe) -> "Run":
    """In torch as it was used then; any other engine is up to `replaying.replay`."""
    library, _, precision = str(recipe.get("engine", "")).partition(" ")
    known = library == "torch" and precision in ("bfloat16", "float16") and run.dtype == "auto"
    return replace(run, engine="torch", dtype=precision if known else run.dtype)


def verify(name: str, run: "Opening") -> None:
    from regrow.verification import formulas, model, report

    set_threads(run)
    checks: Iterable[Any] = model.verify_model(opened(name, run)) if name else formulas.verify()
    if not report.run(checks, run.json, sys.stdout):
        sys.exit(1)


def inspect(file: Path, run: "Opening", model: str, source: str, steps: int, out: Path | None) -> None:
    if sounds.is_sound(file):
        sounds.inspect(file, run, model, out)
        return
    if (out or source) and file.suffix != ".safetensors":  # what only a page can show
        model = model or "storybook"
    if not model:
        facts = inspecting.facts_of(file)
        strange = facts.get("kind") == "picture" and not facts["recipe"]
        say(run, facts, *lines(facts), *(["It has no recipe: regrow did not make it."] if strange else []))
        return
    first = checked(out or Path(f"{file.stem}-inspected.png"))
    inspected = watched(inspecting.inspect_picture(file, source, steps, opened(model, run)), run)
    (path,) = free_paths(first, 1)
    assert inspected.page is not None
    save(path, inspected.page)
    say(run, inspected.facts | {"page": path}, *lines(inspected.facts), f"wrote {path}")
