"""The index of a world's words: find the longest known entry at a place of a prompt, and correct misspelt words."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from tomllib import loads

from regrow.worlds.lexicon import ARTICLES, Entry, Key, Lexicon, split, table_key

GRAMMAR = Path(__file__).with_name("grammar.toml")
LOOKALIKES = Path(__file__).with_name("lookalikes.txt")
RANKS = ("value", "step", "opposite", "near", "topic", "mark")
"""Kinds of entries, the preferred first, that a misspelt word may be corrected to."""
REMEMBERED = 10_000
"""Number of words, and of places of Chinese characters, whose corrections are cached."""


class WordIndex:
    """The entries of a world and of the grammar."""

    def __init__(self, lexicon: Lexicon) -> None:
        marks: dict[Key, set[str]] = {(sign,): {"comma"} for sign in ",:()[]{}、&|+-/#@"}
        for mark, words in loads(GRAMMAR.read_text(encoding="utf-8")).items():
            for word in split(words):
                marks.setdefault(table_key(word), set()).add(mark)
        grammar = {key: Entry("mark", marks=frozenset(classes)) for key, classes in marks.items()}
        # a world's entry takes precedence over the grammar's, unless its kind is "unknown"
        own = {key: entry for key, entry in lexicon.entries.items() if entry.kind != "unknown" or key not in grammar}
        self.entries = grammar | own
        self.longest = max(map(len, self.entries))
        self.words = {word for key in self.entries for word in key}
        meant = [key for key, entry in self.entries.items() if _is_meant(entry)]
        self.spellings = sorted({word for key in meant for word in key})
        self.chinese = [key for key in meant if len(key) > 1 and all(map(is_chinese, key))]
        self.reach = max((len(key) for key in self.chinese), default=1) - 1
        # a long prompt repeats words, and each is looked at several times
        self.near = lru_cache(REMEMBERED)(self._near)
        self.in_window = lru_cache(REMEMBERED)(self._in_window)

    def match(self, words: Key) -> tuple[int, Entry | None]:
        """Return the number of words of the longest entry at the beginning, and the entry; 1 and None without any."""
        for size in range(min(self.longest, len(words)), 0, -1):
            for key in _singular(words[:size]):
                if key in self.entries:
                    return size, self.entries[key]
        return 1, None

    def without_articles(self, words: Key) -> tuple[Key, list[str]]:
        """Return the words without articles, and the article before each."""
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
        """Return whether a word such as "this" or "her" stands alone for a thing, not before one."""
        if (word,) not in self.entries:
            return False
        entry = self.match(rest)[1] if rest else None
        if not rest or rest[0] in ARTICLES:
            return True
        return entry is not None and entry.kind in ("mark", "value", "step") and not (entry.values and word != "her")

    def corrected(self, words: Key) -> Key:
        """Return the words; each unknown one is replaced by the known word that it may be a misspelling of."""
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
        """Return the known word that is probably meant; the word itself if there is none or several."""
        word, rest = words[at], words[at + 1 :]
        if word in _lookalikes():
            return word
        found: dict[tuple[int, bool], dict[str, str]] = {}
        for known in self.near(word):
            size, entry = self.match((*words[max(at - 1, 0) : at], known, *rest))  # with the word before it, or alone
            if at == 0 or size < 2:
                entry = self.match((known, *rest))[1]
            if entry is not None and _is_meant(entry):  # prefer by kind, then words with the same first letter
                rank = (RANKS.index(entry.kind), known[0] != word[0])
                found.setdefault(rank, {}).setdefault(str(entry), known)
        best = found[min(found)] if found else {}
        return next(iter(best.values())) if len(best) == 1 else word

    def _near(self, word: str) -> tuple[str, ...]:
        """Return the known words with a similar spelling."""
        return tuple(known for known in self.spellings if abs(len(known) - len(word)) < 2 and is_near(word, known))

    def _character(self, words: Sequence[str], at: int) -> tuple[int, str] | None:
        """Return the place of a wrong character, here or nearby, and the right one; None if there is none.

        A character that sounds the same is preferred; else only one at this place, not the first of a word, counts.
        """
        start = max(0, at - self.reach)
        found = self.in_window(tuple(words[start : at + self.reach + 1]), at - start)
        return None if found is None else (start + found[0], found[1])

    def _in_window(self, words: Key, at: int) -> tuple[int, str] | None:
        """Return the same for the words around a place, as many as the longest known word can cover."""
        found: dict[tuple[bool, int], dict[str, tuple[int, str]]] = {}
        for key in self.chinese:
            for start in range(max(0, at - len(key) + 1), min(at, len(words) - len(key)) + 1):
                wrong = [i for i, right in enumerate(key) if words[start + i] != right]
                if len(wrong) != 1 or not is_chinese(words[start + wrong[0]]):
                    continue
                place, right = start + wrong[0], key[wrong[0]]
                alike = sounds_like(words[place], right)
                before = self.entries.get(key[: wrong[0]])  # 和 is not a half of 和弦 if another word follows
                known = before is not None and before.kind != "mark" and self.entries[key].kind == "value"
                if alike or (place == at and wrong[0] > 0 and (known or (before is None and len(key) > 2))):
                    meant = str(self.entries[key].values or self.entries[key])
                    found.setdefault((not alike, -len(key)), {}).setdefault(meant, (place, right))
        best = found[min(found)] if found else {}
        return next(iter(best.values())) if len(best) == 1 else None


def _is_meant(entry: Entry) -> bool:
    """Return whether a misspelt word may be corrected to this entry: it must name something or ask for something."""
    return entry.kind in RANKS[:-1] or bool(entry.marks - {"link", "comma", "then", "and", "it"})


@cache
def _lookalikes() -> frozenset[str]:
    """Return English words that are one letter from a known word but not misspelt, from `runs/lookalikes.py`."""
    return frozenset(LOOKALIKES.read_text(encoding="utf-8").split())


@cache
def index_of(lexicon: Lexicon) -> WordIndex:
    """Return the index of a world's words and the grammar's."""
    return WordIndex(lexicon)


def _singular(key: Key) -> Iterator[Key]:
    """Yield a key, and those of which it could be the plural."""
    yield key
    last = key[-1]
    if last.isascii() and len(last) > 3:
        for ending, stem in (("ies", "y"), ("s", ""), ("ves", "f")):
            if last.endswith(ending):
                yield (*key[:-1], last.removesuffix(ending) + stem)
        if last.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
            yield (*key[:-1], last[:-2])


def is_near(word: str, known: str) -> bool:
    """Return whether a word is a known one with one letter added, omitted or changed, or two neighbours swapped.

    (Damerau 1964, "A technique for computer detection and correction of spelling errors".) For words of three letters,
    only a doubled letter and a swap count, as too many of them are similar.
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
    """Return whether two Chinese characters sound the same apart from the tone, as in most typing errors."""
    from pypinyin import Style, pinyin  # takes a tenth of a second, and is needed only for unknown characters

    one, two = (set(pinyin(each, style=Style.NORMAL, heteronym=True)[0]) for each in (character, other))
    return bool(one & two)
