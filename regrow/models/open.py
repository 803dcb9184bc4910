"""From a name or a folder to an opened model, or to one sentence that says why not."""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from regrow.media.home import home
from regrow.models.edit_file import EDIT_FILE, read_edit_file
from regrow.models.folder import read_json, reason
from regrow.models.model import Family, Model, ModelError

EMBEDDED = Path(__file__).parents[1] / "weights"
SUPPORTED = (
    "Stable Diffusion 1.x and 2.x (StableDiffusionPipeline), pixel UNets (DDPMPipeline, DDIMPipeline, UNet2DModel) and "
    "mel UNets (AudioDiffusionPipeline)"
)
_PIPELINES: dict[str, Family] = {
    "StableDiffusionPipeline": "stable-diffusion",
    "StableDiffusionImg2ImgPipeline": "stable-diffusion",
    "DDPMPipeline": "pixel-unet",
    "DDIMPipeline": "pixel-unet",
    "AudioDiffusionPipeline": "mel-unet",
}
# all that a model is read from, so that a hub repository's other gigabytes stay where they are
_PARTS = ("unet", "vae", "vqvae", "text_encoder")


def _weights_of(part: str) -> list[str]:
    """Whole, or in shards with their index."""
    return [f"{part}/*model{end}" for end in (".safetensors", ".safetensors.index.json", "-0*.safetensors")]


_WANTED = [
    "model_index.json",
    "config.json",
    "scheduler_config.json",
    "words.json",
    "mel.json",
    "contour.json",
    EDIT_FILE,
    "transcriber.safetensors",
    "describer.safetensors",
    "mel/mel_config.json",
    "training.json",
    "diffusion_pytorch_model.safetensors",
    "scheduler/*.json",
    "tokenizer/*",
    *(f"{part}/config.json" for part in _PARTS),
    *(pattern for part in _PARTS for pattern in _weights_of(part)),
]
_WANTED_PICKLES = ["diffusion_pytorch_model.bin", *(f"{part}/*model.bin" for part in _PARTS)]


@dataclass(frozen=True)
class Listed:
    """A model that is there to be opened by name; `family` is None where `open_model` would say why not."""

    name: str
    folder: Path
    family: Family | None


def user_models() -> Path:
    """The user's model folder."""
    return home() / "models"


def plain_name(name: str) -> str:
    """A name that a model may have in the user's folder.

    Raises:
        ModelError: it is empty, hidden, or a path.
    """
    if not name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|'):
        raise ModelError(f"{name!r} is no name of a model here: give a plain name, not a path.")
    return name


def list_models() -> list[Listed]:
    """The embedded models and the user's, by name; of two with the same name the one that `open_model` opens."""
    found: dict[str, Listed] = {}
    for root in (EMBEDDED, user_models()):
        for folder in sorted(root.iterdir() if root.is_dir() else ()):
            if folder.name.startswith(".") or not _is_model(folder) or folder.name in found:
                continue
            try:
                family = _family(folder)[0]
            except ModelError:
                family = None
            found[folder.name] = Listed(folder.name, folder, family)
    return sorted(found.values(), key=lambda listed: listed.name)


def family_of(folder: Path) -> Family:
    """The family of a folder, told from its `model_index.json` or `config.json` alone: its weights may be missing.

    Raises:
        ModelError: it has neither file, or describes a model that regrow does not support.
    """
    if not _is_model(folder):
        raise ModelError(f"{folder} is no model: it has neither a model_index.json nor a config.json.")
    return _family(folder)[0]


def wanted_files(allow_pickle: bool = False, there: Sequence[str] = ()) -> list[str]:
    """Patterns, relative to a model's folder, of all the files that a model is read from.

    Args:
        allow_pickle: whether pickled weights are wanted.
        there: names of the files to choose from; of a part whose weights are there as a variant only, such as fp16,
            that is wanted.
    """
    variants = []
    for part in _PARTS:
        names = fnmatch.filter(there, f"{part}/*model*.safetensors*")
        if names and not any(fnmatch.filter(names, pattern) for pattern in _weights_of(part)):
            variants.append(f"{part}/*model.*.safetensors")
    return [*_WANTED, *variants, *(_WANTED_PICKLES if allow_pickle else ())]


