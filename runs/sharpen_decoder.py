"""Teach the decoder of a model to draw what its denoiser means: the denoiser and the encoder stay as they are.

.venv/bin/python runs/sharpen_decoder.py MODEL FOLDER STEPS [THREADS] [SCENES]
OMP_NUM_THREADS=1 .venv/bin/torchrun --nproc-per-node 2 runs/sharpen_decoder.py MODEL FOLDER STEPS

A decoder that only ever saw the encoder's latents draws every error of the denoiser as smears and stains. So latents,
once of each scene, are noised up to `NOISIEST` and regrown, which keeps what they show, and the decoder learns the
drawing they came from (absolute error: a median, not a blur of all that may be meant), beside its own work: the
logarithm of the squared error of each picture from the encoder's latents. What is written, into FOLDER/vae, is a mean
of the weights before and after: better at its own work than either (Wortsman et al. 2022, arXiv 2109.01903). Killed,
the same command goes on.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from regrow.models.part import channels_last
from torch import Tensor, nn

from regrow.core.noise import derive_seed, noise
from regrow.core.progress import finish
from regrow.core.solvers import last, make_step, solve
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.training.distributed import Share, make_accelerator
from regrow.training.latents import fingerprint, latents_of
from regrow.training.loop import Fit, fit
from regrow.training.training_data import Data, lesson, storybook_data, to_batch
from regrow.worlds.storybook.drawing import captions

NOISIEST = 480
"""The label up to which latents keep what they show, faces and all."""
STEPS = 6
HELD, CELLS = 32, 9
AFTER = 0.75
"""Share of the weights after the training in what is written."""


def regrow(model: Model, latents: np.ndarray) -> Callable[[np.ndarray], Tensor]:
    """From the numbers of scenes to their latents, noised and grown again; each batch from a level of its own."""
    clean = model.schedule.grid(1)[-1]

    def grown(scenes: np.ndarray) -> Tensor:
        label = float(np.random.default_rng(derive_seed(0, "label", int(scenes[0]))).uniform(60, NOISIEST))
        levels = [*(model.schedule.level(label * (1 - i / STEPS)) for i in range(STEPS)), clean]
        x0 = torch.from_numpy(latents[scenes]).float()
        x_t = levels[0].alpha * x0 + levels[0].sigma * noise(x0.shape[1:], [7_000_000 + int(i) for i in scenes])
        words = model.condition([captions(lesson(int(i)))[-1] for i in scenes])
        return last(solve(make_step("dpmpp_2m"), model.denoiser(words), x_t, levels))

    return grown


@dataclass(frozen=True)
class Window:
    """A part of a scene: its cells in an array of latents, its pixels in one of pictures, the weights of these."""

    cells: tuple
    pixels: tuple
    weights: Float[Tensor, "h w"]


def window(data: Data, scene: int, random: np.random.Generator, factor: int, corners: float = 0.0) -> Window:
    """One of `CELLS` x `CELLS`, three times in five on the animal, which weighs three times.

    A share of `corners` of them lies in a corner of the picture, where nearly none do by chance; its last 3 x 3 pixels,
    which see the border on two sides, weigh 200 times then.

    A ring of one cell weighs nothing, except at the picture's border: what lies beyond it is not seen.
    """
    assert data.masks is not None
    mask = data.masks[scene]
    last_place = len(mask) // factor - CELLS
    y, x = (int(place) for place in random.integers(0, last_place + 1, 2))
    if random.random() < 0.6:
        ys, xs = np.nonzero(mask)
        k = int(random.integers(len(ys)))
        y, x = (int(np.clip(place[k] // factor - CELLS // 2, 0, last_place)) for place in (ys, xs))
    if corners and random.random() < corners:
        y, x = (int(place) * last_place for place in random.integers(0, 2, 2))
    rows, columns = (slice(factor * place, factor * (place + CELLS)) for place in (y, x))
    weights = 0.5 + torch.from_numpy(mask[rows, columns] > 127).float()
    weights[: factor if y else 0] = weights[factor * CELLS - (factor if y < last_place else 0) :] = 0
    weights[:, : factor if x else 0] = weights[:, factor * CELLS - (factor if x < last_place else 0) :] = 0
    if corners and {y, x} <= {0, last_place}:
        weights[np.s_[-3:] if y else np.s_[:3], np.s_[-3:] if x else np.s_[:3]] = 200
    return Window(np.s_[scene, :, y : y + CELLS, x : x + CELLS], np.s_[scene, rows, columns], weights)


def taught(
    decoder: nn.Module, data: Data, windows: tuple[list[Window], list[Window]], latents: tuple[np.ndarray, np.ndarray]
) -> Tensor:
    """The loss of windows with the encoder's latents, and of windows with regrown ones."""
    plain, grown = windows
    x = [array[one.cells] for array, some in zip(latents, windows, strict=True) for one in some]
    weights = torch.stack([one.weights for one in plain + grown])[:, None]
    pictures = to_batch(np.stack([data.items[one.pixels] for one in plain + grown]))
    error = decoder(torch.from_numpy(np.stack(x)).float()) - pictures
    cut = len(plain)
    squared = (weights[:cut] * error[:cut].square()).mean((1, 2, 3))
    return 0.03 * torch.log(squared + 1e-5).mean() + 0.5 * (weights[cut:] * error[cut:].abs()).mean()


