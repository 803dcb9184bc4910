"""Random networks whose latents keep a spread near 1 over a whole path, so that absolute tolerances mean something."""

from collections.abc import Callable
from typing import Any

import torch
from checkpoints import PROMPT_TOKENS, SD_BETAS, livelier
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn

TIME_IDS = 6  # of Stable Diffusion XL: height, width, top, left, target height, target width


def fitted_to_noise(net: UNet2DConditionModel, tokens_width: int, pooled_width: int) -> UNet2DConditionModel:
    """Fit an epsilon network of Stable Diffusion XL's layout to the noise in its input."""

    def run(x_t: Tensor, labels: Tensor) -> None:
        count = len(x_t)
        tokens = 5 * torch.randn(count, PROMPT_TOKENS, tokens_width)  # the encoders' spread
        added = {"text_embeds": 3 * torch.randn(count, pooled_width), "time_ids": 32 * torch.rand(count, TIME_IDS)}
        net(x_t, labels, tokens, added_cond_kwargs=added)

    return fitted(net, (4, 8, 8), SD_BETAS, run)


@torch.no_grad()
def fitted(
    net: Any, shape: tuple[int, ...], betas: dict[str, Any], run: Callable[[Tensor, Tensor], None], ridge: float = 10
) -> Any:
    """Fit an epsilon network's last convolution, by least squares, to the noise in its input.

    A random one finds none, so its latents grow as x / alpha (see `briefly_trained`); the error counts where alpha is
    small, so the labels are noisy ones. Training takes seconds here, and the conditions hide the noise from it.
    """
    count = 128
    net.conv_in.weight.mul_(12)  # else conditions outweigh the latent on its way to the last convolution
    x0, eps, labels = torch.randn(count, *shape), torch.randn(count, *shape), torch.randint(600, 1000, (count,))
    x_t = DDIMScheduler(**betas).add_noise(x0, eps, labels)  # pyright: ignore[reportArgumentType]
    inputs: list[Tensor] = []
    hook = net.conv_out.register_forward_pre_hook(lambda module, arguments: inputs.append(arguments[0]))
    run(x_t, labels)
    hook.remove()
    patches = nn.functional.unfold(inputs[0], 3, padding=1).transpose(1, 2).flatten(0, 1).double()
    rows = torch.cat([patches, torch.ones(len(patches), 1)], 1)
    answers = eps.flatten(2).transpose(1, 2).flatten(0, 1).double()
    fit = torch.linalg.solve(rows.T @ rows + ridge * torch.eye(rows.shape[1]), rows.T @ answers)
    net.conv_out.weight.copy_(fit[:-1].T.reshape(net.conv_out.weight.shape))
    net.conv_out.bias.copy_(fit[-1])
    return net


def calmer(net: Any, lively: float, answer: float) -> Any:
    """Make a transformer answer each prompt and place differently (`lively`), but with a spread near 1 (`answer`)."""
    net = livelier(net, lively)
    net.proj_out.weight.data.mul_(answer)
    return net
