"""Any Pillow mode to plain sRGB values, with notes of what that took.

What a PNG says about its colours is taken in the order of its specification (third edition, 4.3): cICP, iCCP, sRGB, and
last gAMA and cHRM.
"""

from io import BytesIO

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageCms

from regrow.media.files import MediaError
from regrow.messages.message import say

WIDE = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
"""Modes with more than 8 bits a value; all of them grey."""

_CICP_SRGB = bytes([1, 13, 0, 1])
_PRIMARIES = {1: "sRGB", 9: "BT.2020", 12: "Display P3"}
_TRANSFERS = {1: "BT.709", 8: "linear", 13: "sRGB", 14: "BT.2020", 16: "PQ", 18: "HLG"}
_SRGB_CHROMATICITY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)


def to_srgb(image: Image.Image, notes: list[str]) -> tuple[Image.Image, Image.Image | None]:
    """The sRGB colours of a decoded picture of up to 8 bits a channel, in mode RGB, and its alpha in mode L, if any.

    Args:
        image: a decoded Pillow picture of any mode but those of `WIDE`.
        notes: gets one sentence for each thing that changes what is seen.

    Raises:
        MediaError: the mode has no meaning as a picture. The sentence lacks the path; the caller adds it.
    """
    if image.mode in ("P", "PA") and not (image.palette and image.palette.palette):
        raise MediaError(say("palette_missing"))
    colours, alpha = _split(image)
    profile = None if _says_cicp(image, notes) else image.info.get("icc_profile")
    converted = _through_profile(colours, profile, notes) if profile else None
    if converted is None:
        if colours.mode == "CMYK":
            notes.append(say("cmyk_converted"))
        elif colours.mode not in ("RGB", "RGBX", "L", "YCbCr", "HSV"):
            raise MediaError(say("colour_mode_unknown", mode=image.mode))
        converted = colours.convert("RGB")
        if (curve := _gamma(image, notes)) is not None:
            converted = converted.point([round(255 * value) for value in _encoded(np.arange(256) / 255, curve)] * 3)
    if alpha is not None and alpha.getextrema()[0] == 255:
        alpha = None
    return converted, alpha


def wide_grey(
    image: Image.Image, notes: list[str]
) -> tuple[Float32[np.ndarray, "h w"], UInt8[np.ndarray, "h w"] | None]:
    """Grey of 16 or 32 bits in [0, 255], its steps kept, and its alpha, if any.

    Files do not say what white is, so this does.

    Raises:
        MediaError: the values are not finite. The sentence lacks the path; the caller adds it.
    """
    if "icc_profile" in image.info:
        notes.append(say("grey_profile_ignored"))
    stored = np.asarray(image)
    low, high = float(stored.min()), float(stored.max())
    if not np.isfinite((low, high)).all():
        raise MediaError(say("picture_values_no_numbers"))
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
    notes.append(say("grey_values_scaled", kind=kind, black=black, white=white))
    curve = None if _says_cicp(image, notes) or "icc_profile" in image.info else _gamma(image, notes)
    grey = np.empty(stored.shape, np.float32)
    for some, kept in zip(np.array_split(stored, 32), np.array_split(grey, 32), strict=True):  # doubles, but not of all
        scaled = (some.astype(np.float64) - black) / (white - black)
        kept[:] = 255 * (scaled if curve is None else _encoded(scaled, curve))
    key = image.info.get("transparency")
    clear = stored == key if isinstance(key, int) else np.zeros(1, bool)
    return grey, np.where(clear, 0, 255).astype(np.uint8) if clear.any() else None


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The opaque colours (RGB, L, CMYK or another mode without alpha) and the alpha of a picture."""
    if image.mode == "La":  # premultiplied grey, which Pillow converts to nothing else
        image = image.convert("LA")
    if image.has_transparency_data:  # an alpha channel, a palette's transparency or a transparent colour
        grey = image.mode in ("LA", "L", "1")
        whole = image.convert("RGBA")
        return whole.getchannel("R") if grey else whole.convert("RGB"), whole.getchannel("A")
    if image.mode in ("P", "1"):
        image = image.convert("RGB" if image.mode == "P" else "L")
    return image, None


def _says_cicp(image: Image.Image, notes: list[str]) -> bool:
    """Whether a cICP chunk says that the colours are sRGB; any other is named, unless there is a profile instead."""
    said = image.info.get("cicp")
    if said and said != _CICP_SRGB and "icc_profile" not in image.info:
        codes = (*said, 0, 0)
        primaries, transfer = _PRIMARIES.get(codes[0], str(codes[0])), _TRANSFERS.get(codes[1], str(codes[1]))
        notes.append(say("cicp_not_converted", primaries=primaries, transfer=transfer))
    return said == _CICP_SRGB


def _gamma(image: Image.Image, notes: list[str]) -> float | None:
    """The exponent to linear light that a gAMA chunk asks for; None where there is none, or that of sRGB."""
    if "srgb" in image.info or "cicp" in image.info:
        return None
    primaries = image.info.get("chromaticity")
    if primaries and np.abs(np.subtract(primaries, _SRGB_CHROMATICITY)).max() > 0.01:
        notes.append(say("primaries_ignored"))
    gamma = image.info.get("gamma")
    if gamma is None or abs(gamma - 1 / 2.2) < 0.002:  # what writers of sRGB put in for old readers
        return None
    if not 0.1 <= gamma <= 10:
        notes.append(say("gamma_ignored", gamma=gamma))
        return None
    notes.append(say("gamma_converted", gamma=gamma))
    return 1 / gamma


def _encoded(values: np.ndarray, exponent: float) -> np.ndarray:
    """Values in [0, 1], to linear light by an exponent and from there to sRGB (IEC 61966-2-1)."""
    linear = values**exponent
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


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
        notes.append(say("profile_ignored"))
        return None
    notes.append(say("profile_converted", name=name[:80]))
    return converted
