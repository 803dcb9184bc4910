"""Roles: what an instruction does with the things that it names.

"Turn the cat into a dog, take off the hat and keep the beach": the cat is what there was, the dog is new, the hat is
gone, the beach stays. A description, "a dog on a beach", has new things alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from regrow.prompts.reading import Item
from regrow.prompts.word_index import is_chinese
from regrow.worlds.lexicon import Lexicon

THINGS = ("value", "near", "step", "opposite", "unknown", "topic")


@dataclass
class Roles:
    """The things of a prompt by what shall become of them.

    Attributes:
        new: what there shall be.
        old: what there was, in whose place something comes.
        gone: what there shall not be.
        kept: what shall stay, and things that are only pointed at.
        added: what shall be there as well.
        instruction: whether the prompt says what to do; else it describes.
    """

    new: list[Item] = field(default_factory=list)
    old: list[Item] = field(default_factory=list)
    gone: list[Item] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    added: list[Item] = field(default_factory=list)
    instruction: bool = False


def roles_of(lexicon: Lexicon, items: Sequence[Item]) -> Roles:
    """Return what becomes of each thing that the items name."""
    return _Parser(lexicon, items).roles()


class _Parser:
    """Reads from left to right and knows the last verb, and what becomes of the things that follow it."""

    def __init__(self, lexicon: Lexicon, items: Sequence[Item]) -> None:
        self.lexicon, self.items = lexicon, items
        self.verb, self.role = "", "new"
        self.into: tuple[str, ...] = ()
        """The words that can stand before what the verb makes of its object; none, where any can."""
        self.named: list[tuple[Item, str]] = []
        self.clauses = [0]
        self.object_ended = False
        self.listing = False
        """Whether a comma stands after things that are to go: of what follows only such things go, too."""
        self.instruction = False

    def roles(self) -> Roles:
        for at, item in enumerate(self.items):
            if item.entry.kind == "mark":
                self._mark(at, item)
            elif item.entry.kind in THINGS:
                self._thing(at, item)
        found = Roles(instruction=self.instruction)
        for item, role in self.named:
            getattr(found, role).append(item)
        return found

    def _mark(self, at: int, item: Item) -> None:
        if at > 0 and self.items[at - 1].has("and") and item.has("act", "add", "keep", "remove"):
            self.clauses.append(len(self.named))
        follows = self._follows(at + 1, "then", "comma")
        if (
            self.verb == "without"
            and item.has("change", "make", "act", "add", "becomes", "keep")
            and self._is_first(at)
        ):
            return  # "do not make it sad"
        if item.has("becomes"):
            if self.verb == "substitute":  # 用狗替换猫
                self._begin("instead", "old")
                return
            self._again("old", back=False, before=at)
            self._begin("becomes", "new")
        elif item.has("remove"):
            if follows:
                self._begin("remove", "gone")
            else:
                self._again("gone")
        elif item.has("keep"):
            if follows:
                self._begin("keep", "kept")
            else:
                self._again("kept")
        elif item.has("instead"):
            if follows:
                self._begin("instead", "old")
        elif item.has("change", "make"):
            self.clauses.append(len(self.named))
            self._begin("change", "old")
            self.into = ("into", "->") if item.has("make") else ()
        elif item.has("substitute"):
            self._begin("substitute", "new")
        elif item.has("without"):
            if follows:
                self._begin("without", "gone")
            else:
                self._again("gone")
        elif item.has("receiver"):
            self._begin("receiver", "kept")
        elif item.has("act", "add"):
            self._begin("add" if item.has("add") else "act", "new")
        elif item.has("then", "comma"):
            self._boundary(item)
        else:
            self._between(at, item)

    def _boundary(self, item: Item) -> None:
        self.clauses.append(len(self.named))
        if item.has("then") or self.verb in ("without", "instead", "keep", "receiver"):
            self.verb, self.role = "", "new"
        elif self.verb == "change" and self.role == "old" and not self.object_ended:
            return
        elif self.verb != "remove":
            self.role = "new"
        self.listing = self.verb == "remove"

    def _between(self, at: int, item: Item) -> None:
        """A word between two things: with, into, and; or "it"."""
        if (
            item.has("into")
            and self.verb == "change"
            and self.role == "old"
            and (not self.into or item.text in self.into)
        ):
            self.role = "new"
        elif item.text in ("to", "into", "->") and not self.verb and self._same_kind(at):
            self._again("old", back=False, before=at)
        elif item.has("into") and self.verb == "instead" and item.text in ("to", "into"):
            self.role = "new"
        elif self.verb == "substitute" and item.text in ("for", "to", "over"):
            self.role = "old"
        elif self.verb == "without" and item.text == "with":
            self.role = "new"
        elif item.has("and") and self.verb == "change" and self.role == "new" and self._into_ahead(at + 1):
            after = next((one for one in self.items[at + 1 :] if one.entry.kind in THINGS), None)
            if after is not None and after.article == "definite":
                self.role = "old"
        elif item.has("it") and self.verb in ("change", "receiver"):
            self.role = "new"

    def _thing(self, at: int, item: Item) -> None:
        linked = at > 0 and self.items[at - 1].has("link", "into")
        is_noun = item.entry.kind == "topic" or item.attribute in self.lexicon.nouns
        if self.verb == "change" and self.role == "old" and not self._into_ahead(at):
            points = item.article == "definite" or (linked and item.article != "indefinite")
            if (self.object_ended and not (linked and points)) or item.article == "indefinite":
                self.role = "new"
        elif self.object_ended and (
            self.verb == "receiver" or (self.verb == "instead" and item.article == "indefinite")
        ):
            self.role = "new"
        self.named.append((item, self._role_of(at, item, linked)))
        self.object_ended = self.object_ended or is_noun or self.verb == "receiver"

    def _role_of(self, at: int, item: Item, linked: bool) -> str:
        role, owner = self.role, item.attribute == self.lexicon.nouns[0] and self.lexicon.owns
        if item.entry.kind == "step":
            return "new"
        if self.verb == "add" and item.attribute == self.lexicon.nouns[0] and item.article != "definite":
            return "added"
        if self.verb in ("act", "add") and role == "new" and item.article == "definite" and owner:
            return "kept"  # "put the cat in the snow"
        if self.listing and not (item.attribute in self.lexicon.gone and item.attribute in self.lexicon.nouns):
            return "new"
        if role == "gone" and owner and (after := self._next_thing(at)) and after.attribute != item.attribute:
            return "kept"  # "take off the cat's hat"
        if self.verb == "without" and linked and item.attribute not in self.lexicon.gone and not self._is_first(at):
            return "new"  # "without a hat in the snow"
        return role

    def _next_thing(self, at: int) -> Item | None:
        """The thing that follows with nothing between, or with what makes the first an owner."""
        for item in self.items[at + 1 :]:
            if item.entry.kind in THINGS:
                return None if item.article else item
            if item.text not in ("的", "of") and item.entry.kind != "silent":
                return None
        return None

    def _same_kind(self, at: int) -> bool:
        """Whether the things on both sides are values of one attribute."""
        before = next((item for item in reversed(self.items[:at]) if item.entry.kind in THINGS), None)
        after = next((item for item in self.items[at + 1 :] if item.entry.kind in THINGS), None)
        return before is not None and after is not None and before.attribute == after.attribute != ""

    def _is_first(self, at: int) -> bool:
        """Whether no thing stands between this one and the last verb."""
        for item in reversed(self.items[:at]):
            if item.entry.kind in THINGS:
                return False
            if item.has("without"):
                return True
        return True

    def _begin(self, verb: str, role: str) -> None:
        self.verb, self.role, self.object_ended, self.listing = verb, role, False, False
        self.instruction = True

    def _again(self, role: str, back: bool = True, before: int = 0) -> None:
        """Give another role to the things of this clause; of the one before where it names none yet.

        Of an English one, with `before` the place of a word of "becomes", only to what can become what follows.
        """
        start = self.clauses[-1]
        if back:
            start = next((begin for begin in reversed(self.clauses) if begin < len(self.named)), start)
        after = next((item for item in self.items[before:] if before and item.entry.kind in THINGS), None)
        self.named[start:] = [
            (item, role if was in ("new", "old") and (not before or self._can_become(item, after)) else was)
            for item, was in self.named[start:]
        ]
        self.instruction = True

    def _can_become(self, item: Item, after: Item | None) -> bool:
        is_noun = item.entry.kind == "topic" or item.attribute in self.lexicon.nouns
        return is_noun or is_chinese(item.text) or (after is not None and after.attribute == item.attribute)

    def _follows(self, at: int, *until: str) -> bool:
        for item in self.items[at:]:
            if item.has(*until):
                return False
            if item.entry.kind in THINGS:
                return True
        return False

    def _into_ahead(self, at: int) -> bool:
        """Whether a word of "into" stands before the next verb."""
        for item in self.items[at:]:
            if item.has("change", "make", "remove", "act", "add", "becomes", "then", "keep"):
                return item.has("becomes")
            if item.has("into") and (not self.into or item.text in self.into):
                return True
        return False
