"""The stages of a training run, made from its request, and what they begin with: a model and pictures or mels."""

import tempfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from regrow.core.progress import Progress
from regrow.media.audio.mel import MelSettings
from regrow.models.folder_forms.quantised import is_quantised
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.probes.attributes import copy_describer
from regrow.models.registry import Family, all_families, family_named
from regrow.models.saving import write_new_pixel
from regrow.requests.train import Train
from regrow.training.codec_stage import CodecOf
from regrow.training.denoiser_stage import DenoiserOf
from regrow.training.training_data import Data, folder_data, mixed, sound_folder_data
from regrow.training.training_words import lost_words
from regrow.training.world_data import world_items

SCENES = 16_000
"""Of a world, where a request does not say how many."""
FRAMES = 512
"""Of a new sound model's clips: 5.9 s."""
PIXEL_MEL, PIXEL_FRAMES = MelSettings(window=2048, hop=512, low=0.0), 256
"""Of a new model that denoises mels themselves: clips as long, of half as many numbers; with librosa's bands."""


def stages_of(request: Train) -> list[CodecOf | DenoiserOf]:
    """The stages of a run, in order."""
    both = request.stage == "auto" and not (request.start or request.codec_from)
    stages: list[CodecOf | DenoiserOf] = []
    if both or request.stage == "codec":
        stages.append(CodecOf(share=1 / 3 if both else 1.0))
    if request.stage != "codec":
        stages.append(DenoiserOf(share=2 / 3 if both else 1.0))
    return stages


def read_data(
    request: Train, extent: tuple[int, int], mel: MelSettings | None, relative: bool = False
) -> Generator[Progress, None, Data]:
    """What a request names: pictures of this height and width, or mels of this many bands and frames.

    Raises:
        ValueError: a world for a model that knows no level: the world's sounds have one.
    """
    if request.world and relative:
        raise ValueError(
            f"{request.start} knows no level, and the bandstand plays loud and soft: train it on a folder."
        )
    own = None
    if request.data is not None and mel:
        own = yield from sound_folder_data(request.data, request.hold_out, extent[1], mel, relative)
    elif request.data is not None:
        own = yield from folder_data(request.data, request.hold_out, extent[0])
    if own is not None and not request.world:
        return own
    scenes = request.scenes or (SCENES if own is None else 3 * own.trained_on)
    known = yield from world_items(request.world or "storybook", scenes, request.hold_out, extent, mel)
    if own is None:
        return known
    return mixed(own, known, f"mixed with {scenes} of the {request.world}, to keep what is known of it.")


