"""Uni-Inv's path, with guidance that is stronger where the target changes more."""

from dataclasses import replace

from regrow.core.guidance import region_weighted
from regrow.core.methods import uni_inv

METHOD = replace(
    uni_inv.METHOD,
    name="uni_edit",
    source=("UniEdit-Flow, Jiao et al. 2025, arXiv 2504.13109", "official UniEdit-Flow, the guidance by region"),
    guide=region_weighted,
    own_negative=True,
    allows_attention=False,
    guidances=(2, 3, 4),  # guided away from the source's prompt, which goes farther than away from none
)
