"""Recognise weight files by the names and shapes of their tensors: checkpoints, parts of one, or something else.

The names are those that the authors of each kind of file use; many files have no other label.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from regrow.messages.message import say
from regrow.models.single_files.header import Header
from regrow.models.single_files.other_kinds import other_kind

PREFIX = "model.diffusion_model."
"""Prefix of the network's tensors in a file with several parts."""

CODEC = ("first_stage_model.", "vae.")
_WORDS = {
    "sd-1": ("cond_stage_model.transformer.",),
    "sd-2": ("cond_stage_model.model.",),
    "sdxl": ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
}
OPEN_CLIP = (_WORDS["sd-2"][0], _WORDS["sdxl"][1])
"""Prefixes of text encoders with OpenCLIP's own names."""
CLIP_L, CLIP_G, T5 = (f"text_encoders.{name}.transformer." for name in ("clip_l", "clip_g", "t5xxl"))
"""Prefixes of text encoders in a file with several parts."""


@dataclass(frozen=True)
class Kind:
    """The kind of a weight file.

    Attributes:
        layout: name in `layouts`, for a checkpoint or its network alone; "" for other files.
        parts: for a checkpoint, the prefixes of tensor names by part. For a file of one part, under "", the prefix that
            its names would have in a whole checkpoint.
        role: for a file of one part, the role by which checkpoints find a missing part; "" for other files.
        title: its name in messages.
        next_step: for a file that is not a checkpoint, what can be done with it.
        changes: changes to the scheduler's config that the file itself defines.
        notes: messages on what had to be assumed.
    """

    layout: str = ""
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    role: str = ""
    title: str = ""
    next_step: str = ""
    changes: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def kind_of(header: Header) -> Kind:
    """Return the kind of a file."""
    if other := other_kind(header):
        return Kind(title=other[0], next_step=other[1])
    recognisers: tuple[Callable[[Header], Kind | None], ...] = (_stable_diffusion, _transformer, _network, _part)
    for recognise in recognisers:
        if kind := recognise(header):
            return kind
    if not header.shapes:
        return Kind(title=say("kind_no_tensors"), next_step=say("copy_it_again"))
    some = ", ".join(sorted(header)[:2])
    return Kind(
        title=say("kind_unknown_tensors", some=some),
        next_step=say("is_it_a_checkpoint"),
    )


def _stable_diffusion(header: Header) -> Kind | None:
    """Recognise Stable Diffusion 1, 2 and XL in their original layout."""
    taken = header.side(f"{PREFIX}input_blocks.0.0.weight", 1)
    if not taken:
        return None
    parts: dict[str, tuple[str, ...]] = {"unet": (PREFIX,)}
    if header.begins(*CODEC):
        parts["vae"] = CODEC
    version = _version(header)
    for number, prefix in enumerate(_WORDS[version], 1):
        if header.begins(prefix):
            parts[_numbered("text_encoder", number)] = (prefix,)
    purpose = {9: "-inpaint", 8: "-pix2pix"}.get(taken, "")
    if purpose == "-pix2pix" and version != "sd-1":
        return Kind(title=say("kind_instruct_pix2pix_other"), next_step=say("take_that_one"))
    changes: dict[str, object] = {}
    if "v_pred" in header:  # an empty tensor that its trainers add as a mark
        changes["prediction_type"] = "v_prediction"
    if "ztsnr" in header:
        changes["rescale_betas_zero_snr"] = True
    if version != "sd-2" or purpose or changes:
        return Kind(version + purpose, parts, changes=changes)
    # nothing in the file tells the two apart, but the published files' names do
    small = bool(re.search(r"512|base", header.path.stem))
    made = say("predicts_noise") if small else say("predicts_velocity")
    advice = say("take_base_out_of_name") if small else say("put_base_into_name")
    note = say("sd2_by_name_alone", name=header.path.name, made=made, advice=advice)
    return Kind("sd-2" if small else "sd-2-v", parts, notes=(note,))


def _version(header: Header) -> str:
    if f"{PREFIX}label_emb.0.0.weight" in header:
        return "sdxl"
    if header.begins(*_WORDS["sd-2"]):
        return "sd-2"
    # for a network alone, the width of the text vectors that it reads
    reads = [header.side(name, -1) for name in header if name.endswith("attn2.to_k.weight")]
    return "sd-2" if 1024 in reads and not header.begins(*_WORDS["sd-1"]) else "sd-1"


