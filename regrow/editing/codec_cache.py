"""What a model's codec makes of a picture, kept in memory for the next wish on it."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from jaxtyping import Float
from torch import Tensor

from regrow.models.model import Model
from regrow.models.parts import Parts

KEPT = 8
"""Pictures a model; the one not asked for longest is forgotten."""


@dataclass(frozen=True, eq=False)
class CodecResult:
    """A picture's latents, and what they decode to: the best that an edit can give back."""

    latents: Float[Tensor, "1 c y x"]
    codec: Float[Tensor, "3 h w"]


_seen: WeakKeyDictionary[Parts, OrderedDict[str, CodecResult]] = WeakKeyDictionary()


def seen(model: Model, pixels: Float[Tensor, "3 h w"], keep: bool) -> CodecResult:
    """What a model sees of a picture.

    Args:
        model: with a codec or without.
        pixels: in its frame, in [-1, 1].
        keep: take what is kept, and keep it.
    """
    if not keep:
        return _see(model, pixels)
    pictures = _seen.setdefault(model.parts, OrderedDict())
    content = hashlib.blake2b(pixels.cpu().contiguous().numpy().tobytes(), digest_size=16).hexdigest()
    key = f"{content} {tuple(pixels.shape)} {model.device} {model.computed_by}"
    if key not in pictures:
        pictures[key] = _see(model, pixels)
    pictures.move_to_end(key)
    while len(pictures) > KEPT:
        pictures.popitem(last=False)
    return pictures[key]


def _see(model: Model, pixels: Float[Tensor, "3 h w"]) -> CodecResult:
    latents = model.encode(pixels[None])
    return CodecResult(latents, model.decode(latents)[0])
