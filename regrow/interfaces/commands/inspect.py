"""`regrow inspect`."""

from pathlib import Path

from tyro.conf import Positional

from regrow.interfaces.commands import Command
from regrow.interfaces.run import OpeningOptions
from regrow.messages.message import say


def inspect(
    file: Positional[Path],
    run: OpeningOptions,
    model: str = "",
    source: str = "",
    steps: int = 28,
    out: Path | None = None,
) -> None:
    """Show the recipe, format and inversion of a picture, a sound or a saved path.

    Args:
        file: a picture, a sound, or a .safetensors file of `regrow invert`.
        model: also draw what this model's codec loses, and the path to noise. A sound is always drawn. storybook where
            a source or a file to write is given.
        source: what the picture shows, for that path.
        steps: number of steps of that path.
        out: the PNG file to write; if not given, named after the file.
    """
    from regrow.editing.inspect import inspect as operation
    from regrow.interfaces.reporting import free_paths, lines, opened, report, watched
    from regrow.media.image.picture import check_savable, save
    from regrow.media.medium import medium_of
    from regrow.media.output import default_output

    first = out or default_output(f"{file.stem}-inspected", ".png")
    if out or model or source:
        check_savable(first)
    inspected = watched(operation(file, source, steps, opened(model, run) if model else None), run)
    if inspected.page is None and (out or source) and file.suffix != ".safetensors":  # these need a model
        embedded = opened(medium_of(file).embedded, run)
        inspected = watched(operation(file, source, steps, embedded), run)
    facts = inspected.facts
    if inspected.page is None:
        strange = "recipe" in facts and not facts["recipe"]
        report(run, facts, *lines(facts), *([say("it_has_no_recipe")] if strange else []))
        return
    check_savable(first)
    (path,) = free_paths(first, 1)
    save(path, inspected.page)
    report(run, facts | {"page": path}, *lines(facts), say("wrote", path=path))


COMMAND = Command("inspect", 110, inspect)
