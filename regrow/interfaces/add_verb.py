"""What `regrow models add` does and prints."""

from pathlib import Path

from regrow.interfaces.reporting import print_facts
from regrow.models.open import add_single_file
from regrow.models.single_files.folders import SingleFile, add_folder
from regrow.models.single_files.view import read_notes


def add(path: Path, name: str, base: str, as_json: bool, allow_pickle: bool) -> None:
    """Add a folder of weight files, or one file under a name, and print what can be used of it.

    Raises:
        ModelError: there is nothing in it that can be used, or the file lacks parts that are not found.
        ValueError: a name or a base for a folder.
    """
    path = path.expanduser()
    if path.is_file():
        folder = add_single_file(path, name or path.stem, base, allow_pickle)
        facts = {"added": folder.name, "folder": str(folder), "file": str(path.resolve()), "notes": read_notes(folder)}
        print_facts(as_json, facts, f"added {folder.name}: --model {folder.name}", *read_notes(folder))
        return
    if name or base:
        raise ValueError("--name and --base are for one file; a folder's checkpoints are called as their files are.")
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
            lines.append(f"{file.path} has the name of one before it: it is opened by its path alone.")
    done = f"added {path}: its checkpoints are opened in place, by --model and their name"
    named = "; its LoRA files and embeddings by --lora and --embedding and theirs" if more else ""
    print_facts(as_json, facts, *lines, f"{done}{named}")


def _facts(file: SingleFile) -> dict[str, str]:
    return {
        "name": file.path.stem,
        "file": str(file.path),
        "kind": file.kind.layout or file.kind.role or file.kind.title,
    }
