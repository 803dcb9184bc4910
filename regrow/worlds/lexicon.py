"""The words that people use for the things of a world: its file `words.toml`, read.

Each table says what a word does. Words are separated by commas; English and Chinese stand side by side.

    [value.ATTRIBUTE]     VALUE = words that mean this value
    [[also]]              words that mean several values; one with a ? holds unless another is named
    [[either]]            words with two readings, `first` and `then`: the first that goes with the rest is meant
    [step.ATTRIBUTE]      up, down = words that mean the next or the previous value
    [opposite]            ATTRIBUTE = words that mean the other one of two values
    [near.ATTRIBUTE]      VALUE = words for what the world has not, to which this value is nearest; "" = none is
    [own]                 VALUE = colours that this thing has anyway; another one is not known
    [gone]                ATTRIBUTE = the value where words say that something of it shall not be there; or one for each
    nouns, yields         attributes whose words name a thing; attributes that change where others leave them no choice
    owns                  whether the first of the nouns is what wears and is placed
    [[without]]           words that mean other values of something that goes: "no snow" is most often the weather
    [topic]               ATTRIBUTE = words for the attribute itself
    [silent], [unknown]   words that change nothing; and words that are no spelling mistake and hold no other word

A key of the index is a tuple of English words and single Chinese characters.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

CHINESE = re.compile(r"[\u3400-\u9fff]+")
Key = tuple[str, ...]
Kind = Literal["value", "step", "opposite", "near", "topic", "silent", "unknown", "mark"]
TRADITIONAL = str.maketrans(
    "貓換馬鳥雞魚變為來給個請開還樣圍紅藍綠黃顏體東樹葉風雲陽陰鋼電號樂調聲隻張條頂讓這邊後裡裏廳戶處說話沒擺點錄歡傷憂鬱節雜鵝貍淒靜睏驚訝園場畫圖塊將從滅雙單薩豎長鍵盤團詩絃線麗緩極適",
    "猫换马鸟鸡鱼变为来给个请开还样围红蓝绿黄颜体东树叶风云阳阴钢电号乐调声只张条顶让这边后里里厅户处说话没摆点录欢伤忧郁节杂鹅狸凄静困惊讶园场画图块将从灭双单萨竖长键盘团诗弦线丽缓极适",
)
"""Traditional characters, as the simplified ones of the tables."""


@dataclass(frozen=True)
class Entry:
    """What a word does.

    Attributes:
        kind: the table that it stands in; mark is of the grammar.
        values: of attributes, where it names some.
        soft: values that hold where the attribute is not named otherwise.
        other: the values of the second reading.
        attribute: of a step, an opposite, a topic and what is only near.
        marks: classes of the grammar.
    """

    kind: Kind
    values: Mapping[str, str] = field(default_factory=dict)
    soft: Mapping[str, str] = field(default_factory=dict)
    other: Mapping[str, str] = field(default_factory=dict)
    attribute: str = ""
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words of a world.

    Attributes:
        entries: what each word does.
        own: colours that a thing has anyway, by its value.
        gone: the value of an attribute where something of it is not there.
        without: by word, the values that it means where it goes and these are there.
        nouns: attributes whose words name a thing, not how it is.
        owns: whether the first of the nouns is what wears and is placed: "the cat" is then what there is.
        yields: attributes that change with others where they must.
        listed: words by attribute and value, for people, as the file has them.
    """

    entries: Mapping[Key, Entry]
    own: Mapping[str, frozenset[Key]]
    gone: Mapping[str, str | Mapping[str, str]]
    without: Mapping[Key, Mapping[str, str]]
    nouns: tuple[str, ...]
    owns: bool
    yields: tuple[str, ...]
    listed: Mapping[str, Mapping[str, tuple[str, ...]]]


