"""Modules saved as TorchScript, which run without importing diffusers or transformers.

Torch computes text encoders and mel codecs bit for bit as before; this only saves the seconds that diffusers and
transformers take to load. A graph is kept only if it gives exactly the same numbers on every example.
"""

import hashlib
import io
import json
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from regrow.media.cache import keep, kept

MOST_BYTES = 1 << 30
"""Largest size of a module's weights for which a traced copy is kept."""


class Traced:
    """A module, loaded from its traced copy, or opened and traced if there is none.

    Args:
        file: the traced copy.
        module: opens it; only called if there is no usable copy.
        examples: inputs on which the copy must give the same numbers, bit for bit.
    """

    def __init__(
        self, file: Path, module: Callable[[], nn.Module], examples: Callable[[], Sequence[tuple[Tensor, ...]]]
    ) -> None:
        self._compute: Any = _loaded(file) or _kept(file, module().eval(), examples())

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the module's output."""
        with torch.no_grad():
            return self._compute(*inputs)


def trace_file(root: Path, content: str, what: str) -> Path:
    """Return the file of a module's traced copy, named by a hash of its content and its part."""
    made_of = json.dumps([content, what, torch.__version__])
    return root / hashlib.blake2b(made_of.encode(), digest_size=16).hexdigest() / "traced.ts"


def _loaded(file: Path) -> Any:
    """Return the traced copy; None if there is none, or it is damaged."""
    data = kept(file)
    if data is None:
        return None
    with suppress(OSError):
        os.utime(file.parent)  # like networks, the least recently used are deleted
    with suppress(RuntimeError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, though OpenVINO converts from it, too
        return torch.jit.load(io.BytesIO(data))
    return None


def _kept(file: Path, module: nn.Module, examples: Sequence[tuple[Tensor, ...]]) -> Any:
    """Keep a traced copy if possible, and return the module itself."""
    if sum(p.numel() * p.element_size() for p in module.parameters()) > MOST_BYTES:
        return module
    # imports libraries that a loaded graph does not need; the tracer reads every attribute, and one of theirs warns
    from regrow.models.load_part import quiet

    data = b""
    # if the tracer fails, the module itself computes
    with suppress(Exception), torch.no_grad(), warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        script = torch.jit.trace(module, examples[0], check_trace=False)
        buffer = io.BytesIO()
        torch.jit.save(script, buffer)
        again = torch.jit.load(io.BytesIO(buffer.getvalue()))
        if all(torch.equal(again(*inputs), module(*inputs)) for inputs in (*examples, *examples)):
            data = buffer.getvalue()
    if data:
        keep(file, data)
    return module
