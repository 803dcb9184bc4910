"""What a weight file is, by the names and shapes of its tensors: a checkpoint, a part of one, or something else.

The names are those that the makers of each kind of file write; many files have no other label.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from regrow.models.single_files.header import Header
from regrow.models.single_files.other_kinds import other_kind

PREFIX = "model.diffusion_model."
"""Of a network, in a file that holds other parts as well."""

CODEC = ("first_stage_model.", "vae.")
_WORDS = {
    "sd-1": ("cond_stage_model.transformer.",),
    "sd-2": ("cond_stage_model.model.",),
    "sdxl": ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
}
OPEN_CLIP = (_WORDS["sd-2"][0], _WORDS["sdxl"][1])
"""Of text encoders in OpenCLIP's own names."""
CLIP_L, CLIP_G, T5 = (f"text_encoders.{name}.transformer." for name in ("clip_l", "clip_g", "t5xxl"))
"""Of text encoders, in a file that holds other parts as well."""


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
        layout: of `layouts`, of a checkpoint or its network alone; "" for a file that is none.
        parts: of a checkpoint, by the part: how the names of its tensors begin. Of a file of one part, by "": what its
            names would begin with in a whole checkpoint.
        role: of a file of one part, by which a checkpoint that lacks that part finds it; "" for other files.
        title: for sentences.
        next_step: of a file that is no checkpoint: what can be done with it.
        changes: of the scheduler's config, which the file itself says.
        notes: sentences on what had to be assumed.
    """

    layout: str = ""
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    role: str = ""
    title: str = ""
    next_step: str = ""
    changes: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def kind_of(header: Header) -> Kind:
    """Return what a file is."""
    if other := other_kind(header):
        return Kind(title=other[0], next_step=other[1])
    recognisers: tuple[Callable[[Header], Kind | None], ...] = (_stable_diffusion, _transformer, _network, _part)
    for recognise in recognisers:
        if kind := recognise(header):
            return kind
    if not header.shapes:
        return Kind(title="a file without tensors", next_step="Copy or download it again.")
    some = ", ".join(sorted(header)[:2])
    return Kind(
        title=f"a file whose tensors are of no kind that regrow knows ({some}, ...)",
        next_step="Is it a checkpoint of Stable Diffusion, SDXL, SD3 or FLUX?",
    )


def _stable_diffusion(header: Header) -> Kind | None:
    """Stable Diffusion 1, 2 and XL in the layout of its first makers."""
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
        return Kind(title="an InstructPix2Pix of another version than Stable Diffusion 1", next_step="Take that one.")
    changes: dict[str, object] = {}
    if "v_pred" in header:  # an empty tensor, by which its trainers say so
        changes["prediction_type"] = "v_prediction"
    if "ztsnr" in header:
        changes["rescale_betas_zero_snr"] = True
    if version != "sd-2" or purpose or changes:
        return Kind(version + purpose, parts, changes=changes)
    # nothing in the file says which of the two; the names that its makers gave to the files do
    small = bool(re.search(r"512|base", header.path.stem))
    made = "noise at 512 x 512 pixels" if small else "velocity at 768 x 768 pixels"
    advice = "take `base` and `512` out of its name" if small else "put `base` into its name"
    note = (
        f"{header.path.name} is taken for a Stable Diffusion 2 that predicts {made}, by its name alone, as nothing "
        f"else says so: if its results are noise, {advice}."
    )
    return Kind("sd-2" if small else "sd-2-v", parts, notes=(note,))


def _version(header: Header) -> str:
    if f"{PREFIX}label_emb.0.0.weight" in header:
        return "sdxl"
    if header.begins(*_WORDS["sd-2"]):
        return "sd-2"
    # of a network alone: the width of the words that it reads
    reads = [header.side(name, -1) for name in header if name.endswith("attn2.to_k.weight")]
    return "sd-2" if 1024 in reads and not header.begins(*_WORDS["sd-1"]) else "sd-1"


def _transformer(header: Header) -> Kind | None:
    """The transformers, with text encoders and a codec beside them or alone."""
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
    if taken == 6 * returned:  # latents of the picture and a mask of 8 x 8 pixels a cell beside the noise
        return "flux-fill"
    if taken != returned:
        return ""
    # the same network, trained to read the source beside the noise: only its name says so
    return "flux-kontext" if "kontext" in header.path.name.lower() else "flux-dev"


_NETWORKS = (
    ("Chroma", "distilled_guidance_layer.in_proj.bias"),
    ("FLUX.2", "single_stream_modulation.lin.weight"),
    ("Z-Image", "layers.0.adaLN_modulation.0.weight"),
    ("Lumina 2", "cap_embedder.0.weight"),
    ("Sana", "blocks.0.cross_attn.q_linear.weight"),
    ("Qwen-Image", "transformer_blocks.0.img_mlp.net.0.proj.weight"),
)
"""Names that the transformers of these hold, and no others before them: their text encoders are in files of others."""


def _network(header: Header) -> Kind | None:
    """A network whose other parts have to be taken from a checkpoint in the diffusers layout."""
    step = "Add it with the checkpoint that its other parts are from: regrow models add FILE --base MODEL."
    for title, name in _NETWORKS:
        if name in header or PREFIX + name in header:
            parts = {"": (PREFIX,) if header.begins(PREFIX) else ("",)}
            return Kind(parts=parts, role="network", title=f"the transformer of {title} alone", next_step=step)
    if header.begins("down_blocks.", "transformer_blocks.") and header.has("attn1.to_q.", "attn.to_q."):
        title = "a network in diffusers' layout, without its config"
        return Kind(parts={"": ("",)}, role="network", title=title, next_step=step)
    return None


def _part(header: Header) -> Kind | None:
    """One part of a checkpoint, in a file of its own."""
    step = "It is a part, which a checkpoint that lacks it takes from a file beside it."
    if width := header.side("text_model.embeddings.position_embedding.weight", -1):
        role, prefix = ("clip-g", CLIP_G) if width >= 1280 else ("clip-l", CLIP_L)
        return Kind(parts={"": (prefix,)}, role=role, title=f"CLIP's text encoder {role[-1].upper()}", next_step=step)
    if "encoder.block.0.layer.0.SelfAttention.q.weight" in header:
        return Kind(parts={"": (T5,)}, role="t5-xxl", title="T5's encoder", next_step=step)
    latent = header.side("decoder.conv_in.weight", 1)
    if latent and "encoder.conv_in.weight" in header:
        return Kind(parts={"": ("",)}, role=f"vae-{latent}", title="a VAE, the codec alone", next_step=step)
    return None


def _numbered(part: str, number: int) -> str:
    return part if number == 1 else f"{part}_{number}"
