"""Qwen-Image-Edit (arXiv 2508.02324, section 5): Qwen-Image trained to edit a picture by instruction.

It takes the picture twice: Qwen2.5-VL reads it with the instruction, in a template that asks what the instruction
changes; and the network takes its latents as further tokens, as a second picture.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from regrow.media.image.picture import to_uint8
from regrow.messages.message import say
from regrow.models.codecs.film_autoencoder import FilmAutoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.qwen_image import QwenImage, packed
from regrow.models.families.shared.picture_words import (
    PICTURE_TOKEN,
    QWEN2_VL,
    WithPicture,
    check_settings,
    picture_processor,
)
from regrow.models.families.shared.shift_by_size import SIDE
from regrow.models.own_settings import OwnSettings
from regrow.models.parts import Part
from regrow.models.pipelines import prompt_pipeline
from regrow.models.registry import register
from regrow.models.source import Source


@register(
    "qwen-image-edit",
    "Qwen-Image-Edit (QwenImageEditPipeline, QwenImageEditPlusPipeline)",
    pipelines=("QwenImageEditPipeline", "QwenImageEditInpaintPipeline", "QwenImageEditPlusPipeline"),
    folders=("transformer", "vae", "text_encoder", "tokenizer", "processor"),
)
@dataclass(eq=False, kw_only=True)
class QwenImageEdit(QwenImage):
    """See `QwenImage`. It has one part more, `processor`, which prepares the picture for the text encoder.

    Attributes:
        source: latents of the picture to edit; None if there is none yet.
        picture: the same picture, for the text encoder.
    """

    FAMILY: ClassVar[str] = "qwen-image-edit"
    LARGEST: ClassVar[int] = 1024
    PIPELINE: ClassVar[str] = "QwenImageEditPipeline"
    edits_by_instruction: ClassVar[bool] = True
    only_by_instruction: ClassVar[bool] = True
    takes_tiles = False

    source: Float[Tensor, "1 c y x"] | None = None
    picture: Image.Image | None = None

    @classmethod
    def _kind(cls, index: Mapping[str, Any]) -> type[QwenImage]:
        return QwenImageEditPlus if index.get("_class_name") == QwenImageEditPlus.PIPELINE else cls

    @classmethod
    def _parts_of(cls, source: Source) -> dict[str, Part]:
        words = source.tokenizer("processor", QWEN2_VL)
        folder = source.folder / "processor"
        check_settings(folder)
        processor = Part(lambda dtype: picture_processor(words.open(dtype), folder), words.files, "Qwen2VLProcessor")
        return {"processor": processor, **super()._parts_of(source)}

    @classmethod
    def _check_parts(cls, source: Source, codec: FilmAutoencoder) -> None:
        super()._check_parts(source, codec)
        pictures, encoder = codec.parts["processor"], codec.parts.config("text_encoder")
        cut, vision = pictures.image_processor, encoder["vision_config"]
        for name, made, taken in (
            ("patch_size", cut.patch_size, vision["patch_size"]),
            ("temporal_patch_size", cut.temporal_patch_size, vision["temporal_patch_size"]),
            ("merge_size", cut.merge_size, vision["spatial_merge_size"]),
            (f"token of {PICTURE_TOKEN}", pictures.image_token_id, encoder["image_token_id"]),
        ):
            if made != taken:
                raise ModelError(say("processor_differs", folder=source.folder, name=name, made=made, taken=taken))

    def with_source(
        self,
        frame: Float[Tensor, "1 channels *extent"],
        latents: Float[Tensor, "1 c *places"],
        image_guidance: float | None = None,
    ) -> "QwenImageEdit":
        other = copy(self)
        other.source, other.picture, other.encoded = latents, Image.fromarray(to_uint8(frame[0])), {}
        return other

    @property
    def area(self) -> int:
        """Pixels of the picture for the text encoder: as many as in a result, whatever the size of the file."""
        return self.size[0] * self.size[1]

    def condition(self, prompts: Sequence[str]) -> Condition:
        """Encode instructions together with the picture, one per sample; none are truncated.

        Raises:
            ValueError: there is no picture.
        """
        if self.picture is None:
            raise ValueError(say("makes_none_from_words", name=self.name))
        from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_dimensions

        encoder = WithPicture(self.parts["text_encoder"])
        pipeline = prompt_pipeline(self.PIPELINE, self.parts, ("tokenizer", "processor"), text_encoder=encoder)
        width, height = calculate_dimensions(self.area, self.picture.width / self.picture.height)
        picture = pipeline.image_processor.resize(self.picture, height, width)
        encoded = {}
        with torch.no_grad():
            for prompt in dict.fromkeys(prompts):  # one by one, as the pipelines take one picture per prompt
                encoded[prompt] = Condition(pipeline.encode_prompt([prompt], picture, device=self.device)[0])
        return reduce(Condition.cat, (encoded[prompt] for prompt in prompts))

    def tokens_of(self, x_t: Float[Tensor, "b c y x"]) -> tuple[Float[Tensor, "b n d"], list[tuple[int, int, int]]]:
        tokens, pictures = super().tokens_of(x_t)
        assert self.source is not None, "no prompt is encoded without a picture"
        height, width = (side // SIDE for side in self.source.shape[2:])
        shown = packed(self.source.to(x_t)).expand(len(x_t), -1, -1)
        return torch.cat([tokens, shown], 1), [*pictures, (1, height, width)]


@dataclass(eq=False, kw_only=True)
class QwenImageEditPlus(QwenImageEdit):
    """Qwen-Image-Edit-2509 and later: its text encoder takes numbered, smaller pictures."""

    PIPELINE: ClassVar[str] = "QwenImageEditPlusPipeline"
    OWN: ClassVar[OwnSettings] = OwnSettings(steps=40, guidance=4.0, solver="ddim")
    """From the card of Qwen/Qwen-Image-Edit-2509."""

    @property
    def area(self) -> int:
        """Pixels of the picture for the text encoder."""
        from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import CONDITION_IMAGE_SIZE

        return CONDITION_IMAGE_SIZE
