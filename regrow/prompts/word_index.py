"""The index of a world's words: the longest word at a place of a prompt, and known words for misspelt ones."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tomllib import loads

from regrow.worlds.lexicon import ARTICLES, Entry, Key, Lexicon, split, table_key

GRAMMAR = Path(__file__).with_name("grammar.toml")
LOOKALIKES = Path(__file__).with_name("lookalikes.txt")
RANKS = ("value", "step", "opposite", "near", "topic", "mark")
"""Kinds in the order in which a misspelt word stands for them."""


class WordIndex:
    """The entries of a world and of the grammar."""

    def __init__(self, lexicon: Lexicon) -> None:
        marks: dict[Key, set[str]] = {(sign,): {"comma"} for sign in ",:()[]{}、&|+-/#@"}
        for mark, words in loads(GRAMMAR.read_text(encoding="utf-8")).items():
            for word in split(words):
                marks.setdefault(table_key(word), set()).add(mark)
        grammar = {key: Entry("mark", marks=frozenset(classes)) for key, classes in marks.items()}
        # a world's word goes before the grammar's, but nothing is unknown that the grammar knows
        own = {key: entry for key, entry in lexicon.entries.items() if entry.kind != "unknown" or key not in grammar}
        self.entries = grammar | own
        self.longest = max(map(len, self.entries))
        self.words = {word for key in self.entries for word in key}
        meant = [key for key, entry in self.entries.items() if _is_meant(entry)]
        self.spellings = sorted({word for key in meant for word in key})
        self.chinese = [key for key in meant if len(key) > 1 and all(map(is_chinese, key))]

    def match(self, words: Key) -> tuple[int, Entry | None]:
        """Return how many words the longest known one has, and what it does; 1 and None where none is known."""
        for size in range(min(self.longest, len(words)), 0, -1):
            for key in _singular(words[:size]):
                if key in self.entries:
                    return size, self.entries[key]
        return 1, None

    def without_articles(self, words: Key) -> tuple[Key, list[str]]:
        """Return the words that are no articles, and the article before each."""
        kept, articles, last = [], [], ""
        for at, word in enumerate(words):
            if word in ARTICLES and not self._is_pronoun(word, words[at + 1 :]):
                last = ARTICLES[word]
                continue
            kept.append(word)
            articles.append(last)
            last = ""
        return tuple(kept), articles

    def _is_pronoun(self, word: str, rest: Key) -> bool:
        """Whether "this", "her" and the like stand for a thing, not before one."""
        if (word,) not in self.entries:
            return False
        entry = self.match(rest)[1] if rest else None
        if not rest or rest[0] in ARTICLES:
            return True
        return entry is not None and entry.kind in ("mark", "value", "step") and not (entry.values and word != "her")

    def corrected(self, words: Key) -> Key:
        """Return the words, those that are known under no spelling as the known ones that they are taken for."""
        found, at = list(words), 0
        while at < len(words):
            size, entry = self.match(words[at:])
            if entry is None:
                if is_chinese(words[at]):
                    if (right := self._character(found, at)) is not None:
                        found[right[0]] = right[1]
                elif not any(key[0] in self.words for key in _singular((words[at],))):
                    found[at] = self._spelling(words, at)
            at += size
        return tuple(found)

    def _spelling(self, words: Key, at: int) -> str:
        """Return the known word that is meant, the word itself where none is or several are."""
        word, rest = words[at], words[at + 1 :]
        if word in _lookalikes():
            return word
        found: dict[tuple[int, bool], dict[str, str]] = {}
        for known in self.spellings:
            if not is_near(word, known):
                continue
            size, entry = self.match((*words[max(at - 1, 0) : at], known, *rest))  # with the word before it, or alone
            if at == 0 or size < 2:
                entry = self.match((known, *rest))[1]
            if entry is not None and _is_meant(entry):  # first what is known, and what begins with the same letter
                rank = (RANKS.index(entry.kind), known[0] != word[0])
                found.setdefault(rank, {}).setdefault(str(entry), known)
        best = found[min(found)] if found else {}
        return next(iter(best.values())) if len(best) == 1 else word

    def _character(self, words: Sequence[str], at: int) -> tuple[int, str] | None:
        """Return where a character is wrong, the one at this place or one beside it, and the right one.

        One that sounds the same is most often meant; else one at the end of a word, or within it.
        """
        found: dict[tuple[bool, int], dict[str, tuple[int, str]]] = {}
        for key in self.chinese:
            for start in range(max(0, at - len(key) + 1), min(at, len(words) - len(key)) + 1):
                wrong = [i for i, right in enumerate(key) if words[start + i] != right]
                if len(wrong) != 1 or not is_chinese(words[start + wrong[0]]):
                    continue
                place, right = start + wrong[0], key[wrong[0]]
                alike = sounds_like(words[place], right)
                before = self.entries.get(key[: wrong[0]])  # 和 is no half of 和弦 where another word follows
                known = before is not None and before.kind != "mark" and self.entries[key].kind == "value"
                if alike or (place == at and wrong[0] > 0 and (known or (before is None and len(key) > 2))):
                    meant = str(self.entries[key].values or self.entries[key])
                    found.setdefault((not alike, -len(key)), {}).setdefault(meant, (place, right))
        best = found[min(found)] if found else {}
        return next(iter(best.values())) if len(best) == 1 else None


def _is_meant(entry: Entry) -> bool:
    """Whether a misspelt word can stand for it: what names nothing and asks for nothing is left as it is."""
    return entry.kind in RANKS[:-1] or bool(entry.marks - {"link", "comma", "then", "and", "it"})


@cache
def _lookalikes() -> frozenset[str]:
    """English words that are no misspelt ones, although a letter makes one of them; `runs/lookalikes.py` wrote them."""
    return frozenset(LOOKALIKES.read_text(encoding="utf-8").split())


@cache
def index_of(lexicon: Lexicon) -> WordIndex:
    """Return the index of a world's words and the grammar's."""
    return WordIndex(lexicon)


def _singular(key: Key) -> Iterator[Key]:
    """A key, and those of which it could be the plural."""
    yield key
    last = key[-1]
    if last.isascii() and len(last) > 3:
        for ending, stem in (("ies", "y"), ("s", ""), ("ves", "f")):
            if last.endswith(ending):
                yield (*key[:-1], last.removesuffix(ending) + stem)
        if last.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
            yield (*key[:-1], last[:-2])


def is_near(word: str, known: str) -> bool:
    """Return whether a word is a known one with a letter added, left out or changed, or with two that changed places.

    (Damerau 1964, "A technique for computer detection and correction of spelling errors".) Of words of three letters
    only a doubled letter and changed places count: too many of them are near to each other.
    """
    if abs(len(word) - len(known)) > 1 or min(len(word), len(known)) < 3 or not known.isascii() or not known.isalpha():
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), min(len(word), len(known)))
    left, right = word[start:], known[start:]
    if len(left) == len(right):
        swapped = left[:2] == right[1::-1] if len(right) > 1 else False
        return (swapped and left[2:] == right[2:]) or (len(known) > 3 and left[1:] == right[1:])
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    doubled = start > 0 and longer[0] == (word if longer is left else known)[start - 1]
    return longer[1:] == shorter and (min(len(word), len(known)) > 3 or doubled)


def is_chinese(word: str) -> bool:
    """Return whether a word begins with a Chinese character."""
    return "\u3400" <= word[0] <= "\u9fff"


def sounds_like(character: str, other: str) -> bool:
    """Return whether two Chinese characters sound the same but for the tone: most slips of typing are of this kind."""
    from pypinyin import Style, pinyin  # a tenth of a second that only unknown characters need

    one, two = (set(pinyin(each, style=Style.NORMAL, heteronym=True)[0]) for each in (character, other))
    return bool(one & two)
