"""Recognise weight files that are not a checkpoint, or one that regrow does not open, and say what to do."""

from collections.abc import Callable

from regrow.messages.message import say
from regrow.models.single_files.header import Header

_LORA = (
    *("lora_down.", "lora_up.", "lora_A.", "lora_B.", ".lora.", "lora_unet_", "lora_linear_layer."),
    *("hada_w1_a", "lokr_w1", "dora_scale"),
)
_CONTROL = ("control_model.", "controlnet_", "input_hint_block.", "adapter.body.", "controlnet_cond")
_CONTROL_INSIDE = ("controlnet_cond_embedding.", "zero_convs.", "control_layers.")
_WIDTHS = (768, 1024, 1280, 2048, 4096)
"""Vector widths of text encoders."""


def _is_embedding(header: Header) -> bool:
    shapes = tuple(header.shapes.values())
    plain = all(len(shape) in (1, 2) and shape[-1] in _WIDTHS for shape in shapes)
    return bool(shapes) and (
        "emb_params" in header or set(header) == {"clip_l", "clip_g"} or (len(shapes) < 3 and plain)
    )


LORA, EMBEDDING = say("kind_lora"), say("kind_embedding")
"""Titles of the kinds of files that can be added to a checkpoint; folders are searched for files of these titles."""
_ADDITIONS: tuple[tuple[str, str, Callable[[Header], bool]], ...] = (
    (LORA, say("add_as_lora"), lambda h: h.has(*_LORA)),
    (EMBEDDING, say("add_as_embedding"), _is_embedding),
    (
        say("kind_ip_adapter"),
        say("use_picture_instead"),
        lambda h: h.begins("image_proj.", "ip_adapter.") or h.has("to_k_ip."),
    ),
    (
        say("kind_controlnet"),
        say("edits_keep_shapes"),
        lambda h: h.begins(*_CONTROL) or h.has(*_CONTROL_INSIDE),
    ),
    (
        say("kind_motion_module"),
        say("makes_no_films"),
        lambda h: h.has("motion_modules.", "temporal_transformer."),
    ),
    (
        say("kind_upscaler"),
        say("edits_at_own_size"),
        lambda h: h.has(".RDB1.", ".rdb1.", "model.1.sub.", "conv_after_body."),
    ),
)
_MODELS: tuple[tuple[str, Callable[[Header], bool]], ...] = (
    ("Stable Diffusion XL's refiner", lambda h: "conditioner.embedders.0.model.text_projection" in h),
    ("Playground 2.5", lambda h: "edm_mean" in h),
    ("Stable Cascade", lambda h: "clip_txt_mapper.weight" in h or h.has("channelwise.", "effnet_mapper.")),
    (
        "Stable Diffusion's upscaler",
        lambda h: h.side("model.diffusion_model.input_blocks.0.0.weight", 1) == 7,
    ),
    (
        "Stable Diffusion 2 with depth",
        lambda h: h.side("model.diffusion_model.input_blocks.0.0.weight", 1) == 5,
    ),
    ("AuraFlow", lambda h: h.has("double_layers.0.attn.w2q.weight")),
    ("LTX-Video", lambda h: h.has("patchify_proj.weight")),
    ("HunyuanVideo", lambda h: h.has("txt_in.individual_token_refiner.")),
    ("Mochi", lambda h: h.has("blocks.0.attn.qkv_x.weight")),
    ("Wan", lambda h: h.has("head.modulation")),
    ("HiDream", lambda h: h.has("double_stream_blocks.0.block.adaLN_modulation")),
    ("Cosmos", lambda h: h.has("net.x_embedder.proj.1.weight")),
    ("FLUX.3", lambda h: h.has("early_stream_modulations.")),
    ("Krea 2", lambda h: h.has("txtfusion.projector.weight")),
)


def other_kind(header: Header) -> tuple[str, str] | None:
    """Return title and advice for a file that regrow does not open as a checkpoint; None for all others."""
    for title, step, is_it in _ADDITIONS:
        if is_it(header):
            return title, step
    for title, is_it in _MODELS:
        if is_it(header):
            return say("kind_not_opened", title=title), say("take_a_checkpoint")
    return None
