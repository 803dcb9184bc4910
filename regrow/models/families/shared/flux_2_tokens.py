"""Convert latents to tokens of FLUX.2's network."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.models.codecs.batch_norm import SIDE


def tokens_and_places(
    latents: Float[Tensor, "b c y x"], time: int = 0
) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "n 4"]]:
    """Pack cells of 2 x 2 latents into tokens, row by row, each with its position: time, row, column, and 0."""
    tokens = nn.functional.pixel_unshuffle(latents, SIDE)
    height, width = tokens.shape[2:]
    places = torch.zeros(height, width, 4)  # in float32, as bfloat16 cannot represent 257
    places[..., 0] += time
    places[..., 1] += torch.arange(height)[:, None]
    places[..., 2] += torch.arange(width)
    return tokens.flatten(2).transpose(1, 2), places.flatten(0, 1).to(latents.device)
