"""The facts of a result in the record: hashes of files' contents and the printed facts; and how two results differ."""

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
"""Places in JSON whose values change each time, or tell what computed the result. The log of a training averages the
loss since its last line, which depends on time; the losses of its steps are compared."""
ARRAYS = {**dict.fromkeys(PICTURES, "pixels"), **dict.fromkeys(SOUNDS, "samples"), ".safetensors": "tensors"}


def arrays_in(path: Path) -> dict[str, np.ndarray]:
    """Return a file's decoded content: pixels by mode, 24-bit samples by rate, or tensors by name."""
    if path.suffix in PICTURES:
        with Image.open(path) as picture:
            return {picture.mode: np.asarray(picture)}
    if path.suffix in SOUNDS:
        samples, rate = soundfile.read(path, dtype="int32", always_2d=True)
        return {f"{rate} Hz": samples >> 8}  # libsndfile returns 24 bits as the upper ones of 32
    return {
        name: (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()
        for name, tensor in sorted(load_file(path).items())
    }


def file_facts(path: Path) -> dict[str, str]:
    """Return a hash of a file's decoded content by its kind: pixels, samples, tensors or json; {} for other files."""
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
    """Yield every value of a JSON document with its place, without values that change each time."""
    if isinstance(found, dict | list) and found:
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            if not VOLATILE.fullmatch(here := f"{place}.{key}".lstrip(".")):
                yield from flat(value, here)
    else:
        yield place, found


def documents(printed: str) -> Any:
    """Return the JSON that a command printed: a document or one per line; of a training, each stage's last line."""
    try:
        return json.loads(printed)
    except ValueError:
        pass
    found = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    stages = {line["stage"]: line for line in found if "stage" in line}
    return {**stages, "end": [line for line in found if "stage" not in line]} if stages else found


def is_wording(value: Any) -> bool:
    """Return whether a value is a sentence, not a result."""
    return isinstance(value, str) and " " in value


def array_difference(one: Path, other: Path) -> str:
    """Return in words how much the contents of two files differ."""
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
