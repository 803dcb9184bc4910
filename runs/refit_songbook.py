"""Fit the last layer of a singing model to its teacher's songs again, by least squares, and sharpen formants.

This adapts a network that was trained on other frames, or not to the end, in two minutes instead of hours: only its
last layer changes, whose best weights have a closed form. A predicted spectrum is flatter than the true one, which
makes words less clear; so its deviations from the mean of neighbouring rows are increased by `CLEARER`. LOG.md has the
figures.

python runs/refit_songbook.py songbook songbook-refitted    # written to $REGROW_HOME/models
"""

import shutil
import sys
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from regrow.core.progress import finish
from regrow.media.audio import voice
from regrow.media.home import home
from regrow.models.families.shared.singer_network import _shares
from regrow.models.families.singer import FRAMES
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.training.training_data import Data
from regrow.training.world_data import world_items

SONGS, HELD_OUT, BATCH = 1300, 64, 10
RIDGE = 3e-3
"""Ridge penalty on changes of weights, relative to the features' mean power."""
CLEARER, WIDTH = 0.4, 13
"""Increase of a row's deviation from its neighbours, and the number of neighbours, weighted by a Hann window."""


def drawn(model: Model, data: Data) -> Iterator[tuple[Float[Tensor, "n k"], Float[Tensor, "n rows"]]]:
    """Yield features of the last layer at random levels, and errors of its output, both weighted as in the loss."""
    network, generator, features = model.network, torch.Generator().manual_seed(0), []
    network.norm.register_forward_hook(lambda module, inputs, output: features.append(output))
    for first in range(0, SONGS, BATCH):
        songs = range(first, first + BATCH)
        x0 = torch.from_numpy(np.array(data.items[first : first + BATCH])).float()[:, :-1, :, 0]
        score = model.condition([data.caption(i, 0) for i in songs]).tokens[:, :FRAMES].float()
        level = torch.rand(BATCH, generator=generator).clamp_min(0.05)
        level[::2] = torch.tensor([1, 1, 2 / 3, 2 / 3, 1 / 3])  # the levels of a song in three steps
        noise = torch.randn(x0.shape, generator=generator)
        flow = network((1 - level[:, None, None]) * x0 + level[:, None, None] * noise, level, score)
        share = _shares(level)[1][:, None, None]
        h = torch.cat([features.pop(), torch.ones(BATCH, FRAMES, 1)], -1) * share
        yield h.flatten(0, 1).double(), (flow - (noise - x0)).transpose(1, 2).flatten(0, 1).double()


def clearer() -> Float[Tensor, "rows rows"]:
    """Return the matrix that increases the deviation of rows from the mean of their neighbours."""
    window = np.hanning(WIDTH + 2)[1:-1]
    whole = np.eye(voice.ROWS - 1)
    for first, count in ((0, voice.HARMONICS), (voice.HARMONICS, voice.NOISE)):
        padded = np.pad(np.eye(count), ((WIDTH // 2, WIDTH // 2), (0, 0)), mode="edge")
        mean = np.stack([window @ padded[i : i + WIDTH] for i in range(count)]) / window.sum()
        whole[first : first + count, first : first + count] += CLEARER * (np.eye(count) - mean)
    return torch.from_numpy(whole)


@torch.no_grad()
def refit(model: Model, data: Data) -> None:
    """Fit the last layer of a singing model again, in place."""
    layer = model.network.conv_out
    gram, lack = torch.zeros(layer.in_features + 1, layer.in_features + 1).double(), 0.0
    for h, missing in drawn(model, data):
        gram += h.T @ h
        lack = lack + h.T @ missing
    change = torch.linalg.solve(gram + RIDGE * gram.diagonal().mean() * torch.eye(len(gram)).double(), lack)
    weights = torch.cat([layer.weight, layer.bias[:, None]], 1).double() + change.T
    weights = (clearer() @ weights).float()
    layer.weight.copy_(weights[:, :-1])
    layer.bias.copy_(weights[:, -1])


if __name__ == "__main__":
    singer = open_model(sys.argv[1])
    target = home() / "models" / sys.argv[2]
    shutil.copytree(singer.folder, target)
    singer.network.float()
    refit(singer, finish(world_items("songbook", SONGS, HELD_OUT, singer.size, None)))
    weights = {name: weight.half().contiguous() for name, weight in singer.network.state_dict().items()}
    save_file(weights, target / "network" / "diffusion_pytorch_model.safetensors", {"format": "pt"})
