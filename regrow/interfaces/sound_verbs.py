"""What the command line's verbs do with sounds."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from regrow.editing import extend as extending
from regrow.editing.edit_sounds import edit_sounds
from regrow.editing.generate_sounds import generate_sounds
from regrow.editing.inspect_sounds import inspect_sound
from regrow.editing.sound_sheet import edit_sheet
from regrow.interfaces.reporting import checked, engaged, free_paths, lines, opened, replay_of, say, slug, watched
from regrow.media.audio.sound import check_savable, is_sound, save
from regrow.media.image.picture import save as save_picture
from regrow.models.model import Model
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert

if TYPE_CHECKING:
    from regrow.interfaces.run import Opening, Run

__all__ = ["check_savable", "edit", "extend", "for_sounds", "generate", "inspect", "is_sound", "save"]
Request = TypeVar("Request", Generate, Edit, Invert, Interpolate)


def for_sounds(request: Request) -> Request:
    """The request with the embedded sound model where the embedded picture model is named, which hears nothing."""
    return replace(request, model="bandstand") if request.model == "storybook" else request


def generate(request: Generate, run: "Run", out: Path | None, model: Model) -> None:
    first = out or Path(f"{slug(request.prompt)}.wav")
    check_savable(first)
    made = watched(generate_sounds(request, model), run)
    paths = free_paths(first, len(made.waves))
    notes = list(made.notes)
    for path, wave, recipe in zip(paths, made.waves, made.recipes, strict=True):
        notes += save(path, wave, made.rate, recipe)
    figures = made.recipes[0]["figures"]
    say(
        run,
        {"files": paths, "notes": notes, "recipes": made.recipes},
        *notes,
        *(f"wrote {path} (seed {request.seed + i})" for i, path in enumerate(paths)),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def edit(request: Edit, run: "Run", out: Path | None, sheet: Path | None, model: Model) -> None:
    first = out or Path(f"{request.image.stem}-{slug(request.target[0])}.wav")
    check_savable(first)
    if sheet:
        checked(sheet)
    edited = watched(edit_sounds(request, model), run)
    paths = free_paths(first, len(edited.waves))
    notes = list(edited.notes)
    for path, wave, recipe in zip(paths, edited.waves, edited.recipes, strict=True):
        notes += save(path, wave, edited.rate, recipe)
    if sheet:
        (sheet,) = free_paths(sheet, 1)
        save_picture(sheet, edit_sheet(request, edited, model), {"regrow": "sheet", "of": edited.recipes[0]})
    figures = edited.recipes[0]["figures"]
    counted = figures["evaluations"]
    say(
        run,
        {"files": [*paths, *([sheet] if sheet else [])], "notes": notes, "recipes": edited.recipes},
        *notes,
        *(
            f"wrote {path}: {recipe['figures']['to_source']['mel']} dB of mel from the source"
            for path, recipe in zip(paths, edited.recipes, strict=True)
        ),
        *([f"wrote {sheet}"] if sheet else []),
        f"{counted['inversion']} evaluations for the inversion{' (kept from before)' if edited.reused else ''}, "
        f"{counted['regrowth']} for the regrowth, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def extend(request: Extend, run: "Run", out: Path | None) -> None:
    first = out or Path(f"{request.sound.stem}-extended.wav")
    check_savable(first)
    longer = watched(extending.extend(request, engaged(request.model, run)), run)
    paths = free_paths(first, len(longer.waves))
    notes = list(longer.notes)
    for path, wave, recipe in zip(paths, longer.waves, longer.recipes, strict=True):
        notes += save(path, wave, longer.rate, recipe)
    figures = longer.recipes[0]["figures"]
    begin, end = (sample / longer.rate for sample in longer.known)
    say(
        run,
        {"files": paths, "known": [begin, end], "notes": notes, "recipes": longer.recipes},
        *notes,
        *(
            f"wrote {path}: {wave.shape[-1] / longer.rate:.2f} s, from {begin:.2f} to {end:.2f} s the file itself"
            for path, wave in zip(paths, longer.waves, strict=True)
        ),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def inspect(file: Path, run: "Opening", model: str, out: Path | None) -> None:
    first = checked(out or Path(f"{file.stem}-inspected.png"))
    inspected = inspect_sound(file, opened(model, run) if model else None)
    (path,) = free_paths(first, 1)
    assert inspected.page is not None
    save_picture(path, inspected.page)
    say(run, inspected.facts | {"page": path}, *lines(inspected.facts), f"wrote {path}")
