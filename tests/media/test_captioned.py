"""Real folders in every convention; every failure a sentence; nothing left out in silence."""

import csv
import io
import json
import os
import re
import warnings
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from regrow.media.captions import captioned
from regrow.media.captions.captioned import Captioned, picture, read_captioned
from regrow.media.files import MediaError
from regrow.media.image.framing import fit
from regrow.media.image.picture import load, to_uint8


def encoded(seed: int, size: tuple[int, int] = (40, 40), kind: str = "PNG", **options) -> bytes:
    """A picture that no other seed has; size as width, height."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind, **options)
    return data.getvalue()


def spread(folder: Path, contents: dict[str, str | bytes | int]) -> Path:
    """A folder with these files: text, bytes, or for a number the picture of that seed."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = encoded(content) if isinstance(content, int) else content
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def captions(found: Captioned) -> dict[str, str]:
    return {item.name: item.caption for item in found.items}


def reasons(found: Captioned) -> dict[str, str]:
    for one in found.skipped:
        check_sentence(one.reason)
        assert one.name in one.reason
    return {one.name: one.reason for one in found.skipped}


def check_sentence(text: str) -> None:
    assert "\n" not in text
    assert text.endswith(".")
    assert not text.endswith("..")


def refused(folder: Path, *words: str) -> str:
    with pytest.raises(MediaError) as caught:
        read_captioned(folder)
    text = str(caught.value)
    check_sentence(text)
    for word in words:
        assert word in text
    return text


def jsonl(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def rows_of(path: Path, group: int | None = None, **columns) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=group)


BOTH = [{"file_name": "in/b.png", "text": 'the "dog"\n on  snow'}, {"file_name": "a.png", "text": "a cat, sitting"}]
READ = {"a.png": "a cat, sitting", "in/b.png": 'the "dog" on snow'}


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_metadata_names_files_and_captions(tmp_path, kind):
    spread(tmp_path, {"in/b.png": 1, "a.png": 2, "a.txt": "not this", "c.png": 3, "README.md": "", "LICENSE": "MIT"})
    if kind == "jsonl":
        spread(tmp_path, {"metadata.jsonl": "\ufeff" + jsonl(*BOTH) + "\n\r\n"})
    elif kind == "csv":
        with (tmp_path / "metadata.csv").open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, ["file_name", "text"])
            writer.writeheader()
            writer.writerows(BOTH)
    else:
        pq.write_table(pa.Table.from_pylist(BOTH), tmp_path / "metadata.parquet")
    found = read_captioned(tmp_path)
    assert found.source == f"metadata.{kind}"
    assert captions(found) == READ
    assert list(captions(found)) == ["a.png", "in/b.png"]
    unread = {"a.txt": f"a.txt is not read, as the captions come from metadata.{kind}."}
    assert reasons(found) == unread | {"c.png": f"c.png is not named in metadata.{kind}."}


def test_metadata_speaks_for_its_own_folder_and_the_nearest_counts(tmp_path):
    spread(tmp_path, {"train/a.png": 1, "train/deep/b.png": 2, "test/a.png": 3, "test/c.png": 4})
    named = jsonl({"file_name": "a.png", "text": "near"}, {"file_name": "./deep\\b.png", "text": "deep"})
    spread(tmp_path, {"train/metadata.jsonl": named})
    far = jsonl({"file_name": "train/a.png", "text": "far"}, {"file_name": "test/a.png", "text": "other"})
    spread(tmp_path, {"metadata.jsonl": far, "test/metadata.csv": "file_name,text\nc.png,never\n"})
    found = read_captioned(tmp_path)
    assert captions(found) == {"test/a.png": "other", "train/a.png": "near", "train/deep/b.png": "deep"}
    told = reasons(found)
    assert list(told) == sorted(told) == ["test/c.png", "test/metadata.csv", "train/a.png"]
    assert "not named in any metadata.jsonl" in told["test/c.png"]
    assert "come from metadata.jsonl" in told["test/metadata.csv"]
    assert "metadata.jsonl, line 1 names" in told["train/a.png"]
    assert "train/metadata.jsonl, line 1 is used" in told["train/a.png"]


