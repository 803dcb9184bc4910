"""Cautions: what a model does not know, said before the user wonders about the result."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from regrow.models.model import Model
from regrow.models.sidecars.training_file import read_training
from regrow.models.vocabulary import read_words, unknown_words

FAR = 5.0
"""Decibels below its own pictures at which a picture counts as far from what a codec was trained on."""


def about_words(model: Model, prompts: Sequence[str]) -> tuple[str, ...]:
    """A sentence naming the words that the model was never trained on, if there are any."""
    known = read_words(model.folder)
    unknown = dict.fromkeys(word for prompt in prompts for word in unknown_words(known, prompt))
    if not unknown:
        return ()
    words = ", ".join(repr(word) for word in unknown)
    return (
        f"{model.name} was never shown {words} and will guess; `regrow models show {model.name}` says what it was.",
    )


def about_codec(
    model: Model, content: Float[Tensor, " channels *places"], decoded: Float[Tensor, " channels *places"], name: str
) -> tuple[str, ...]:
    """Return a sentence where the codec loses much more of a file than of those it was trained on.

    Only for models that say how good their codec is: the `training.json` of what `regrow train` made.

    Args:
        model: whose codec it is.
        content: the file in the model's frame.
        decoded: what the codec makes of it.
        name: of the file.
    """
    psnr = model.medium.codec_psnr(decoded, content)
    try:
        error = read_training(model.folder)["stages"]["codec"]["validation"]
        usual = 10 * math.log10(4 / error)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):  # whoever made the model wrote it
        return ()
    if psnr is None or psnr > usual - FAR:
        return ()
    return (
        f"{name} is far from what {model.name} was trained on: its codec alone brings it back at {psnr:.1f} dB, its "
        f"own pictures at {usual:.1f} dB. Use a model of such pictures, for example "
        "--model stable-diffusion-v1-5/stable-diffusion-v1-5.",
    )
