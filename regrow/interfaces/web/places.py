"""Where the page keeps what is its own, and which files it may touch.

$REGROW_HOME/page/
  made/JOB/           what a job made: pictures with their recipes, `job.json`, `beside/` for what is only shown
  pictures/HASH.png   pictures that were dropped on the page, as they came; recipes name them
  sets/NAME/          pictures that were uploaded to train on
  uploads/            gradio's own copies, deleted after a day
"""

import hashlib
from pathlib import Path

from regrow.families.registry import list_models
from regrow.media.files import MediaError, write_whole
from regrow.media.home import home
from regrow.media.image import load
from regrow.operations.recipe import file_hash

MOST_BYTES = 30_000_000
MOST_PIXELS = 24_000_000
EXAMPLE = Path(__file__).parents[3] / "examples" / "cat.png"


def page() -> Path:
    """The page's folder."""
    return home() / "page"


def made() -> Path:
    """The folder of everything that was made."""
    return page() / "made"


def keep_picture(file: str | Path) -> Path:
    """Keep a dropped picture for good, so that its edits can be made again; the same picture is kept once.

    Raises:
        MediaError: it is too large, or no picture that regrow reads.
    """
    file = Path(file)
    if file.stat().st_size > MOST_BYTES:
        raise MediaError(
            f"{file.name} has {file.stat().st_size / 1e6:.0f} MB, more than the {MOST_BYTES / 1e6:.0f} MB the page "
            "takes: save it smaller first."
        )
    data = file.read_bytes()
    try:
        load(file.name, MOST_PIXELS, data or None)
    except MediaError as problem:
        # without the bytes `load` would look for a file of that name here
        said = str(problem) if data else f"{file.name} is empty (0 bytes): copy or download it again."
        raise MediaError(said) from problem
    kept = page() / "pictures" / (hashlib.blake2b(data, digest_size=16).hexdigest() + _suffix(data))
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, data)
    return kept


def _suffix(data: bytes) -> str:
    """By the first bytes, for the uploaded name may be anything."""
    if data.startswith(b"\x89PNG"):
        return ".png"
    if data.startswith(b"\xff\xd8"):
        return ".jpg"
    return ".webp" if data[:4] == b"RIFF" else ".img"


def own_input(recipe: dict) -> Path | None:
    """The input that a recipe names, if it is one of the page's own files and unchanged: a recipe comes from anyone."""
    there = recipe.get("input")
    if not isinstance(there, dict) or not isinstance(there.get("file"), str):
        return None
    file = Path(there["file"]).resolve()
    if not any(file.is_relative_to(root.resolve()) for root in (page() / "pictures", made())) or not file.is_file():
        return None
    return file if file_hash(file) == there.get("hash") else None


def known_model(name: str) -> str:
    """The name of a model, if it is one that the page lists: a name could as well be a path or a download.

    Raises:
        MediaError: it is not.
    """
    names = [listed.name for listed in list_models()]
    if name not in names:
        raise MediaError(f"There is no model {name!r} here (there are: {', '.join(names)}); add it on the Models tab.")
    return name
