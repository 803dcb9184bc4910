"""Cache of encoded and decoded pictures and sounds, for later edits of the same file."""

import hashlib
from collections import OrderedDict
from typing import NamedTuple
from weakref import WeakKeyDictionary

from jaxtyping import Float
from torch import Tensor

from regrow.models.model import Model
from regrow.models.parts import Parts

KEPT = 8
"""Files a model; the one unused for longest is forgotten."""


class CodecResult(NamedTuple):
    """Latents and their reconstruction, which is the best that an edit can return."""

    latents: Float[Tensor, "1 c *cells"]
    codec: Float[Tensor, " channels *places"]


_kept: WeakKeyDictionary[Parts, OrderedDict[str, CodecResult]] = WeakKeyDictionary()


def through_codec(model: Model, content: Float[Tensor, " channels *places"], keep: bool) -> CodecResult:
    """Encode a picture or sound in a model's frame, and decode it again.

    Args:
        model: with a codec or without.
        content: a picture or the frames of a sound.
        keep: read from the cache, and write to it.
    """
    if not keep:
        return _coded(model, content)
    results = _kept.setdefault(model.parts, OrderedDict())
    key = hashlib.blake2b(content.cpu().contiguous().numpy().tobytes(), digest_size=16).hexdigest()
    key = f"{key} {tuple(content.shape)} {model.device} {model.computed_by} {model.coding}"
    if key not in results:
        results[key] = _coded(model, content)
    results.move_to_end(key)
    while len(results) > KEPT:
        results.popitem(last=False)
    return results[key]


def _coded(model: Model, content: Float[Tensor, " channels *places"]) -> CodecResult:
    latents = model.encode(content[None])
    return CodecResult(latents, model.decode(latents)[0])
