"""Model cards: what the README.md of a published model says.

A model's folder may hold a `training.json`, any JSON object. Of its keys `base_model` and `license` go into the card's
front matter; every other fact goes into one of the card's three sections, by the first word of `_SECTION_OF` on the way
to it, and to the settings without one.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import huggingface_hub
from huggingface_hub import errors
from huggingface_hub.utils import validate_repo_id

from regrow.media.files import reason
from regrow.messages.message import say
from regrow.models.folder import check_inside, read_json
from regrow.models.model import Model
from regrow.models.model_text import makes_text
from regrow.models.registry import family_named
from regrow.models.sidecars.training_file import read_training

_SECTION_OF = {
    **dict.fromkeys(("data", "dataset", "datasets", "world", "scenes", "pictures", "captions", "notes"), "data"),
    **dict.fromkeys(("settings", "request"), "settings"),
    **dict.fromkeys(("figures", "metrics", "loss", "losses", "validation", "psnr", "seconds", "hours"), "figures"),
}

# what a model does, as the hub calls it, by its medium and whether it takes words
_TASKS = {
    ("picture", True): "text-to-image",
    ("picture", False): "unconditional-image-generation",
    ("sound", True): "text-to-audio",
    ("sound", False): "audio",
}

# a file, its source prompt and a target prompt, in the example of a card, by medium
_PLACEHOLDERS = {
    "picture": ("PICTURE", "WHAT IT SHOWS", "WHAT IT SHALL SHOW"),
    "sound": ("SOUND", "WHAT IS HEARD", "WHAT SHALL BE HEARD"),
}

# parts of Stable Diffusion pipelines that regrow does without, so that a pulled folder may lack them
OPTIONAL = ("safety_checker", "feature_extractor", "image_encoder")


def make_card(model: Model, repo: str) -> str:
    """Return the card that goes with a model to a hub repository.

    The README.md in the model's folder stays as it is, but for front matter put before it if it has none; without a
    README.md it is made of what is known.

    Raises:
        ValueError: `repo` is not of the form `user/repo`, or README.md or `training.json` cannot be read.
    """
    if not is_repository(repo):
        raise ValueError(say("no_hub_name", repo=repo))
    training, readme = read_training(model.folder), model.folder / "README.md"
    if read_front_matter(model.folder):
        return readme.read_text(encoding="utf-8")
    bases = training.get("base_model") or []
    bases = [str(base) for base in (bases if isinstance(bases, list) else [bases])]
    front = huggingface_hub.ModelCardData(
        license=str(training.get("license") or "unknown"),
        library_name="diffusers",
        tags=["diffusers", "regrow", _TASKS[model.medium.name, model.takes_words]],
        # the hub looks a base up, and knows nothing of names and folders on this machine
        base_model=[base for base in bases if is_repository(base) and not Path(base).exists()] or None,
    ).to_yaml()
    own = readme.read_text(encoding="utf-8-sig") if readme.is_file() else _card_body(model, repo, training, bases)
    return f"---\n{front.strip()}\n---\n\n{own}"


def parameters(model: Model) -> dict[str, int]:
    """Return how many parameters each part of a model has, by the name of the part's folder."""
    return {name: weights for name in model.parts if (weights := model.parts.weights(name))}