@pytest.mark.parametrize(
    ("row", "caption"),
    [
        ({"text": "a", "caption": "b", "prompt": "c"}, "a"),
        ({"prompt": "c", "caption": "b", "zeal": "d"}, "b"),
        ({"prompt": "c", "zeal": "d"}, "c"),
        ({"what is seen": "d", "label": 3, "boxes": [1, 2], "mask_file_name": "m.png"}, "d"),
        ({"text": None, "note": "e"}, ""),
    ],
)
def test_the_column_of_captions(tmp_path, row, caption):
    spread(tmp_path, {"a.png": 1, "metadata.jsonl": jsonl({"file_name": "a.png", **row})})
    assert captions(read_captioned(tmp_path)) == {"a.png": caption}


def test_columns_of_csv_by_their_values(tmp_path):
    spread(tmp_path, {"a.png": 1, "metadata.csv": 'label, image_file_name, words\n3, a.png, "a cat, or two"\n\n'})
    assert captions(read_captioned(tmp_path)) == {"a.png": "a cat, or two"}
    spread(tmp_path, {"metadata.csv": "file_name,text\na.png,7\n"})
    assert captions(read_captioned(tmp_path)) == {"a.png": "7"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("metadata.jsonl", '{"file_name": "a.png"}\n{"file_name": "a.png"', ("line 2 is not JSON", "at column 22)")),
        ("metadata.jsonl", '["a.png", "x"]', ("line 1 is not of the form",)),
        ("metadata.jsonl", "[" * 100_000, ("line 1 is not JSON",)),
        ("metadata.jsonl", '\n{"file_name": "a.png", "text": "\\ud800"}', ("line 2 is not JSON",)),
        ("metadata.jsonl", jsonl({"text": "y"}, {"file_name": "gone", "text": "x"}), ("line 1 names no file",)),
        ("metadata.jsonl", jsonl({"file_name": 3, "text": "x"}), ("line 1 names no file",)),
        ("metadata.jsonl", jsonl({"file_name": "a.png", "text": ["x", "y"]}), ("line 1 has ['x', 'y'] in `text`",)),
        ("metadata.jsonl", jsonl({"file_name": "a.png", "one": "x", "two": "y"}), ("2 columns", "file_name, one, two")),
        ("metadata.jsonl", jsonl({"file_name": "a.png", "label": 1}), ("no column", "file_name, label", "`text`")),
        ("metadata.jsonl", jsonl({"seen": "a.png", "text": "x"}), ("no column", "seen, text", "`file_name`")),
        ("metadata.jsonl", jsonl({"a_file_name": "a.png", "b_file_name": "a.png", "text": "x"}), ("2 columns",)),
        ("metadata.jsonl", "", ("has no lines",)),
        ("metadata.jsonl", b'{"file_name": "a.png"}\n{"text": "caf\xe9"}', ("line 2 is not in UTF-8",)),
        ("metadata.csv", "file_name,text\na.png,a cat, sitting\n", ("line 2 has 3 fields for 2 columns", "quotes")),
        ("metadata.csv", 'file_name,text\na.png,"a "big" cat"\n', ("line 2 is not CSV",)),
        ("metadata.csv", 'file_name,text\na.png,"' + "x" * 200_000 + '"\n', ("line 2 is not CSV", "field limit")),
        ("metadata.csv", "file_name;text\na.png;a;cat\n", ("line 2 has 3 fields", "text with semicolons")),
        ("metadata.csv", "file_name,text\n", ("has no lines",)),
        ("metadata.parquet", b"PAR1 and no more", ("metadata.parquet cannot be read as parquet",)),
        ("deep/x.parquet", b"", ("deep/x.parquet cannot be read as parquet",)),
    ],
)
def test_malformed_tables_are_one_sentence(tmp_path, name, text, words):
    spread(tmp_path, {"a.png": 1, name: text})
    assert f" for example {name}" in refused(tmp_path, str(tmp_path), *words)


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        (
            {
                "metadata.jsonl": b'{"file_name": "a.png", "text": "x"}\n{"file_name": "b.png", "text": "caf\xe9"}\n'
                b'{"file_name": "b.png",\n["b.png"]\n{"text": "y"}\n{"file_name": "../b.png", "text": "y"}\n'
                b'{"file_name": "b.png", "text": 3}\n'
            },
            {
                "metadata.jsonl, line 2": "not in UTF-8",
                "metadata.jsonl, line 3": "not JSON",
                "metadata.jsonl, line 4": "not of the form",
                "metadata.jsonl, line 5": "names no file",
                "metadata.jsonl, line 6": "which is outside its folder",
                "metadata.jsonl, line 7": "`, which is not text: correct or remove it",
                "b.png": "is not named in metadata.jsonl",
            },
        ),
        (
            {"metadata.csv": 'file_name,text\na.png,x\nb.png,y,z\n\nb.png,"y" z\na.png,z\n'},
            {
                "metadata.csv, line 3": "has 3 fields for 2 columns",
                "metadata.csv, line 5": "is not CSV .* nothing after it is read",
                "b.png": "is not named in metadata.csv",
            },
        ),
        (
            {"metadata.jsonl": jsonl({"file_name": "a.png", "text": "x"}), "in/metadata.jsonl": "{"},
            {"in/metadata.jsonl": "line 1 is not JSON", "b.png": "is not named"},
        ),
        (
            {"a.txt": "x", "b.txt": "caf\xe9".encode("latin-1")},
            {"b.png": r"b\.txt, line 1 is not in UTF-8"},
        ),
    ],
)
def test_what_is_malformed_costs_no_more_than_itself(tmp_path, contents, told):
    found = read_captioned(spread(tmp_path, {"a.png": 1, "b.png": 2, **contents}))
    assert captions(found) == {"a.png": "x"}
    why = reasons(found)
    assert why.keys() == told.keys()
    for name, words in told.items():
        assert re.search(words, why[name]), why[name]
        check_sentence(why[name])


