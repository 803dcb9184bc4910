"""Make the stages of a training run from its request, and open their model and data."""

import tempfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from regrow.core.progress import Progress
from regrow.media.audio.mel import MelSettings
from regrow.messages.message import say
from regrow.models.folder_forms.quantised import is_quantised
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.probes.attributes import copy_describer
from regrow.models.registry import Family, all_families, family_named
from regrow.models.saving import write_new_pixel
from regrow.requests.train import SINGER, SONGBOOK, Train
from regrow.training.codec_stage import CodecOf
from regrow.training.denoiser_stage import DenoiserOf
from regrow.training.songs.voice_folder import voice_folder_data
from regrow.training.training_data import Data, folder_data, mixed, sound_folder_data
from regrow.training.training_words import lost_words
from regrow.training.world_data import world_items

SCENES = 16_000
"""Number of a world's items if the request gives neither a number nor a folder."""
FRAMES = 512
"""Frames of a new sound model's clips: 5.9 s."""
PIXEL_MEL, PIXEL_FRAMES = MelSettings(window=2048, hop=512, low=0.0), 256
"""Mels of a new model that denoises mels directly: the same duration in half as many numbers, with librosa's bands."""


def stages_of(request: Train) -> list[CodecOf | DenoiserOf]:
    """Return the stages of a run, in order."""
    both = request.stage == "auto" and not (request.start or request.codec_from or request.family == SINGER)
    stages: list[CodecOf | DenoiserOf] = []
    if both or request.stage == "codec":
        stages.append(CodecOf(share=1 / 3 if both else 1.0))
    if request.stage != "codec":
        stages.append(DenoiserOf(share=2 / 3 if both else 1.0))
    return stages


def read_data(
    request: Train,
    extent: tuple[int, int],
    mel: MelSettings | None,
    relative: bool = False,
    model: Model | None = None,
) -> Generator[Progress, None, Data]:
    """Return a request's data: pictures of this height and width, or mels of this many bands and frames.

    Raises:
        ValueError: a world is given for a model without levels, which the world's sounds have.
    """
    if request.world and relative:
        raise ValueError(say("model_knows_no_level", model=request.start))
    own = None
    if request.data is not None and model is not None and model.reads_scores:
        own = yield from voice_folder_data(request.data, request.hold_out, model)
    elif request.data is not None and mel:
        own = yield from sound_folder_data(request.data, request.hold_out, extent[1], mel, relative)
    elif request.data is not None:
        own = yield from folder_data(request.data, request.hold_out, extent[0])
    if own is not None and not request.world:
        return own
    scenes = request.scenes or (SCENES if own is None else 3 * own.trained_on)
    known = yield from world_items(request.world or "storybook", scenes, request.hold_out, extent, mel)
    if own is None:
        return known
    return mixed(own, known, say("mixed_with_world", count=scenes, world=request.world))


def open_or_make(request: Train, folder: Path) -> Generator[Progress, None, tuple[Model, Data]]:
    """Return the model to train and its data; without `request.start`, write a new model into `folder` and open it.

    Raises:
        ValueError: the model to continue cannot learn what the request asks for.
        MediaError: there is nothing to train on.
        ModelError: the model to continue cannot be opened.
    """
    if request.start:
        model = open_model(request.start, in_turn=False)
        _check_fits(request, model)
        data = yield from read_data(request, _extent(request, model), model.mel, model.relative, model)
        return model, _learnable(request, model, data)
    family, codec = _new_family(request), _known_codec(request)
    extent, mel = (family.kind.new_extent, None) if family.kind.new_extent else _new_frames(request, codec)
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
                if codec is not None and request.data is None:  # the describer reads a world's attributes from latents
                    copy_describer(codec.folder, made)
            made.rename(folder)
    model = open_model(folder, in_turn=False)
    return model, _learnable(request, model, data)


def _new_family(request: Train) -> Family:
    """Return the family of a new model."""
    family = family_named(request.family or "stable-diffusion", "--family")
    if not family.kind.new_objectives:
        *several, last = sorted(one.name for one in all_families() if one.kind.new_objectives)
        able = f"{', '.join(several)} and {last}"
        raise ValueError(say("no_new_models_of_family", families=able, name=family.name))
    if request.objective not in (None, *family.kind.new_objectives):
        able = " or ".join(family.kind.new_objectives)
        raise ValueError(say("objective_not_of_family", name=family.name, able=able, objective=request.objective))
    if request.learns not in (None, *family.kind.new_media):
        able = " and ".join(family.kind.new_media)
        raise ValueError(say("family_makes_other_medium", name=family.name, able=able, learns=request.learns))
    return family


def _known_codec(request: Train) -> Model | None:
    """Return the model whose codec a new one takes; None if it gets a new codec."""
    if not request.codec_from:
        return None
    model = open_model(request.codec_from)
    if model.codec.part is None or model.codec_network.config.get("latent_channels") is None:
        raise ValueError(say("no_codec_to_take", name=model.name))
    if request.learns not in (model.medium.name, None):
        raise ValueError(say("codec_of_other_medium", name=model.name, medium=model.medium, learns=request.learns))
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
    """Return the data without words of its captions that a denoiser cannot learn, with notes on them."""
    if request.stage == "codec":
        return data
    lost, notes = lost_words(model, (*data.texts, *request.prompts))
    return replace(data, words=tuple(word for word in data.words if word not in lost), notes=(*data.notes, *notes))


def _check_fits(request: Train, model: Model) -> None:
    if request.world and (request.world == SONGBOOK) != model.reads_scores:
        raise ValueError(say("model_cannot_learn_world", model=request.start, world=request.world))
    if not model.trainable:
        raise ValueError(say("family_not_trained_here", model=request.start, family=model.family))
    if is_quantised(model.network):
        raise ValueError(say("quantised_not_trained", model=request.start))
    if request.learns not in (model.medium.name, None):
        raise ValueError(
            say("model_learns_other_medium", model=request.start, medium=model.medium, learns=request.learns)
        )
    if request.size and not model.medium.sized:
        raise ValueError(say("size_only_for_picture_models", model=request.start, medium=model.medium))
    if request.stage == "pixel" and model.codec.part is not None:
        raise ValueError(say("model_denoises_latents", model=request.start))
    if request.stage == "codec" and model.codec.part is None:
        raise ValueError(say("model_denoises_pixels", model=request.start))
    if request.lora and not model.takes_words:
        raise ValueError(say("lora_needs_text_encoder", model=request.start))
    if request.lora and not model.lora:
        raise ValueError(say("adapters_not_trained_here", family=model.family))


def _extent(request: Train, model: Model) -> tuple[int, int]:
    if not model.medium.sized:
        return model.size
    side = request.size or min(model.size)
    model.latent_shape(side, side)
    return side, side
