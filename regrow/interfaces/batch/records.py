"""Records of the jobs of a batch: `OUT/KEY.json`, written last, after the files of a result."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from regrow.media.files import write_whole
from regrow.messages.message import as_json, from_json
from regrow.requests.ranges import check_types

State = Literal["done", "failed", "set aside"]


@dataclass(frozen=True)
class Record:
    """The outcome of a job.

    Attributes:
        state: "failed" is tried again by the next command; "set aside" is not, as each attempt ended its process.
        verb: of the job.
        settings: that differ from the verb's defaults.
        files: names of the result's files, in the same folder.
        notes: sentences of the operation.
        reason: why there is no result; "" if there is one.
        seconds: duration.
        evaluations: of the network.
    """

    state: State
    verb: str
    settings: dict[str, Any]
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    evaluations: int = field(default=0)

    def write(self, out: Path, key: str) -> None:
        """Write the record to its file, whole or not at all.

        Raises:
            MediaError: the file cannot be written.
        """
        noted = asdict(self) | {"notes": [as_json(note) for note in self.notes], "reason": as_json(self.reason)}
        write_whole(out / f"{key}.json", json.dumps(noted, ensure_ascii=False, default=str, indent=1).encode())


def read_record(out: Path, key: str) -> Record | None:
    """Return the record of a job; None if there is no valid one, or a file of its result is missing."""
    path = out / f"{key}.json"
    if not path.is_file():  # opening a pipe would block
        return None
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        noted["notes"] = tuple(from_json(note) for note in noted["notes"])
        record = Record(**noted | {"files": tuple(noted["files"]), "reason": from_json(noted["reason"])})
        check_types(Record, {name: value for name, value in vars(record).items() if name != "settings"})
        there = isinstance(record.settings, dict) and all((out / name).is_file() for name in record.files)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return None
    return record if there and record.state in ("done", "failed", "set aside") else None


def forget_record(out: Path, key: str) -> None:
    """Delete the record of a job that is tried again."""
    (out / f"{key}.json").unlink(missing_ok=True)
