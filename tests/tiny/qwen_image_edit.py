"""Qwen-Image-Edit, and Qwen-Image-Edit-2509, whose pipeline is called Plus."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from checkpoints import edit_json
from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    QwenImageEditPipeline,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
)
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit, pipeline_qwenimage_edit_plus
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from transformers import (
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
    Qwen2VLProcessor,
)

from regrow.media.image.picture import to_uint8
from tiny.encoders import qwen2_tokenizer
from tiny.qwen_image import pipeline
from tiny.tiny import Tiny

SIDE = 64
"""Of the pictures that it is made for, in pixels: the published ones are made for 1024."""
CONTROL = [f"<|{name}|>" for name in ("im_start", "im_end", "vision_start", "vision_end", "image_pad", "video_pad")]


def qwen_image_edit(folder: Path, kind: str = "QwenImageEditPipeline") -> Path:
    """Like Qwen-Image-Edit: Qwen-Image, and the processor of pictures of Qwen2.5-VL.

    Args:
        folder: that it is written into.
        kind: of the pipeline that its index names.
    """
    torch.manual_seed(33)
    words = qwen2_tokenizer()
    words.add_special_tokens({"additional_special_tokens": CONTROL})  # pyright: ignore[reportArgumentType]
    ids = {"image_token_id": words.convert_tokens_to_ids("<|image_pad|>")}
    pipeline(words, (SIDE // 4) ** 2, **ids).save_pretrained(folder, safe_serialization=True)
    words.save_pretrained(folder / "processor")
    few = {"shortest_edge": 56 * 56, "longest_edge": 84 * 84}
    Qwen2VLImageProcessorPil(size=few).save_pretrained(folder / "processor")  # pyright: ignore[reportCallIssue]
    edit_json(folder / "model_index.json", _class_name=kind, processor=["transformers", "Qwen2VLProcessor"])
    return folder


@cache
def opened(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """Return diffusers' pipeline, part by part, as transformers opens no processor of films without torchvision."""
    words = Qwen2Tokenizer.from_pretrained(folder / "processor")
    with mock.patch.object(Qwen2VLProcessor, "check_argument_for_proper_class"):
        processor = Qwen2VLProcessor(Qwen2VLImageProcessorPil.from_pretrained(folder / "processor"), words)
    pipe = kind(
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder, subfolder="scheduler"),
        vae=AutoencoderKLQwenImage.from_pretrained(folder, subfolder="vae"),
        text_encoder=Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, subfolder="text_encoder"),
        tokenizer=Qwen2Tokenizer.from_pretrained(folder / "tokenizer"),
        processor=processor,
        transformer=QwenImageTransformer2DModel.from_pretrained(folder, subfolder="transformer"),
    ).to(dtype)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def with_positions(pipe: Any) -> Any:
    """Return a patch of the text encoder that is given what the processor says of its tokens.

    The pipelines of diffusers 0.42 drop that, and transformers 5 needs it for the positions of a picture's patches:
    github.com/huggingface/diffusers/issues/14194.
    """
    plain: Callable[..., Any] = pipe.text_encoder.forward

    def forward(**given: Any) -> Any:
        types = pipe.processor.create_mm_token_type_ids(given["input_ids"].tolist())
        return plain(**given, mm_token_type_ids=torch.tensor(types))

    return mock.patch.object(pipe.text_encoder, "forward", forward)


def small(module: Any) -> Any:
    """Return a patch of a pipeline's module that takes pictures of `SIDE` by itself instead of 1024."""
    plain = module.calculate_dimensions

    def dimensions(area: int, ratio: float) -> Any:
        return plain(SIDE * SIDE if area == 1024 * 1024 else area, ratio)

    return mock.patch.object(module, "calculate_dimensions", dimensions)


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    frame: Float[Tensor, "1 3 h w"] | None = None,
    kind: Any = QwenImageEditPipeline,
    positions: bool = True,
) -> Float[Tensor, "b c h w"]:
    """Run diffusers' pipeline for each prompt, as it takes one for one picture.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is a space, as its card has it.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
        frame: the picture that the prompts are instructions for; None is a grey one.
        kind: of the pipeline.
        positions: whether the text encoder is given those of the picture's patches, which the pipeline leaves out.
    """
    pipe = opened(kind, folder, start.dtype)
    height, width = (side * pipe.vae_scale_factor for side in start.shape[2:])
    frame = torch.zeros(1, 3, height, width) if frame is None else frame
    made = []
    patch = with_positions(pipe) if positions else nullcontext()
    with patch, small(pipeline_qwenimage_edit), small(pipeline_qwenimage_edit_plus):
        for i, prompt in enumerate(prompts):
            made += pipe(
                image=Image.fromarray(to_uint8(frame[0])),
                prompt=prompt,
                negative_prompt=" " if negatives is None else negatives[i],
                true_cfg_scale=guidance,
                num_inference_steps=steps,
                latents=pipe._pack_latents(start[i : i + 1], 1, *start.shape[1:]),
                height=height,
                width=width,
                output_type="latent",
            ).images
    return pipe._unpack_latents(torch.stack(made), height, width, pipe.vae_scale_factor)[:, :, 0]


PLUS = partial(qwen_image_edit, kind="QwenImageEditPlusPipeline")
SHAPE = (2, 16, SIDE // 2, SIDE // 2)
TINY = {
    "qwen-image-edit": Tiny(qwen_image_edit, latents, SHAPE, shared=False),
    "qwen-image-edit-plus": Tiny(PLUS, partial(latents, kind=QwenImageEditPlusPipeline), SHAPE, shared=False),
}
