"""Captions as other tools write them: used, or the folder is refused with a sentence that says how to name them."""

import io
import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from regrow.media.captions.captioned import Captioned, read_captioned
from regrow.media.captions.listing import PICTURES, SOUNDS, Kind
from regrow.media.files import MediaError


def encoded(seed: int, ending: str) -> bytes:
    draw, data = np.random.default_rng(seed), io.BytesIO()
    if ending == SOUNDS.ending:
        soundfile.write(data, draw.standard_normal(800) / 9, 8000, format="WAV")
    else:
        Image.fromarray(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(data, "PNG")
    return data.getvalue()


def spread(folder: Path, contents: dict[str, str | bytes | None]) -> Path:
    """A folder with these files: text, bytes, or for None a picture or sound that no other name has."""
    for i, (name, content) in enumerate(contents.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = encoded(i, path.suffix) if content is None else content
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def captions(found: Captioned) -> dict[str, str]:
    return {item.name: item.caption for item in found.items}


def rows(*pairs: tuple[str, str], file: str = "file_name", text: str = "text") -> list[dict[str, str]]:
    return [{file: name, text: words} for name, words in pairs]


A_AND_B = (("a.png", "a red thing, large"), ("b.png", "ein süßes Ding"))
LINES = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows(*A_AND_B))
TABLES = {
    "metadata.csv": 'file_name;text\na.png;a red thing, large\nb.png;"ein süßes Ding"\n',
    "METADATA.CSV": '"file_name"\t"text"\r\na.png\ta red thing, large\r\nb.png\tein süßes Ding\r\n',
    "metadata.tsv": "file_name\ttext\na.png\ta red thing, large\nb.png\tein süßes Ding\n",
    "captions.csv": 'image,caption\na.png,"a red thing, large"\nb.png,ein süßes Ding\n',
    "captions.txt": "a.png|a red thing, large\nb.png|ein süßes Ding\n",
    "captions.jsonl": LINES,
    "captions.json": json.dumps(dict(A_AND_B)),
    "metadata.json": json.dumps(rows(*A_AND_B, file="image", text="caption")),
    "captions.tsv": "path\tprompt\tscore\na.png\ta red thing, large\t3\nb.png\tein süßes Ding\t4\n",
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_other_tools(tmp_path: Path, name: str, encoding: str) -> None:
    found = read_captioned(spread(tmp_path, {"a.png": None, "b.png": None, name: TABLES[name].encode(encoding)}))
    assert captions(found) == dict(A_AND_B)
    assert found.source == name.lower()
    assert (found.skipped, found.notes) == ((), ())


def test_spreadsheets_name_their_separator(tmp_path: Path) -> None:
    text = "sep=;\r\nfile_name;text\r\na.png;red, and; more\r\nb.png;blue, and, more\r\n"
    found = read_captioned(spread(tmp_path, {"a.png": None, "b.png": None, "metadata.csv": text}))
    assert captions(found) == {"b.png": "blue, and, more"}
    assert "line 3 has 3 fields for 2 columns: put text with semicolons in double quotes" in found.skipped[1].reason


def test_kohyas_table_names_pictures_without_their_ending(tmp_path: Path) -> None:
    table = {"a": {"caption": "tok dog", "tags": "x"}, str(tmp_path / "in" / "b.png"): {"caption": "tok cat"}}
    spread(tmp_path, {"a.png": None, "in/b.png": None, "metadata.json": json.dumps(table)})
    assert captions(read_captioned(tmp_path)) == {"a.png": "tok dog", "in/b.png": "tok cat"}


@pytest.mark.parametrize("through", ["pictures", "link"])
def test_absolute_paths_inside_the_folder(tmp_path: Path, through: str) -> None:
    folder, named = tmp_path / "pictures", tmp_path / through
    (tmp_path / "link").symlink_to(folder)
    lines = rows((f"{named}/in/a.png", "a"), (f"{named}/b.png", "b"), (f"{tmp_path}/pictures2/b.png", "c"))
    table = "\n".join(json.dumps(line) for line in lines)
    spread(folder, {"in/a.png": None, "b.png": None, "metadata.jsonl": table})
    for given in (folder, tmp_path / "link"):
        found = read_captioned(given)
        assert captions(found) == {"b.png": "b", "in/a.png": "a"}
        assert "which is outside its folder" in found.skipped[0].reason


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("beside", ["txt", "caption", "png.txt", "metadata.jsonl"])
def test_both_forms_of_a_letter_are_one_name(tmp_path: Path, forms, beside: str) -> None:
    name, other = (unicodedata.normalize(form, "süß") for form in forms)
    text = {f"{other}.{beside}": "sweet"}
    if beside == "metadata.jsonl":
        text = {beside: json.dumps({"file_name": f"{other}.png", "text": "sweet"}, ensure_ascii=False)}
    found = read_captioned(spread(tmp_path, {f"{name}.png": None, **text}))
    assert captions(found) == {f"{name}.png": "sweet"}
    assert found.skipped == ()


def test_text_beside_files_by_its_endings(tmp_path: Path) -> None:
    texts = {"a.caption": "a", "b.png.txt": "b", "c.CAPTION": "not c", "c.txt": "c", "d.png.caption": "d"}
    pictures = dict.fromkeys(("a.PNG", "b.png", "c.png", "d.png", "e.png"))
    found = read_captioned(spread(tmp_path, {**texts, **pictures}))
    assert captions(found) == {"a.PNG": "a", "b.png": "b", "c.png": "c", "d.png": "d", "e.png": ""}
    assert [one.reason for one in found.skipped] == ["c.CAPTION is not read, as another text file of that name is."]
    assert found.notes == ("1 of 5 pictures has no caption (e.png).",)


def test_tables_find_names_of_another_case(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(row) for row in rows(("A.PNG", "one"), ("b.png", "two")))
    spread(tmp_path, {"a.png": None, "B.png": None, "b.PNG": None, "metadata.jsonl": lines})
    assert captions(read_captioned(tmp_path)) == {"a.png": "one"}  # b.png may be either of two files


@pytest.mark.parametrize("kind", [PICTURES, SOUNDS])
def test_folders_of_kohyas_scripts(tmp_path: Path, kind: Kind) -> None:
    end = kind.ending
    one = {f"10_tok dog/a{end}": None, f"10_tok dog/b{end}": None, "10_tok dog/b.txt": "tok dog, asleep"}
    found = read_captioned(spread(tmp_path / "one", one), kind=kind)
    assert captions(found) == {f"10_tok dog/a{end}": "tok dog", f"10_tok dog/b{end}": "tok dog, asleep"}
    assert found.source == "text files and folder names"
    assert 'Folders like "10_tok dog"' in found.notes[0]
    two = {f"img/10_tok dog/a{end}": None, f"img/1_small_dog/b{end}": None, f"2024_rome/c{end}": None}
    found = read_captioned(spread(tmp_path / "two", two), kind=kind)
    assert set(captions(found).values()) == {"tok dog", "small dog", "2024 rome"}
    assert "Repeats are ignored: every file counts once" in found.notes[0]


@pytest.mark.parametrize("kind", [PICTURES, SOUNDS])
def test_what_has_no_caption_is_counted(tmp_path: Path, kind: Kind) -> None:
    end, noun = kind.ending, kind.noun
    names = [f"{i}{end}" for i in range(9)]
    found = read_captioned(spread(tmp_path, {**dict.fromkeys(names), "0.txt": "red", "1.txt": " "}), kind=kind)
    assert found.notes == (f"8 of 9 {noun}s have no caption (1{end}, 2{end}, 3{end}, 4{end}, 5{end} and 3 more).",)
    spread(tmp_path, {f"{i}.txt": "red" for i in range(9)})
    assert read_captioned(tmp_path, kind=kind).notes == ()


UNUSED = {
    "a.json": '{"caption": "red"}',
    "a.prompt": "red",
    "a.yaml": "caption: red",
    "b.txt": "red",
    "captions.yaml": "a: red",
    "labels.csv": "x,red",
    "captions.csv": "nothing",
    "texts/a.txt": "red",
    "metadata.xlsx": "PK\3\4\0",
    "captions.json": "[1, 2",
    "captions.txt": "red\nblue\n",
}


@pytest.mark.parametrize("kind", [PICTURES, SOUNDS])
@pytest.mark.parametrize("name", UNUSED)
def test_a_folder_whose_text_is_not_used_is_refused(tmp_path: Path, kind: Kind, name: str) -> None:
    spread(tmp_path, {f"a{kind.ending}": None, name: UNUSED[name]})
    with pytest.raises(MediaError, match=r"in a\.txt, or all in metadata\.jsonl") as caught:
        read_captioned(tmp_path, kind=kind)
    assert f"({name})" in str(caught.value)
    assert "\n" not in str(caught.value)
    (tmp_path / name).unlink()
    assert captions(read_captioned(tmp_path, kind=kind)) == {f"a{kind.ending}": ""}


def test_what_is_no_caption_refuses_nothing(tmp_path: Path) -> None:
    others = {"README.md": "# Cats", "LICENSE": "MIT", "a.npz": "PK\3\4\0", "make.py": "print()", "doc.pdf": "%PDF\0"}
    assert captions(read_captioned(spread(tmp_path, {"a.png": None, **others}))) == {"a.png": ""}


def test_text_that_is_not_used_beside_some_that_is_is_said(tmp_path: Path) -> None:
    texts = {"metadata.csv": "file_name,text\n0.png,red", "0.caption": "x", **{f"{i}.txt": "x" for i in range(6)}}
    found = read_captioned(spread(tmp_path, {**dict.fromkeys(f"{i}.png" for i in range(6)), **texts}))
    why = "is not read, as the captions come from metadata.csv."
    assert f"0.caption (like 6 more) {why}" in [one.reason for one in found.skipped]


@pytest.mark.parametrize("encoding", ["latin-1", "gb18030", "utf-16-le"])
@pytest.mark.parametrize("name", ["a.txt", "metadata.csv", "captions.jsonl", "metadata.json"])
def test_other_encodings_are_said(tmp_path: Path, name: str, encoding: str) -> None:
    words = "süß" if encoding == "latin-1" else "红色的猫"
    line = json.dumps({"file_name": "a.png", "text": words}, ensure_ascii=False)
    text = {"a.txt": words + ", red", "metadata.csv": f"file_name,text\na.png,{words}\n", "metadata.json": f"[{line}]"}
    spread(tmp_path, {"a.png": None, name: text.get(name, line).encode(encoding)})
    with pytest.raises(MediaError, match=r"UTF-(8|16)"):
        read_captioned(tmp_path)
