"""Results as the API shows them."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

from pydantic import BaseModel

from regrow.interfaces.server.history.record import Mark, Marks, read_marks
from regrow.interfaces.server.places import find, made
from regrow.media.captions.listing import PICTURES, SOUNDS

READS = ("image", "sound", "melody", "first")
"""Settings that name a result's source file; the first one that is given counts."""


class Made(Protocol):
    """The attributes used here of a running job or of a job's record."""

    id: str
    verb: str
    settings: dict[str, Any]
    files: list[str]
    facts: dict[str, Any]


class Item(BaseModel):
    """A result.

    Attributes:
        id: "JOB/NAME".
        job: id of the job that made it.
        name: of its file.
        verb: of the job.
        medium: "picture" or "sound".
        words: the target prompt, prompt or lyrics.
        source: the source prompt.
        model: that made it.
        method: of an edit.
        seed: None if there was none.
        made: time of the request, ISO 8601.
        url: of the file.
        thumbnail: address of its thumbnail.
        starred: whether it has a star.
        boards: that it is on.
        guess: whether words of its prompts were replaced or left out.
        width: of a picture, in pixels.
        height: of a picture, in pixels.
        seconds: duration of a sound.
        input: id of its source file.
    """

    id: str
    job: str
    name: str
    verb: str
    medium: Literal["picture", "sound"]
    words: str
    source: str
    model: str
    method: str
    seed: int | None
    made: str
    url: str
    thumbnail: str
    starred: bool = False
    boards: list[str] = []
    guess: bool = False
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    input: str | None = None


def items_of(record: Made, marks: Marks | None = None) -> list[Item]:
    """Return the existing results of a job that are not in the trash, in order.

    Args:
        record: of the job.
        marks: of its results; None reads them from disk.
    """
    return [item for item, mark in marked_items(record, marks) if mark.deleted is None]


def marked_items(record: Made, marks: Marks | None = None) -> list[tuple[Item, Mark]]:
    """Return the existing results of a job with their marks, including those in the trash."""
    marks = read_marks(record.id) if marks is None else marks
    found = []
    for index, name in enumerate(dict.fromkeys(record.files)):
        mark = marks.results.get(name, Mark())
        if (made() / record.id / name).is_file():
            found.append((_item(record, index, name, mark), mark))
    return found


def _item(record: Made, index: int, name: str, mark: Mark) -> Item:
    settings, path = record.settings, made() / record.id / name
    url = f"/api/results/{record.id}/{quote(name)}"
    sound = path.suffix.lower() in SOUNDS.suffixes
    seed = settings.get("seed")
    known = {
        "id": f"{record.id}/{name}",
        "job": record.id,
        "name": name,
        "verb": record.verb,
        "medium": SOUNDS.noun if sound else PICTURES.noun,
        "words": words_of(settings, name, index),
        "source": _text(settings.get("source")),
        "model": _text(settings.get("model")),
        "method": _text(settings.get("method")),
        "seed": seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
        "made": made_at(record.id),
        "url": url,
        "thumbnail": f"{url}/thumbnail",
        "starred": mark.starred,
        "boards": mark.boards,
        "guess": bool(record.facts.get("guess")),
        "input": next((value for read in READS if find(value := _text(settings.get(read)))), None),
    }
    extent = _length(path) if sound else _size(path)
    return Item(**{**known, **_own(record.facts, name), **extent})


def _own(facts: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the fields of `Item` that differ from the job's settings for one of its results, from `facts["items"]`."""
    each = facts.get("items")
    own = each.get(name) if isinstance(each, dict) else None
    kinds = {"words": str, "source": str, "model": str, "method": str, "seed": int, "guess": bool}
    own = own if isinstance(own, dict) else {}
    return {key: own[key] for key, kind in kinds.items() if isinstance(own.get(key), kind)}


def words_of(settings: dict[str, Any], name: str, index: int) -> str:
    """Return the words of a result: its target prompt, the prompt, lyrics, or the name of its file."""
    number = re.search(r"-(\d+)$", Path(name).stem)
    place = int(number[1]) - 1 if number and len(number[1]) < 6 else index
    target = settings.get("target")
    if isinstance(target, list) and target:
        return _text(target[place] if 0 <= place < len(target) else target[0])
    if isinstance(target, str) and target:
        return target
    for field in ("prompt", "lyrics", "to_lyrics"):
        if words := _text(settings.get(field)):
            return words
    ends = settings.get("words")
    if isinstance(ends, list) and any(ends):
        return " → ".join(map(_text, ends))
    return Path(name).stem.rpartition("-")[0].replace("-", " ") or Path(name).stem


def made_at(job: str) -> str:
    """Return the time of a job's request from its id, in ISO 8601; "" if the id holds no valid time."""
    try:
        return datetime.strptime(job[:15], "%Y%m%d-%H%M%S").astimezone().isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _size(path: Path) -> dict[str, Any]:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return {"width": picture.width, "height": picture.height}
    except Exception:  # a damaged file may raise any error; it is listed without a size
        return {}


def _length(path: Path) -> dict[str, Any]:
    import soundfile

    try:
        return {"seconds": round(soundfile.info(path).duration, 3)}
    except Exception:
        return {}
