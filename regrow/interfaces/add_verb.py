"""Run `regrow models add` and print its result."""

from pathlib import Path
from typing import Any

from regrow.interfaces.reporting import print_facts
from regrow.messages.message import say
from regrow.models.open import add_single_file
from regrow.models.single_files.folders import SingleFile, add_folder
from regrow.models.single_files.view import read_notes


def add(path: Path, name: str, base: str, as_json: bool, allow_pickle: bool) -> None:
    """Add a folder of weight files, or one file under a name, and print the models and parts that were found.

    Raises:
        ModelError, ValueError: as for `added`.
    """
    facts, sentences = added(path.expanduser(), name, base, allow_pickle)
    print_facts(as_json, facts, *sentences)


def added(path: Path, name: str, base: str, allow_pickle: bool) -> tuple[dict[str, Any], list[str]]:
    """Add a folder or a file; return the models and parts that were found, as facts and as sentences.

    Raises:
        ModelError: nothing in it can be used, or the file lacks parts that are found nowhere else.
        ValueError: a name or a base is given for a folder.
    """
    if path.is_file():
        folder = add_single_file(path, name or path.stem, base, allow_pickle)
        facts = {"added": folder.name, "folder": str(folder), "file": str(path.resolve()), "notes": read_notes(folder)}
        return facts, [say("file_added", name=folder.name), *read_notes(folder)]
    if name or base:
        raise ValueError(say("name_only_for_file"))
    files = add_folder(path)
    checkpoints = [file for file in files if file.kind.layout]
    parts = [file for file in files if file.kind.role]
    more = [file for file in files if file.is_addition]
    kinds = {"models": checkpoints, "parts": parts, "additions": more}
    facts = {"added": str(path)} | {name: [_facts(file) for file in some] for name, some in kinds.items()}
    lines = [f"{file.path.stem}  {file.kind.layout}  {file.path}" for file in checkpoints]
    lines += [f"({file.kind.title})  {file.path}" for file in [*parts, *more]]
    for file in checkpoints:
        if next(other for other in checkpoints if other.path.stem == file.path.stem) is not file:
            lines.append(say("name_of_one_before", path=file.path))
    named = say("additions_added") if more else ""
    return facts, [*lines, say("folder_added", path=path, named=named)]


def _facts(file: SingleFile) -> dict[str, str]:
    return {
        "name": file.path.stem,
        "file": str(file.path),
        "kind": file.kind.layout or file.kind.role or file.kind.title,
    }
