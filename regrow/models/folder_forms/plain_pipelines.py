"""Pipelines of diffusers that add a ControlNet, or another way to sample, to a plain pipeline."""

from collections.abc import Mapping
from typing import Any

from regrow.messages.message import say

ADDED = {
    "ControlNetUnion": say("without_controlnet"),
    "ControlNet": say("without_controlnet"),
    "Adapter": say("without_t2i_adapter"),
    "PAG": say("without_pag"),
}
"""Additions in pipeline class names, and a message on each."""
TASKS = ("Img2Img", "Inpainting", "Inpaint")
PLAIN = {
    "StableDiffusionPanoramaPipeline": "StableDiffusionPipeline",
    "StableDiffusionAttendAndExcitePipeline": "StableDiffusionPipeline",
    "StableDiffusionSAGPipeline": "StableDiffusionPipeline",
    "StableDiffusionDiffEditPipeline": "StableDiffusionPipeline",
    "StableDiffusionPix2PixZeroPipeline": "StableDiffusionPipeline",
    "LEditsPPPipelineStableDiffusion": "StableDiffusionPipeline",
    "LEditsPPPipelineStableDiffusionXL": "StableDiffusionXLPipeline",
}
"""Ways to sample a plain checkpoint, saved under their own names."""


def plain_pipeline(kind: str) -> str:
    """Return the class of the plain pipeline that a pipeline extends; itself if it is plain."""
    if kind in PLAIN:
        return PLAIN[kind]
    for added in (*ADDED, *TASKS):
        kind = kind.replace(added, "")
    return kind


def about_pipeline(index: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return a message on the additions of a pipeline that are left out, if any."""
    kind = str((index or {}).get("_class_name", ""))
    left = [what for added, what in ADDED.items() if added in kind and f"{added}Union" not in kind]
    if not left and kind not in PLAIN:
        return ()
    plain = plain_pipeline(kind)
    return (say("opened_as_plain", kind=kind, plain=plain, more="".join(f"; {what}" for what in left)),)
