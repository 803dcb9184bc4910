"""Fresh noise under an inpainting checkpoint, which is shown the picture without what its mask lets go.

The network itself joins what grows to what stays, so nothing is put back level by level, as diffusers' pipelines do it;
outside the mask the file keeps its own pixels. A grey of the mask counts as white from one half on.
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
