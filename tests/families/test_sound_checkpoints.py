"""The table of docs/reference/checkpoints.md: every cell is run on the tiny checkpoint of its row."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoint_tables import checkpoint_of, rows
from gates import over, started
from peft import LoraConfig
from peft.utils.save_and_load import get_peft_model_state_dict
from safetensors.torch import save_file
from tiny import FAMILIES

import regrow
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.uploads import keep
from regrow.interfaces.server.verbs import all_works
from regrow.interfaces.server.verbs.asking import submit
from regrow.media.audio.sound import load, save
from regrow.media.medium import media
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model, user_models
from regrow.models.registry import all_families
from regrow.requests.extend import Extend
from regrow.requests.interpolate import Interpolate

pytestmark = pytest.mark.usefixtures("home")


def sounds() -> set[str]:
    """The families that make sounds from prompts in words, by name: regrow's singers read scores."""
    (sound,) = (medium for medium in media() if not medium.sized)
    return {family.name for family in all_families() if family.medium is sound and not family.kind.reads_scores}


class Row:
    """A row's checkpoint, and a file as long as it was made for."""

    def __init__(self, model: Model, aside: Path) -> None:
        self.model, self.aside, self.rate = model, aside, model.sound.rate
        self.samples = self.model.size[-1] * self.model.sound.samples_per_frame
        self.words = ("a cat", "a dog") if self.model.takes_words else ("", "")
        self.guidance = {} if self.model.takes_words else {"guidance": 1.0}

    def file(self, seed: int = 1) -> Path:
        path = self.aside / f"{seed}.wav"
        noise = torch.rand(2, self.samples, generator=torch.Generator().manual_seed(seed))
        save(path, noise / 4 - 0.125, self.rate)
        return path


def words(row: Row) -> None:
    first, second = (regrow.generate(text, model=row.model, steps=2, guidance=2.0) for text in ("a cat", "a dog"))
    assert not torch.equal(first.items[0], second.items[0])


def generate(row: Row) -> None:
    made = regrow.generate(row.words[0], model=row.model, steps=2, seed=4, **row.guidance)
    wave = made.items[0]
    assert wave.isfinite().all()
    assert wave.shape == (row.model.sound.channels, row.samples)
    (path,) = made.save(row.aside / "made.wav")
    assert regrow.replay(path, folders=[row.model.folder.parent]).identical


def edit_by_inversion(row: Row) -> None:
    settings = {"model": row.model, "steps": 3, **row.guidance}
    regrow.edit(row.file(), row.words[0], source=row.words[0], method="naive", **settings)  # refused without a path
    same = regrow.edit(row.file(), row.words[0], source=row.words[0], **settings)
    assert (same.frames[0] - same.codec).abs().max() < 1e-4


def edit_otherwise(row: Row) -> None:
    edited = regrow.edit(
        row.file(), row.words[1], source=row.words[0], model=row.model, steps=3, method="img2img", **row.guidance
    )
    assert edited.items[0].shape[-1] == row.samples
    assert edited.items[0].isfinite().all()


def span(row: Row) -> None:
    seconds, file = row.samples / row.rate, row.file()
    edited = regrow.edit(
        file, row.words[1], source=row.words[0], model=row.model, steps=2, span=f"{seconds / 4:.6f}:{seconds / 2:.6f}",
        **row.guidance,
    )  # fmt: skip
    changed = (edited.items[0] != load(file).wave).any(0).nonzero().flatten()
    assert row.samples // 5 < int(changed.min()) < int(changed.max()) < row.samples * 4 // 5


def extend(row: Row) -> None:
    guidance = row.guidance.get("guidance", 3.0)
    request = Extend(row.file(), row.words[0], 0.1, model=str(row.model.folder), steps=2, guidance=guidance)
    longer = regrow.extend(request, model=row.model)
    assert torch.equal(longer.items[0][:, : row.samples], load(request.sound).wave)
    assert longer.items[0].shape[-1] == row.samples + round(0.1 * row.rate)


def interpolate(row: Row) -> None:
    ends = [str(row.file(seed)) for seed in (1, 2)]
    request = Interpolate(*ends, row.words, 3, str(row.model.folder), steps=2)
    between = regrow.interpolate(request, model=row.model)
    assert len(between.items) == 3
    assert not torch.equal(between.items[0], between.items[1])


def any_length(row: Row) -> None:
    duration = max(0.1, 1.5 * row.samples / row.rate)
    made = regrow.generate(row.words[0], model=row.model, steps=1, duration=duration, **row.guidance)
    assert made.items[0].shape[-1] == round(duration * row.rate)


def song(row: Row) -> None:
    first, second = (
        regrow.generate("pop", model=row.model, steps=2, lyrics=lyrics) for lyrics in ("[verse] old", "[verse] new")
    )
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


def page(row: Row) -> None:
    name = row.model.folder.name
    user_models().mkdir(parents=True, exist_ok=True)
    (user_models() / name).symlink_to(row.model.folder)
    worker, files, settings = started(all_works()), Files(private=False), {"model": name, "steps": 2, **row.guidance}
    with row.file().open("rb") as file:
        kept = keep(files, Caller(), file, "sound.wav")["id"]
    for verb, more in (
        ("generate", {"prompt": row.words[0]}),
        ("edit", {"image": kept, "target": [row.words[1]], "source": row.words[0]}),
    ):
        job = submit(worker, files, Caller(), verb, settings | more)
        assert over(worker, job) == "done", job.error
        assert (job.folder / job.files[0]).is_file()


CELLS: dict[str, Callable[[Row], None]] = {
    "words": words,
    "generate": generate,
    "edit by inversion": edit_by_inversion,
    "edit otherwise": edit_otherwise,
    "span": span,
    "extend": extend,
    "interpolate": interpolate,
    "any length": any_length,
    "song": song,
    "LoRA files": lora_files,
    "page": page,
}


@pytest.mark.parametrize("row", rows("Sounds"), ids=lambda row: checkpoint_of(row["tested on"]))
def test_every_cell_is_true(row: dict[str, str], checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    model = open_model(checkpoint(checkpoint_of(row["tested on"])))
    assert set(row) == {*CELLS, "checkpoint", "tested on"}
    for column, run in CELLS.items():
        aside = tmp_path / column.replace(" ", "-")
        aside.mkdir()
        said, subject = row[column], Row(model, aside)
        assert said in ("yes", "no"), (column, said)
        if said == "yes":
            run(subject)
        else:
            with pytest.raises((ValueError, ModelError)) as problem:
                run(subject)
            sentence = str(problem.value)
            assert sentence.endswith("."), (column, sentence)
            assert "\n" not in sentence


def test_every_family_of_sounds_has_a_row_and_so_has_every_tiny_checkpoint(checkpoint: Callable[[str], Path]) -> None:
    tested = {checkpoint_of(row["tested on"]) for row in rows("Sounds")}
    families = {name: open_model(checkpoint(name)) for name in FAMILIES}
    assert {model.family for name, model in families.items() if name in tested} == sounds()
    assert tested == {name for name, model in families.items() if model.waves is not None}
