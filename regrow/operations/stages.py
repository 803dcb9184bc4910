"""The stages of a training run, made from its request: what each trains, on what, and how it is looked at."""

import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.families.lora import add_lora
from regrow.families.model import Model
from regrow.families.registry import open_model
from regrow.families.saving import write_new, write_new_pixel
from regrow.media.image import from_uint8
from regrow.operations.fitting import Fit, LossAt
from regrow.operations.latents import latents_of
from regrow.operations.progress import Progress
from regrow.operations.samples import sample_grid
from regrow.operations.train_codec import CodecStage, Coding, codec_loss
from regrow.operations.train_denoiser import DenoiserStage, Denoising, batch_loss, denoiser_loss
from regrow.operations.training_data import Data, folder_data, storybook_data
from regrow.operations.training_request import Train

if TYPE_CHECKING:
    from accelerate import Accelerator

SMALL_TEXT_ENCODER = 20_000_000
"""Parameters below which a text encoder learns with its denoiser unless the request says otherwise."""


@dataclass(frozen=True)
class Staged:
    """What `fit` needs of a stage, and more.

    Attributes:
        module: what is trained.
        loss_at: its loss.
        settings: of the fit.
        plain: parameters for AdamW.
        examine: the loss on what is held out; None without any.
        batch: pictures a step.
        draw: writes a sample grid under a name; None where there is nothing to draw.
    """

    module: nn.Module
    loss_at: LossAt
    settings: Fit
    plain: tuple[nn.Parameter, ...]
    examine: Callable[[nn.Module], float] | None
    batch: int
    draw: Callable[[Path], None] | None = None


class Stage(Protocol):
    """A stage's name, and how it is prepared on a model whose earlier stages are done."""

    @property
    def name(self) -> str: ...

    def prepare(
        self, request: Train, model: Model, data: Data, accelerator: "Accelerator"
    ) -> Generator[Progress, None, Staged]: ...


def stages_of(request: Train) -> list[Stage]:
    """The stages of a run, in order."""
    both = request.stage == "auto" and not request.start
    stages: list[Stage] = []
    if both or request.stage == "codec":
        stages.append(CodecOf(share=1 / 3 if both else 1.0))
    if request.stage != "codec":
        stages.append(DenoiserOf(share=2 / 3 if both else 1.0))
    return stages


def read_data(request: Train, side: int) -> Generator[Progress, None, Data]:
    """The pictures that a request names, as squares of `side` pixels."""
    if request.data is not None:
        return (yield from folder_data(request.data, request.hold_out, side))
    yield Progress("read", 0, request.scenes)
    return storybook_data(request.scenes, request.hold_out, side)


