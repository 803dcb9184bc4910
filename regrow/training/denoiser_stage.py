"""The denoiser as a stage of a training run: with its text encoders, with low-rank adapters, or on pixels."""

import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.models.engines.choose import with_engine
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.train import Train
from regrow.training.latents import latents_of
from regrow.training.note_conditioning import piano_rolls_of
from regrow.training.sample_grid import sample_grid
from regrow.training.settings import Staged, settings_of
from regrow.training.train_denoiser import DenoiserStage, Denoising, batch_loss, denoiser_loss
from regrow.training.training_data import Data, to_batch

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass(frozen=True)
class DenoiserOf:
    """The denoiser, with its text encoder if that is trained too; or a pixel network."""

    share: float
    name: str = "denoiser"

    def prepare(
        self, request: Train, model: Model, data: Data, accelerator: "Accelerator"
    ) -> Generator[Progress, None, Staged]:
        """Encode the items that are not in the cache yet, and return the stage."""
        model.to(accelerator.device)
        if model.codec.part is None:
            return self.stage(
                request, model, data, lambda chosen: model.encode(to_batch(data.items[chosen])), accelerator
            )
        coder = coder_of(request, model)
        engine = f" {coder.computed_by}" if coder.engine else ""
        content = f"{data.content} {model.codec_network.config.scaling_factor} {request.precision}{engine}"

        def encode(items: np.ndarray) -> Tensor:
            with accelerator.autocast():
                return coder.encode(to_batch(items).to(accelerator.device)).float().cpu()

        latents = yield from latents_of(
            model.codec_network, encode, lambda part: np.array(data.items[part]), len(data.items), content
        )
        return self.stage(request, model, data, lambda chosen: torch.from_numpy(latents[chosen]).float(), accelerator)

    def stage(
        self,
        request: Train,
        model: Model,
        data: Data,
        x0: Callable[[np.ndarray], Tensor],
        accelerator: "Accelerator",
    ) -> Staged:
        """Return the stage for given latents; `x0` returns those of some item numbers."""
        module = Denoising(model)
        module.make_ready(request.lora, request.seed, request.text, request.checkpointing)
        masks = data.masks if model.codec.part else None  # used only for latents
        weights = None if masks is None else _important(masks, data.focus, model.factor)
        rolls = piano_rolls_of(model, data.notes_of)
        stage = DenoiserStage(request, model, data, x0, weights, rolls, accelerator.device)
        held = np.arange(data.trained_on, data.trained_on + data.held_out)

        def examine(module: nn.Module) -> float:
            """Return the plain loss at evenly spread levels, with the same noise every time."""
            generator = torch.Generator().manual_seed(derive_seed(request.seed, "held out"))
            shares = (torch.arange(len(held)) + 0.5) / len(held)
            clean = x0(held)
            eps = torch.randn(clean.shape, generator=generator)
            prompts = [stage.caption(int(i), 0) for i in held]
            errors = [
                batch_loss(module, stage, clean[k], eps[k], shares[k], stage.tokenize(prompts[k])).mean(dim=(1, 2, 3))
                for k in (slice(i, i + request.batch) for i in range(0, len(held), request.batch))
            ]
            return float(torch.cat(errors).mean())

        def draw(path: Path) -> None:
            with warnings.catch_warnings():  # that prompts are cut was already reported
                warnings.simplefilter("ignore")
                sample_grid(model, prompts_of(request, data, model), path)

        return Staged(
            module,
            lambda network, share: denoiser_loss(stage, network, share),
            settings_of(request, self.share),
            module.plain_parameters(),
            examine if len(held) else None,
            request.batch,
            draw,
        )


def coder_of(request: Train, model: Model) -> Model:
    """Return the model that encodes the training samples: this model, or the one that its codec was taken from.

    The latter may run on OpenVINO if bfloat16 is requested, in a sixth of torch's time (LOG.md). A codec that was
    trained in this run cannot, as an engine stores its graphs by the files of a model's folder.
    """
    source = request.codec_from or request.start
    if not source or request.precision != "bf16" or model.device.type != "cpu":
        return model
    coder = with_engine(open_model(source), "auto")
    return coder if coder.engine else model


WORDLESS = {"picture": 8, "sound": 4}
"""Number of samples in a grid without prompts, by medium; a mel clip has as many numbers as two large pictures."""


def prompts_of(request: Train, data: Data, model: Model) -> Sequence[str]:
    """Return the prompts of the sample grid: the requested ones, or captions of held-out items, else of the first."""
    if not model.takes_words:
        return [""] * WORDLESS[model.medium.name]
    first = data.trained_on if data.held_out >= 8 else 0
    return request.prompts or [data.caption(i, 1) for i in range(first, min(first + 8, len(data.items)))]


def _important(
    masks: np.ndarray, focus: Callable[[int, int], np.ndarray] | None, factor: int
) -> Callable[[np.ndarray], Tensor]:
    """Return a function for the weights of errors: up to 3 in the masked part, for the storybook the animal, and up to
    10 in its face, which is a fortieth of the picture and what people look at."""

    def weights(chosen: np.ndarray) -> Tensor:
        important = F.avg_pool2d(torch.from_numpy(masks[chosen])[:, None].float() / 255, factor)
        if focus is None:
            return 1 + 2 * important
        first = np.stack([focus(int(i), important.shape[-1]) for i in chosen])
        return 1 + 2 * important + 7 * torch.from_numpy(first)[:, None].float()

    return weights