def test_a_broken_parquet_table_costs_no_more_than_itself(tmp_path):
    rows_of(tmp_path / "a.parquet", image=[encoded(1)], text=["x"])
    spread(tmp_path, {"b.parquet": b"PAR1 and no more"})
    found = read_captioned(tmp_path)
    assert captions(found) == {"a.parquet#row 0": "x"}
    assert reasons(found)["b.parquet"].startswith("b.parquet cannot be read as parquet")


@pytest.mark.parametrize("name", ["../a.png", "in/../../a.png", "/etc/passwd", "C:\\a.png", "..\\a.png", "\\\\host\\a"])
def test_tables_name_nothing_outside_of_their_folder(tmp_path, name):
    spread(tmp_path, {"a.png": 1, "in/b.png": 2, "in/metadata.jsonl": jsonl({"file_name": name, "text": "x"})})
    refused(tmp_path, "in/metadata.jsonl, line 1 names", "which is outside its folder")


def test_metadata_may_name_any_file_and_one_that_is_not_there(tmp_path):
    lines = [{"file_name": name, "text": "x"} for name in ("plain", "gone.png", "a.png", "a.png", "no.txt", ".hid.png")]
    spread(tmp_path, {"plain": 1, "a.png": 2, "no.txt": "words", ".hid.png": 3, "metadata.jsonl": jsonl(*lines)})
    found = read_captioned(tmp_path)
    assert captions(found) == {"a.png": "x", "plain": "x"}
    told = reasons(found)
    assert sorted(told) == [".hid.png", "a.png", "gone.png", "no.txt"]
    assert told["gone.png"] == "gone.png does not exist, but metadata.jsonl, line 2 names it."
    assert "line 4 names a.png again" in told["a.png"]
    assert "is text" in told["no.txt"]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("group", [2, 3, 100])
def test_parquet_tables_hold_pictures(tmp_path, plain, group):
    data = [encoded(seed) for seed in range(7)]
    column = data if plain else [{"bytes": one, "path": f"{i}.png"} for i, one in enumerate(data)]
    for shard in (0, 1):
        part = slice(0, 4) if shard == 0 else slice(4, 7)
        path = tmp_path / "data" / f"train-0000{shard}-of-00002.parquet"
        rows_of(
            path,
            group,
            caption=["a", None, " c\n c", "d", "e", "f", "g"][part],
            image=column[part],
            label=[1, 2, 3, 4][: part.stop - part.start],
        )
    spread(tmp_path, {"cover.png": 9, "dataset_infos.json": "{}", ".gitattributes": ""})
    found = read_captioned(tmp_path)
    assert found.source == "parquet"
    assert [item.caption for item in found.items] == ["a", "", "c c", "d", "e", "f", "g"]
    assert found.items[5].name == "data/train-00001-of-00002.parquet#row 1"
    assert [item.read() for item in found.items] == data
    assert [item.read() for item in reversed(found.items)] == data[::-1]
    assert np.array_equal(picture(found.items[3], 40), np.asarray(Image.open(io.BytesIO(data[3]))))
    assert reasons(found) == {"cover.png": "cover.png is not in a parquet table."}