def open_or_make(request: Train, folder: Path) -> Generator[Progress, None, tuple[Model, Data]]:
    """The model to train, and its data: opened where one is named, else written untrained into `folder` and opened."""
    if request.start:
        model = open_model(request.start)
        return model, (yield from read_data(request, _side(request, model)))
    found = yield from read_data(request, request.size or 128)
    if not (folder / "model_index.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
            made = Path(aside) / "new"
            side, seed, size, objective = request.size or 128, request.seed, request.new, request.objective
            if request.stage == "pixel":
                write_new_pixel(made, seed=seed, size=size, side=side, objective=objective)
            else:
                write_new(
                    made,
                    seed=seed,
                    size=size,
                    side=side,
                    objective=objective,
                    words=found.words,
                    characters=found.characters,
                )
            made.rename(folder)
    return open_model(folder), found


def _side(request: Train, model: Model) -> int:
    side = request.size or min(model.size)
    model.latent_shape(side, side)
    return side


@dataclass(frozen=True)
class CodecOf:
    """The codec, or only its decoder when going on from a model: then the denoiser still fits its latents."""

    share: float
    name: str = "codec"

    def prepare(
        self, request: Train, model: Model, data: Data, accelerator: "Accelerator"
    ) -> Generator[Progress, None, Staged]:
        """Ready at once."""
        yield from ()
        if model.codec is None:
            raise ValueError(f"{model.name} has no codec to train: it denoises pixels.")
        codec: nn.Module = model.codec
        codec.requires_grad_(True)
        if request.start:
            for name, parameter in codec.named_parameters():
                parameter.requires_grad_(not name.startswith(("encoder.", "quant_conv.")))
        _channels_last(codec)
        masks = np.full(data.pictures.shape[:3], 255, np.uint8) if data.masks is None else data.masks
        stage = CodecStage(
            data.pictures[: data.trained_on],
            masks,
            batch=max(8, request.batch // 4),
            crop=min(64, data.pictures.shape[1]),
            seed=derive_seed(request.seed, "codec"),
            channels=model.latent_channels,
            factor=model.factor,
            device=accelerator.device,
        )

        def examine(module: nn.Module) -> float:
            """Mean squared error of pictures in [-1, 1]."""
            x = from_uint8(np.array(data.pictures[data.trained_on :])).to(accelerator.device)
            noise = torch.zeros((len(x), *model.latent_shape(*x.shape[-2:])), device=x.device)
            parts = [
                module(x[i : i + 8], noise[i : i + 8])[1].clamp(-1, 1).sub(x[i : i + 8]).square().mean(dim=(1, 2, 3))
                for i in range(0, len(x), 8)
            ]
            return float(torch.cat(parts).mean())

        return Staged(
            Coding(codec, scaled=stage.scale_weight > 0),
            lambda network, share: codec_loss(stage, network, share),
            settings_of(request, self.share, ema=0.995),
            (),
            examine if data.held_out else None,
            stage.batch,
        )


@dataclass(frozen=True)
class DenoiserOf:
    """The denoiser, with its text encoder where that learns too, or a pixel network."""

    share: float
    name: str = "denoiser"

    def prepare(
        self, request: Train, model: Model, data: Data, accelerator: "Accelerator"
    ) -> Generator[Progress, None, Staged]:
        """Encode what is not encoded yet, and make ready."""
        model.to(accelerator.device)
        if model.codec is None:
            x0 = _pixels(data.pictures)
        else:
            if not request.start:
                _scale_latents(model, data)
            latents = yield from latents_of(
                model.codec,
                lambda x: model.encode(from_uint8(x).to(accelerator.device)).cpu(),
                lambda part: np.array(data.pictures[part]),
                len(data.pictures),
                f"{data.content} {model.codec.config.scaling_factor}",
            )
            x0 = latents_in_memory(latents)
        return self.stage(request, model, data, x0, accelerator)

    def stage(
        self,
        request: Train,
        model: Model,
        data: Data,
        x0: Callable[[np.ndarray], Tensor],
        accelerator: "Accelerator",
    ) -> Staged:
        """The same for latents that are there."""
        trained: list[nn.Module] = [model.unet]
        if request.lora:
            add_lora(model.unet, request.lora, request.seed)
        else:
            model.unet.requires_grad_(True)
        text = model.text_encoder
        if text is not None and (_is_small(text) if request.text is None else request.text):
            text.requires_grad_(True)
            trained.append(text)
        if request.checkpointing:
            model.unet.enable_gradient_checkpointing()
        _channels_last(model.unet)
        module = Denoising(model.unet, text)
        stage = DenoiserStage(
            x0,
            data.trained_on,
            data.caption if text is not None else lambda i, seed: "",
            model.tokenize,
            model.schedule,
            model.prediction_type,
            request.batch,
            derive_seed(request.seed, "denoiser"),
            request.drop,
            request.min_snr,
            accelerator.device,
        )
        held = np.arange(data.trained_on, data.trained_on + data.held_out)

        def examine(module: nn.Module) -> float:
            """The plain loss at evenly spread levels, with the same noise every time."""
            generator = torch.Generator().manual_seed(derive_seed(request.seed, "held out"))
            shares = (torch.arange(len(held)) + 0.5) / len(held)
            clean = x0(held)
            eps = torch.randn(clean.shape, generator=generator)
            prompts = [stage.captions(int(i), 0) for i in held]
            errors = [
                batch_loss(module, stage, clean[k], eps[k], shares[k], stage.tokenize(prompts[k])).mean(dim=(1, 2, 3))
                for k in (slice(i, i + request.batch) for i in range(0, len(held), request.batch))
            ]
            return float(torch.cat(errors).mean())

        return Staged(
            module,
            lambda network, share: denoiser_loss(stage, network, share),
            settings_of(request, self.share),
            module.plain_parameters(),
            examine if len(held) else None,
            request.batch,
            lambda path: sample_grid(model, prompts_of(request, data, model), path),
        )


def settings_of(request: Train, share: float, ema: float | None = None) -> Fit:
    """The fit of a stage that gets this share of the time."""
    optimizer = request.optimizer or ("adamw" if request.lora else "muon")
    rate = request.rate
    if rate is None:
        rate = 1e-4 if request.lora else (3e-3 if optimizer == "muon" else 1e-3) / (3 if request.start else 1)
    return Fit(
        steps=request.steps,
        seconds=request.seconds * share,
        optimizer=optimizer,
        rate=rate,
        plain_rate=rate / 3 if optimizer == "muon" else rate,
        warm_up=request.warm_up,
        flat=request.flat,
        decline=request.decline,
        ema=request.ema if ema is None else min(ema, request.ema),
        clip=request.clip,
        accumulate=request.accumulate,
        minutes=request.minutes,
    )


def prompts_of(request: Train, data: Data, model: Model) -> Sequence[str]:
    """What the sample grid shows: as asked for, or captions of pictures that are held out, or of the first."""
    if model.text_encoder is None:
        return [""] * 8
    first = data.trained_on if data.held_out >= 8 else 0
    return request.prompts or [data.caption(i, 1) for i in range(first, min(first + 8, len(data.pictures)))]


def _scale_latents(model: Model, data: Data) -> None:
    """Make latents of a new codec have standard deviation 1, which the denoiser assumes."""
    sample = from_uint8(np.array(data.pictures[: min(256, data.trained_on)])).to(model.device)
    model.codec.register_to_config(scaling_factor=1.0)
    parts = [model.encode(sample[i : i + 32]) for i in range(0, len(sample), 32)]
    model.codec.register_to_config(scaling_factor=round(1 / float(torch.cat(parts).std()), 5))


def _pixels(pictures: np.ndarray) -> Callable[[np.ndarray], Tensor]:
    return lambda chosen: from_uint8(pictures[chosen])


def latents_in_memory(latents: np.ndarray) -> Callable[[np.ndarray], Tensor]:
    """What a denoiser learns from, by the numbers of its samples, of latents `n c h w` in any float type."""
    return lambda chosen: torch.from_numpy(latents[chosen]).float()


def _is_small(module: nn.Module) -> bool:
    return sum(p.numel() for p in module.parameters()) < SMALL_TEXT_ENCODER


def _channels_last(module: nn.Module) -> None:
    """Kernels in the layout that convolutions are fastest in."""
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
