"""Tables that name pictures and say their captions: metadata.jsonl, .csv, .tsv, .json or .parquet, and captions.*."""

import codecs
import csv
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.media.captions import parquet
from regrow.media.captions.columns import caption_column, file_column, one_line
from regrow.media.files import MediaError, is_pointer, reason
from regrow.messages.message import say


@dataclass(frozen=True)
class Named:
    """What a line of a table says: the path of a file from the table's folder, with `/`, and its caption."""

    file: str
    caption: str
    where: str


@dataclass(frozen=True)
class Skipped:
    """A file, or a line of a table, that is not used, and one sentence that says why."""

    name: str
    reason: str


def read_metadata(path: Path, name: str) -> tuple[list[Named], list[Skipped]]:
    """The lines of a table in their order, and those that are malformed, or name no file or one outside of its folder.

    Args:
        path: a .jsonl, .json, .csv, .tsv, .txt or .parquet file.
        name: how sentences call it.

    Raises:
        MediaError: a table that cannot be read or has no lines, or one where it is not clear which column is the file
            or the caption.
    """
    readers = {".jsonl": _jsonl, ".json": _json, ".parquet": _parquet}
    rows, skipped = readers.get(path.suffix.lower(), _csv)(path, name)
    columns = list(dict.fromkeys(column for _, row in rows for column in row))
    wordings = [c for c in columns if any(_is_wording(row.get(c)) for _, row in rows)]
    try:
        if not columns:
            raise MediaError(say("table_empty", name=name))
        files, captions = file_column(name, columns), caption_column(name, columns, wordings)
    except MediaError as problem:  # may be for the lines that are skipped
        raise MediaError(skipped[0].reason if skipped else str(problem)) from problem
    named = []
    for where, row in rows:
        try:
            named.append(_named(row.get(files), row.get(captions), where, files, captions, path.parent))
        except MediaError as problem:
            skipped.append(Skipped(where, str(problem)))
    return named, skipped


def _named(file: object, caption: object, where: str, files: str, captions: str, folder: Path) -> Named:
    if not isinstance(file, str) or not file.strip():
        raise MediaError(say("row_names_no_file", where=where, column=files))
    if not isinstance(caption, str | None):
        raise MediaError(say("row_caption_no_text", where=where, caption=caption, column=captions))
    return Named(_inside(file, where, folder), one_line(caption or ""), where)


