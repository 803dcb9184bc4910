"""Load a part of a checkpoint from a weight file with several parts, or with the authors' own tensor names.

diffusers converts the names. It does not report missing or unused weights; here both are errors.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import mend, read_json, reason
from regrow.models.load_part import quiet
from regrow.models.single_files.header import PICKLED, unpickled
from regrow.models.single_files.kinds import CLIP_L, OPEN_CLIP, PREFIX, T5
from regrow.models.single_files.weights_file import Place

_FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)
_UNUSED = ("position_ids", "logit_scale", "text_projection.weight", "text_projection")
"""Unused tensors in files of text encoders; `text_projection` only if the class has none."""


def load_file(kind: Any, folder: Path, part: str, place: Place, dtype: torch.dtype) -> Any:
    """Build a module of class `kind` from a weight file.

    Args:
        kind: a model class of diffusers or transformers.
        folder: the checkpoint's folder, which holds the part's config.
        part: the part's name.
        place: place of its weights.
        dtype: dtype of the module; GGUF weights stay quantised, and only computation uses it.

    Raises:
        ModelError: the file is missing or damaged, or does not hold the weights that the config asks for.
    """
    config = folder / part / "config.json"
    try:
        with quiet():
            if place.path.suffix.lower() == ".gguf":
                return _from_gguf(kind, folder, part, place.path, dtype)
            tensors = _tensors(place)
            if kind.__name__ != "UNet2DConditionModel":  # its conversion needs the prefix
                tensors = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
            state, left = _converted(kind, read_json(config), tensors)
            module, lacking = _filled(kind, read_json(config), state, dtype)
    except ModelError:
        raise
    except Exception as error:  # missing names and wrong shapes raise many exception types in the conversions
        raise ModelError(
            say(
                "file_lacks_described_part",
                path=place.path,
                part=part,
                config=config,
                reason=reason(error),
                mend=mend(place.path),
            )
        ) from error
    left += sorted(set(state) - set(module.state_dict()))
    left = [name for name in left if not name.endswith(_UNUSED)]
    for names, what in ((lacking, "lacks"), (left, say("config_has_no_place"))):
        if names:
            more = say("and_more", count=len(names) - 1) if len(names) > 1 else ""
            raise ModelError(
                say("file_does_not_fit", path=place.path, config=config, how=what, names=names[0], more=more)
            )
    return module


def _converted(kind: Any, config: Mapping[str, Any], tensors: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a part's weights by the names of its class, and the names that the conversion did not read."""
    from diffusers.loaders import single_file_model, single_file_utils

    if not kind.__module__.startswith("transformers"):
        convert = single_file_model.SINGLE_FILE_LOADABLE_CLASSES[kind.__name__]["checkpoint_mapping_fn"]
        if not single_file_model._should_convert_state_dict_to_diffusers(_skeleton(kind, config).state_dict(), tensors):
            return tensors, []
        there = len(tensors)
        made = convert(checkpoint=tensors, config=config)
        # conversions of transformers networks remove what they read; for others, the result shows what is unused
        return made, sorted(tensors) if len(tensors) < there else []
    if prefix := next((prefix for prefix in OPEN_CLIP if any(name.startswith(prefix) for name in tensors)), ""):
        state = single_file_utils.convert_open_clip_checkpoint(_skeleton(kind, config), tensors, prefix=prefix)
    elif any(name.startswith(T5) for name in tensors):
        return single_file_utils.convert_sd3_t5_checkpoint_to_diffusers(tensors), []
    else:
        within = next(iter(tensors)).partition("text_model.")[0]
        state = single_file_utils.convert_ldm_clip_checkpoint(tensors, within)
        if within == CLIP_L and "text_projection.weight" not in state:
            # the files of Stable Diffusion 3 leave it out, as it changes nothing
            state["text_projection.weight"] = torch.eye(config["projection_dim"])
    own = _skeleton(kind, config).state_dict()
    # in one of its two classes, transformers has dropped the outer prefix
    plain = {name if name in own else name.removeprefix("text_model."): tensor for name, tensor in state.items()}
    return plain, []


def _filled(
    kind: Any, config: Mapping[str, Any], state: Mapping[str, Any], dtype: torch.dtype
) -> tuple[Any, list[str]]:
    """Return a module with these weights, and the names of those that are missing."""
    module = _skeleton(kind, config)
    kept = getattr(kind, "_keep_in_fp32_modules", None) or ()

    def cast(name: str, tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_floating_point():
            return tensor
        wide = dtype == torch.float16 and any(part in kept for part in name.split("."))
        return tensor.to(torch.float32 if wide else dtype).contiguous()

    module.load_state_dict({name: cast(name, t) for name, t in state.items()}, strict=False, assign=True)
    if hasattr(module, "tie_weights"):  # T5's token embedding is one matrix under two names
        module.tie_weights()
    return module, [name for name, tensor in module.state_dict().items() if tensor.is_meta]


def _skeleton(kind: Any, config: Mapping[str, Any]) -> Any:
    """Return a module without weights, but with its buffers, which files do not hold."""
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        if kind.__module__.startswith("transformers"):
            return kind(kind.config_class.from_dict(dict(config)))
        return kind.from_config(dict(config))


def _from_gguf(kind: Any, folder: Path, part: str, path: Path, dtype: torch.dtype) -> Any:
    quantization = importlib.import_module("diffusers.quantizers.quantization_config")
    return kind.from_single_file(
        str(path),
        config=str(folder),
        subfolder=part,
        quantization_config=quantization.GGUFQuantizationConfig(compute_dtype=dtype),
        torch_dtype=dtype,
        local_files_only=True,
    )


def _tensors(place: Place) -> dict[str, Any]:
    """Return the tensors of a part by the names that they have in a file with several parts."""
    if place.path.suffix.lower() in PICKLED:
        tensors = unpickled(place.path)
    else:
        from safetensors import safe_open

        with safe_open(place.path, "pt") as file:
            names = [name for name in file.keys() if name.startswith(place.begins)]  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in names}
    return _unscaled({place.within + name: tensor for name, tensor in tensors.items() if name.startswith(place.begins)})


def _unscaled(tensors: dict[str, Any]) -> dict[str, Any]:
    """Multiply float8 weights by their scale, if they have one; leave others unchanged."""
    scales = {name: name.removesuffix("scale_weight") for name in tensors if name.endswith(".scale_weight")}
    marks = {name for name in tensors if name.endswith(("scaled_fp8", ".scale_input"))}
    plain = {name: tensor for name, tensor in tensors.items() if name not in scales and name not in marks}
    for name, stem in scales.items():
        weight = plain[f"{stem}weight"]
        if weight.dtype in _FLOAT8:
            plain[f"{stem}weight"] = (weight.float() * tensors[name].float()).bfloat16()
    return plain
