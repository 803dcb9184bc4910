"""Fresh noise under a checkpoint that reads an instruction and is shown the picture beside the noise.

Such a checkpoint was trained on pairs of pictures and what one types to get from the first to the second, so nothing is
inverted, and no words for the picture as it is are needed. Its guidance leads away from no instruction, and where the
checkpoint has a second one, from no picture: InstructPix2Pix, Brooks et al. 2022, arXiv 2211.09800, eq. 3.
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
