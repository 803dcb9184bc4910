"""Find the parts that a checkpoint's file lacks in other files, as ComfyUI keeps them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.single_files.folders import SingleFile, single_files
from regrow.models.single_files.layouts import layout
from regrow.models.single_files.weights_file import Place

CODECS = (("flux", r"flux|^ae$"), ("sd3", r"sd_?3"), ("sdxl", r"xl"))
"""Prefixes of layout names, and patterns of their codecs' file names, as different codecs may have alike tensors."""
SIBLINGS = {"checkpoints", "diffusion_models", "unet", "Stable-diffusion"}
"""Checkpoint folders of other programs, which lie beside those of codecs and text encoders."""


def companions(
    path: Path, layout_name: str, own: Mapping[str, Place], places: Sequence[Path]
) -> tuple[dict[str, Place], list[str]]:
    """Find the parts that a checkpoint's file lacks; return their places, and messages on what is used.

    Args:
        path: the checkpoint's file.
        layout_name: the checkpoint's layout.
        own: the parts that the file holds.
        places: folders to search besides the file's own.

    Raises:
        ModelError: no file holds a part, or it is unclear which of several files to use.
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
            say(
                "file_lacks_companions",
                path=path,
                title=made.title,
                held=" and ".join(own),
                missing=" and ".join(missing),
            )
        )
    return chosen, [
        say("part_taken_from_beside", name=path.name, part=part, path=place.path) for part, place in chosen.items()
    ]


def _one_of(path: Path, part: str, layout_name: str, files: Sequence[SingleFile]) -> SingleFile | None:
    if part != "vae":  # of a text encoder in several precisions, the most precise
        return max(files, key=lambda file: file.path.stat().st_size, default=None)
    wanted = next((start for start, _ in CODECS if layout_name.startswith(start)), "")
    named = [file for file in files if wanted and _codec_of(file) == wanted]
    files = named or [file for file in files if not _codec_of(file)]
    if len(files) > 1:
        names = " and ".join(str(file.path) for file in files)
        raise ModelError(say("file_lacks_codec", path=path, names=names))
    return files[0] if files else None


def _codec_of(file: SingleFile) -> str:
    """Return the layout prefix that a codec's file name suggests; "" for none."""
    return next((start for start, name in CODECS if re.search(name, file.path.stem.lower())), "")


def _files_beside(path: Path, places: Sequence[Path]) -> Iterator[SingleFile]:
    own = path.parent.parent if path.parent.name in SIBLINGS else path.parent
    known = {path}
    for file in single_files([own, *places]):
        if file.path.resolve() not in known and file.kind.role:
            known.add(file.path.resolve())
            yield file
