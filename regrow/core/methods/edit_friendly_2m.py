"""Edit-friendly inversion with a step of second order, as in LEDITS++."""

from dataclasses import replace

from regrow.core.methods import edit_friendly
from regrow.core.methods.edit_friendly import PosteriorMean

METHOD = replace(
    edit_friendly.METHOD,
    name="edit_friendly_2m",
    source=("LEDITS++, Brack et al. 2023, arXiv 2311.16711", "SDE-DPM-Solver++(2M) of arXiv 2211.01095"),
    path="edit_friendly_2m",
    invert=lambda denoise, x0, levels, settings: edit_friendly.edit_friendly(
        denoise, x0, levels, settings.seeds, multistep=True
    ),
    step_back=lambda origin: origin.path.back(PosteriorMean(multistep=True)),
    start_in_key=True,  # its first step back is unlike the others, so a path holds from its own end alone
    returns_source=True,
)
