"""Adapters with which diffusers' pipelines accept an embedded model, without changing what they compute.

the codec     AutoencoderTiny has no posterior; the adapter returns one whose mean, mode and sample are the latents
the network   most baselines are written for noise prediction, and diffusers' inverse scheduler converts v with the
              wrong level's alpha; so they all get the network as a noise predictor, eps = alpha v + sigma x
the latents   LEDITS++ hard-codes 4 channels; it gets 16 channels of h x w as 4 channels of 2h x 2w
"""

import inspect
import logging
from collections.abc import Generator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch
from diffusers.configuration_utils import FrozenDict
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddim_inverse import DDIMInverseScheduler
from torch import Tensor, nn

from regrow.models.model import Model

SD_SCHEDULER = {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False}
"""The scheduler settings in the folder of Stable Diffusion 1.5. CycleDiffusion divides by zero with any others."""


@contextmanager
def as_four_channels(model: Model) -> Generator[None]:
    """Within the context, give network and codec latents of 4 channels; 16 channels become 4 of twice the size.

    Raises:
        ValueError: its latents have neither 4 nor 16 channels.
    """
    channels = model.latent_channels
    if channels == 4:
        yield
        return
    if channels != 16:
        raise ValueError(f"LEDITS++ takes latents of 4 channels; {model.name} has {channels}.")

    def unfold(_: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return (nn.functional.pixel_unshuffle(args[0], 2), *args[1:]), kwargs

    def fold(_: nn.Module, args: tuple, kwargs: dict, output: Any) -> Any:
        return type(output)(sample=nn.functional.pixel_shuffle(output.sample, 2))

    codec = model.parts["vae"]
    encode, decode = codec.encode, codec.decode
    handles = [
        model.network.register_forward_pre_hook(unfold, with_kwargs=True),
        model.network.register_forward_hook(fold, with_kwargs=True),
    ]
    model.network.register_to_config(in_channels=4)
    codec.encode = lambda x: SimpleNamespace(latents=nn.functional.pixel_shuffle(encode(x).latents, 2))
    codec.decode = lambda z, **settings: decode(nn.functional.pixel_unshuffle(z, 2), **settings)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        del codec.encode, codec.decode
        model.network.register_to_config(in_channels=channels)


class _WithPosterior(nn.Module):
    """A deterministic codec with the interface that pipelines expect: its posterior is a single point."""

    def __init__(self, codec: Any, side: int) -> None:
        super().__init__()
        self.codec = codec
        self.config = FrozenDict({**codec.config, "sample_size": side})

    @property
    def dtype(self) -> torch.dtype:
        return self.codec.dtype

    @property
    def device(self) -> torch.device:
        return self.codec.device

    def encode(self, pictures: Tensor) -> Any:
        latents = self.codec.encode(pictures).latents
        same = SimpleNamespace(mean=latents, mode=lambda: latents, sample=lambda generator=None: latents)
        return SimpleNamespace(latent_dist=same)

    def decode(self, latents: Tensor, return_dict: bool = True, generator: Any = None) -> Any:
        return self.codec.decode(latents, return_dict=return_dict)


@contextmanager
def as_noise_predictor(model: Model) -> Generator[Any]:
    """Yield the network; within the context it predicts noise, without note conditioning.

    Raises:
        ValueError: it predicts neither epsilon nor v.
    """
    if model.prediction_type not in ("epsilon", "v"):
        raise ValueError(f"The baselines take networks that predict epsilon or v; {model.name} is neither.")
    table = made(DDIMScheduler, scheduler_config(model)).alphas_cumprod

    def widen(_: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return (model.condition_on_notes(None).beside(args[0]), *args[1:]), kwargs

    def convert(_: nn.Module, args: tuple, kwargs: dict, output: Any) -> Any:
        x = args[0] if args else kwargs["sample"]
        label = args[1] if len(args) > 1 else kwargs["timestep"]
        alpha2 = table[torch.as_tensor(label).long()].reshape(-1, *[1] * (x.ndim - 1))
        v = output[0]
        eps = alpha2.sqrt() * v + (1 - alpha2).sqrt() * x[:, : v.shape[1]]
        return (eps,) if isinstance(output, tuple) else type(output)(sample=eps)

    handles = []
    if model.piano_roll is not None:
        handles.append(model.network.register_forward_pre_hook(widen, with_kwargs=True))
    if model.prediction_type == "v":  # the first of all hooks: the others expect noise
        handles.append(model.network.register_forward_hook(convert, with_kwargs=True, prepend=True))
    try:
        yield model.network
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def pipeline(kind: Any, model: Model, scheduler: Any = DDIMScheduler, **settings: Any) -> Generator[Any]:
    """Yield one of diffusers' pipelines, built from the model's own parts."""
    config, codec = scheduler_config(model), model.parts["vae"]
    parts = {
        "vae": codec if hasattr(codec, "quant_conv") else _WithPosterior(codec, model.size[0]),
        "text_encoder": model.parts["text_encoder"],
        "tokenizer": model.parts["tokenizer"],
        "unet": model.network,
        "scheduler": scheduler.from_config(config, **settings),
        "inverse_scheduler": DDIMInverseScheduler.from_config(config),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }
    wanted = inspect.signature(kind.__init__).parameters
    processors = model.network.attn_processors
    logging.getLogger("diffusers").setLevel(logging.ERROR)
    with as_noise_predictor(model):
        pipe = kind(**{name: part for name, part in parts.items() if name in wanted})
        pipe.set_progress_bar_config(disable=True)
        try:
            yield pipe
        finally:
            model.network.set_attn_processor(processors)


def scheduler_config(model: Model) -> dict[str, Any]:
    """Return the scheduler config of the model's folder, with `SD_SCHEDULER` and for noise prediction."""
    config: Any = DDIMScheduler.load_config(model.folder, subfolder="scheduler")
    return {**config, **SD_SCHEDULER, "prediction_type": "epsilon"}


def made(kind: Any, config: dict[str, Any]) -> Any:
    """Return a scheduler. The return type of diffusers' `from_config` also allows a pair, hence this function."""
    return kind.from_config(config)
