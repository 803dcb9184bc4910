"""DDIM's path, guided away from the source's prompt alone."""

from dataclasses import replace

from regrow.core.methods import naive

METHOD = replace(
    naive.METHOD,
    name="negative_prompt",
    source=("Miyake et al. 2023, arXiv 2305.16807", "the source prompt in place of the tuned one"),
    own_negative=True,
    takes_eta=False,
    inverts_unguided=True,
)
