"""Convert sentences of operations for a caller: in their language, and without details of the server."""

import re
from typing import Any

from regrow.interfaces.server.sentences import is_kept
from regrow.interfaces.server.texts import said
from regrow.media.home import home
from regrow.messages import message
from regrow.messages.message import from_json

FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
"""An option of the command line, which the API replaces by the name of the setting."""


def worded(sentence: str, language: str) -> str:
    """Return a sentence in a language, without command-line options and the server's folders.

    Args:
        sentence: a message, or a text.
        language: "en" or "zh".
    """
    text = message.worded(sentence, "zh" if language == "zh" else "en")
    text = re.sub(rf"{re.escape(str(home()))}/([^\s'\"]*/)?", "", text)
    text = re.sub(r"\b[0-9a-f]{32}\.\w+", said("the_file", language), text)
    text = re.sub("`regrow models show [^`]+`", said("the_models", language), text)
    return FLAG.sub(lambda option: option[1].replace("-", "_"), text)


def worded_facts(value: Any, language: str) -> Any:
    """Return facts of a job, with their sentences in a language."""
    if is_kept(value):
        return worded(from_json(value), language)
    if isinstance(value, dict):
        return {name: worded_facts(one, language) for name, one in value.items()}
    return [worded_facts(one, language) for one in value] if isinstance(value, list | tuple) else value


def worded_part(part: str, language: str) -> str:
    """Return the description of a part of the work, such as "invert"; unknown parts keep their name."""
    try:
        return said(f"part_{part}", language)
    except KeyError:
        return part.replace("_", " ")
