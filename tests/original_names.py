"""Weights of checkpoints by the names that their first makers gave them, from diffusers' and transformers' names.

Written from the published files' names, and the other way round than diffusers' conversions go, which are under test.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

State = dict[str, Tensor]
NORMS = {"q": "query", "k": "key"}
_RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("time_emb_proj", "emb_layers.1"),
    ("conv_shortcut", "skip_connection"),
)


def sd_unet(state: Mapping[str, Tensor], layers: int) -> State:
    """Return a UNet of Stable Diffusion 1, 2 or XL with `layers` resnets in each block on the way down."""
    each = layers + 1
    kinds = {name.split(".")[1] for name in state if name.startswith("up_blocks.") and "attentions" in name}
    made = {}
    for name, tensor in state.items():
        if found := re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
            way, block, what, layer, rest = found.groups()
            number = int(block) * each + int(layer) + (way == "down")
            place = f"{'input' if way == 'down' else 'output'}_blocks.{number}"
            new = f"{place}.0.{_resnet(rest)}" if what == "resnets" else f"{place}.1.{rest}"
        elif found := re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name):
            new = f"input_blocks.{(int(found[1]) + 1) * each}.0.op.{found[2]}"
        elif found := re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.*)", name):
            new = f"output_blocks.{int(found[1]) * each + layers}.{2 if found[1] in kinds else 1}.conv.{found[2]}"
        elif found := re.match(r"mid_block\.resnets\.(\d)\.(.*)", name):
            new = f"middle_block.{2 * int(found[1])}.{_resnet(found[2])}"
        else:
            new = name.replace("mid_block.attentions.0", "middle_block.1")
            for old, other in (("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2")):
                new = re.sub(rf"^{old}\.", f"{other}.", new)
            for old, other in (("time_embedding", "time_embed"), ("add_embedding", "label_emb.0")):
                new = re.sub(rf"^{old}\.linear_(\d)", lambda m, to=other: f"{to}.{2 * int(m[1]) - 2}", new)
        made[f"model.diffusion_model.{new}"] = tensor
    return made


def _resnet(rest: str) -> str:
    for old, new in _RESNET:
        rest = rest.replace(old, new)
    return rest


def vae(state: Mapping[str, Tensor], prefix: str = "first_stage_model.") -> State:
    """Return a codec (AutoencoderKL), its attention as the convolutions that it was."""
    blocks = 1 + max(int(name.split(".")[2]) for name in state if ".up_blocks." in name)
    made = {}
    for name, tensor in state.items():
        new = re.sub(r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2", name)
        new = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", new)
        new = re.sub(r"up_blocks\.(\d+)\.resnets\.(\d+)", lambda m: f"up.{blocks - 1 - int(m[1])}.block.{m[2]}", new)
        new = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{blocks - 1 - int(m[1])}.upsample", new)
        new = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", new)
        new = new.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if "mid_block.attentions.0" in new:
            new = new.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
            new = re.sub(r"to_([qkv])\.", r"\1.", new).replace("to_out.0", "proj_out")
            tensor = tensor[:, :, None, None] if tensor.ndim == 2 else tensor
        made[prefix + new] = tensor
    return made


def clip(state: Mapping[str, Tensor], prefix: str) -> State:
    """Return CLIP's text encoder as transformers once named it: everything but the projection in `text_model`."""
    named = {
        name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}": name for name in state
    }
    return {prefix + new: state[old] for new, old in named.items()}


