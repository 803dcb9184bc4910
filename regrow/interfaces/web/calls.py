"""What every call of a function of the page passes, on whatever route it came: its arguments, and files it names."""

import inspect
import os
from contextvars import ContextVar
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.route_utils import FnIndexInferError
from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import JSONResponse

from regrow.interfaces.web.own_files import Caller, OwnFiles, caller_of
from regrow.interfaces.web.texts import label_of, refusal, said
from regrow.media.files import MediaError

FILES = (gr.Image, gr.Audio, gr.File)
"""Components whose values are files."""
KINDS: dict[tuple[type, ...], tuple[tuple[type, ...], str]] = {
    (gr.Number, gr.Slider): ((int, float), "a_number"),
    (gr.Textbox, gr.Radio, gr.Dropdown): ((str,), "a_text"),
    (gr.Checkbox,): ((bool,), "a_switch"),
}
"""Of other components: the types of their values, and the text that names them."""


class PageBlocks(gr.Blocks):
    """gradio's blocks, whose functions take only the files of whoever calls them, and answer bad calls in a sentence.

    gradio itself copies any file of its machine that a picture's value names.
    """

    files: OwnFiles
    _caller: ContextVar[Caller] = ContextVar("caller")

    async def process_api(  # pyright: ignore[reportIncompatibleMethodOverride] (gradio names the rest)
        self,
        block_fn: BlockFunction | int,
        inputs: list[Any],
        state: Any = None,
        request: Any = None,
        iterator: Any = None,
        **rest: Any,
    ) -> dict[str, Any]:
        """Process one call, or the next step of a running one.

        Raises:
            gr.Error: with one sentence.
        """
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        self._caller.set(caller_of(request))
        if iterator is None:
            inputs = self._checked(function, inputs, request)
            self._own_all(getattr(rest.get("event_data"), "_data", None), request)
        try:
            return await super().process_api(function, inputs, state, request, iterator, **rest)
        except gr.Error:
            raise
        except Exception as problem:
            if isinstance(problem.__cause__, MediaError):  # said by a field
                raise refusal(problem.__cause__, request) from problem
            raise gr.Error(said("wrong_in_regrow", request, kind=type(problem).__name__, problem=problem)) from problem

    async def postprocess_data(self, block_fn: BlockFunction, predictions: Any, state: Any) -> list[Any]:
        """What a call shows; its files are the caller's from then on."""
        shown = await super().postprocess_data(block_fn, predictions, state)
        cache = os.path.realpath(get_upload_folder()) + os.sep  # where gradio copies what is shown
        copies = [path for path in _paths(shown) if os.path.realpath(path).startswith(cache)]
        self.files.grant(self._caller.get(Caller()), *copies)
        return shown

    def _checked(self, function: BlockFunction, inputs: list[Any], request: gr.Request) -> list[Any]:
        """The arguments of a call, each of its kind.

        Raises:
            gr.Error: one is missing, of another kind, or a file that is not the caller's.
        """
        names = _names(function)
        if len(inputs) < len(names):
            words = said("arguments_missing", request, all=", ".join(names), given=len(inputs))
            raise gr.Error(words, print_exception=False)
        checked = list(inputs)
        for i, (component, name) in enumerate(zip(function.inputs, names, strict=True)):
            if getattr(component, "stateful", False):
                continue
            if isinstance(component, FILES):
                several = getattr(component, "file_count", "single") != "single"
                given = inputs[i] if isinstance(inputs[i], list) else [inputs[i]]
                files = [file for one in given if (file := self._own(one, request))]
                checked[i] = (files or None) if several else files[0] if files else None
                continue
            self._own_all(inputs[i], request)
            if not _fits(component, inputs[i], function.api_visibility == "public"):
                kind = next(said(words, request) for kinds, (_, words) in KINDS.items() if isinstance(component, kinds))
                words = said("argument_wrong", request, name=name, kind=kind, value=f"{inputs[i]!r:.60}")
                raise gr.Error(words, print_exception=False)
        return checked

    def _own_all(self, value: Any, request: gr.Request) -> None:
        """Check the files that a value names anywhere in it.

        Raises:
            gr.Error: one is not the caller's.
        """
        if any(self.files.named(caller_of(request), path) is None for path in _paths(value)):
            raise gr.Error(said("not_uploaded", request), print_exception=False)

    def _own(self, value: Any, request: gr.Request) -> Any:
        """A file that a component is given, as the caller's own.

        Raises:
            gr.Error: it is none of these.
        """
        if value is None:
            return None
        path = value.get("path") if isinstance(value, dict) else None
        file = self.files.named(caller_of(request), path) if isinstance(path, str) else None
        if file is None:
            raise gr.Error(said("not_uploaded", request), print_exception=False)
        return {"path": file, "meta": {"_type": "gradio.FileData"}}


async def bad_call(request: Request, problem: Exception) -> JSONResponse:
    """Answer a call that gradio could not match with a function of the page: it would say nothing and hang up."""
    reason = " ".join(str(problem).split())
    words = f"The page has no such function, or not with these arguments ({reason}): its API lists them."
    return JSONResponse({"error": words}, 422)


BAD_CALLS: dict[Any, Any] = dict.fromkeys((KeyError, TypeError, ValueError, FnIndexInferError), bad_call)
"""What gradio raises where it looks for the function and its arguments."""


def _fits(component: Any, value: Any, needed: bool) -> bool:
    """Whether a component can have this value; a field that was never shown, as in a closed box, has none."""
    kinds = next((types for kinds, (types, _) in KINDS.items() if isinstance(component, kinds)), None)
    if kinds is None:
        return True
    if value is None:
        return not needed
    if isinstance(value, bool) and bool not in kinds:
        return False
    return isinstance(value, kinds)


def _names(function: BlockFunction) -> list[str]:
    """What the arguments of a function are called: as in its code, or by their fields."""
    parameters = list(inspect.signature(function.fn).parameters.values()) if function.fn else []
    named = [
        one.name
        for one in parameters
        if one.kind is one.POSITIONAL_OR_KEYWORD and one.annotation not in (gr.Request, gr.EventData, gr.SelectData)
    ]
    if len(named) == len(function.inputs):
        return named
    return [label_of(getattr(block, "label", None)) for block in function.inputs]


def _paths(value: Any) -> list[str]:
    """The files that a value names, at any depth."""
    if isinstance(value, dict):
        own = [value["path"]] if isinstance(value.get("path"), str) and value["path"] else []
        return own + [path for one in value.values() for path in _paths(one)]
    return [path for one in value for path in _paths(one)] if isinstance(value, list | tuple) else []
