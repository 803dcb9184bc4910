"""Null-text inversion: the negative prompt is optimised until guided regeneration follows DDIM's path; slow.

Mokady et al. 2022, arXiv 2211.09794; the inner loop's steps and their rate are those of diffusers'
pipeline_null_text_inversion. There the mean square at which a level is done grows level by level, here it does not.
Guidance leads away from a path that was inverted without it. The encoded negative prompt is free to choose, so it is
optimised at each level, from noisy to clean, until each guided step ends on the path. Negative-prompt inversion (Miyake
et al. 2023, arXiv 2305.16807) takes the source's own words for them, without any tuning.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import mix
from regrow.core.levels import Level
from regrow.core.methods import naive
from regrow.core.methods.method import Tuned, Words
from regrow.core.trajectory import Trajectory

ITERATIONS, RATE, TOLERANCE = 10, 1e-2, 1e-5
"""Gradient steps a level at most, Adam's rate at the first level, and the mean square at which a level is done."""


def null_text(
    positive: Denoiser,
    negative: Callable[[Words], Denoiser],
    words: Words,
    trajectory: Trajectory,
    start: Level,
    guidance: float,
) -> Iterator[Tuned]:
    """Optimise the encoded negative prompt at each level, from `start` down to clean.

    The rate falls to half over the levels, and each level starts from the words of the one before, as in the original.

    Args:
        positive: the network under the words that the path was inverted with.
        negative: from encoded words, which may ask for gradients, to the network under them.
        words: where the tuning starts: the encoded empty prompt.
        trajectory: a path inverted without guidance.
        start: the level from which it is walked back.
        guidance: of that walk; not 1.
    """
    levels = trajectory.levels_down_from(start)
    steps, x, tuned = len(levels) - 1, trajectory.at(start), {}
    # in half precision Adam would divide by an epsilon that is 0
    words = words.to(torch.promote_types(words.dtype, torch.float32))
    yield Tuned(0, steps, start, x, {})
    for index, (t, s) in enumerate(itertools.pairwise(levels)):
        with torch.no_grad():
            prediction = positive(x, t)
        words = words.detach().clone().requires_grad_()
        optimizer = torch.optim.Adam([words], lr=RATE * (1 - index / (2 * steps)))
        for _ in range(ITERATIONS):
            with torch.enable_grad():
                missed = mix(prediction, negative(words)(x, t), guidance).at(s) - trajectory.at(s)
                loss = missed.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if float(loss.detach()) < TOLERANCE:
                break
        words = words.detach()
        with torch.no_grad():
            x = mix(prediction, negative(words)(x, t), guidance).at(s)
        tuned[t] = words
        yield Tuned(index + 1, steps, s, x, dict(tuned))


METHOD = replace(
    naive.METHOD,
    name="null_text",
    source=("Mokady et al. 2022, arXiv 2211.09794", "the inner loop of diffusers' pipeline_null_text_inversion"),
    tune=null_text,
    own_negative=True,
    allows_attention=False,
    takes_eta=False,
    inverts_unguided=True,
)
