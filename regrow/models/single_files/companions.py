"""Files of one part each that hold what a checkpoint's own file lacks, as ComfyUI keeps them side by side."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from regrow.models.errors import ModelError
from regrow.models.single_files.folders import SingleFile, single_files
from regrow.models.single_files.layouts import layout
from regrow.models.single_files.weights_file import Place

CODECS = (("flux", r"flux|^ae$"), ("sd3", r"sd_?3"), ("sdxl", r"xl"))
"""How layouts begin, and what the names of their codecs' files hold, whose tensors may be alike."""
SIBLINGS = {"checkpoints", "diffusion_models", "unet", "Stable-diffusion"}
"""Folders that lie in other programs beside those of codecs and text encoders."""


def companions(
    path: Path, layout_name: str, own: Mapping[str, Place], places: Sequence[Path]
) -> tuple[dict[str, Place], list[str]]:
    """Return where the parts are that a checkpoint's file lacks, and sentences on what was taken.

    Args:
        path: of the file.
        layout_name: of the checkpoint.
        own: parts that it holds.
        places: folders to look in besides its own.

    Raises:
        ModelError: a part is in no file, or several files may hold it and are not the same.
    """
    made = layout(layout_name)
    lacking = [part for part in made.roles if part not in own]
    files = list(_files_beside(path, places)) if lacking else []
    chosen: dict[str, Place] = {}
    for part in lacking:
        fit = [file for file in files if file.kind.role == made.roles[part]]
        if file := _one_of(path, part, layout_name, fit):
            chosen[part] = Place(file.path, ("",), file.kind.parts[""][0])
    missing = [part for part in lacking if part not in chosen and part not in made.optional]
    if missing:
        raise ModelError(
            f"{path} holds of {made.title} the {' and '.join(own)} alone, and no file beside it or in a folder "
            f"that was added holds its {' and '.join(missing)}. Put these beside it, add the folder that they are in "
            f"(regrow models add FOLDER), or take them from another checkpoint (regrow models add {path} --base MODEL)."
        )
    return chosen, [
        f"{path.name} lacks its {part}, which is taken from {place.path}." for part, place in chosen.items()
    ]


def _one_of(path: Path, part: str, layout_name: str, files: Sequence[SingleFile]) -> SingleFile | None:
    if part != "vae":  # of one text encoder in several precisions the finest
        return max(files, key=lambda file: file.path.stat().st_size, default=None)
    wanted = next((start for start, _ in CODECS if layout_name.startswith(start)), "")
    named = [file for file in files if wanted and _codec_of(file) == wanted]
    files = named or [file for file in files if not _codec_of(file)]
    if len(files) > 1:
        names = " and ".join(str(file.path) for file in files)
        raise ModelError(
            f"{path} lacks its codec, and {names} may be it, which nothing in them says: leave one beside it, "
            f"or take the codec from another checkpoint (regrow models add {path} --base MODEL)."
        )
    return files[0] if files else None


def _codec_of(file: SingleFile) -> str:
    """How the layouts begin of which a codec is by its name; "" where that says nothing."""
    return next((start for start, name in CODECS if re.search(name, file.path.stem.lower())), "")


def _files_beside(path: Path, places: Sequence[Path]) -> Iterator[SingleFile]:
    own = path.parent.parent if path.parent.name in SIBLINGS else path.parent
    known = {path}
    for file in single_files([own, *places]):
        if file.path.resolve() not in known and file.kind.role:
            known.add(file.path.resolve())
            yield file
