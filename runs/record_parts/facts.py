"""What the record keeps of a result: hashes of what files hold and the facts that are printed, and how two differ."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from PIL import Image
from safetensors.torch import load_file

PICTURES, SOUNDS = {".png", ".jpg", ".webp"}, {".wav", ".flac", ".ogg"}
VOLATILE = re.compile(r"(.*\.)?(seconds|memory|speed|versions?|regrow|date|bytes|stages\.[^.]+\.loss)")
"""Places in JSON whose values are other ones each time, or say with what it was computed. A training's own account has
the loss since the last line of its log, which comes by time; its steps' losses are compared."""
ARRAYS = {**dict.fromkeys(PICTURES, "pixels"), **dict.fromkeys(SOUNDS, "samples"), ".safetensors": "tensors"}


def arrays_in(path: Path) -> dict[str, np.ndarray]:
    """Return what a file holds, decoded: pixels with their mode, 24-bit samples with their rate, or tensors by name."""
    if path.suffix in PICTURES:
        with Image.open(path) as picture:
            return {picture.mode: np.asarray(picture)}
    if path.suffix in SOUNDS:
        samples, rate = soundfile.read(path, dtype="int32", always_2d=True)
        return {f"{rate} Hz": samples >> 8}  # libsndfile puts 24 bits at the top of 32
    return {
        name: (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()
        for name, tensor in sorted(load_file(path).items())
    }


def file_facts(path: Path) -> dict[str, str]:
    """Return a hash of what a file holds, not of its bytes, by what that is."""
    if path.suffix in ARRAYS:
        digest = hashlib.blake2b(digest_size=16)
        for name, values in arrays_in(path).items():
            digest.update(f"{name} {values.dtype} {values.shape}".encode() + np.ascontiguousarray(values).tobytes())
        return {ARRAYS[path.suffix]: digest.hexdigest()}
    if path.suffix == ".json":
        text = json.dumps(dict(flat(json.loads(path.read_text()))), sort_keys=True)
        return {"json": hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}
    return {}


def flat(found: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a JSON document under its place in it, without those that are other ones each time."""
    if isinstance(found, dict | list) and found:
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            if not VOLATILE.fullmatch(here := f"{place}.{key}".lstrip(".")):
                yield from flat(value, here)
    else:
        yield place, found


def documents(printed: str) -> Any:
    """Return the JSON that a command printed: a document, or one a line, of a training's lines the last of a stage."""
    try:
        return json.loads(printed)
    except ValueError:
        pass
    found = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    stages = {line["stage"]: line for line in found if "stage" in line}
    return {**stages, "end": [line for line in found if "stage" not in line]} if stages else found


def is_wording(value: Any) -> bool:
    """Return whether a value is a sentence rather than a result."""
    return isinstance(value, str) and " " in value


def array_difference(one: Path, other: Path) -> str:
    """Return in words how far apart what two files hold is."""
    first, second = arrays_in(one), arrays_in(other)
    if odd := sorted(first.keys() ^ second.keys()):
        return f"only one has {', '.join(odd[:4])}"
    if odd := [name for name in first if first[name].shape != second[name].shape]:
        return f"{odd[0]}: {first[odd[0]].shape} and {second[odd[0]].shape}"
    apart = {name: np.abs(first[name].astype(np.float64) - second[name]) for name in first if first[name].size}
    worst = max(apart, key=lambda name: float(apart[name].max()))
    changed = sum(int((values != 0).sum()) for values in apart.values())
    return f"at most {apart[worst].max():.6g} apart (in {worst}), {changed} values differ"


def json_difference(one: Path, other: Path) -> str:
    """Return the first keys in which two JSON files differ."""
    first, second = (dict(flat(json.loads(path.read_text()))) for path in (one, other))
    odd = sorted(key for key in first.keys() | second.keys() if first.get(key) != second.get(key))
    return "; ".join(f"{key}: {first.get(key)!r} and {second.get(key)!r}" for key in odd[:4])
