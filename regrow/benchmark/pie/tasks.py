"""The tasks of PIE-Bench, in the layout in which it is distributed.

    FOLDER/mapping_file.json        by id: image_path, original_prompt, editing_prompt, editing_instruction,
                                    editing_type_id, blended_word and mask
    FOLDER/annotation_images/...    the pictures, at image_path

Square brackets in prompts only mark the words that differ. A mask is where the picture should change, run-length
encoded row by row: [start, length, start, length, ...].
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from regrow.media.files import MediaError, readable, reason
from regrow.media.image.reading import MOST_PIXELS, opened

MAPPING, PICTURES = "mapping_file.json", "annotation_images"
SAVED = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
"""Allowed suffixes of pictures, with Pillow's name of the format."""
TEXTS = ("image_path", "original_prompt", "editing_prompt", "editing_type_id")
"""Text fields that each task must have, besides its mask; only models that take an instruction need one."""


@dataclass(frozen=True)
class PieTask:
    """One picture and its edit.

    Attributes:
        id: of the task in the mapping file.
        category: the editing type, "0" to "9".
        image: the file.
        place: path relative to annotation_images; the results of each method have the same relative path.
        source: the source prompt.
        target: the target prompt.
        instruction: the edit as an instruction; may be empty.
        runs: the mask, run-length encoded.
    """

    id: str
    category: str
    image: Path
    place: PurePosixPath
    source: str
    target: str
    instruction: str
    runs: tuple[int, ...]


def read_tasks(folder: Path, categories: Sequence[str] = (), limit: int | None = None) -> tuple[PieTask, ...]:
    """Read the tasks of some categories, in the order of the mapping file, and check their pictures and masks.

    Args:
        folder: of the benchmark.
        categories: editing types; all if empty.
        limit: largest number of tasks of each category; None takes all.

    Raises:
        MediaError: the folder has another layout, or one of these tasks is broken; the sentence names it.
        ValueError: a category is unknown.
    """
    mapping = folder / MAPPING
    if not mapping.is_file():
        raise MediaError(f"{mapping} is missing: name the folder of PIE-Bench that holds {MAPPING} and {PICTURES}.")
    try:
        entries = json.loads(readable(mapping).read_bytes())
    except (ValueError, RecursionError) as problem:
        if isinstance(problem, MediaError):
            raise
        raise MediaError(f"{mapping} is not valid JSON ({reason(problem)}): download it again.") from problem
    if not isinstance(entries, dict) or not entries:
        raise MediaError(f"{mapping} holds no tasks by their ids: download it again.")
    each = [(name, entry, _category(mapping, name, entry)) for name, entry in entries.items()]
    there = sorted({category for _, _, category in each})
    if unknown := [category for category in categories if category not in there]:
        raise ValueError(f"{mapping} has no editing type {unknown[0]!r}; it has {', '.join(there)}.")
    counts, tasks = dict.fromkeys(there, 0), []
    for name, entry, category in each:
        if (categories and category not in categories) or (limit is not None and counts[category] >= limit):
            continue
        counts[category] += 1
        tasks.append(_task(folder, name, entry))
    return tuple(tasks)


def decode_mask(runs: Sequence[int], height: int, width: int) -> Bool[Tensor, "h w"]:
    """Return where a picture should change: the runs, and its outermost pixels.

    As in the benchmark's code, the outermost pixels belong to every mask, against annotation errors at the border, and
    runs are cut off at the last pixel.

    Raises:
        ValueError: the runs are not pairs of non-negative integers, or one begins beyond the picture.
    """
    pixels = height * width
    if len(runs) % 2 or any(type(number) is not int or number < 0 for number in runs):
        raise ValueError("its mask is not a list of starts and lengths")
    mask = torch.zeros(pixels, dtype=torch.bool)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        if start > pixels:
            raise ValueError(f"its mask begins a run at {start}, and the picture of {width} x {height} has {pixels}")
        mask[start : start + length] = True
    mask = mask.view(height, width)
    mask[[0, -1]] = True
    mask[:, [0, -1]] = True
    return mask


def _category(mapping: Path, name: str, entry: Any) -> str:
    for field in TEXTS:
        if not isinstance(entry, dict) or not isinstance(entry.get(field), str):
            raise MediaError(f"{mapping}: {name} has no text {field}: download it again.")
    return entry["editing_type_id"]


def _task(folder: Path, name: str, entry: dict[str, Any]) -> PieTask:
    mapping, place = folder / MAPPING, PurePosixPath(entry["image_path"])
    if place.is_absolute() or ".." in place.parts or place.suffix.lower() not in SAVED:
        raise MediaError(
            f"{mapping}: image_path of {name} is {str(place)!r}, and must lead to a {', '.join(SAVED)} file below "
            f"{PICTURES}."
        )
    image, mask = folder / PICTURES / place, entry.get("mask")
    runs = tuple(mask) if isinstance(mask, list) else (-1,)
    if not image.is_file():
        raise MediaError(f"{image}, the picture of {name} in {mapping}, is missing: download it again.")
    with opened(image, MOST_PIXELS) as header:
        width, height = header.size
    try:
        decode_mask(runs, height, width)
    except ValueError as problem:
        raise MediaError(f"{mapping}: {name} cannot be measured, for {problem}: download both again.") from problem
    source, target = (entry[field].replace("[", "").replace("]", "") for field in TEXTS[1:3])
    instruction = entry.get("editing_instruction")
    return PieTask(
        name, entry["editing_type_id"], image, place, source, target,
        instruction if isinstance(instruction, str) else "", runs,
    )  # fmt: skip
