"""The files of a folder and of all folders in it."""

import os
from pathlib import Path

from regrow.media.captions.tables import Skipped
from regrow.media.files import MediaError, reason
from regrow.messages.message import say


def files_below(folder: Path) -> tuple[dict[str, Path], list[Skipped]]:
    """Return the files that are not hidden by their paths from the folder, sorted, and what cannot be opened.

    Links are followed, but to each real folder once: loops end there.

    Raises:
        MediaError: there is no such folder, or it may not be read.
    """
    try:
        os.scandir(folder).close()
    except FileNotFoundError as problem:
        raise MediaError(say("no_such_folder", folder=folder)) from problem
    except NotADirectoryError as problem:
        raise MediaError(say("folder_is_file", folder=folder)) from problem
    except OSError as problem:
        raise MediaError(say("folder_not_openable", folder=folder, reason=reason(problem))) from problem
    files: dict[str, Path] = {}
    skipped: list[Skipped] = []

    def name_of(path: str) -> str:
        # Names may have bytes that are no UTF-8; sentences may not.
        return os.fsencode(Path(path).relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")

    def refuse(problem: OSError) -> None:
        name = name_of(problem.filename)
        skipped.append(Skipped(name, say("subfolder_not_openable", name=name, reason=reason(problem))))

    visited: set[str] = set()
    starts = [str(folder)]
    for start in starts:  # grows by the links: a folder goes by its own name rather than by a link's
        for root, folders, names in os.walk(start, onerror=refuse):
            if (real := os.path.realpath(root)) in visited:
                folders.clear()
                continue
            visited.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            starts += [path for name in folders if os.path.islink(path := os.path.join(root, name))]
            for path in (os.path.join(root, name) for name in names if not name.startswith(".")):
                if os.path.isfile(path):
                    files[name_of(path)] = Path(path)
                else:  # to open a pipe would wait for ever
                    skipped.append(Skipped(name_of(path), say("no_file_behind_name", name=name_of(path))))
    return dict(sorted(files.items())), skipped
