"""What operations say, in Chinese: the table against the sentences that the code really says."""

import ast
import re
from pathlib import Path

import gradio as gr
import pytest

import regrow
from regrow.interfaces.web.texts import as_page_says, table
from regrow.media.image.framing import Box, place
from regrow.media.image.own_shape import Made, surroundings, whole

CHINESE = gr.Request(headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"})
ENGLISH = gr.Request(headers={"accept-language": "en-US"})
COMPOSED = (
    "Of {a} x {b} pixels", "strength auto took", "{a} pictures,", "{a} sounds,", "Resuming", "Source, read",
    "{a}: {b} of {c} mil", "{a} has text", "Folders like", "The {a} x {b} pixels were",
    "{a} was trained to",
)  # fmt: skip
"""Their parts are put together in the code, so they are looked for by their parts."""


def said_in_the_code() -> set[str]:
    """All strings of the package, with {} for what varies."""
    found = set()
    for path in Path(regrow.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                found.add("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_english_sentence_is_one_that_the_code_says() -> None:
    code = said_in_the_code()
    whole = "\n".join(sorted(code))
    for english in table():
        plain = re.sub(r"\{\w\}", "{}", english)
        if english.startswith(COMPOSED):
            parts = re.split(r"\{\}|, |; |\. ", plain)
            missed = [part for part in parts if part.strip(" .():\"'") and part.strip(" .") not in whole]
            assert not missed, english
            continue
        # two sentences are said as one string each, and what is wrong with a file comes after its name
        pieces = [piece for piece in plain.replace("trained on; ", "trained on; \0").split("\0") if piece]
        pieces = [re.sub(r"^\{\} (?=is \{\} x)", "", piece).removesuffix(": scale it down first.") for piece in pieces]
        for piece in pieces:
            forms = {piece, piece.replace("pictures", "{}s", 1), piece.replace("sounds", "{}s", 1)}
            forms.add(piece.removeprefix("{} ").removesuffix("."))  # the caller names the file
            assert any(form in whole for form in forms), piece


def test_both_languages_name_the_same_things() -> None:
    for english, chinese in table().items():
        assert set(re.findall(r"\{\w\}", chinese)) <= set(re.findall(r"\{\w\}", english)), english
        assert re.search("[\u4e00-\u9fff]", chinese), english


@pytest.mark.parametrize("size", [(96, 150), (128, 200), (300, 300), (64, 64)])
def test_what_was_cut_is_said_in_chinese(size: tuple[int, int]) -> None:
    made = Made((128, 128), 8)
    own = (
        whole(size, made),
        surroundings(size, Box(3, 50, 9, 9), 2, made),
        surroundings((600, 900), Box(3, 50, 400, 9), 2, made),
    )
    for note in (place(size, 8, (128, 128)).note, *(placement.note for placement in own)):
        assert not re.search("[a-z]{2}", as_page_says(note, CHINESE)), note
        assert as_page_says(note, ENGLISH) == note


def test_a_command_that_has_a_tab_becomes_the_tab() -> None:
    note = "storybook was never shown 'car' and will guess; `regrow models show story book` says what it was."
    assert as_page_says(note, ENGLISH).endswith("; the Models tab says what it was.")
    assert as_page_says(note, CHINESE) == "storybook 没有学过 'car'，只能猜；“模型”页写明它学过什么。"
    assert as_page_says("Something new.", CHINESE) == "Something new."
