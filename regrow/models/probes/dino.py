"""DINO: the distance between the structures of two pictures, which ignores colours and textures."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor
from transformers import ViTModel

from regrow.media.image.picture import to_uint8
from regrow.models.probes.pretrained import open_pretrained

USUAL = "facebook/dino-vitb8"
"""The checkpoint with which papers measure structure distances."""
SHORTER, LONGEST = 224, 480
"""Pixels that a picture's shorter side is resized to, and most pixels of its longer side."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation of ImageNet, per channel, for values from 0 to 1."""


@dataclass(frozen=True, eq=False)
class Dino:
    """A checkpoint of transformers' ViTModel that DINO trained (Caron et al. 2021, arXiv 2104.14294), in float32.

    Attributes:
        name: its folder's name, or its id.
        network: the encoder.
    """

    name: str
    network: Any

    def distance(self, first: Float[Tensor, "3 h w"], second: Float[Tensor, "3 y x"]) -> float:
        """Return the structure distance, from 0 for equal pictures to 4: the mean square of S(first) - S(second).

            S[i, j] = k_i . k_j / (|k_i| |k_j|)

        k_i is the key of token i in the last layer's attention, all heads as one vector; the class token counts, too
        (Tumanyan et al. 2022, arXiv 2201.00424, eq. 2 and 3).

        As the code of PIE-Bench does (evaluation/matrics_calculator.py), the picture's values from 0 to 255 are
        standardised by the mean and deviation of values from 0 to 1. The network was not trained on such values, but
        published distances are measured this way. Its torchvision, 0.13, resizes bilinearly without antialiasing.

        Args:
            first: in [-1, 1], rounded to 8 bits here.
            second: likewise; of the same aspect ratio, so that both have the same tokens.
        """
        return float(F.mse_loss(self.self_similarity(first), self.self_similarity(second)))

    @torch.no_grad()
    def self_similarity(self, picture: Float[Tensor, "3 h w"]) -> Float[Tensor, "tokens tokens"]:
        """Return the self-similarity S of `distance`."""
        keys: list[Tensor] = []
        projection = self.network.layers[-1].attention.k_proj
        handle = projection.register_forward_hook(lambda _, __, output: keys.append(output[0]))
        try:
            self.network(pixel_values=self._inputs(picture), interpolate_pos_encoding=True)
        finally:
            handle.remove()
        norms = keys[0].norm(dim=1)
        return keys[0] @ keys[0].T / torch.outer(norms, norms).clamp_min(1e-8)

    def _inputs(self, picture: Float[Tensor, "3 h w"]) -> Float[Tensor, "1 3 y x"]:
        values = torch.from_numpy(to_uint8(picture)).movedim(-1, 0)[None].float().to(self.network.device)
        mean, deviation = (values.new_tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
        resized = F.interpolate(values, _sides(*picture.shape[-2:]), mode="bilinear", align_corners=False)
        return (resized - mean) / deviation


def _sides(height: int, width: int) -> tuple[int, int]:
    """Return the sides of a resized picture: the shorter one `SHORTER`, unless the longer would be over `LONGEST`."""
    short, long = SHORTER, int(SHORTER * max(height, width) / min(height, width))
    if long > LONGEST:
        short, long = int(LONGEST * short / long), LONGEST
    return (short, long) if height <= width else (long, short)


def open_dino(where: str = USUAL, device: str | torch.device = "cpu", allow_pickle: bool = False) -> Dino:
    """Open a ViTModel from a folder or the Hugging Face cache.

    Raises:
        ModelError: it is missing, incomplete, or cannot be opened.
    """
    return Dino(where, open_pretrained(ViTModel, where, USUAL, device, allow_pickle, add_pooling_layer=False))