def test_rows_without_a_good_picture(tmp_path):
    data = [encoded(1), b"", None, b"words", encoded(1), encoded(2)[:-200], encoded(3, (31, 90))]
    rows_of(tmp_path / "a.parquet", image=[{"bytes": one, "path": None} for one in data], text=["x"] * 7)
    found = read_captioned(tmp_path)
    assert captions(found) == {"a.parquet#row 0": "x"}
    told = reasons(found)
    for row, word in enumerate(("empty", "empty", "is text", "row 0, so it is left out", "damaged", "31 x 90"), 1):
        assert word in told[f"a.parquet#row {row}"]


def test_many_rows_of_a_table_stay_in_their_order(tmp_path):
    rows_of(tmp_path / "a.parquet", 50, image=[encoded(seed) for seed in range(130)], text=[str(i) for i in range(130)])
    assert [item.caption for item in read_captioned(tmp_path).items] == [str(i) for i in range(130)]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": ["x"]}, ("no column that may hold pictures", "(columns: text)", "`image`")),
        ({"image": [b"x"]}, ("no column that may hold captions", "(columns: image)", "`text`")),
        ({"one": [b"x"], "two": [b"x"], "text": ["x"]}, ("2 columns that may hold pictures", "one, two, text")),
        ({"image": [b"x"], "one": ["x"], "two": ["x"]}, ("2 columns that may hold captions",)),
        ({"image": [b"x"], "text": [["x", "y"]]}, ("has a column `text` that does not hold text",)),
    ],
)
def test_columns_of_parquet_tables(tmp_path, columns, words):
    rows_of(tmp_path / "a.parquet", **columns)
    assert " for example a.parquet " in refused(tmp_path, *words)


def test_kinds_of_arrow_columns(tmp_path):
    rows_of(
        tmp_path / "a.parquet",
        mask=pa.array([b"no"]),
        image=pa.array([encoded(1)], pa.large_binary()),
        words=pa.array(["so"], pa.large_string()).dictionary_encode(),
        image_file_name=["a.png"],
    )
    assert captions(read_captioned(tmp_path)) == {"a.parquet#row 0": "so"}


