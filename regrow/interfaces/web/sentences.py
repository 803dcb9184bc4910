"""What operations say to a user, as the page says it: in Chinese where the browser asks for it.

Operations speak English, for the command line and for recipes. `sentences.zh.json` has their sentences, with letters
for what varies, and the Chinese for each; one that is not in it stays as it is. A test holds it to what is said.
"""

import json
import re
from functools import cache
from pathlib import Path

import gradio as gr

from regrow.interfaces.web.texts import speaks_chinese


@cache
def table() -> dict[str, str]:
    """The Chinese of each sentence."""
    return json.loads(Path(__file__).with_name("sentences.zh.json").read_text(encoding="utf-8"))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in table().items()]


def _pattern(english: str) -> str:
    return re.sub(r"\\{(\w)\\}", r"(?P<\1>.+?)", re.escape(english))


def as_page_says(sentence: str, request: gr.Request | None) -> str:
    """A sentence of an operation in the language of a request; where it names a command that the page has a tab for, it
    names the tab."""
    if speaks_chinese(request):
        for pattern, chinese in _patterns():
            if found := pattern.fullmatch(sentence):
                return chinese.format(**found.groupdict())
    return re.sub("`regrow models show [^`]+`", "the Models tab", sentence)


def refusal(problem: Exception, request: gr.Request | None) -> gr.Error:
    """What a handler raises where an operation refused."""
    return gr.Error(as_page_says(str(problem), request), print_exception=False)
