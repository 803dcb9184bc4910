"""The configs of single-file layouts, as such files hold weights but no config.

They are those of the originally published checkpoints (`data/layouts.json`), with the vocabularies of their two
tokenizers: CLIP's (MIT licence, OpenAI) and T5's (Apache 2.0, Google).
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Layout:
    """The parts and configs of a checkpoint.

    Attributes:
        title: its name in messages.
        pipeline: the class in its `model_index.json`.
        classes: classes of its parts, by name.
        configs: configs of its parts, likewise.
        roles: roles of the parts with weights, by which separate files of a part are found.
        optional: parts that may be missing.
        others: further entries of `model_index.json`.
    """

    title: str
    pipeline: str
    classes: Mapping[str, str]
    configs: Mapping[str, Mapping[str, Any]]
    roles: Mapping[str, str]
    optional: tuple[str, ...]
    others: Mapping[str, Any]


@cache
def layout(name: str) -> Layout:
    """Return the layout of this name."""
    stated = _whole(_data()["layouts"], name)
    classes = {part: entry[0] for part, entry in stated["parts"].items()}
    names = {part: entry[1] for part, entry in stated["parts"].items()}
    changes = stated.get("changes", {})
    configs = {part: {**_whole(_data()["configs"], config), **changes.get(part, {})} for part, config in names.items()}
    roles = {part: config for part, config in names.items() if part.startswith("text_encoder")}
    roles["vae"] = f"vae-{configs['vae']['latent_channels']}"
    optional, others = tuple(stated.get("optional", ())), stated.get("others", {})
    return Layout(stated["title"], stated["pipeline"], classes, configs, roles, optional, others)


def layout_names() -> tuple[str, ...]:
    """Return the names of all layouts."""
    return tuple(_data()["layouts"])


@cache
def _data() -> dict[str, Any]:
    return json.loads((DATA / "layouts.json").read_text(encoding="utf-8"))


def _whole(entries: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an entry with what it inherits from the entry in `like`; parts and changes of parts are merged."""
    own = dict(entries[name])
    if (first := own.pop("like", None)) is None:
        return own
    made = _whole(entries, first)
    for key, value in own.items():
        if key in ("parts", "changes"):
            merged = {**made.get(key, {})}
            for part, entry in value.items():
                merged[part] = {**merged.get(part, {}), **entry} if key == "changes" else entry
            value = merged
        made[key] = value
    return made


def write_tokenizer(folder: Path, config: Mapping[str, Any]) -> None:
    """Write the files of a tokenizer of transformers.

    Args:
        folder: an existing folder.
        config: `kind` (clip or t5), `model_max_length` and, for CLIP, `pad_token`.
    """
    settings = {key: value for key, value in config.items() if key != "kind"}
    if config["kind"] == "t5":
        (folder / "tokenizer.json").write_bytes(gzip.decompress((DATA / "t5_tokenizer.json.gz").read_bytes()))
        settings |= {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "extra_ids": 100}
    else:
        merges = gzip.decompress((DATA / "clip_merges.txt.gz").read_bytes()).decode("utf-8")
        (folder / "merges.txt").write_text(merges, encoding="utf-8")
        (folder / "vocab.json").write_text(json.dumps(_clip_vocabulary(merges), ensure_ascii=False), encoding="utf-8")
        settings |= {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    text = json.dumps({"tokenizer_class": "CLIPTokenizer" if config["kind"] == "clip" else "T5Tokenizer", **settings})
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def _clip_vocabulary(merges: str) -> dict[str, int]:
    """Return CLIP's token ids: each byte, each byte at the end of a word, each merge, and the start and end tokens."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    # bytes without a printable character are written as characters from 256 on
    symbols = [*map(chr, shown), *(chr(256 + i) for i in range(len(hidden)))]
    merged = [line.replace(" ", "") for line in merges.split("\n")[1:] if line]
    tokens = [*symbols, *(f"{symbol}</w>" for symbol in symbols), *merged, "<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate(tokens)}