def test_a_table_that_is_cut_or_gone(tmp_path):
    path = tmp_path / "a.parquet"
    rows_of(path, 10, image=[encoded(seed) for seed in range(30)], text=["x"] * 30)
    items = read_captioned(tmp_path).items
    whole = path.read_bytes()
    path.write_bytes(whole[:20_000] + bytes(20_000) + whole[40_000:])
    refused(tmp_path, "a.parquet")
    path.write_bytes(whole[: len(whole) // 2])
    refused(tmp_path, "a.parquet cannot be read as parquet")
    path.unlink()
    with pytest.raises(MediaError, match="cannot be read as parquet"):
        items[25].read()


def test_text_beside_pictures(tmp_path):
    texts = {
        "a.txt": "\ufeffa cat\r\n\r\n  on a wall \n",
        "in/b.TXT": "ein süßer Hund",
        "e.txt": "",
        "my.cat.txt": "dotted",
    }
    pictures = {"a.png": 1, "a.jpg": encoded(2, kind="JPEG"), "in/b.PNG": 3, "d.png": 4, "e.png": 5, "my.cat.png": 6}
    spread(tmp_path, {**texts, **pictures, "z.txt": "of nothing", "readme.txt": "no"})
    found = read_captioned(tmp_path)
    assert found.source == "text files"
    expected = {"a.jpg": "a cat on a wall", "a.png": "a cat on a wall", "d.png": "", "e.png": ""}
    assert captions(found) == {**expected, "in/b.PNG": "ein süßer Hund", "my.cat.png": "dotted"}
    assert reasons(found) == {"z.txt": "z.txt has no picture of its name beside it."}


def test_names_of_folders(tmp_path):
    spread(tmp_path, {"black_cats/a.png": 1, "deep/small-dog/b.png": 2, "deep/small-dog/c.png": 3})
    found = read_captioned(tmp_path)
    assert found.source == "folder names"
    assert set(captions(found).values()) == {"black cats", "small dog"}
    spread(tmp_path, {"d.png": 4})
    assert read_captioned(tmp_path).source == "none"


def test_no_captions(tmp_path):
    found = read_captioned(spread(tmp_path, {"in/a.png": 1, "in/b.png": 2}))  # one folder names nothing apart
    assert found.source == "none"
    assert captions(found) == {"in/a.png": "", "in/b.png": ""}


def test_files_that_cannot_be_used_are_told(tmp_path):
    bomb = bytearray(encoded(0))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    header = bytes(bomb[12:29])
    bomb[29:33] = zlib.crc32(header).to_bytes(4, "big")
    bad = {
        "bomb.png": (bytes(bomb), "megapixels"),
        "cut.png": (encoded(1)[:-999], "is damaged or incomplete (image file is truncated)"),
        "doc.pdf": (b"%PDF-1.7", "does not look like a picture by its name"),
        "empty.png": (b"", "0 bytes"),
        "heic.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        "noise.npz": (b"PK", "does not look like a picture by its name"),
        "small.png": (encoded(3, (31, 64)), "31 x 64"),
        "text.png": ("a cat", "is text"),
        "twin.png": (encoded(9), "same picture as a.png"),
    }
    spread(tmp_path, {name: content for name, (content, _) in bad.items()})
    spread(
        tmp_path,
        {
            "a.png": 9,
            ".hidden.png": 5,
            ".git/b.png": 6,
            "__pycache__/.x": "",
            "Thumbs.db": "",
            "edge.png": encoded(4, (32, 99)),
        },
    )
    found = read_captioned(tmp_path)
    assert list(captions(found)) == ["a.png", "edge.png"]
    told = reasons(found)
    assert list(told) == list(bad)
    for name, (_, word) in bad.items():
        assert word in told[name]
    assert "small.png" in captions(read_captioned(tmp_path, smallest=31))
    assert reasons(read_captioned(tmp_path, smallest=33))["edge.png"].startswith("edge.png is 32 x 99 pixels")


def test_folders_that_cannot_be_used(tmp_path):
    folder = tmp_path / "pictures"
    refused(folder, "There is no folder", str(folder))
    folder.mkdir()
    refused(folder, str(folder), "is empty", "put pictures in it")
    spread(folder, {"README.md": "# Cats"})
    refused(folder, str(folder), "has no usable picture", "put PNG or JPEG files in it")
    spread(folder, {"b.doc": "", "a.png": ""})
    refused(folder, "2 skipped", "a.png is empty (0 bytes)")
    refused(folder / "a.png", "is a file", "name the folder")


def test_folders_and_files_that_may_not_be_read(tmp_path, monkeypatch):
    spread(tmp_path, {"a.png": 1, "b.png": 2, "shut/c.png": 3})
    scan, read = os.scandir, Path.read_bytes

    def refuse(at, original, path):  # the tests may run as root, whom no mode bits stop
        if str(path).endswith(at):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", lambda path: refuse("shut", scan, path))
    monkeypatch.setattr(Path, "read_bytes", lambda path: refuse("b.png", read, path))
    found = read_captioned(tmp_path)
    assert list(captions(found)) == ["a.png"]
    told = reasons(found)
    assert list(told) == ["b.png", "shut"]
    assert all("Permission denied" in why for why in told.values())
    refused(tmp_path / "shut", "cannot be opened", "permissions")


def test_files_that_are_too_large_are_not_read(tmp_path):
    spread(tmp_path, {"a.png": 1})
    with (tmp_path / "b.png").open("wb") as file:
        file.truncate(captioned.MOST_BYTES + 1)
    assert "512 MiB" in reasons(read_captioned(tmp_path))["b.png"]


def test_links(tmp_path):
    folder = spread(tmp_path / "here", {"z/a.png": 1, "b.png": 2})
    spread(tmp_path / "elsewhere", {"c.png": 3})
    (folder / "a loop").symlink_to(folder)
    (folder / "z" / "loop").symlink_to("../z")
    (folder / "m").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    (folder / "self.png").symlink_to("self.png")
    (folder / "gone.png").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.png")
    found = read_captioned(folder)
    assert list(captions(found)) == ["b.png", "m/c.png", "z/a.png"]
    assert list(reasons(found)) == ["gone.png", "pipe.png", "self.png"]
    through = tmp_path / "link"
    through.symlink_to(folder)
    assert captions(read_captioned(through)) == captions(found)


def test_names_that_are_not_utf8(tmp_path):
    for byte in (b"\xe8", b"\xe9"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf" + byte + b".png")).write_bytes(encoded(byte[0]))
    found = read_captioned(tmp_path)
    assert list(captions(found)) == ["caf\\xe8.png", "caf\\xe9.png"]
    assert found.items[0].read() == encoded(0xE8)


def test_the_same_wherever_it_lies(tmp_path, monkeypatch):
    contents = {f"{name}.png": seed for seed, name in enumerate("hacbgdfe")}
    first = read_captioned(spread(tmp_path / "a", contents))
    walk = os.walk

    def backwards(top, **options):
        for root, folders, names in walk(top, **options):
            yield root, folders, names[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    second = read_captioned(spread(tmp_path / "b", dict(reversed(contents.items()))))
    assert [(i.name, i.content) for i in first.items] == [(i.name, i.content) for i in second.items]
    assert len({item.content for item in first.items}) == 8
    monkeypatch.chdir(tmp_path / "a")
    assert [item.name for item in read_captioned(Path()).items] == [item.name for item in first.items]


def test_bytes_that_changed_are_refused(tmp_path):
    item = read_captioned(spread(tmp_path, {"a.png": 1})).items[0]
    assert item.read() == encoded(1)
    spread(tmp_path, {"a.png": 2})
    for use in (item.read, lambda: picture(item, 32)):
        with pytest.raises(MediaError, match=r"a\.png has changed"):
            use()
    (tmp_path / "a.png").unlink()
    with pytest.raises(MediaError, match=r"a\.png cannot be read"):
        item.read()


def test_pictures_are_those_of_image_and_framing(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    spread(tmp_path, {"turned.jpg": encoded(1, (90, 50), "JPEG", exif=exif)})
    Image.fromarray(np.full((40, 40), 40_000, np.uint16)).save(tmp_path / "deep.png")
    Image.new("RGBA", (50, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    found = {item.name: item for item in read_captioned(tmp_path).items}
    for name, item in found.items():
        seen = picture(item, 32)
        assert (seen.dtype, seen.shape) == (np.uint8, (32, 32, 3))
        assert np.array_equal(seen, to_uint8(fit(load(tmp_path / name).pixels, size=(32, 32)).pixels))
    assert (picture(found["clear.png"], 8) == 255).all()
    assert (picture(found["deep.png"], 8) == 156).all()


def test_threads_leave_warnings_as_they_were(tmp_path):
    spread(tmp_path, {f"{i}.png": i for i in range(50)})
    before = list(warnings.filters)
    read_captioned(tmp_path)
    assert warnings.filters == before


ONE = encoded(1)
WORDS = st.text(max_size=40) | st.sampled_from(['"', "a,b", '\'""', "x\r", "\u2028y", "\x00z", "\ufeff", "猫 🐈", "-"])


@settings(deadline=None, max_examples=100)
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["jsonl", "raw jsonl", "csv", "txt", "parquet"]))
def test_captions_of_any_unicode_come_back(tmp_path_factory, texts, kind):
    folder = tmp_path_factory.mktemp("any")
    spread(folder, {f"{i}.png": ONE + bytes([i]) for i in range(len(texts))})  # what follows the end is not looked at
    rows = [{"file_name": f"{i}.png", "text": text} for i, text in enumerate(texts)]
    if kind.endswith("jsonl"):
        lines = [json.dumps(row, ensure_ascii=kind == "jsonl") for row in rows]
        spread(folder, {"metadata.jsonl": "\n".join(lines)})
    elif kind == "csv":
        with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["file_name", "text"], *(row.values() for row in rows)])
    elif kind == "txt":
        spread(folder, {f"{i}.txt": "\ufeff" + text for i, text in enumerate(texts)})
    else:
        rows_of(folder / "a.parquet", image=[ONE + bytes([i]) for i in range(len(texts))], text=texts)
    assert [item.caption for item in read_captioned(folder).items] == [" ".join(text.split()) for text in texts]


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.sampled_from(["metadata.jsonl", "metadata.csv", "metadata.parquet", "x.parquet"]))
def test_any_bytes_as_a_table_are_read_or_refused(tmp_path_factory, data, name):
    folder = spread(tmp_path_factory.mktemp("any"), {"a.png": ONE, name: data})
    refused(folder)
