"""Describe in words what a model generates and at which size, for lists and model cards."""

from regrow.models.model import Model


def frames_text(model: Model) -> str:
    """Return the size of the frames that a model was made for, as text for a list."""
    if model.waves is None:
        return f"{model.size[0]} x {model.size[1]} pixels (height x width)"
    if len(model.extent) == 1:
        return f"{model.size[1]} samples of {_channels(model)}"
    if model.reads_scores:
        return f"{model.size[0]} rows of a voice x {model.size[1]} frames; songs of any length"
    return f"{model.size[0]} bands x {model.size[1]} frames of a mel"


def makes_text(model: Model) -> str:
    """Return what a model generates, as part of a sentence."""
    if model.waves is None:
        return f"pictures of {frames_text(model)}"
    rate, seconds = model.waves.rate, model.size[1] * model.waves.samples_per_frame / model.waves.rate
    how = f"as waves of {_channels(model)}" if len(model.extent) == 1 else f"as mels of {model.size[0]} bands"
    return f"sounds at {rate} Hz, {how} and in clips of {seconds:.1f} s"


def _channels(model: Model) -> str:
    channels = model.sound.channels
    return f"{channels} channels" if channels > 1 else "1 channel"
