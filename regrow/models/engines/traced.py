"""What torch computes, kept as TorchScript, so that computing it again needs neither diffusers nor transformers.

Text encoders and the codecs of mels are computed by torch bit for bit as ever; only the seconds that their libraries
take to load are saved. A graph is kept only if it gives the very same numbers on every example.
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
"""Weights of a module up to which it is kept a second time."""


class Traced:
    """A module, loaded from where it is kept, else opened and kept.

    Args:
        file: where it is kept.
        module: opens it; only called where nothing sound is kept.
        examples: inputs on which what is kept must give the same numbers, bit for bit.
    """

    def __init__(
        self, file: Path, module: Callable[[], nn.Module], examples: Callable[[], Sequence[tuple[Tensor, ...]]]
    ) -> None:
        self._compute: Any = _loaded(file) or _kept(file, module().eval(), examples())

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return what comes out."""
        with torch.no_grad():
            return self._compute(*inputs)


def trace_file(root: Path, content: str, what: str) -> Path:
    """Return where a module is kept, by a hash of what it was read from and what it is."""
    made_of = json.dumps([content, what, torch.__version__])
    return root / hashlib.blake2b(made_of.encode(), digest_size=16).hexdigest() / "traced.ts"


def _loaded(file: Path) -> Any:
    """What is kept; None where there is nothing, or nothing sound."""
    data = kept(file)
    if data is None:
        return None
    with suppress(OSError):
        os.utime(file.parent)  # those unused for longest are dropped, as networks are
    with suppress(RuntimeError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and what OpenVINO converts from, too
        return torch.jit.load(io.BytesIO(data))
    return None


def _kept(file: Path, module: nn.Module, examples: Sequence[tuple[Tensor, ...]]) -> Any:
    """The module itself, after it was kept where it can be."""
    if sum(p.numel() * p.element_size() for p in module.parameters()) > MOST_BYTES:
        return module
    # opens the libraries that a loaded graph does without; the tracer reads every attribute, and one of theirs warns
    from regrow.models.load_part import quiet

    data = b""
    # whatever the tracer cannot follow: the module itself computes
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
