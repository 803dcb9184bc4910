"""The list of models, kept on disk so that the page can show it before torch is imported."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from regrow import __version__
from regrow.interfaces.server.models.entry import Entry, entry_of
from regrow.interfaces.server.stored import Stored, parse, read, write
from regrow.media.files import MediaError
from regrow.media.home import home

LIST = Path(__file__).with_name("carried.json")
CARRIED = Path(__file__).parents[3] / "weights"


class _Known(Stored):
    """The last list: a stamp of the folders it was made from, and its entries, each with a stamp of its folder."""

    version: str
    stamp: str
    stamps: dict[str, str]
    entries: list[Entry]


class _Carried(Stored):
    """Entries of the built-in models, from `carried.json`, so that the first start need not open them."""

    entries: list[Entry]


class Catalogue:
    """The models on this machine; thread-safe.

    Args:
        changed: is called when the list has changed.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._file = home() / "page" / "models.json"
        self._lock = threading.Lock()
        self._known: _Known | None = None

    def entries(self) -> list[Entry]:
        """Return all models, by name; the list is made again if the folders of models changed."""
        with self._lock:
            known = self._known or read(self._file, _Known) or _carried()
            kept = known if known and known.version == __version__ and known.stamp == _stamp() else None
            first, self._known = self._known is None, kept or self._known
        if kept is None:
            return self.refresh()
        if first:  # the stamp does not cover files in added folders
            threading.Thread(target=self.refresh, name="regrow models", daemon=True).start()
        return kept.entries

    def refresh(self) -> list[Entry]:
        """Make the list again, such as after a model was added or removed; entries of unchanged folders are kept."""
        from regrow.models.open import list_models

        with self._lock:
            before = self._known or read(self._file, _Known)
            old = before if before and before.version == __version__ else None
            kept = {entry.name: entry for entry in old.entries} if old else {}
            stamp, stamps, entries = _stamp(), {}, []
            for listed in list_models():
                stamps[listed.name] = _stamp_of(listed.folder)
                fresh = old and old.stamps.get(listed.name) == stamps[listed.name] and listed.name in kept
                entries.append(kept[listed.name] if fresh else entry_of(listed))
            self._known = _Known(version=__version__, stamp=stamp, stamps=stamps, entries=entries)
            if self._known != before:
                with suppress(MediaError):  # a full disk: the list is made again next time
                    write(self._file, self._known)
        if before is None or before.entries != entries:
            self._changed()
        return entries


def write_carried() -> None:
    """Write `carried.json` again, after the built-in models have changed."""
    from regrow.models.open import EMBEDDED, list_models

    entries = [entry_of(listed) for listed in list_models() if listed.folder.parent == EMBEDDED]
    write(LIST, _Carried(entries=entries))


def _carried() -> _Known | None:
    """Return the list of a home without own models; None for other homes."""
    own = [path for path in (home() / "models").glob("*") if not path.name.startswith(".")]
    if own or (home() / "folders.json").exists():
        return None
    entries = parse(LIST.read_bytes(), _Carried).entries
    return _Known(version=__version__, stamp=_stamp(), stamps={}, entries=entries)


def _stamp() -> str:
    """Return a stamp that changes when a model is added or removed."""
    folders = [CARRIED, home() / "models"]
    inside = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return "\n".join(map(_stamp_of, [*folders, *inside, home() / "folders.json"]))


def _stamp_of(path: Path) -> str:
    try:
        found = path.stat()
        return f"{path} {found.st_mtime_ns} {found.st_size}"
    except OSError:
        return f"{path} -"
