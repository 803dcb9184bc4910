"""What `regrow interpolate` does: one file a step, and all of them on a sheet."""

from pathlib import Path
from typing import TYPE_CHECKING

from regrow.editing.interpolate import interpolate as interpolating
from regrow.editing.interpolate import kind_of
from regrow.editing.interpolate_sheet import interpolate_sheet
from regrow.interfaces.reporting import distance_text, engaged, free_paths, replay_of, say, slug, watched
from regrow.interfaces.sound_verbs import check_savable as check_sound
from regrow.interfaces.sound_verbs import for_sounds, is_sound
from regrow.interfaces.sound_verbs import save as save_sound
from regrow.media.image.picture import check_savable, save
from regrow.requests.interpolate import Interpolate

if TYPE_CHECKING:
    from regrow.interfaces.run import Run


def interpolate(request: Interpolate, run: "Run", out: Path | None) -> None:
    kind = kind_of(request)
    if kind == "sound" or is_sound(out):
        request = for_sounds(request)
    model = engaged(request.model, run)
    sounds = model.medium == "sound"
    ends = (
        (request.first, request.second)
        if kind == "words"
        else (Path(end).stem for end in (request.first, request.second))
    )
    first = out or Path(f"{slug(' to '.join(ends))}{'.wav' if sounds else '.png'}")
    (check_sound if sounds else check_savable)(first)
    made = watched(interpolating(request, model), run)
    paths = free_paths(first, len(made.results))
    (sheet,) = free_paths(first.with_name(f"{first.stem}-sheet.png"), 1)
    notes = list(made.notes)
    for path, result, recipe in zip(paths, made.results, made.recipes, strict=True):
        if made.rate:
            notes += save_sound(path, result, made.rate, recipe)
        else:
            save(path, result, recipe)
    save(sheet, interpolate_sheet(request, made), {"regrow": "sheet", "of": made.recipes[0]})
    figures = made.recipes[0]["figures"]
    counted = figures["evaluations"]
    say(
        run,
        {"files": [*paths, sheet], "notes": notes, "recipes": made.recipes},
        *notes,
        *(
            f"wrote {path}: {100 * share:.0f} % of the way, {distance_words(recipe, 'to_first')} to the first end"
            for path, share, recipe in zip(paths, made.shares, made.recipes, strict=True)
        ),
        f"wrote {sheet}",
        f"{counted['inversion']} evaluations for each inversion, {counted['regrowth']} for each step, "
        f"{figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


def distance_words(recipe: dict, end: str) -> str:
    """The distance to an end in words."""
    found = recipe["figures"][end]
    return f"{found['mel']} dB of mel" if "mel" in found else distance_text(found)