def open_or_make(request: Train, folder: Path) -> Generator[Progress, None, tuple[Model, Data]]:
    """The model to train, and its data: opened where one is named, else written untrained into `folder` and opened.

    Raises:
        ValueError: the request asks for what the model to go on from cannot learn.
        MediaError: nothing to train on.
        ModelError: the model to go on from cannot be opened.
    """
    if request.start:
        model = open_model(request.start, in_turn=False)
        _check_fits(request, model)
        data = yield from read_data(request, _extent(request, model), model.mel, model.relative)
        return model, _learnable(request, model, data)
    family, codec = _new_family(request), _known_codec(request)
    extent, mel = _new_frames(request, codec)
    data = yield from read_data(request, extent, mel)
    if not (folder / "model_index.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
            made = Path(aside) / "new"
            seed, size = request.seed, request.new or "small"
            objective = request.objective or family.kind.new_objectives[0]
            if request.stage == "pixel":
                write_new_pixel(made, seed=seed, size=size, extent=extent, objective=objective, mel=mel)
            else:
                family.kind.write_new(
                    made,
                    seed=seed,
                    size=size,
                    extent=extent,
                    objective=objective,
                    words=data.words,
                    characters=data.characters,
                    mel=mel,
                    piano_roll=data.notes_of is not None,
                    codec=codec,
                )
                if codec is not None and request.data is None:  # it reads what a world shows off these latents
                    copy_describer(codec.folder, made)
            made.rename(folder)
    model = open_model(folder, in_turn=False)
    return model, _learnable(request, model, data)


def _new_family(request: Train) -> Family:
    """Return the family of a new model."""
    family = family_named(request.family or "stable-diffusion", "--family")
    if not family.kind.new_objectives:
        able = " and ".join(sorted(one.name for one in all_families() if one.kind.new_objectives))
        raise ValueError(
            f"regrow makes new models of {able}, but none of {family.name}: go on from a checkpoint of it (--from), or "
            "take another --family."
        )
    if request.objective not in (None, *family.kind.new_objectives):
        able = " or ".join(family.kind.new_objectives)
        raise ValueError(f"Models of {family.name} predict {able}, not {request.objective}; leave --objective out.")
    if request.learns not in (None, *family.kind.new_media):
        able = " and ".join(family.kind.new_media)
        raise ValueError(f"New models of {family.name} make {able}s, and no {request.learns}s; leave --family out.")
    return family


def _known_codec(request: Train) -> Model | None:
    """Return the model whose codec a new one takes; None where it gets a new codec."""
    if not request.codec_from:
        return None
    model = open_model(request.codec_from)
    if model.codec.part is None or model.codec_network.config.get("latent_channels") is None:
        raise ValueError(f"{model.name} has no codec that a new model could take: leave --codec out.")
    if request.learns not in (model.medium.name, None):
        raise ValueError(f"{model.name} is a model of {model.medium}s, and its codec codes no {request.learns}s.")
    return model


def _new_frames(request: Train, codec: Model | None) -> tuple[tuple[int, int], MelSettings | None]:
    """Return the extent of a new model's frames, and the settings of its mels; None for pictures."""
    mel, frames = (PIXEL_MEL, PIXEL_FRAMES) if request.stage == "pixel" else (MelSettings(), FRAMES)
    if codec is not None and not codec.medium.sized:
        return codec.size, codec.mel
    side = request.size or (128 if codec is None else min(codec.size))
    by_medium = {"picture": ((side, side), None), "sound": ((mel.bands, frames), mel)}
    return by_medium[request.learns or "picture"]


def _learnable(request: Train, model: Model, data: Data) -> Data:
    """The data without the words that a denoiser cannot learn of its captions, with notes on them."""
    if request.stage == "codec":
        return data
    lost, notes = lost_words(model, (*data.texts, *request.prompts))
    return replace(data, words=tuple(word for word in data.words if word not in lost), notes=(*data.notes, *notes))


def _check_fits(request: Train, model: Model) -> None:
    if not model.trainable:
        raise ValueError(f"{request.start} is of a family that cannot be trained here ({model.family}).")
    if is_quantised(model.network):
        raise ValueError(
            f"{request.start} has quantised weights, which are not trained: take what they were made from."
        )
    if request.learns not in (model.medium.name, None):
        raise ValueError(f"{request.start} is a model of {model.medium}s and cannot learn {request.learns}s.")
    if request.size and not model.medium.sized:
        raise ValueError(f"--size is for pictures, and {request.start} makes {model.medium}s; leave it out.")
    if request.stage == "pixel" and model.codec.part is not None:
        raise ValueError(f"{request.start} denoises latents of a codec, and no pixels; leave --stage pixel out.")
    if request.stage == "codec" and model.codec.part is None:
        raise ValueError(f"{request.start} has no codec to train: it denoises pixels; leave --stage codec out.")
    if request.lora and not model.takes_words:
        raise ValueError(f"{request.start} has no text encoder, which --lora is for; leave it out.")
    if request.lora and not model.lora:
        raise ValueError(f"Adapters cannot be trained on models of this family ({model.family}); leave --lora out.")


def _extent(request: Train, model: Model) -> tuple[int, int]:
    if not model.medium.sized:
        return model.size
    side = request.size or min(model.size)
    model.latent_shape(side, side)
    return side, side
