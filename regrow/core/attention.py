"""Prompt-to-Prompt: replace attention maps of a target by those of the source.

Hertz et al. 2022, arXiv 2208.01626, section 3.2. With M the source's map and M* the target's, `places tokens`,

    replace   token j takes M's token i where j stands in the place of i
    refine    token j takes M's token A(j) where both prompts have it, and keeps its own M*_j where only the target has
    reweight  token j is multiplied by a factor c

One alignment does all three: words in both prompts use the source's map, a word that replaces another uses that one's
map, and new words keep their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import torch
from jaxtyping import Float
from torch import Tensor

Maps = Float[Tensor, "b heads places tokens"]


@dataclass(frozen=True, eq=False)
class Alignment:
    """The alignment of target tokens with the tokens of one source.

    Attributes:
        taken: `b source_tokens tokens`: how much of each of the source's tokens a target's token takes over.
        own: `b tokens`: 1 where a token keeps its own attention, else 0.
        factors: `b tokens`: factor of a token's attention, applied last; 1 = unchanged.
    """

    taken: Float[Tensor, "b source_tokens tokens"]
    own: Float[Tensor, "b tokens"]
    factors: Float[Tensor, "b tokens"]


def align(
    source: Sequence[int], targets: Sequence[Sequence[int]], end: int, factors: Sequence[dict[int, float]] = ()
) -> Alignment:
    """Return which of the source's tokens each of a target's tokens stands for.

    Padding after the end of a prompt is aligned by its distance from the end.

    Args:
        source: token ids, padded to the length of the text encoder.
        targets: the same of each target.
        end: the id that ends a prompt, as the first of its kind.
        factors: of each target, by position.
    """
    length = len(source)
    taken = torch.zeros(len(targets), length, length, dtype=torch.float64)
    own = torch.zeros(len(targets), length)
    scale = torch.ones(len(targets), length)
    stop = source.index(end)
    for number, target in enumerate(targets):
        there = target.index(end)
        for kind, i1, i2, j1, j2 in SequenceMatcher(None, source[:stop], target[:there], autojunk=False).get_opcodes():
            if kind == "insert":
                own[number, j1:j2] = 1
            elif i2 - i1 == j2 - j1:
                taken[number, range(i1, i2), range(j1, j2)] = 1
            else:  # the source's attention on the words replaced is shared out evenly among those in their place
                taken[number, i1:i2, j1:j2] = 1 / max(1, j2 - j1)
        for j in range(there, length):
            taken[number, min(stop + j - there, length - 1), j] = 1
    for number, given in enumerate(factors):
        for position, factor in given.items():
            scale[number, position] = factor
    return Alignment(taken, own, scale)


def take_over(source: Float[Tensor, "1 heads places tokens"], target: Maps, alignment: Alignment) -> Maps:
    """Return the target's maps, with what the alignment takes from the source's, and each token's factor.

    Rows are normalised to a sum of 1 before the factors are applied, which the paper does not do: without it, results
    were too faint or too strong where words were dropped or added (LOG.md).
    """
    taken = torch.einsum("hpi,bij->bhpj", source[0], alignment.taken.to(source))
    own = alignment.own.to(target)[:, None, None]
    maps = own * target + (1 - own) * taken
    return maps / maps.sum(-1, keepdim=True) * alignment.factors.to(target)[:, None, None]
