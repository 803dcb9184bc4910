"""Editing by instruction: fresh noise and a checkpoint that takes the picture as an input.

Such a checkpoint was trained on pairs of pictures with the instruction that leads from one to the other. Nothing is
inverted, and no source prompt is needed. Guidance is relative to the empty instruction, and a second guidance, where
the checkpoint has one, is relative to no picture: InstructPix2Pix, Brooks et al. 2022, arXiv 2211.09800, eq. 3.
"""

from regrow.core.denoiser import Batch
from regrow.core.levels import Level
from regrow.core.methods import img2img
from regrow.core.methods.method import Method, Origin
from regrow.core.noise import noise


def pure_noise(origin: Origin, level: Level) -> Batch:
    """Return noise of standard deviation 1, whatever the level's sigma: what networks are trained on."""
    return noise(origin.x0.shape[1:], origin.seeds).to(origin.x0)


METHOD = Method(
    "instruction",
    source=("InstructPix2Pix, Brooks et al. 2022, arXiv 2211.09800", "eq. 3"),
    no_path="starts from pure noise",
    start=pure_noise,
    kept=img2img.noised,
    stochastic=True,
    takes_eta=True,
    needs="edits_by_instruction",
)
