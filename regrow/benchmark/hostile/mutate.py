"""Mutations of files by format: bytes, text, JSON, JSON Lines, safetensors, zip; all from one seed."""

import io
import json
import os
import re
import shutil
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from random import Random

from regrow.benchmark.hostile.mutate_json import mutated_json

TEXT = frozenset({".txt", ".abc", ".csv", ".tsv", ".musicxml", ".xml", ".md", ".caption"})
NUMBERS = ("0", "-1", "1e9", "99999999999999999999", "nan", "inf", "1/0", "0.0000001", "1e400", "٣", "½")
STRANGE = ("\0", "\ufeff", "\u202e", "\ud83d\ude00", "é", "字", "\x1b[31m", "<", "&", '"', "'", "\\", "%s", "{0}", "{",
           "}", "../", "~", "|", ":|", "[", "(", "(((", "^", "_", ",", ":", "=", "#", "@", "\t", "\r", "\n",
           "  ")  # fmt: skip
BYTES = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\1\0\0\0", b"\0\1")
PLACES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link outside": lambda path: path.symlink_to("/etc/passwd"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "no bytes": lambda path: path.write_bytes(b""),
    "unreadable": lambda path: (path.write_bytes(b"x"), path.chmod(0)),
}
"""What may replace a file."""


def mutate(random: Random, whole: Path, path: Path, places: bool) -> str:
    """Write a mutation of a file; return in a word or two what was done.

    Args:
        random: source of all choices.
        whole: the valid file.
        path: where to write the mutation; what is there is replaced.
        places: whether something other than a file may be put there.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if places and random.random() < 0.02:
        what = random.choice(sorted(PLACES))
        PLACES[what](path)
        return what
    how, data = mutated(random, path.name, whole.read_bytes())
    path.write_bytes(data)
    return how


def mutated(random: Random, name: str, data: bytes) -> tuple[str, bytes]:
    """Return what was done, and the bytes, mutated in the format that the file's name says or as raw bytes."""
    way = _ways().get(PurePosixPath(name).suffix.lower(), ("text", _text) if _is_text(name) else None)
    if way and random.random() < 0.85:
        with suppress(ValueError, RecursionError, KeyError, struct.error):  # its content is of another format
            return way[0], way[1](random, data)
    return "bytes", _bytes(random, data)


def _ways() -> dict[str, tuple[str, Callable[[Random, bytes], bytes]]]:
    return {
        ".json": ("JSON", lambda random, data: mutated_json(random, data.decode())),
        ".jsonl": ("JSON lines", _lines),
        ".safetensors": ("header", _safetensors),
        ".zip": ("zip", _zip),
    }


def _is_text(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in TEXT


def _bytes(random: Random, data: bytes) -> bytes:
    """Return bytes with some flipped, overwritten, cut, doubled, removed or inserted, mostly near the beginning."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        size = len(changed)
        at = random.randrange(min(size, 256) or 1) if random.random() < 0.5 else random.randrange(size or 1)
        way = random.randrange(7)
        if way == 0 and size:
            changed[at] ^= 1 << random.randrange(8)
        elif way == 1:
            some = random.choice(BYTES)
            changed[at : at + len(some)] = some
        elif way == 2:
            del changed[at:]
        elif way == 3:
            del changed[at : at + random.randrange(1, 64)]
        elif way == 4:
            changed[at:at] = random.randbytes(random.randrange(1, 64))
        elif way == 5:
            changed[at:at] = changed[at : at + random.randrange(1, 1024)]
        else:
            length = random.randrange(1, 64)
            changed[at : at + length] = random.choice(BYTES)[:1] * min(length, size - at)
    return bytes(changed)


def _text(random: Random, data: bytes) -> bytes:
    text = data.decode()
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at, length = random.randrange(len(text) + 1), random.choice((1, 3, 20, 200))
        way = random.randrange(7)
        numbers = list(re.finditer(r"\d+", text))
        if way == 0 and numbers:
            number = random.choice(numbers)
            text = text[: number.start()] + random.choice(NUMBERS) + text[number.end() :]
        elif way == 1:
            text = text[:at] + text[at + length :]
        elif way == 2:
            text = text[:at] + random.choice(STRANGE) + text[at:]
        elif way == 3:
            text = text[:at] + text[at : at + length] * random.choice((2, 10, 500)) + text[at + length :]
        elif way == 4:
            lines = text.split("\n")
            random.shuffle(lines)
            text = "\n".join(lines)
        elif way == 5:
            text = text[:at]
        else:
            text = (
                text[:at]
                + chr(random.choice((0x4E2D, 0x1F600, 0x300, 0x661, random.randrange(32, 0xD7FF))))
                + text[at:]
            )
    return text.encode("utf-8", "surrogatepass")


def _lines(random: Random, data: bytes) -> bytes:
    """Return JSON Lines with one line mutated, doubled or removed, or the last one truncated."""
    lines = data.decode().splitlines()
    at = random.randrange(len(lines))
    changed = [line.encode() for line in lines]
    changed[at] = mutated_json(random, lines[at]).replace(b"\n", b"")
    way = random.randrange(6)
    if way == 0:
        changed = changed * random.choice((2, 300))
    elif way == 1:
        changed[-1] = changed[-1][: random.randrange(len(changed[-1]) + 1)]
    elif way == 2:
        changed[at] = _bytes(random, changed[at])
    return b"\n".join(changed) + b"\n"


def _safetensors(random: Random, data: bytes) -> bytes:
    """Return a safetensors file with a mutated header, whose stated length may be wrong."""
    (length,) = struct.unpack("<Q", data[:8])
    header, body = mutated_json(random, data[8 : 8 + length].decode()), data[8 + length :]
    stated = len(header) if random.random() < 0.9 else random.choice((0, 1, len(header) + 1, 2**31, 2**63, 2**64 - 1))
    if random.random() < 0.1:
        body = body[: random.randrange(len(body) + 1)]
    return struct.pack("<Q", stated) + header + body


def _zip(random: Random, data: bytes) -> bytes:
    """Return a zip with one entry mutated, removed, doubled or renamed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(packed, "w") as changed:
        names = archive.namelist()
        at = names.index(random.choice([*names, *(name for name in names if name.endswith(".json"))]))
        way = random.randrange(8)
        for i, name in enumerate(names):
            content, called = archive.read(name), name
            if i == at and way == 0:
                continue
            if i == at and way == 1:
                called = random.choice(("../x.png", "/etc/x", "x" * 300, name + "/", " ", "\\x", name.upper()))
            elif i == at:
                content = mutated(random, name, content)[1]
            with suppress(ValueError, json.JSONDecodeError):
                changed.writestr(zipfile.ZipInfo(called), content)  # without a timestamp
        if way == 2:
            changed.writestr(zipfile.ZipInfo("more.png"), b"x")
    return packed.getvalue()