class Decoding(nn.Module):
    """What is trained: `latents -> pictures`."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.codec, self.scale = model.codec, model.codec.config.scaling_factor

    def forward(self, latents: Tensor) -> Tensor:
        return self.codec.decode(latents / self.scale).sample


def main(name: str, folder: Path, steps: int, threads: int = 1, scenes: int = 8_000, batch: int = 6) -> None:
    torch.set_num_threads(threads)
    accelerator = make_accelerator("fp32")
    model = open_model(name)
    data: Data = finish(storybook_data(scenes, HELD, model.size[0]))
    with accelerator.main_process_first():
        content = f"{data.content} {model.codec.config.scaling_factor} fp32"
        latents = finish(
            latents_of(model.codec, lambda items: model.encode(to_batch(items)), lambda k: np.array(data.items[k]),
                       len(data.items), content)
        )  # fmt: skip
        content = f"regrown {content} {fingerprint(model.network)} {NOISIEST} {STEPS}"
        regrown = finish(
            latents_of(model.codec, regrow(model, latents), lambda k: np.arange(scenes)[k], scenes, content)
        )
    model.codec.decoder.requires_grad_(True)
    channels_last(model.codec)
    before = {name: weights.clone() for name, weights in model.codec.state_dict().items()}
    module = Decoding(model)
    held = range(data.trained_on, len(data.items))

    def loss(network: nn.Module, share: Share) -> Tensor:
        """Of a third of the batch from the encoder's latents, and of two thirds from regrown ones."""
        random = np.random.default_rng(derive_seed(0, "sharpen", share.step))
        seen = random.integers(scenes, size=batch)
        plain, grown = (
            [window(data, int(i), random, model.factor) for i in part] for part in np.split(seen, [batch // 3])
        )
        windows = plain[share.of(len(plain))], grown[share.of(len(grown))]
        return taught(network, data, windows, (latents, regrown))

    @torch.no_grad()
    def examine(_: nn.Module) -> float:
        again = torch.cat([module(torch.from_numpy(latents[[i]]).float()) for i in held]).clamp(-1, 1)
        return -float(
            (10 * torch.log10(4 / (again - to_batch(data.items[list(held)])).square().mean((1, 2, 3)))).mean()
        )

    settings = Fit(steps=steps, rate=3e-4, plain_rate=1e-4, flat=0.3, ema=0.995)
    for state in fit(module, loss, settings, folder, accelerator, (), examine):
        if state.validation is not None:
            print(f"step {state.step} of {state.steps}, {state.seconds:.0f} s: {-state.validation:.2f} dB", flush=True)
    if accelerator.is_main_process:
        after = model.codec.state_dict()
        model.codec.load_state_dict({name: torch.lerp(before[name], after[name], AFTER) for name in before})
        model.codec.save_pretrained(folder / "vae")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:6]))