def open_clip(state: Mapping[str, Tensor], prefix: str) -> State:
    """Return a text encoder as OpenCLIP names it: queries, keys and values in one matrix, the projection turned."""
    made: State = {}
    plain = clip(state, "")
    for name, tensor in plain.items():
        new = name.removeprefix("text_model.").replace("encoder.layers.", "transformer.resblocks.")
        if "self_attn" in new and "out_proj" not in new:
            if "q_proj" in new:
                three = [plain[name.replace("q_proj", f"{letter}_proj")] for letter in "qkv"]
                made[prefix + re.sub(r"self_attn\.q_proj\.", "attn.in_proj_", new)] = torch.cat(three)
            continue
        for old, other in (
            *(
                ("layer_norm1", "ln_1"),
                ("layer_norm2", "ln_2"),
                ("fc1", "c_fc"),
                ("fc2", "c_proj"),
                ("self_attn", "attn"),
            ),
            *(("final_layer_norm", "ln_final"), ("embeddings.token_embedding", "token_embedding")),
            ("embeddings.position_embedding.weight", "positional_embedding"),
        ):
            new = new.replace(old, other)
        if new == "text_projection.weight":
            new, tensor = "text_projection", tensor.T.contiguous()
        made[prefix + new] = tensor
    return made


_SD3 = (
    ("pos_embed.pos_embed", "pos_embed"),
    ("pos_embed.proj.", "x_embedder.proj."),
    ("time_text_embed.timestep_embedder.linear_1.", "t_embedder.mlp.0."),
    ("time_text_embed.timestep_embedder.linear_2.", "t_embedder.mlp.2."),
    ("time_text_embed.text_embedder.linear_1.", "y_embedder.mlp.0."),
    ("time_text_embed.text_embedder.linear_2.", "y_embedder.mlp.2."),
    ("norm_out.linear.", "final_layer.adaLN_modulation.1."),
)
_SD3_BLOCK = (
    *(("attn.to_out.0.", "x_block.attn.proj."), ("attn.to_add_out.", "context_block.attn.proj.")),
    *(("attn2.to_out.0.", "x_block.attn2.proj."), ("attn2.norm_q.", "x_block.attn2.ln_q.")),
    *(("attn2.norm_k.", "x_block.attn2.ln_k."), ("attn.norm_q.", "x_block.attn.ln_q.")),
    *(("attn.norm_k.", "x_block.attn.ln_k."), ("attn.norm_added_q.", "context_block.attn.ln_q.")),
    *(("attn.norm_added_k.", "context_block.attn.ln_k."), ("norm1.linear.", "x_block.adaLN_modulation.1.")),
    *(("norm1_context.linear.", "context_block.adaLN_modulation.1."), ("ff.net.0.proj.", "x_block.mlp.fc1.")),
    *(("ff.net.2.", "x_block.mlp.fc2."), ("ff_context.net.0.proj.", "context_block.mlp.fc1.")),
    ("ff_context.net.2.", "context_block.mlp.fc2."),
)
_FLUX = (
    *((f"time_text_embed.{part}.linear_{i + 1}.", f"{to}.{layer}.") for part, to in (
        ("timestep_embedder", "time_in"), ("text_embedder", "vector_in"), ("guidance_embedder", "guidance_in")
    ) for i, layer in enumerate(("in_layer", "out_layer"))),
    *(("context_embedder.", "txt_in."), ("x_embedder.", "img_in.")),
    ("norm_out.linear.", "final_layer.adaLN_modulation.1."),
)  # fmt: skip
_FLUX_BLOCK = (
    *(("norm1.linear.", "img_mod.lin."), ("norm1_context.linear.", "txt_mod.lin."), ("ff.net.0.proj.", "img_mlp.0.")),
    *(("ff.net.2.", "img_mlp.2."), ("ff_context.net.0.proj.", "txt_mlp.0."), ("ff_context.net.2.", "txt_mlp.2.")),
    *(("attn.norm_q.weight", "img_attn.norm.query_norm.scale"), ("attn.norm_k.weight", "img_attn.norm.key_norm.scale")),
    ("attn.norm_added_q.weight", "txt_attn.norm.query_norm.scale"),
    ("attn.norm_added_k.weight", "txt_attn.norm.key_norm.scale"),
    *(("attn.to_out.0.", "img_attn.proj."), ("attn.to_add_out.", "txt_attn.proj.")),
)


