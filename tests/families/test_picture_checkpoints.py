"""The table of pictures in docs/reference/checkpoints.md: every cell is run on the tiny checkpoint of its row."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_tables import checkpoint_of, rows
from peft import LoraConfig
from peft.utils.save_and_load import get_peft_model_state_dict
from safetensors.torch import save_file
from tiny import FAMILIES

import regrow
from regrow.media.image.picture import save
from regrow.media.medium import media
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.registry import all_families
from regrow.requests.interpolate import Interpolate

STEPS, LARGE = 2, 128
SETTINGS = "Settings of models that were not measured here"
pytestmark = pytest.mark.usefixtures("home")


class Row:
    """A row's checkpoint, and a picture of the size that it was made for, if that is not large."""

    def __init__(self, model: Model, aside: Path) -> None:
        self.model, self.aside = model, aside
        self.size = min(model.size, (LARGE, LARGE))

    def file(self, seed: int = 1) -> Path:
        path = self.aside / f"{seed}.png"
        noise = torch.rand(3, *self.size, generator=torch.Generator().manual_seed(seed))
        save(path, noise * 2 - 1, None)
        return path

    def edit(self, target: str, *more: str, **settings: Any) -> Any:
        words = (target, *more) if more else target
        source = {} if self.model.only_by_instruction else {"source": "a cat"}
        return regrow.edit(
            self.file(), words, **{"model": self.model, "steps": STEPS, "size": self.size, **source, **settings}
        )


def generate(row: Row) -> None:
    made = regrow.generate("a cat", model=row.model, steps=STEPS, seed=4, size=row.size)
    assert made.items[0].shape == (3, *row.size)
    (path,) = made.save(row.aside / "made.png")
    assert regrow.replay(path, folders=[row.model.folder.parent]).identical


def edit_by_inversion(row: Row) -> None:
    row.edit("a cat", method="naive")  # refused where there is no path
    same = row.edit("a cat", steps=3)
    off = (same.frames[0] - same.codec).abs().max()
    assert off < (1 if row.size == row.model.size else 2) / 255  # the latents are compared by the shared suite


def edit_otherwise(row: Row) -> None:
    if row.model.edits_by_instruction:
        edited = row.edit("make it a dog", source="")
        assert edited.items[0].isfinite().all()
        assert edited.recipes[0]["settings"]["method"] == "instruction"
    if not row.model.only_by_instruction:
        assert row.edit("a dog", method="img2img").items[0].isfinite().all()


def mask(row: Row) -> None:
    height, width = row.size
    left = torch.arange(width).expand(3, height, width) < width // 2
    save(row.aside / "mask.png", left * 2.0 - 1, None)
    edited = row.edit("a dog", mask=row.aside / "mask.png")
    before = regrow.media.image.picture.load(row.file()).pixels
    changed = (edited.items[0] != before).any(0)
    assert changed[:, : width // 2].any()
    assert not changed[:, width * 3 // 4 :].any()


def several_targets(row: Row) -> None:
    edited = row.edit("a dog", "a fox")
    assert len(edited.items) == 2
    assert not torch.equal(*edited.items)


def interpolate(row: Row) -> None:
    ends = [str(row.file(seed)) for seed in (1, 2)]
    between = regrow.interpolate(
        Interpolate(*ends, ("a cat", "a dog"), 3, str(row.model.folder), steps=STEPS, size=row.size), model=row.model
    )
    assert len(between.items) == 3
    assert not torch.equal(between.items[0], between.items[1])


def other_sizes(row: Row) -> None:
    size = row.size[0] + row.model.multiple, row.size[1]
    if row.model.only_by_instruction:
        assert row.edit("make it a dog", size=size, frame="stretch").frames[0].shape == (3, *size)
        return
    made = regrow.generate("a cat", model=row.model, steps=1, size=size)
    assert made.items[0].shape == (3, *size)


def shared_attention(row: Row) -> None:
    first, second = (row.edit("a dog", attention=kind) for kind in ("p2p", "none"))
    assert not torch.equal(first.items[0], second.items[0])


def lora_files(row: Row) -> None:
    network, path = open_model(row.model.folder).network, row.aside / "lora.safetensors"
    if not row.model.lora_pipeline:
        save_file({"unet.to_q.lora_A.weight": torch.ones(1)}, path)
        open_model(row.model.folder, lora=[str(path)])
        return
    network.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False), "default")
    layers = get_peft_model_state_dict(network, adapter_name="default")
    save_file({f"{row.model.NETWORK}.{key}": tensor.contiguous() for key, tensor in layers.items()}, path)
    changed = open_model(row.model.folder, lora=[f"{path}:0.5"]).network
    assert any(not torch.equal(a, b) for a, b in zip(changed.parameters(), row.model.network.parameters(), strict=True))


CELLS: dict[str, Callable[[Row], None]] = {
    "generate": generate,
    "edit by inversion": edit_by_inversion,
    "edit otherwise": edit_otherwise,
    "mask": mask,
    "several targets": several_targets,
    "interpolate": interpolate,
    "other sizes": other_sizes,
    "shared attention": shared_attention,
    "LoRA files": lora_files,
}


@pytest.mark.parametrize("row", rows("Pictures"), ids=lambda row: checkpoint_of(row["tested on"]))
def test_every_cell_of_pictures_is_true(row: dict[str, str], checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    model = open_model(checkpoint(checkpoint_of(row["tested on"])))
    assert set(row) == {*CELLS, "checkpoint", "tested on"}
    wrong = []
    for column, run in CELLS.items():
        aside = tmp_path / column.replace(" ", "-")
        aside.mkdir()
        said, subject = row[column], Row(model, aside)
        assert said in ("yes", "no"), (column, said)
        try:
            run(subject)
            is_so = "yes"
        except (ValueError, ModelError) as problem:
            sentence = str(problem)
            assert re.fullmatch(r"[^\n]+[.)]", sentence), (column, sentence)
            is_so = "no"
        if said != is_so:
            wrong.append((column, is_so))
    assert not wrong


def test_every_family_of_pictures_has_a_row_and_so_has_every_tiny_checkpoint(checkpoint: Callable[[str], Path]) -> None:
    tested = {checkpoint_of(row["tested on"]) for row in rows("Pictures")}
    # networks of pixels take no words: tests/editing and tests/models have them
    (picture,) = (medium for medium in media() if medium.sized)
    families = {name: open_model(checkpoint(name)) for name in FAMILIES}
    assert {name for name, model in families.items() if model.waves is None} <= tested
    known = {family.name for family in all_families() if family.medium is picture}
    assert known - {"pixel-unet"} <= {open_model(checkpoint(name)).family for name in tested}


@pytest.mark.parametrize("row", rows(SETTINGS), ids=lambda row: checkpoint_of(row["tested on"]))
def test_the_settings_of_makers_are_those_of_the_page(row: dict[str, str], checkpoint: Callable[[str], Path]) -> None:
    own = open_model(checkpoint(checkpoint_of(row["tested on"]))).own
    assert (own.steps, own.guidance, own.solver) == (int(row["steps"]), float(row["guidance"]), row["solver"])
