"""What a model's makers say it is sampled with, for requests that leave it open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regrow.core.names import SolverName


@dataclass(frozen=True)
class OwnSettings:
    """See `Opened.own`.

    Attributes:
        steps: levels of a path.
        guidance: how much words are exaggerated.
        solver: of generation.
        is_guided: whether guidance is not in its weights already; distilled models are sampled at 1.
        image_guidance: how much the picture is exaggerated that it edits by instruction, 1 = off; None where its
            network has no such guidance.
    """

    steps: int = 30
    guidance: float = 4.0
    solver: SolverName = "dpmpp_2m"
    is_guided: bool = True
    image_guidance: float | None = None


STABLE_DIFFUSION = OwnSettings(steps=30, guidance=7.5)
"""Of Stable Diffusion 1 and 2: the guidance of their cards, and as many steps as DPM++ 2M needs (arXiv 2211.01095)."""
SDXL = OwnSettings(steps=30, guidance=5.0)
"""Of Stable Diffusion XL: the guidance of diffusers' StableDiffusionXLPipeline."""
SD3 = OwnSettings(steps=28, guidance=7.0, solver="ddim")
"""Of Stable Diffusion 3 medium: its card."""
SD3_5_MEDIUM = OwnSettings(steps=40, guidance=4.5, solver="ddim")
SD3_5_LARGE = OwnSettings(steps=28, guidance=3.5, solver="ddim")
"""Of Stable Diffusion 3.5: their cards."""
FEW_STEPS = OwnSettings(steps=4, guidance=1.0, solver="ddim")
"""Of Turbo, Lightning and Hyper checkpoints: 1 to 4 steps, or 8, without guidance (arXiv 2311.17042, 2402.13929)."""
CONSISTENCY = OwnSettings(steps=4, guidance=1.0, solver="ping_pong")
"""Of latent consistency models (Luo et al. 2023, arXiv 2310.04378) and what LCM-LoRA was fused into."""
GUIDED_CONSISTENCY = OwnSettings(steps=4, guidance=8.5, solver="ping_pong")
"""Of those that take guidance as an input: the default of diffusers' LatentConsistencyModelPipeline."""
PING_PONG = OwnSettings(steps=8, guidance=1.0, solver="ping_pong", is_guided=False)
"""Of Stable Audio's distilled flows (Novack et al. 2025, arXiv 2505.08175)."""


def of_scheduler(config: Mapping[str, Any]) -> OwnSettings:
    """Return what a `scheduler_config.json` says of how a checkpoint of Stable Diffusion's kinds is sampled.

    Distilled checkpoints say it by the class of their scheduler, or by Euler's steps counted down from the last label,
    without the schedule that ends at pure noise, whose checkpoints count so, too (Lin et al. 2023, arXiv 2305.08891).
    """
    name, spacing = config.get("_class_name"), config.get("timestep_spacing")
    if name == "LCMScheduler":
        return CONSISTENCY
    euler = name in ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler") and spacing == "trailing"
    plain = config.get("prediction_type", "epsilon") == "epsilon" and not config.get("rescale_betas_zero_snr")
    return FEW_STEPS if name == "TCDScheduler" or (euler and plain) else OwnSettings()
