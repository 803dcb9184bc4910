"""Turn instructions into descriptions by changing words of the source, for models that do not list their known words.

"Replace the cat with a dog", applied to "a cat on a beach", gives "a dog on a beach". Models that regrow carries
understand more (regrow.prompts.interpretation); here, words of the source can only be replaced, removed or added.
"""

import re
from collections.abc import Callable

from regrow.messages.message import say

DETERMINER = r"(?:the|this|that|my|its|his|her|a|an)\s+"
POLITE = re.compile(
    r"^(?:(?:please|kindly|can you|could you|would you|will you|i want you to|i'd like you to|let's|now)\s+)+"
    r"|^(?:请|帮我|麻烦|能不能|可以)+"
    r"|(?:,?\s*please|\s*thanks|吧|吗|好吗)?[.!?。！？\s]*$",
    re.IGNORECASE,
)
IT = ("it", "this", "him", "her", "picture", "image", "photo", "everything", "它", "图", "画面", "图片")
BACKGROUND = ("background", "scenery", "place", "setting", "backdrop", "surroundings", "背景", "场景", "环境")
PLACE = re.compile(r"\s+(?:in|on|at|by|near|under|inside|beside|against|in front of)\s+.*$", re.IGNORECASE)
IMPERATIVE = re.compile(
    r"^(?:(?:replace|swap|exchange|remove|erase|delete|add|get rid of|take off|take away|put on)\s+\S"
    rf"|(?:make|turn|change|convert|transform|give|let|put|paint)\s+(?:it|him|them|{DETERMINER})"
    r"|instead of\s|把|将|去掉|去除|删除|删掉|移除|拿掉|摘掉|换成|变成|改成|加上|添加|不要)",
    re.IGNORECASE,
)


class _NotNamedError(ValueError):
    """The source does not name what the instruction is about."""


def described(target: str, source: str) -> str:
    """Return the description that a target means: the target itself, or the source changed by its instruction.

    Args:
        target: a description or an instruction, in English or Chinese.
        source: the source prompt. If it is empty, an instruction can only replace the whole, as "turn it into a dog".

    Raises:
        ValueError: the instruction is about something that the source does not name, needs a source, or is unknown.
    """
    text = POLITE.sub("", target.strip())
    text = POLITE.sub("", text)
    for pattern, change in PATTERNS:
        if match := pattern.match(text):
            if not source.strip():
                if change is _replaced and len(match.groups()) == 2 and match[1].lower() in IT:
                    return match[2].strip()  # the replacement of the whole is a description by itself
                raise ValueError(say("instruction_needs_source", target=target))
            try:
                return " ".join(change(source.strip(), *match.groups()).split())
            except _NotNamedError as problem:
                raise ValueError(
                    say("instruction_about_unnamed", target=target, thing=problem, source=source)
                ) from None
    if IMPERATIVE.match(text):
        raise ValueError(say("instruction_not_understood", target=target))
    return target


def _replaced(source: str, old: str, new: str) -> str:
    if old.lower() in BACKGROUND:
        return _elsewhere(source, new)
    old = _head(source) if old.lower() in IT else old
    if re.search(r"[\u3400-\u9fff]", old):
        if old not in source:
            raise _NotNamedError(old)
        return source.replace(old, new, 1)
    noun = re.sub(rf"^{DETERMINER}", "", new, flags=re.IGNORECASE)
    # new adjectives replace the old ones: an orange cat becomes "a black dog", but just "a dog" gives "an orange dog"
    adjectives = r"(?:[\w-]+\s+){0,2}?" if " " in noun else ""
    found = re.search(rf"\b(?:(an?|the)\s+{adjectives})?{re.escape(old)}\b", source, re.IGNORECASE)
    found = found if found and found[1] else re.search(rf"\b(an?\s+|the\s+)?{re.escape(old)}\b", source, re.IGNORECASE)
    if not found:
        raise _NotNamedError(old)
    article = (found[1] or "").strip().lower()
    if article in ("a", "an"):
        article = "an" if noun[0].lower() in "aeiou" else "a"
    return f"{source[: found.start()]}{article} {noun}{source[found.end() :]}"


