"""Read a world's vocabulary of requests from its `words.toml`.

Each table defines what its words do. Words are separated by commas; English and Chinese are listed together.

    [value.ATTRIBUTE]     VALUE = words that mean this value
    [[also]]              words that mean several values; a value with a ? is a default
    [[either]]            words with two readings, `first` and `then`: the first that fits the rest applies
    [step.ATTRIBUTE]      up, down = words that mean the next or the previous value
    [opposite]            ATTRIBUTE = words that switch between two values
    [near.ATTRIBUTE]      VALUE = words for things that the world lacks, whose nearest value this is; "" = none
    [own]                 VALUE = the thing's natural colours; others are unknown
    [gone]                ATTRIBUTE = its value after its thing is removed, or one for each removed value
    nouns, yields         attributes whose words name a thing; attributes that change if others force them to
    owns                  whether the first noun is the main thing, which wears things and is placed
    [[without]]           words that mean another attribute when removed: "no snow" most often means the weather
    [topic]               ATTRIBUTE = words for the attribute itself
    [silent], [unknown]   words without effect; and unknown words that are neither misspelt nor compounds

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
"""From traditional characters to the simplified ones of the tables."""


@dataclass(frozen=True)
class Entry:
    """The effect of a word.

    Attributes:
        kind: its table; "mark" is a word of the grammar.
        values: the values that it sets, by attribute.
        soft: default values, used if no other word sets the attribute.
        other: the values of the second reading.
        attribute: the attribute of a step, opposite, topic or near word.
        marks: its classes in the grammar.
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
        entries: the effect of each word.
        own: natural colours of a thing, by its value.
        gone: the value of an attribute whose thing is removed.
        without: by word, the values that it means when removed, if they are present.
        nouns: attributes whose words name a thing, not a property.
        owns: whether the first noun is the main thing, which wears things and is placed: "the cat" is then the subject.
        yields: attributes that change if others force them to.
        listed: words by attribute and value, as in the file, for display.
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
    """Split a text into lower-case words, single Chinese characters, and punctuation.

    Hyphens separate words; spaces between Chinese characters count as commas. Contractions of "is", "would" and the
    like, a possessive 's and quotes are dropped.
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
"""English articles and other determiners; keys do not contain them."""


def table_key(word: str) -> Key:
    """Return the key of a table's word, without articles, unless it consists only of articles."""
    plain = word.isascii() and word.replace(" ", "").isalnum()
    key = tuple(word.split()) if plain else tuple(word) if CHINESE.fullmatch(word) else key_of(word)
    return tuple(part for part in key if part not in ARTICLES) or key


def split(words: str) -> list[str]:
    """Split a table's line into its words."""
    return [word for word in (" ".join(part.split()) for part in words.split(",")) if word]


@cache
def read_lexicon(path: Path) -> Lexicon:
    """Read a world's `words.toml`; for a word in several tables, the first table in `_entries` wins."""
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
    for row in content.get("also", ()):  # values that have no words of their own
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
