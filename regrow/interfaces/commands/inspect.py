"""`regrow inspect`."""

from pathlib import Path

from tyro.conf import Positional

from regrow.interfaces.commands import Command
from regrow.interfaces.run import OpeningOptions


def inspect(
    file: Positional[Path],
    run: OpeningOptions,
    model: str = "",
    source: str = "",
    steps: int = 28,
    out: Path | None = None,
) -> None:
    """Show what a picture, a sound or a saved path says about itself, and look inside.

    Args:
        file: a picture, a sound, or a .safetensors file of `regrow invert`.
        model: also draw a page with what this model's codec loses and the path to noise and back; of a sound there is
            a page in any case. storybook where a source or the page's file is given.
        source: words that describe the picture, for that path.
        steps: of that path.
        out: the page's PNG file; named after the file if not given.
    """
    from regrow.editing.inspect import inspect as operation
    from regrow.interfaces.reporting import free_paths, lines, opened, say, watched
    from regrow.media.image.picture import check_savable, save
    from regrow.media.medium import medium_of
    from regrow.media.output import default_output

    first = out or default_output(f"{file.stem}-inspected", ".png")
    if out or model or source:
        check_savable(first)
    inspected = watched(operation(file, source, steps, opened(model, run) if model else None), run)
    if inspected.page is None and (out or source) and file.suffix != ".safetensors":  # what only a model can show
        embedded = opened(medium_of(file).embedded, run)
        inspected = watched(operation(file, source, steps, embedded), run)
    facts = inspected.facts
    if inspected.page is None:
        strange = "recipe" in facts and not facts["recipe"]
        say(run, facts, *lines(facts), *(["It has no recipe: regrow did not make it."] if strange else []))
        return
    check_savable(first)
    (path,) = free_paths(first, 1)
    save(path, inspected.page)
    say(run, facts | {"page": path}, *lines(facts), f"wrote {path}")


COMMAND = Command("inspect", 110, inspect)
