"""Pipelines of diffusers that add a ControlNet, or another way to sample, to the parts of a plainer one."""

from collections.abc import Mapping
from typing import Any

ADDED = {
    "ControlNetUnion": "its ControlNet is left out",
    "ControlNet": "its ControlNet is left out",
    "Adapter": "its T2I-Adapter is left out",
    "PAG": "perturbed-attention guidance is left out",
}
"""What class names hold of more than a plain pipeline's, and what becomes of that."""
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
    """Return the class of the pipeline whose parts a pipeline has; its own where it is plain."""
    if kind in PLAIN:
        return PLAIN[kind]
    for added in (*ADDED, *TASKS):
        kind = kind.replace(added, "")
    return kind


def about_pipeline(index: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return a sentence on what of a `model_index.json` is left out, if anything is."""
    kind = str((index or {}).get("_class_name", ""))
    left = [what for added, what in ADDED.items() if added in kind and f"{added}Union" not in kind]
    if not left and kind not in PLAIN:
        return ()
    plain = plain_pipeline(kind)
    return (f"It is a {kind}, opened as a {plain}{''.join(f'; {what}' for what in left)}.",)
