"""What the page says, in English and in Chinese.

Every text is in a JSON file of this folder, one file a tab and `shared.json` for what several tabs say: under its key,
the English and the Chinese side by side. gradio translates labels in the browser. Sentences that depend on what
happened are put together here, in the language that the browser's request names.

Operations speak English, for the command line and for recipes. `sentences.zh.json` has their sentences, with letters
for what varies, and the Chinese for each. A sentence that is not in it stays as it is.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from regrow.media.home import home

SENTENCES = Path(__file__).with_name("sentences.zh.json")
TEXTS: dict[str, dict[str, str]] = {
    key: languages
    for file in sorted(SENTENCES.parent.glob("*.json"))
    if file != SENTENCES
    for key, languages in json.loads(file.read_text(encoding="utf-8")).items()
}
MARK = "regrow|"
"""Begins every key that the browser knows: it translates any string that is a key, and a value or a user's word may
be "picture"."""
_ENGLISH, _CHINESE = ({MARK + key: both[language] for key, both in TEXTS.items()} for language in ("en", "zh"))
I18N = gr.I18n(**{"en": _ENGLISH, "zh-CN": _CHINESE, "zh-TW": _CHINESE})


def options(names: Iterable[str]) -> list[tuple[Any, str]]:
    """Return the choices of a field: values, each with its label where it has one."""
    return [(text(f"option_{name}") if f"option_{name}" in TEXTS else name, name) for name in names]


def text(key: str) -> Any:  # gradio takes it wherever it takes a string, and types only some of these places so
    """Return a label that the browser translates."""
    assert key in TEXTS, key
    return I18N(MARK + key)


def label_of(label: Any) -> str:
    """Return the English of a component's label."""
    return TEXTS[label.key.removeprefix(MARK)]["en"] if hasattr(label, "key") else str(label)


def said(key: str, request: gr.Request | None, **figures: object) -> str:
    """Return a sentence in the language of a request."""
    return TEXTS[key]["zh" if speaks_chinese(request) else "en"].format(**figures)


def speaks_chinese(request: gr.Request | None) -> bool:
    """Return whether a request comes from a browser that asks for Chinese first."""
    language = request.headers.get("accept-language", "") if request and request.headers else ""
    return language.lower().startswith("zh")


@cache
def table() -> dict[str, str]:
    """Return the Chinese of each sentence that an operation says."""
    return json.loads(SENTENCES.read_text(encoding="utf-8"))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    # what says most first: of two that fit, the other would take words of the sentence for a figure
    sentences = sorted(table().items(), key=lambda pair: -len(re.sub(r"\{\w\}", "", pair[0])))
    return [(re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in sentences]


def _pattern(english: str) -> str:
    return re.sub(r"\\{(\w)\\}", r"(?P<\1>.+?)", re.escape(english))


def as_page_says(sentence: str, request: gr.Request | None) -> str:
    """Return an operation's sentence in the language of a request, with the page's tab in place of a command.

    Of files in the page's own folders it names no folder, and none of the names that the page gives.
    """
    sentence = re.sub(rf"{re.escape(str(home()))}/([^\s'\"]*/)?", "", sentence)
    sentence = re.sub(r"\b[0-9a-f]{32}\.\w+", said("the_file", request), sentence)
    if speaks_chinese(request):
        for pattern, chinese in _patterns():
            if match := pattern.fullmatch(sentence):
                # what varies may be a sentence itself, such as why a file was skipped
                return chinese.format(**{key: as_page_says(part, request) for key, part in match.groupdict().items()})
    return re.sub("`regrow models show [^`]+`", "the Models tab", sentence)


def refusal(problem: Exception, request: gr.Request | None) -> gr.Error:
    """Return what a handler raises where an operation refused."""
    return gr.Error(as_page_says(str(problem), request), print_exception=False)
