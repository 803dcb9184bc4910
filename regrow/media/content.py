"""Recognise a file by its first bytes; its name does not count.

Layouts: PNG (RFC 2083), RIFF and RF64 (EBU Tech 3306), FLAC (RFC 9639), Ogg (RFC 3533), frames of MPEG audio (ISO
11172-3, 2.4.2.3; layer 0 is AAC's ADTS), ID3v2, ISO base media (ISO 14496-12), Matroska (RFC 9559).
"""

import re
from pathlib import Path
from typing import NamedTuple

from regrow.messages.message import say


class Content(NamedTuple):
    """What a file holds.

    Attributes:
        medium: "picture" or "sound".
        name: of the format, for sentences.
        foreign: whether regrow cannot read it.
    """

    medium: str
    name: str
    foreign: bool = False


_PICTURES = {
    rb"\x89PNG": "PNG",
    rb"\xff\xd8\xff": "JPEG",
    rb"GIF8[79]a": "GIF",
    rb"RIFF....WEBP": "WebP",
    rb"II[*+]\0|MM\0[*+]": "TIFF",
    rb"BM....\0\0\0\0": "BMP",
    rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51": "JPEG 2000",
    rb"\0\0\x01\0[^\0]\0": "ICO",
    rb"P[1-7]\s+[\d#]": "PNM",
    rb"qoif\0": "QOI",
    rb"....ftypavi[fs]": "AVIF",
    rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)": "HEIC",
}
_SOUNDS = {
    rb"(?:RIFF|RIFX|RF64)....WAVE|riff\x2e\x91\xcf\x11": "WAV",
    rb"FORM....(?:AIF[FC]|8SVX|16SV)": "AIFF",
    rb"fLaC": "FLAC",
    rb"OggS\0": "Ogg",
    rb"\.snd|dns\.": "AU",
    rb"caff\0": "CAF",
    rb"Creative Voice File": "VOC",
    rb"NIST_1A\n": "NIST",
    rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][^\xf0-\xff]": "MP3",
}
_FOREIGN = {
    rb"....ftyp": say("is_aac"),
    rb"\xff[\xf0\xf1\xf8\xf9]|ADIF": "AAC",
    rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "Windows Media",
    rb"\x1a\x45\xdf\xa3": "Matroska or WebM",
    rb"wvpk": "WavPack",
    rb"MAC .[\x0d-\x10]": "Monkey's Audio",
    rb"TTA1[\x01\x02]\0": "True Audio",
    rb"#!AMR": "AMR",
    rb"DSD \x1c\0|FRM8\0": "DSD",
    rb"MThd\0\0\0": say("is_midi"),
}
_TABLE = [
    (re.compile(magic, re.DOTALL), Content(medium, name, table is _FOREIGN))
    for table, medium in ((_PICTURES, "picture"), (_SOUNDS, "sound"), (_FOREIGN, "sound"))
    for magic, name in table.items()
]
HEAD = 32
"""Bytes that say what a file is."""


def content_of(data: bytes) -> Content | None:
    """Return what bytes are, by their beginning; None where that says nothing."""
    begin = _behind_tag(data[:10])
    head = data[begin : begin + HEAD]
    found = next((content for magic, content in _TABLE if magic.match(head)), None)
    return found or (Content("sound", "MP3") if begin else None)


def content_at(path: Path | str) -> Content | None:
    """Return what an ordinary file is; None where its beginning says nothing, and where there is no such file."""
    path = Path(path)
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            begin = _behind_tag(file.read(10))
            file.seek(begin)
            head = file.read(HEAD)
    except (OSError, ValueError):  # prompts are looked up, too: too long for a name, or with a NUL
        return None
    return content_of(head) or (Content("sound", "MP3") if begin else None)


def is_text(path: Path) -> bool:
    """Return whether a file begins as text does."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError:
        return False
    return bool(head) and not any(byte < 9 or 13 < byte < 32 for byte in head)


def _behind_tag(head: bytes) -> int:
    """Where what comes behind an ID3v2 tag begins; 0 where there is none."""
    if not re.match(rb"ID3[\x02-\x04].{2}[\0-\x7f]{4}", head, re.DOTALL):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + 10 * bool(head[5] & 0x10)
