"""What a model's makers say it is sampled with, for requests that leave it open."""

from dataclasses import dataclass

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


PING_PONG = OwnSettings(steps=8, guidance=1.0, solver="ping_pong", is_guided=False)
"""Of Stable Audio's distilled flows (Novack et al. 2025, arXiv 2505.08175)."""
