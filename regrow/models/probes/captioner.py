"""Captioning models of transformers, such as BLIP, for pictures that regrow's describers were not trained on."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from regrow.media.image.picture import to_uint8
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import reason
from regrow.models.load_part import quiet

Captioner = Callable[[Float[Tensor, "3 h w"]], str]
"""From a picture in [-1, 1] to a caption."""

LONGEST = 40
"""Most tokens of a caption."""


def open_captioner(where: str) -> Captioner:
    """Open a captioning model, safetensors only.

    Args:
        where: its folder, or its id on the hub, from which transformers downloads it once.

    Raises:
        ModelError: it cannot be opened, or is not a captioning model.
    """
    try:
        with quiet():
            processor = AutoProcessor.from_pretrained(where)
            network: Any = AutoModelForImageTextToText.from_pretrained(where, use_safetensors=True).eval()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as problem:
        raise ModelError(say("captioner_unusable", where=where, reason=reason(problem))) from problem

    @torch.no_grad()
    def caption(picture: Float[Tensor, "3 h w"]) -> str:
        inputs = processor(images=to_uint8(picture[None])[0], return_tensors="pt")
        made = network.generate(**inputs, max_new_tokens=LONGEST, do_sample=False)
        return " ".join(processor.decode(made[0], skip_special_tokens=True).split())

    return caption
