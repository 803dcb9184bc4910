"""Give the uppermost level of a denoiser half as many channels more, so that it says nearly what it said.

.venv/bin/python runs/widen_denoiser.py MODEL FOLDER

MODEL's level of 16 x 16 cells has 64 channels for latents of 16. Every second one becomes two beside each other that
hold the same, and what reads them is split between the two unevenly (Net2Net, Chen et al. 2016, arXiv 1511.05641, with
noise so that the two do not learn the same). Group norms see groups of three for two, so their scales and offsets are
fitted on drawn scenes. 128 channels would leave the level below without the convolution beside its first residual
block. FOLDER can be given to `regrow train --from`.
"""

import sys
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from regrow.core.progress import finish
from regrow.models.open import open_model
from regrow.models.saving import save_model
from regrow.training.training_data import storybook_data, to_batch

NARROW, WIDE, RIDGE = 64, 96, 1e-3


def sources(narrow: int, wide: int) -> Tensor:
    """Of each of `wide` channels the one of `narrow` that it copies; behind a joint the first ones stay."""
    doubled = torch.arange(NARROW).repeat_interleave(torch.tensor([2, 1]).repeat(NARROW // 2))
    if narrow == 2 * NARROW and wide == 2 * WIDE:
        return torch.cat([doubled, doubled + NARROW])
    stay = narrow - NARROW
    return torch.cat([torch.arange(stay), doubled + stay])


def widened(unet: UNet2DConditionModel, seed: int = 0) -> UNet2DConditionModel:
    """The same denoiser with `WIDE` channels in its uppermost level."""
    config = {key: value for key, value in unet.config.items() if not key.startswith("_")}
    assert config["block_out_channels"][0] == NARROW, "it is not a denoiser of 64 channels above."
    larger = UNet2DConditionModel(
        **{
            **config,
            "block_out_channels": (WIDE, *config["block_out_channels"][1:]),
            "time_embedding_dim": 4 * NARROW,
        }
    )
    random = torch.Generator().manual_seed(seed)
    weights = larger.state_dict()
    for name, old in unet.state_dict().items():
        new = weights[name]
        if name == "time_embedding.linear_1.weight":  # other frequencies: what the old ones say, by least squares
            labels = torch.arange(0.0, 1000.0)
            said, heard = (network.time_proj(labels).double() for network in (unet, larger))
            # without the ridge its weights are millions, which cancel each other but for their rounding
            gram = heard.T @ heard + RIDGE * len(labels) * torch.eye(heard.shape[1]).double()
            old = old @ torch.linalg.solve(gram, heard.T @ said).T.to(old)
        if new.ndim > 1 and new.shape[1] != old.shape[1]:
            source = sources(old.shape[1], new.shape[1])
            twice = source.bincount()[source] == 2
            signs = twice.float()
            signs[1:][source[1:] == source[:-1]] = -1  # the second of a pair takes what the first has too much
            across = (-1, *[1] * (new.ndim - 2))
            noise = (0.5 * old.std() * torch.randn(old.shape, generator=random))[:, source] * signs.view(across)
            old = old[:, source] / (1 + twice.float()).view(across) + noise
        if new.shape[0] != old.shape[0]:
            old = old[sources(old.shape[0], new.shape[0])]
        weights[name] = old
    larger.load_state_dict(weights)
    return larger


@torch.no_grad()
def fit_norms(narrow: nn.Module, wide: nn.Module, inputs: list[dict[str, Tensor]]) -> None:
    """Scale and offset what each widened norm says to what the narrow network says there, from first to last."""
    names = [
        name
        for name, module in wide.named_modules()
        if isinstance(module, nn.GroupNorm) and module.num_channels != len(narrow.get_submodule(name).weight)
    ]
    order: list[str] = []
    hooks = [wide.get_submodule(n).register_forward_hook(lambda *_, n=n: order.append(n)) for n in names]
    wide(**inputs[0])
    for hook in hooks:
        hook.remove()
    for name in order:
        aim, own = (torch.cat([_heard(network, name, given) for given in inputs], 1) for network in (narrow, wide))
        aim = aim[sources(len(aim), len(own))]
        mean, aimed = own.mean(1, keepdim=True), aim.mean(1, keepdim=True)
        slope = ((own - mean) * (aim - aimed)).sum(1) / (own - mean).square().sum(1).clamp_min(1e-8)
        norm = wide.get_submodule(name)
        norm.get_parameter("bias").copy_(slope * (norm.get_parameter("bias") - mean[:, 0]) + aimed[:, 0])
        norm.get_parameter("weight").mul_(slope)


def _heard(network: nn.Module, name: str, given: dict[str, Tensor]) -> Tensor:
    """What a layer says, by channel."""
    said: list[Tensor] = []
    hook = network.get_submodule(name).register_forward_hook(lambda _, __, out: said.append(out))
    network(**given)
    hook.remove()
    return said[0].transpose(0, 1).flatten(1)


@torch.no_grad()
def main(name: str, folder: Path) -> None:
    model = open_model(name)
    data = finish(storybook_data(64, 32, 128))
    inputs = []
    random = torch.Generator().manual_seed(0)
    for i in range(0, 64, 16):
        x0 = model.encode(to_batch(data.items[i : i + 16]))
        labels = torch.linspace(20, 980, 16).round()
        levels = [model.schedule.level(label) for label in labels.tolist()]
        alpha, sigma = (torch.tensor([getattr(e, n) for e in levels]).view(-1, 1, 1, 1) for n in ("alpha", "sigma"))
        x_t = alpha * x0 + sigma * torch.randn(x0.shape, generator=random)
        words = model.condition([data.caption(i + j, i + j) for j in range(16)]).tokens
        inputs.append({"sample": x_t, "timestep": labels, "encoder_hidden_states": words})
    narrow = model.network
    wide = widened(narrow)

    def off() -> float:
        return sum(float((narrow(**i).sample - wide(**i).sample).square().mean()) for i in inputs) / len(inputs)

    before = off()
    fit_norms(narrow, wide, inputs)
    count = sum(p.numel() for p in wide.parameters()) / 1e6
    print(f"{count:.2f} M parameters; mean square off the narrow one {before:.4f}, fitted {off():.4f}")
    model.network = wide
    save_model(model, folder, torch.float32)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
