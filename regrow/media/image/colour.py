"""Any Pillow mode to plain sRGB values in [0, 255], with notes of what that took.

Alpha is laid on white by `c * a + 255 * (1 - a)` on the sRGB values themselves, not in linear light: that is
what browsers and image editors show.
"""

from io import BytesIO

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageCms

from regrow.media.files import MediaError

WIDE = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
"""Modes with more than 8 bits a value; all of them grey."""


def to_rgb(image: Image.Image, notes: list[str]) -> Float32[np.ndarray, "h w 3"]:
    """The sRGB values of a decoded picture, in [0, 255], not rounded.

    Args:
        image: a decoded Pillow picture of any mode.
        notes: gets one sentence for each thing that changes what is seen.

    Raises:
        MediaError: the mode has no meaning as a picture, or the values are not finite. The sentence lacks the
            path; the caller adds it.
    """
    if image.mode in WIDE:
        if "icc_profile" in image.info:
            notes.append("The colour profile was ignored: profiles of deep grey pictures are not supported.")
        grey = _wide_grey(image, notes)
        return np.repeat(grey[:, :, None], 3, axis=2)
    colour, alpha = _split(image)
    rgb = np.asarray(_to_srgb(colour, notes), dtype=np.float32)
    if alpha is None:
        return rgb
    share = np.asarray(alpha, dtype=np.float32)[:, :, None] / np.float32(255)
    if share.min() == 1:
        return rgb
    notes.append("Its transparent parts were laid on white.")
    return rgb * share + np.float32(255) * (1 - share)


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The opaque colours (RGB, L, CMYK or another mode without alpha) and the alpha of a picture."""
    profile = image.info.get("icc_profile")
    alpha = None
    if image.mode == "La":  # premultiplied grey, which Pillow converts to nothing else
        image = image.convert("LA")
    if image.has_transparency_data:  # an alpha channel, a palette's transparency or a transparent colour
        whole = image.convert("RGBA")
        alpha = whole.getchannel("A")
        image = whole.convert("RGB") if image.mode not in ("LA", "L", "1") else whole.getchannel("R")
    elif image.mode in ("P", "1"):
        image = image.convert("RGB" if image.mode == "P" else "L")
    if profile:
        image.info["icc_profile"] = profile
    return image, alpha


def _to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """RGB, through the embedded colour profile where there is a usable one."""
    profile = image.info.get("icc_profile")
    if profile and (converted := _through_profile(image, profile, notes)) is not None:
        return converted
    if image.mode == "CMYK":
        notes.append("Its CMYK inks were converted to RGB without a colour profile.")
    elif image.mode not in ("RGB", "RGBX", "L", "YCbCr", "HSV"):
        raise MediaError(f"has the colour mode {image.mode}, which regrow does not know: save it as RGB")
    return image.convert("RGB")


def _through_profile(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image | None:
    """The picture in sRGB, or None where the profile is of no use."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        name = " ".join(ImageCms.getProfileDescription(source).split()) or "unnamed"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB")
        # sRGB goes by many names and versions. A profile that moves no colour by more than a rounding step is
        # sRGB, and is skipped so that the pixels stay exact.
        if image.mode in ("RGB", "L"):
            cube = (np.indices((9, 9, 9)) * 255 // 8).astype(np.uint8).reshape(3, 27, 27)
            probe = Image.fromarray(np.ascontiguousarray(cube.T)).convert(image.mode)
            moved = ImageCms.applyTransform(probe, transform)
            before, after = (np.asarray(p.convert("RGB"), dtype=int) for p in (probe, moved or probe))
            if np.abs(before - after).max() <= 1:
                return image.convert("RGB")
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notes.append("Its colour profile is damaged or of another kind than the picture, and was ignored.")
        return None
    notes.append(f"Its colours were converted to sRGB from the embedded profile ({name[:80]}).")
    return converted


def _wide_grey(image: Image.Image, notes: list[str]) -> Float32[np.ndarray, "h w"]:
    """Grey of 16 or 32 bits in [0, 255], its steps kept. Files do not say what white is, so this does."""
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise MediaError("has values that are not numbers (NaN or infinite): repair them where it was made")
    low, high = float(values.min()), float(values.max())
    floating = image.mode == "F"
    if floating and low >= 0 and high <= 1:
        black, white = 0.0, 1.0
    elif floating and low >= 0 and high <= 255:
        black, white = 0.0, 255.0
    elif not floating and low >= 0 and high <= 65535:
        black, white = 0.0, 65535.0
    else:  # no common convention holds them: keep everything visible
        black, white = low, max(high, np.nextafter(low, np.inf))
    kind = "floating-point" if floating else "16-bit" if white == 65535 else "32-bit"
    notes.append(f"Its {kind} grey values were read with {black:g} as black and {white:g} as white.")
    return ((values - black) / (white - black) * 255).astype(np.float32)