def key_of(text: str) -> Key:
    """Return the words of a text in lower case, a Chinese character each one of its own, and its signs.

    Hyphens part words, and spaces part Chinese ones as commas do. What is short for "is", "would" and the like, a
    possessive 's and quotes are left out.
    """
    text = normalize("NFKC", text).lower().translate(TRADITIONAL)
    text = re.sub(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])", ",", text)
    text = text.replace("\ufe0f", "")
    text = re.sub(r"[\u2018\u2019\u02bc`\u00b4]", "'", text)
    text = re.sub(r"\u2192|=>", "->", text)
    text = re.sub(r"(?<=\w)(?:-(?!>)|/)(?=\w)|[\"\u201c\u201d\u300a\u300b\u3000_*~\u2026]", " ", text)
    text = re.sub(r"(?<=\w)'(?:s|d|ll|re|ve|m)\b|(?<!\w)'|'(?!\w)", "", text)
    return tuple(re.findall(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:'[a-z]+)?|->|[^\w\s]", text))


ARTICLES = {
    **dict.fromkeys(
        ("the", "my", "its", "his", "her", "our", "your", "their", "this", "that", "these", "those"), "definite"
    ),
    **dict.fromkeys(("a", "an", "another", "some"), "indefinite"),
}
"""English articles and what stands in their place; no key has one."""


def table_key(word: str) -> Key:
    """Return the key of a table's word: without articles, unless it is nothing else."""
    plain = word.isascii() and word.replace(" ", "").isalnum()
    key = tuple(word.split()) if plain else tuple(word) if CHINESE.fullmatch(word) else key_of(word)
    return tuple(part for part in key if part not in ARTICLES) or key


def split(words: str) -> list[str]:
    """Return the words of a table's line."""
    return [word for word in (" ".join(part.split()) for part in words.split(",")) if word]


@cache
def read_lexicon(path: Path) -> Lexicon:
    """Read a world's `words.toml`; an earlier table of the list above wins over a later one."""
    content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    entries: dict[Key, Entry] = {}
    for words, entry in _entries(content):
        for word in split(words):
            entries.setdefault(table_key(word), entry)
    return Lexicon(
        entries,
        {value: frozenset(map(key_of, split(words))) for value, words in content.get("own", {}).items()},
        content.get("gone", {}),
        {
            key_of(word): {name: value for name, value in row.items() if name != "words"}
            for row in content.get("without", ())
            for word in split(row["words"])
        },
        tuple(content["nouns"]),
        content["owns"],
        tuple(content["yields"]),
        _listed(content),
    )


def _listed(content: Mapping[str, Any]) -> dict[str, dict[str, tuple[str, ...]]]:
    listed = {
        name: {value: tuple(split(words)) for value, words in table.items()} for name, table in content["value"].items()
    }
    for row in content.get("also", ()):  # a value that no word means alone
        for name, table in listed.items():
            if name in row and not row[name].endswith("?"):
                table.setdefault(row[name], tuple(split(row["words"])))
    return listed


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    for row in content.get("also", ()):
        named = {name: value for name, value in row.items() if name != "words"}
        soft = {name: value[:-1] for name, value in named.items() if value.endswith("?")}
        yield row["words"], Entry("value", {name: v for name, v in named.items() if name not in soft}, soft)
    for row in content.get("either", ()):
        yield row["words"], Entry("value", row["first"], other=row["then"])
    for name, value, words in _rows(content["value"]):
        yield words, Entry("value", {name: value})
    for name, direction, words in _rows(content.get("step", {})):
        yield words, Entry("step", {"": direction}, attribute=name)
    for name, words in content.get("opposite", {}).items():
        yield words, Entry("opposite", attribute=name)
    for name, value, words in _rows(content.get("near", {})):
        yield words, Entry("near", {name: value} if value else {}, attribute=name)
    for name, words in content.get("topic", {}).items():
        yield words, Entry("topic", attribute=name)
    for kind in ("silent", "unknown"):
        yield content[kind]["words"], Entry(kind)


def _rows(tables: Mapping[str, Mapping[str, str]]) -> Iterable[tuple[str, str, str]]:
    return ((name, value, words) for name, table in tables.items() for value, words in table.items())