def read_front_matter(folder: Path) -> dict[str, Any]:
    """Return the YAML at the head of a model's README.md; empty without README.md, or without any in it.

    Raises:
        ValueError: it cannot be read, or is a link to a file elsewhere.
    """
    readme = folder / "README.md"
    check_inside(readme, folder)
    try:
        return (huggingface_hub.metadata_load(readme) or {}) if readme.is_file() else {}
    except Exception as error:  # of YAML, of UTF-8, of the disk
        raise ValueError(say("front_matter_unreadable", readme=readme, reason=reason(error))) from error


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested facts as dotted keys and words, without those unset; of a long list its length and its last value."""
    said: dict[str, str] = {}
    for key, value in facts.items():
        items = value if isinstance(value, list) else [value]
        if isinstance(value, dict):
            said |= flat(value, f"{prefix}{key}.")
        elif len(items) > 8 or any(isinstance(item, dict | list) for item in items):
            last = "" if isinstance(items[-1], dict | list) else f", the last {_words(items[-1])}"
            said[f"{prefix}{key}"] = f"a list of {len(items)}{last}"
        elif value not in (None, "", []):
            texts = [_words(item) for item in items]
            sentences = len(texts) > 1 and any("," in text for text in texts)
            said[f"{prefix}{key}"] = "; ".join(text.rstrip(".") for text in texts) if sentences else ", ".join(texts)
    return said


def _words(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())


def is_repository(name: str) -> bool:
    try:
        validate_repo_id(name)
    except errors.HFValidationError:
        return False
    return name.count("/") == 1


def _card_body(model: Model, repo: str, training: Mapping[str, Any], bases: list[str]) -> str:
    words = model.takes_words
    layout = f"in the layout of {family_named(model.family).title}{'' if words else ', without words'}"
    based = f" It was trained further from {' and '.join(map(_public, bases))}." if bases else ""
    parts = [f"| {name} | {count:,} |" for name, count in parameters(model).items()]
    notes = [note.replace(str(model.folder), "This repository") for note in model.notes]
    samples = sorted((model.folder / "samples").glob("*.png"))[-8:]  # the last: of a numbered row, the ripest
    pictures = " ".join(f"![{path.stem}](samples/{quote(path.name)})" for path in samples)
    sections = [
        f"# {repo.split('/')[1]}",
        f"A diffusion model {layout}, for {makes_text(model)}. Its network predicts {model.prediction_type}.{based}",
        "\n".join(["| part | parameters |", "|---|---|", *parts]),
        *notes,
        f"Content hash, as `regrow models show` prints it: `{model.content_hash}`.",
        *(["## Samples", pictures] if samples else []),
        "## How to use it",
        "With regrow:",
        _code("", _with_regrow(repo, model)),
        "With diffusers:",
        _code("python", _with_diffusers(model, repo)),
        *_trained(training),
    ]
    return "\n\n".join(sections) + "\n"


def _code(language: str, lines: list[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _with_regrow(repo: str, model: Model) -> list[str]:
    if not model.takes_words:
        return [f'regrow generate "" --guidance 1 --model {repo}']
    file, source, target = _PLACEHOLDERS[model.medium.name]
    return [
        f'regrow generate "WORDS" --model {repo}',
        f'regrow edit {file} --source "{source}" --target "{target}" --model {repo}',
    ]


def _with_diffusers(model: Model, repo: str) -> list[str]:
    index_file = model.folder / "model_index.json"
    if not index_file.exists():
        return [
            "from diffusers import UNet2DModel",
            "",
            f'network = UNet2DModel.from_pretrained("{repo}")  # the network alone; a pipeline adds a scheduler',
        ]
    index = read_json(index_file)
    kind = family_named(model.family).pipelines[0] if model.takes_words else index["_class_name"]
    lacking = [part for part in OPTIONAL if any(index.get(part) or ()) and not (model.folder / part).is_dir()]
    arguments = "".join(f", {part}=None" for part in lacking)
    variants = {match[1] for path in model.files if (match := re.fullmatch(r".+\.([a-z]\w*)\.safetensors", path.name))}
    arguments += "".join(f', variant="{variant}"' for variant in sorted(variants)[:1])
    made = 'pipeline("WORDS")' if model.takes_words else "pipeline()"
    saving = [f'{made}.images[0].save("picture.png")']
    if len(model.extent) == 1:  # waves
        wave = f"{made}.audios[0]" + (".T.numpy()" if kind == "StableAudioPipeline" else "")
        saving = ["import soundfile", f'soundfile.write("sound.wav", {wave}, {model.sound.rate})']
    if model.prediction_type == "flow" and kind == "StableDiffusionPipeline":
        return ["# diffusers has no pipeline for a UNet with words that predicts flow: regrow opens it"]
    if (model.medium.name, kind) == ("sound", "StableDiffusionPipeline"):
        return ["# diffusers has no pipeline from words to a mel and a wave: regrow opens it"]
    # said, for transformers 5 opens a text encoder in the precision it is stored in, and diffusers all else in float32
    return [
        "import torch",
        f"from diffusers import {kind}",
        "",
        f'pipeline = {kind}.from_pretrained("{repo}", dtype=torch.float32{arguments})',
        *saving,
    ]


def _trained(training: Mapping[str, Any]) -> list[str]:
    """The sections on data, settings and figures, each a table of what `training.json` has for it."""
    rows: dict[str, list[str]] = {"data": [], "settings": [], "figures": []}
    for key, value in flat(training).items():
        words = key.split(".")
        if words[0] in ("base_model", "license"):
            continue
        section = next((_SECTION_OF[word] for word in words if word in _SECTION_OF), "settings")
        cells = (key.removeprefix(f"{section}."), _public(value))
        rows[section].append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    sections = []
    for section, title in (("data", "Training data"), ("settings", "Settings"), ("figures", "Figures")):
        table = ["| what | value |", "|---|---|", *rows[section]]
        sections += [f"## {title}", "\n".join(table) if rows[section] else "Not recorded with the model."]
    return sections


def _public(value: str) -> str:
    """A path without the folders of this machine, and anything else as it is."""
    return Path(value).name if Path(value).is_absolute() else value
