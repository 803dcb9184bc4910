"""Fresh noise instead of an inversion, for comparison."""

from regrow.core.denoiser import Batch, Prediction
from regrow.core.levels import Level
from regrow.core.methods.method import Method, Origin
from regrow.core.noise import noise


def noised(origin: Origin, level: Level) -> Batch:
    """Return the sample under fresh noise at a level."""
    return Prediction(origin.x0, noise(origin.x0.shape[1:], origin.seeds).to(origin.x0)).at(level)


METHOD = Method(
    "img2img",
    source=("SDEdit, Meng et al. 2021, arXiv 2108.01073", "diffusers' pipeline of the same name"),
    no_path="starts from fresh noise",
    start=noised,
    stochastic=True,
    takes_eta=True,
    strengths=(0.8, 0.65, 0.5),  # fresh noise forgets sooner
    guidances=(3, 5, 2),
)