def sd3_transformer(state: Mapping[str, Tensor], prefix: str = "model.diffusion_model.") -> State:
    """Return the transformer of Stable Diffusion 3 and 3.5."""
    made = _with_names(state, _SD3, r"^transformer_blocks\.(\d+)\.", "joint_blocks", _SD3_BLOCK)
    last = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("transformer_blocks."))
    for name in [name for name in made if re.match(rf"joint_blocks\.{last - 1}\.context_block\.adaLN", name)]:
        made[name] = _swapped(made[name])
    for attention, block in (("attn", "x_block"), ("attn2", "x_block")):
        _join(made, rf"(joint_blocks\.\d+)\.{attention}\.to_q\.", "to_{}.", f"{block}.{attention}.qkv.")
    _join(made, r"(joint_blocks\.\d+)\.attn\.add_q_proj\.", "add_{}_proj.", "context_block.attn.qkv.")
    return {prefix + name: tensor for name, tensor in made.items()}


def flux_transformer(state: Mapping[str, Tensor], prefix: str = "") -> State:
    """Return the transformer of FLUX.1."""
    double = {name: tensor for name, tensor in state.items() if not name.startswith("single_")}
    made = _with_names(double, _FLUX, r"^transformer_blocks\.(\d+)\.", "double_blocks", _FLUX_BLOCK)
    _join(made, r"(double_blocks\.\d+)\.attn\.to_q\.", "to_{}.", "img_attn.qkv.")
    _join(made, r"(double_blocks\.\d+)\.attn\.add_q_proj\.", "add_{}_proj.", "txt_attn.qkv.")
    for name, tensor in state.items():
        if not (found := re.match(r"single_transformer_blocks\.(\d+)\.(.*)", name)):
            continue
        block, rest = f"single_blocks.{found[1]}.", found[2]
        if rest.startswith("attn.to_q."):
            end = rest.removeprefix("attn.to_q.")
            stem = name.removesuffix(rest)
            four = [state[f"{stem}attn.to_{letter}.{end}"] for letter in "qkv"] + [state[f"{stem}proj_mlp.{end}"]]
            made[f"{block}linear1.{end}"] = torch.cat(four)
        elif not rest.startswith(("attn.to_", "proj_mlp.")):
            new = re.sub(
                r"attn\.norm_(q|k)\.weight", lambda m: f"norm.{ {'q': 'query', 'k': 'key'}[m[1]] }_norm.scale", rest
            )
            made[block + new.replace("norm.linear.", "modulation.lin.").replace("proj_out.", "linear2.")] = tensor
    return {prefix + name: tensor for name, tensor in made.items()}


def _with_names(state: Mapping[str, Tensor], names: Any, block: str, place: str, inside: Any) -> State:
    made = {}
    for name, tensor in state.items():
        new = re.sub(r"^proj_out\.", "final_layer.linear.", name)
        for old, other in names:
            new = new.replace(old, other) if new.startswith(old) else new
        if found := re.match(block, new):
            rest = new[found.end() :]
            rest = next((other + rest[len(old) :] for old, other in inside if rest.startswith(old)), rest)
            new = f"{place}.{found[1]}.{rest}"
        # the first makers' last norm shifts before it scales
        made[new] = _swapped(tensor) if new.startswith("final_layer.adaLN") else tensor
    return made


def _swapped(tensor: Tensor) -> Tensor:
    first, second = tensor.chunk(2)
    return torch.cat([second, first])


def _join(made: State, query: str, each: str, place: str) -> None:
    """Put queries, keys and values into one matrix."""
    for name in [name for name in made if re.match(query, name)]:
        block, end = re.match(query, name)[1], name.rsplit(".", 1)[1]  # pyright: ignore[reportOptionalSubscript]
        names = [name.replace(each.format("q"), each.format(letter)) for letter in "qkv"]
        made[f"{block}.{place}{end}"] = torch.cat([made.pop(other) for other in names])