def _transformer(header: Header) -> Kind | None:
    """Recognise transformers, with or without text encoders and a codec."""
    shapes = {name.removeprefix(PREFIX): shape for name, shape in header.shapes.items()}
    layout = _transformer_layout(Header(header.path, shapes))
    if not layout:
        return None
    others = (*CODEC, "text_encoders.")
    own = {f"{name.partition('.')[0]}." if "." in name else name for name in header if not name.startswith(others)}
    parts = {"transformer": (PREFIX,) if header.begins(PREFIX) else tuple(sorted(own))}
    if header.begins(*CODEC):
        parts["vae"] = CODEC
    for number, prefix in enumerate((CLIP_L, CLIP_G, T5) if layout.startswith("sd3") else (CLIP_L, T5), 1):
        if header.begins(prefix):
            parts[_numbered("text_encoder", number)] = (prefix,)
    return Kind(layout, parts)


def _transformer_layout(header: Header) -> str:
    if header.has("joint_blocks.0.context_block.adaLN_modulation.1.bias"):
        if "joint_blocks.37.x_block.mlp.fc1.weight" in header:
            return "sd3.5-large"
        return "sd3.5-medium" if header.has(".attn2.") else "sd3"
    if "double_blocks.0.img_attn.norm.key_norm.scale" not in header or header.has("distilled_guidance_layer."):
        return ""
    taken, returned = header.side("img_in.weight", -1), header.side("final_layer.linear.weight", 0)
    if not taken or not returned:
        return ""
    if not header.has("guidance_in.in_layer."):
        return "flux-schnell" if taken == returned else ""
    if taken == 6 * returned:  # the picture's latents and a mask of 8 x 8 pixels per cell, besides the noise
        return "flux-fill"
    if taken != returned:
        return ""
    # Kontext has the same tensors as [dev]: only its name tells them apart
    return "flux-kontext" if "kontext" in header.path.name.lower() else "flux-dev"


_NETWORKS = (
    ("Chroma", "distilled_guidance_layer.in_proj.bias"),
    ("FLUX.2", "single_stream_modulation.lin.weight"),
    ("Z-Image", "layers.0.adaLN_modulation.0.weight"),
    ("Lumina 2", "cap_embedder.0.weight"),
    ("Sana", "blocks.0.cross_attn.q_linear.weight"),
    ("Qwen-Image", "transformer_blocks.0.img_mlp.net.0.proj.weight"),
)
"""Tensor names that identify these transformers, in this order; their text encoders are in separate files."""


def _network(header: Header) -> Kind | None:
    """Recognise a network whose other parts must come from a checkpoint in the diffusers layout."""
    step = say("add_with_base")
    for title, name in _NETWORKS:
        if name in header or PREFIX + name in header:
            parts = {"": (PREFIX,) if header.begins(PREFIX) else ("",)}
            return Kind(parts=parts, role="network", title=say("kind_transformer_alone", title=title), next_step=step)
    if header.begins("down_blocks.", "transformer_blocks.") and header.has("attn1.to_q.", "attn.to_q."):
        title = say("kind_bare_network")
        return Kind(parts={"": ("",)}, role="network", title=title, next_step=step)
    return None


def _part(header: Header) -> Kind | None:
    """Recognise a single part of a checkpoint."""
    step = say("part_lies_beside")
    if width := header.side("text_model.embeddings.position_embedding.weight", -1):
        role, prefix = ("clip-g", CLIP_G) if width >= 1280 else ("clip-l", CLIP_L)
        return Kind(
            parts={"": (prefix,)}, role=role, title=say("kind_clip_encoder", size=role[-1].upper()), next_step=step
        )
    if "encoder.block.0.layer.0.SelfAttention.q.weight" in header:
        return Kind(parts={"": (T5,)}, role="t5-xxl", title=say("kind_t5_encoder"), next_step=step)
    latent = header.side("decoder.conv_in.weight", 1)
    if latent and "encoder.conv_in.weight" in header:
        return Kind(parts={"": ("",)}, role=f"vae-{latent}", title=say("kind_vae"), next_step=step)
    return None


def _numbered(part: str, number: int) -> str:
    return part if number == 1 else f"{part}_{number}"
