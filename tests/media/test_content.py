"""What a file is, is read from its content: whatever it is called, and by every verb alike."""

import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from regrow.editing.inspect import facts_of
from regrow.interfaces.reporting import for_medium
from regrow.media.audio.sound import load
from regrow.media.captions.captioned import read_captioned
from regrow.media.captions.listing import PICTURES, SOUNDS
from regrow.media.content import content_at, content_of
from regrow.media.files import MediaError
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import medium_at, medium_of
from regrow.requests.edit import Edit
from regrow.requests.train import Train
from regrow.training.dry_run import rehearse

WAVE = 0.3 * np.sin(np.arange(22_050) / 10)
KINDS = {
    "WAV": ["WAV", "WAVEX", "RF64", "W64"], "AIFF": ["AIFF", "SVX"], "FLAC": ["FLAC"], "Ogg": ["OGG"], "AU": ["AU"],
    "CAF": ["CAF"], "MP3": ["MP3"], "VOC": ["VOC"], "NIST": ["NIST"],
}  # fmt: skip
AAC = (4 + 28).to_bytes(4, "big") + b"ftypM4A " + bytes(500)


def sound(kind: str) -> bytes:
    data = BytesIO()
    soundfile.write(data, WAVE, 22_050, format=kind)
    return data.getvalue()


def picture(kind: str, size: tuple[int, int] = (40, 50)) -> bytes:
    data = BytesIO()
    Image.new("RGB", size, "red").save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in KINDS.items() for kind in kinds])
def test_sounds_are_sounds(name: str, kind: str) -> None:
    assert content_of(sound(kind)) == ("sound", name, False)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WebP", "GIF", "TIFF", "BMP", "AVIF", "ICO", "PPM"])
def test_pictures_are_pictures(kind: str) -> None:
    content = content_of(picture(kind))
    assert content
    assert (content.medium, content.foreign) == ("picture", False)


def test_a_tag_in_front_hides_nothing() -> None:
    tag = b"ID3\x04\0\0\0\0\x02\x00" + bytes(256)
    assert content_of(tag + sound("MP3")) == ("sound", "MP3", False)
    assert content_of(tag + sound("FLAC")) == ("sound", "FLAC", False)
    assert content_of(tag + b"\xff\xf1\x50\x80" + bytes(99)) == ("sound", "AAC", True)
    assert content_of(tag) == ("sound", "MP3", False)


@pytest.mark.parametrize(
    "text", [b"", b"a cat", b"BMW", b"MAC on a desk", b"DSD", b"P5 is a prime", b"RIFF", b"\xff\xfe", bytes(64)]
)
def test_what_says_nothing_is_nothing(text: bytes) -> None:
    assert content_of(text) is None


def test_names_that_are_no_files_have_no_content(tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "nowhere", "a cat\0", "a cat " * 2000):
        assert content_at(name) is None
    assert medium_at("a picture of a cat") is None
    assert medium_of("a.img") is PICTURE


@pytest.mark.parametrize("name", ["a.png", "a", "a.mp3", "a.txt", "a.safetensors.wav", "a.raw"])
def test_a_sound_of_any_name_is_heard(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(sound("FLAC"))
    assert facts_of(tmp_path / name)["kind"] == "sound"
    assert load(tmp_path / name).wave.shape == (1, len(WAVE))
    assert for_medium(Edit(tmp_path / name, ("a violin",)), tmp_path / name).model == "bandstand"


@pytest.mark.parametrize("name", ["a.wav", "a", "a.mp3"])
def test_a_picture_of_any_name_is_seen(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(picture("PNG"))
    assert facts_of(tmp_path / name)["kind"] == "picture"
    with pytest.raises(MediaError, match=f"{name} is a picture \\(PNG\\), despite its name"):
        load(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "words"),
    [(AAC, "AAC in MP4"), (b"\xff\xf1\x50\x80" + bytes(99), "AAC"), (b"#!AMR\n" + bytes(99), "AMR"),
     (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(99), "Windows Media"), (b"MThd\0\0\0\x06" + bytes(99), "MIDI")],
)  # fmt: skip
def test_what_cannot_be_decoded_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "song.mp3").write_bytes(data)
    with pytest.raises(MediaError, match=f"song.mp3 is {words}.*which regrow cannot read: convert it"):
        load(tmp_path / "song.mp3")


def test_a_folder_is_read_by_the_content_of_its_files(tmp_path: Path) -> None:
    files = {"a.png": sound("WAV"), "b": sound("MP3"), "c.wav": picture("JPEG"), "d.jpg": picture("PNG"), "e.mp3": AAC}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "a.txt").write_text("a gong")
    sounds = read_captioned(tmp_path, kind=SOUNDS)
    (tmp_path / "a.txt").unlink()
    pictures = read_captioned(tmp_path, kind=PICTURES)
    assert [(item.name, item.caption) for item in sounds.items] == [("a.png", "a gong"), ("b", "")]
    assert [item.name for item in pictures.items] == ["c.wav", "d.jpg"]
    reasons = {skipped.name: skipped.reason for skipped in (*sounds.skipped, *pictures.skipped)}
    assert reasons["a.png"] == "a.png is a sound (WAV), not a picture."
    assert "d.jpg is a picture (PNG), not a sound." in [skipped.reason for skipped in sounds.skipped]
    assert "e.mp3 is AAC in MP4" in "".join(skipped.reason for skipped in sounds.skipped)


def test_a_folder_of_the_other_medium_is_said_with_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.wav").write_bytes(sound("WAV"))
    with pytest.raises(MediaError, match="holds 1 sound and no usable picture: add --medium sound"):
        rehearse(Train(folder, name="m", new="tiny"))
    shutil.rmtree(folder)
    folder.mkdir()
    for name in ("a.png", "b"):
        (folder / name).write_bytes(picture("PNG", (40, 40 + len(name))))
    with pytest.raises(MediaError, match="holds 2 pictures and no usable sound: add --medium picture"):
        read_captioned(folder, kind=SOUNDS)
