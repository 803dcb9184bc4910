"""Where the page keeps what is its own, and which files it may touch.

$REGROW_HOME/page/
  made/JOB/           what a job made: pictures with their recipes, `job.json`, `beside/` for what is only shown
  pictures/HASH.png   pictures that were dropped on the page, as they came; recipes name them
  sounds/HASH.wav     sounds likewise
  sets/NAME/          pictures that were uploaded to train on
  uploads/            gradio's own copies, deleted after a day
"""

import hashlib
from pathlib import Path
from urllib.parse import quote

from regrow.media.audio import sound as audio
from regrow.media.captions.listing import SOUNDS
from regrow.media.files import MediaError, write_whole
from regrow.media.home import home
from regrow.media.image.picture import load
from regrow.media.medium import medium_of
from regrow.models.open import list_models
from regrow.models.registry import split_name

KEPT = ("pictures", "sounds")
"""The folders of what was dropped."""
MOST_BYTES = 30_000_000
MOST_PIXELS = 24_000_000
MOST_SECONDS = 120
EXAMPLE = Path(__file__).parents[3] / "examples" / "cat.png"
PIANO = EXAMPLE.with_name("piano.flac")


def address(file: Path | str) -> str:
    """Where the page's own script finds a file, if it is one that gradio may show."""
    return f"gradio_api/file={quote(str(file))}"


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
    data = _bounded(file)
    load(file.name, MOST_PIXELS, data)
    return _kept("pictures", data, _suffix(data))


def keep_sound(file: str | Path) -> Path:
    """Keep a dropped sound likewise.

    Raises:
        MediaError: it is too large or too long, or no sound that regrow reads.
    """
    file = Path(file)
    data = _bounded(file)
    audio.load(file.name, data, MOST_SECONDS)
    # the name's own ending, by which files are told to be sounds
    return _kept("sounds", data, file.suffix.lower() if file.suffix.lower() in SOUNDS.suffixes else SOUNDS.ending)


def keep(file: str | Path) -> Path:
    """Keep a dropped picture or sound.

    Raises:
        MediaError: as of `keep_picture` and `keep_sound`.
    """
    return {"picture": keep_picture, "sound": keep_sound}[medium_of(file).name](file)


def _bounded(file: Path) -> bytes:
    """A file's bytes, at least one."""
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise MediaError(
            f"{file.name} has {size / 1e6:.0f} MB, more than the {MOST_BYTES / 1e6:.0f} MB the page takes: save it "
            "smaller first."
        )
    if not size:
        raise MediaError(f"{file.name} is empty (0 bytes): copy or download it again.")
    return file.read_bytes()


def _kept(folder: str, data: bytes, suffix: str) -> Path:
    """Where these bytes are for good, under a name made of them."""
    kept = page() / folder / (hashlib.blake2b(data, digest_size=16).hexdigest() + suffix)
    if not kept.is_file() or kept.read_bytes() != data:
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


def known_model(name: str) -> str:
    """The name of a model, if it is one that the page lists: a name could as well be a path or a download.

    Raises:
        MediaError: it is not.
    """
    names = [listed.name for listed in list_models()]
    if split_name(name)[1] not in names:
        raise MediaError(f"There is no model {name!r} here (there are: {', '.join(names)}); add it on the Models tab.")
    return name
