"""The sampling settings that a model's authors recommend, as defaults of requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regrow.core.names import SolverName


@dataclass(frozen=True)
class OwnSettings:
    """Sampling settings; see `Opened.own`.

    Attributes:
        steps: number of sampling steps.
        guidance: guidance scale; 1 = off.
        solver: solver for generation.
        is_guided: whether it takes guidance; False if guidance is distilled into its weights: it is then sampled at 1.
        image_guidance: guidance scale of the picture that it edits by instruction, 1 = off; None if its network has no
            such guidance.
        edit_method: default method for edits with it; empty for regrow's default.
    """

    steps: int = 30
    guidance: float = 4.0
    solver: SolverName = "dpmpp_2m"
    is_guided: bool = True
    image_guidance: float | None = None
    edit_method: str = ""


STABLE_DIFFUSION = OwnSettings(steps=30, guidance=7.5)
"""For Stable Diffusion 1 and 2: the guidance of their cards, and the steps that DPM++ 2M needs (arXiv 2211.01095)."""
SDXL = OwnSettings(steps=30, guidance=5.0)
"""For Stable Diffusion XL: the guidance of diffusers' StableDiffusionXLPipeline."""
SD3 = OwnSettings(steps=28, guidance=7.0, solver="ddim")
"""For Stable Diffusion 3 medium, from its card."""
SD3_5_MEDIUM = OwnSettings(steps=40, guidance=4.5, solver="ddim")
SD3_5_LARGE = OwnSettings(steps=28, guidance=3.5, solver="ddim")
"""For Stable Diffusion 3.5 medium and large, from their cards."""
FEW_STEPS = OwnSettings(steps=4, guidance=1.0, solver="ddim")
"""For Turbo, Lightning and Hyper checkpoints: 1 to 4 steps, or 8, without guidance (arXiv 2311.17042, 2402.13929)."""
CONSISTENCY = OwnSettings(steps=4, guidance=1.0, solver="ping_pong")
"""For latent consistency models (Luo et al. 2023, arXiv 2310.04378), and checkpoints with a fused LCM-LoRA."""
GUIDED_CONSISTENCY = OwnSettings(steps=4, guidance=8.5, solver="ping_pong")
"""For consistency models with guidance as an input: the default of diffusers' LatentConsistencyModelPipeline."""
PING_PONG = OwnSettings(steps=8, guidance=1.0, solver="ping_pong", is_guided=False)
"""For Stable Audio's distilled flow models (Novack et al. 2025, arXiv 2505.08175)."""


def of_scheduler(config: Mapping[str, Any]) -> OwnSettings:
    """Return sampling settings for a Stable Diffusion checkpoint by its `scheduler_config.json`.

    Distilled checkpoints are recognised by their scheduler's class, or by an Euler scheduler with trailing spacing.
    Checkpoints with zero terminal SNR also have trailing spacing (Lin et al. 2023, arXiv 2305.08891), and are excluded.
    """
    name, spacing = config.get("_class_name"), config.get("timestep_spacing")
    if name == "LCMScheduler":
        return CONSISTENCY
    euler = name in ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler") and spacing == "trailing"
    plain = config.get("prediction_type", "epsilon") == "epsilon" and not config.get("rescale_betas_zero_snr")
    return FEW_STEPS if name == "TCDScheduler" or (euler and plain) else OwnSettings()