def open_model(
    name_or_folder: str | Path,
    *,
    allow_pickle: bool = False,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Model:
    """Open a model.

    Args:
        name_or_folder: a folder in the diffusers layout, the name of an embedded model or of one in the user's
            folder, or a hub repository `user/name`; looked for in this order.
        allow_pickle: whether pickled weights may be read where there are no safetensors; a pickle can run any
            program.
        device: of its modules.
        dtype: of its modules.

    Raises:
        ModelError: nothing of this name, or a model that regrow cannot open; one sentence says why.
    """
    name = str(name_or_folder)
    folder = _find(name, allow_pickle)
    model = _on(device, _opened(folder, name, allow_pickle, dtype))
    if edit_file := read_edit_file(folder):
        model.edit_steps, model.edit_strengths = edit_file.steps, edit_file.strengths
    return model


def _opened(folder: Path, name: str, allow_pickle: bool, dtype: torch.dtype) -> Model:
    family, index = _family(folder)
    if family == "stable-diffusion":
        from regrow.models.families.stable_diffusion import open_stable_diffusion

        return open_stable_diffusion(folder, name, index or {}, allow_pickle, dtype)
    if family == "mel-unet":
        from regrow.models.families.mel_unet import open_mel_unet

        return open_mel_unet(folder, name, index or {}, allow_pickle, dtype)
    from regrow.models.families.pixel import open_pixel_unet

    return open_pixel_unet(folder, name, index, allow_pickle, dtype)


def _on(device: str | torch.device, model: Model) -> Model:
    """The model on a device.

    Raises:
        ModelError: there is none of this name.
    """
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as problem:  # torch has both for a device that is not there
        first = str(problem).splitlines()[0].rstrip(".")
        raise ModelError(f"--device {device} cannot be used here ({first}); leave it out for the CPU.") from problem


def _find(name: str, allow_pickle: bool) -> Path:
    given = Path(name)
    with suppress(RuntimeError):  # of a user who is not there
        given = given.expanduser()
    for folder in (given, EMBEDDED / name, user_models() / name):
        if _is_model(folder):
            return folder
    if given.is_file():
        raise ModelError(
            f"{given} is a single file; regrow opens folders in the diffusers layout, so convert it first "
            "(diffusers: from_single_file, then save_pretrained)."
        )
    if given.is_dir():
        raise ModelError(f"{given} is no model: it has neither a model_index.json nor a config.json.")
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name):
        return _from_hub(name, allow_pickle)
    names = ", ".join(listed.name for listed in list_models()) or "none"
    raise ModelError(f"There is no model {name!r}: it is no folder, and the models known by name are: {names}.")


def _is_model(folder: Path) -> bool:
    return (folder / "model_index.json").is_file() or (folder / "config.json").is_file()


def _is_complete(folder: Path) -> bool:
    """Whether a cached snapshot holds weights of every part: the cache also keeps downloads that broke off."""
    index = read_json(folder / "model_index.json") if (folder / "model_index.json").is_file() else {"unet": []}
    parts = [folder / part for part in _PARTS if part in index and index[part] != [None, None]]
    return all(_has_weights(path) for path in parts) or _has_weights(folder)


def _has_weights(folder: Path) -> bool:
    if not (folder / "config.json").is_file():
        return False
    try:
        shards = [name for index in folder.glob("*.index.json") for name in read_json(index)["weight_map"].values()]
    except (ModelError, KeyError, AttributeError):
        return False
    here = {path.name for path in folder.glob("*") if path.suffix in (".safetensors", ".bin")}
    return bool(here) and here.issuperset(shards)


def _from_hub(name: str, allow_pickle: bool) -> Path:
    from huggingface_hub import snapshot_download

    patterns = wanted_files(allow_pickle)
    try:
        cached = Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
        if _is_model(cached) and _is_complete(cached):
            return cached
    except Exception:  # whatever is wrong with the cache, the download below repairs or explains
        pass
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:  # a dozen classes, by what failed on the way
        raise ModelError(
            f"There is no model {name!r}: it is no folder, is not in the hub's cache on this machine, and could not "
            f"be downloaded ({reason(error)})."
        ) from error


def _family(folder: Path) -> tuple[Family, Mapping[str, Any] | None]:
    """The family of a folder, and its `model_index.json` if it has one."""
    index_file, config_file = folder / "model_index.json", folder / "config.json"
    if not index_file.is_file():
        kind = read_json(config_file).get("_class_name")
        if kind == "UNet2DModel":
            return "pixel-unet", None
        raise ModelError(f"{config_file} describes a {kind}, which is no model by itself; regrow opens {SUPPORTED}.")
    index = read_json(index_file)
    kind = index.get("_class_name")
    if isinstance(kind, str) and kind in _PIPELINES:
        return _PIPELINES[kind], index
    raise ModelError(f"{index_file} describes a {kind}, which regrow does not support; it opens {SUPPORTED}.")
