"""Inpainting: fresh noise and a checkpoint that takes the masked picture as an input.

The network itself blends new and old parts, so nothing is reset at each level, as in diffusers' pipelines; outside the
mask the file keeps its own pixels. Grey values of the mask from 0.5 on count as white.
"""

from regrow.core.methods.instruction import pure_noise
from regrow.core.methods.method import Method

METHOD = Method(
    "inpaint",
    source=("Latent diffusion, Rombach et al. 2022, arXiv 2112.10752", "section 4.5"),
    no_path="starts from pure noise",
    start=pure_noise,
    holds=False,
    stochastic=True,
    takes_eta=True,
    needs="inpaints",
)