def read_text(path: Path, name: str) -> str:
    """Return a file's text, in UTF-8 with or without its mark, or in UTF-16 with one.

    Raises:
        MediaError: the file cannot be read, or is of another encoding.
    """
    data = _read(path, name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise MediaError(say("table_line_not_utf_8", name=name, line=line)) from problem


def _read(path: Path, name: str) -> bytes:
    """A file's bytes, as UTF-8 where a mark says that they are UTF-16, which Windows calls Unicode."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise MediaError(say("text_file_unreadable", name=name, reason=reason(problem))) from problem
    if is_pointer(data):
        raise MediaError(say("unfetched_pointer", name=name))
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16").encode() if wide else data
    except UnicodeError as problem:
        raise MediaError(say("utf_16_damaged", name=name)) from problem
    if len(text) > 3 and not (any(text[::2]) and any(text[1::2])):
        raise MediaError(say("utf_16_without_mark", name=name))
    return text


_Rows = list[tuple[str, dict[str, Any]]]


def _jsonl(path: Path, name: str) -> tuple[_Rows, list[Skipped]]:
    rows, skipped = [], []
    lines = _read(path, name).removeprefix(codecs.BOM_UTF8).split(b"\n")  # other line ends may stand in a caption
    for number, line in enumerate(lines, 1):
        where = say("at_line", name=name, number=number)
        try:
            if line.strip():
                rows.append((where, _object(line, where)))
        except MediaError as problem:
            skipped.append(Skipped(where, str(problem)))
    return rows, skipped


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode())
        json.dumps(row, ensure_ascii=False).encode()  # half a surrogate pair is JSON, but it is no text
    except UnicodeDecodeError as problem:
        raise MediaError(say("not_utf_8", where=where)) from problem
    except json.JSONDecodeError as problem:  # which counts lines from this one
        sentence = say("at_column", problem=problem.msg, column=problem.colno)
        raise MediaError(say("row_no_json", where=where, reason=sentence)) from problem
    except (ValueError, RecursionError) as problem:
        raise MediaError(say("line_no_json", where=where, reason=reason(problem))) from problem
    if not isinstance(row, dict):
        raise MediaError(say("row_malformed", where=where))
    return row


def _json(path: Path, name: str) -> tuple[_Rows, list[Skipped]]:
    """A list of objects, or an object of captions or of such objects by the files' names, as kohya's scripts write."""
    text = read_text(path, name)
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        raise MediaError(say("file_no_json", name=name, reason=reason(problem))) from problem
    if isinstance(content, dict):
        content = [
            {"file_name": file} | (said if isinstance(said, dict) else {"text": said}) for file, said in content.items()
        ]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise MediaError(say("list_malformed", name=name))
    return [(say("at_entry", name=name, number=number), row) for number, row in enumerate(content, 1)], []


def _csv(path: Path, name: str) -> tuple[_Rows, list[Skipped]]:
    text = read_text(path, name)
    given = re.match(r"sep=(.)\r?\n", text)  # by which spreadsheets are told
    separator = given[1] if given else _separator(text.partition("\n")[0])
    lines = csv.reader(
        io.StringIO(text[given.end() if given else 0 :], newline=""),
        delimiter=separator, strict=True, skipinitialspace=separator != "\t",
    )  # fmt: skip
    rows, header, skipped = [], [], []
    try:
        for line in lines:
            where = say("at_csv_line", name=name, number=lines.line_num + bool(given))
            if not header:
                header = [column.strip() for column in line]
                if len(header) == 2 and re.search(r"\.\w{2,5}$", header[0]):  # no header, but a file's name
                    rows.append((where, {"file_name": header[0], "text": header[1]}))
                    header = ["file_name", "text"]
            elif line and len(line) != len(header):
                separated = {"\t": "tabs", ",": "commas", ";": "semicolons"}.get(separator, f"`{separator}`")
                sentence = say(
                    "csv_fields_differ", where=where, count=len(line), columns=len(header), separator=separated
                )
                skipped.append(Skipped(where, sentence))
            elif line:
                rows.append((where, dict(zip(header, line, strict=True))))
    except csv.Error as problem:
        where = say("at_csv_line", name=name, number=lines.line_num + bool(given))
        sentence = say("csv_broken", where=where, reason=reason(problem))
        skipped.append(Skipped(where, sentence))
    return rows, skipped


def _separator(line: str) -> str:
    """What stands between the columns: of what may do so the first in the first line, for words come after a name."""
    return next((letter for letter in line if letter in ",;\t|"), ",")


def _parquet(path: Path, name: str) -> tuple[_Rows, list[Skipped]]:
    with parquet.opened(path, name) as table:
        columns = table.schema_arrow.names
        chosen = [file_column(name, columns), caption_column(name, columns, parquet.texts(table.schema_arrow))]
        rows = table.read(chosen).to_pylist()
    return [(say("at_row", name=name, number=number), row) for number, row in enumerate(rows)], []


def _is_wording(value: object) -> bool:
    """Whether a value speaks for a column of text; in CSV numbers are text as well."""
    return isinstance(value, str) and re.fullmatch(r"[\s\d.,+-]*", value) is None


def _inside(file: str, where: str, folder: Path) -> str:
    """The path from the folder, with `/`; it may be given as an absolute one."""
    if os.path.isabs(file):
        real, root = os.path.realpath(os.path.dirname(file)), os.path.realpath(folder)
        if real == root or real.startswith(os.path.join(root, "")):
            file = os.path.relpath(os.path.join(real, os.path.basename(file)), root)
    parts = file.replace("\\", "/").split("/")  # Windows writes paths so
    if ".." in parts or not parts[0] or re.fullmatch("[A-Za-z]:", parts[0]):
        raise MediaError(say("row_leaves_folder", where=where, file=file))
    return "/".join(parts)