def _head(source: str) -> str:
    """Return the thing that is described: the first noun, before any place."""
    if re.search(r"[\u3400-\u9fff]", source):
        return re.split(r"的", source)[-1]
    text = re.sub(
        rf"^(?:{DETERMINER})?(?:photo|picture|painting|drawing|image|portrait)\s+of\s+", "", source, flags=re.I
    )
    text = re.split(r"\s+(?:in|on|at|by|near|under|with|wearing|sitting|standing|lying|running|that|who)\b|,", text)[0]
    return text.split()[-1] if text.split() else source


def _elsewhere(source: str, place: str) -> str:
    if re.search(r"[\u3400-\u9fff]", source + place):
        return f"{_head(source)}，背景是{place}"
    if re.match(r"(?:in|on|at|by|near|under)\s", place, re.IGNORECASE):
        return f"{PLACE.sub('', source)} {place}"
    return f"{PLACE.sub('', source)} with {place} in the background"


def _removed(source: str, thing: str) -> str:
    end = re.escape(thing)
    before = rf"(?:,|\s+)?\s*(?:\b(?:with|and|wearing|in|holding)\s+)?(?:\b{DETERMINER})?(?:[\w-]+\s+)??"
    shorter = re.sub(rf"{before}\b{end}\b", "", source, count=1, flags=re.I)
    if re.search(r"[\u3400-\u9fff]", thing):
        shorter = re.sub(rf"(?:戴着|带着|穿着|和|，|有)?[一个只条顶]*[^，。的]{{0,2}}{end}的?", "", source, count=1)
    if shorter == source:
        raise _NotNamedError(thing)
    return shorter


def _added(source: str, thing: str) -> str:
    if re.search(r"[\u3400-\u9fff]", source + thing):
        return f"{source}，{thing}"
    return f"{source} with {thing}"


def _coloured(source: str, thing: str, colour: str) -> str:
    thing = _head(source) if thing.lower() in IT else thing
    return _replaced(source, thing, f"{colour} {thing}")


def _appended(source: str, words: str) -> str:
    return f"{source} {words}"


Change = Callable[..., str]
SHADES = "dark|light|bright|pale"
COLOURS = "black|white|gr[ea]y|red|orange|yellow|green|blue|purple|pink|brown|golden|silver"
COLOUR = rf"((?:(?:{SHADES})\s+)?(?:{COLOURS}))"
OLD, NEW = rf"(?:{DETERMINER})?(.+?)", r"(.+)"
PATTERNS: tuple[tuple[re.Pattern[str], Change], ...] = tuple(
    (re.compile(rf"^{pattern}$", re.IGNORECASE), change)
    for pattern, change in (
        (rf"(?:replace|swap|exchange|substitute)\s+{OLD}\s+(?:with|for|by)\s+{NEW}", _replaced),
        (rf"(?:turn|change|convert|transform|make)\s+{OLD}\s+(?:into|to)\s+{NEW}", _replaced),
        (rf"(?:make|turn|paint|dye|colou?r)\s+{OLD}\s+{COLOUR}", _coloured),
        (r"(?:make|turn)\s+(it|this|him|her)\s+((?:an?|the)\s.+)", _replaced),
        (rf"{NEW}\s+instead of\s+{OLD}", lambda source, new, old: _replaced(source, old, new)),
        (rf"(?:remove|erase|delete|get rid of|take off|take away)\s+{OLD}", _removed),
        (rf"(?:no|without)\s+{OLD}", _removed),
        (rf"(?:add|put on|give (?:it|him|her|them))\s+{NEW}", _added),
        (r"((?:at|by)\s+(?:night|sunset|dusk|dawn|noon|sunrise)|in\s+the\s+(?:rain|dark|fog)|during\s.+)", _appended),
        (r"(?:把|将|让)(.+?)(?:换成|变成|改成|替换成|换为|变为|改为)(?:一[只个条顶张]?)?(.+)", _replaced),
        (r"用(.+?)(?:代替|替换|取代|换掉)(.+)", lambda source, new, old: _replaced(source, old, new)),
        (r"(背景)(?:换成|变成|改成|是)(.+)", _replaced),
        (r"(?:换成|变成|改成)(?:一[只个条顶张]?)?(.+)", lambda source, new: _replaced(source, "它", new)),
        (r"(?:去掉|去除|删除|删掉|移除|拿掉|摘掉|不要)(.+)", _removed),
        (r"(?:加上|添加|加)(.+)", _added),
    )
)
