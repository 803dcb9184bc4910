"""Roles: what an instruction does with the things that it names, such as replacing, removing or keeping them.

"Turn the cat into a dog, take off the hat and keep the beach": the cat is what there was, the dog is new, the hat is
gone, the beach stays. A description, "a dog on a beach", has new things alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from regrow.prompts import lookahead
from regrow.prompts.lookahead import THINGS
from regrow.prompts.reading import COLOUR, VERBS, Item
from regrow.prompts.word_index import is_chinese
from regrow.worlds.lexicon import Lexicon


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
        follows = lookahead.follows(self.items[at + 1 :], "then", "comma")
        if self.verb == "leave" and item.has(*VERBS):
            return
        if self.verb == "without" and item.has(*VERBS) and lookahead.is_first(self.items, at):
            if not item.has("act", "add"):  # "do not make it sad", "do not take it off": it stays as it is
                self._begin("leave", "kept") if follows else self._again("kept")
            return
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
        elif item.has("without", "too"):
            after = self.items[at + 1] if at + 1 < len(self.items) else None
            if follows or (after is not None and after.has(*VERBS)):
                contrast = (
                    item.text == "not"
                    and self.verb in ("change", "make", "becomes")
                    and lookahead.article(self.items[at + 1 :]) == "definite"
                )
                self._begin("keep" if contrast else "without", "kept" if contrast else "gone")
            elif item.has("without"):
                self._again("gone")
        elif item.text == "but" and lookahead.is_any(self.items, at):
            self._begin("without", "gone")  # "any colour but black"
        elif item.has("but"):
            if follows:
                self._begin("keep", "kept" if self.instruction else "gone")
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
        if item.has("then") or self.verb in ("without", "instead", "keep", "leave", "receiver"):
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
        elif (
            item.text in ("to", "into", "->")
            and not self.verb
            and lookahead.attribute(self.items[:at][::-1]) == lookahead.attribute(self.items[at + 1 :]) != ""
        ):
            self._again("old", back=False, before=at)
        elif self.verb == "instead" and item.text in ("to", "into", "到"):
            self.role = "new"
        elif self.verb == "substitute" and item.text in ("for", "to", "over"):
            self.role = "old"
        elif self.verb == "without" and item.text == "with":
            self.role = "new"
        elif (
            item.has("and")
            and self.verb == "change"
            and self.role == "new"
            and lookahead.has_into(self.items[at + 1 :], self.into)
        ):
            if lookahead.article(self.items[at + 1 :]) == "definite":
                self.role = "old"
        elif item.has("it") and self.verb in ("change", "receiver"):
            self.role = "new"

    def _thing(self, at: int, item: Item) -> None:
        linked = at > 0 and self.items[at - 1].has("link", "into")
        is_noun = item.entry.kind == "topic" or item.attribute in self.lexicon.nouns
        if self.verb == "change" and self.role == "old" and not lookahead.has_into(self.items[at:], self.into):
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
        if item.entry.kind == "step" and self.verb not in ("keep", "leave", "without"):
            return "new"
        if role == "new" and lookahead.is_past(self.items, at):
            return "old"  # "a cat which was black but is now orange"
        names = {one.attribute for one, _ in self.named[self.clauses[-1] :] if one.article == "definite"}
        names &= {self.lexicon.nouns[0]} if self.lexicon.owns else set()
        if role == "new" and self.verb in ("act", "add") and lookahead.is_beside(self.items, at, names):
            return "added"  # "put the cat in the snow with a black dog"
        if item.attribute == COLOUR and role == "new" and self._of_another(at):
            return "added"
        if self.verb == "add" and item.attribute == self.lexicon.nouns[0] and item.article != "definite":
            return "added"
        if self.verb in ("act", "add") and role == "new" and item.article == "definite" and owner:
            return "kept"  # "put the cat in the snow"
        if self.listing and not (item.attribute in self.lexicon.gone and item.attribute in self.lexicon.nouns):
            return "new"
        if (
            role == "gone"
            and owner
            and (after := lookahead.adjacent(self.items[at + 1 :]))
            and after.attribute != item.attribute
        ):
            return "kept"  # "take off the cat's hat"
        if (
            self.verb == "without"
            and linked
            and item.attribute not in self.lexicon.gone
            and not lookahead.is_first(self.items, at)
        ):
            return "new"  # "without a hat in the snow"
        return role

    def _of_another(self, at: int) -> bool:
        """Whether the clause is about something that has no colour of its own to change: "make the hat white"."""
        if lookahead.attribute(self.items[at + 1 :]) == self.lexicon.nouns[0]:
            return False
        here = [(item, role) for item, role in self.named[self.clauses[-1] :] if item.entry.kind != "unknown"]
        about = [item for item, role in here if role in ("old", "kept") or item.article == "definite"]
        if any(item.attribute == self.lexicon.nouns[0] for item in about):
            return False
        if any(item.attribute == "accessory" for item in about):
            return True
        is_scenery = any(item.attribute in ("place", "weather", "time") for item in about)
        return is_scenery and not any(item.attribute == COLOUR for item in about)

    def _begin(self, verb: str, role: str) -> None:
        self.verb, self.role, self.object_ended, self.listing = verb, role, False, False
        self.instruction = True

    def _again(self, role: str, back: bool = True, before: int = 0) -> None:
        """Give the things of this clause, or of the last that names some, another role."""
        start = self.clauses[-1]
        if back:
            start = next((begin for begin in reversed(self.clauses) if begin < len(self.named)), start)
        after = lookahead.attribute(self.items[before:]) if before else ""
        self.named[start:] = [
            (item, role if was in ("new", "old") and (not before or self._can_become(item, after)) else was)
            for item, was in self.named[start:]
        ]
        self.instruction = True

    def _can_become(self, item: Item, after: str) -> bool:
        is_noun = item.entry.kind == "topic" or item.attribute in self.lexicon.nouns
        return is_noun or is_chinese(item.text) or after == item.attribute
