"""The family of docs/how-to/add-a-family.md, and a network for it: in all verbs and a training."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.generate import generate
from regrow.editing.replay import recipe_in, replay, request_from
from regrow.media.image.picture import save
from regrow.models import registry
from regrow.models.open import list_models, open_model, user_models
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.requests.train import Train
from regrow.training.train import train
from regrow.verification.model import verify_model

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-family.md"


class ToyNetwork(ModelMixin, ConfigMixin):
    """Two convolutions, shifted by the mean of the words' vectors and by the level."""

    @register_to_config
    def __init__(self, words: int = 64, width: int = 8) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.first, self.conv_out = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x_t: Tensor, labels: Tensor, tokens: Tensor) -> Tensor:
        shift = tokens.mean(1) + labels[:, None] / 1000
        return self.conv_out(torch.tanh(self.first(x_t) + shift[:, :, None, None]))


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch, home: None) -> None:
    families = {family.name: family for family in registry.all_families()}
    monkeypatch.setattr(registry, "_FAMILIES", families)  # those of before again, after the test

    monkeypatch.setitem(sys.modules, "toys", sys.modules[__name__])
    code = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(code, str(PAGE), "exec"), {"__name__": "toy"})  # the page's own example, as a reader would type it


@pytest.fixture
def toy(family: None) -> Path:
    """A folder of the toy family in the user's models."""
    folder = user_models() / "mine"
    torch.manual_seed(0)
    ToyNetwork().save_pretrained(folder / "network")
    DDIMScheduler(clip_sample=False, prediction_type="v_prediction").save_pretrained(folder / "scheduler")
    index: dict[str, Any] = {"_class_name": "ToyPipeline", "network": ["toys", "ToyNetwork"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def test_it_is_recognised_by_its_part_s_class_and_listed(toy: Path) -> None:
    assert {listed.name: listed.family for listed in list_models()}["mine"] == "toy"
    assert open_model("mine").family == open_model(toy).family == "toy"


def test_it_generates_edits_and_replays(toy: Path, tmp_path: Path) -> None:
    model = open_model("mine")
    made = finish(generate(Generate("a cat", model="mine", steps=3), model))
    save(tmp_path / "cat.png", made.items[0], made.recipes[0])
    request = Edit(tmp_path / "cat.png", ("a dog", "a fox"), "a cat", "mine", steps=3)
    edited = finish(edit(request, model))
    assert not torch.equal(edited.items[0], edited.items[1])
    save(tmp_path / "dog.png", edited.items[0], edited.recipes[0])
    recipe = recipe_in(tmp_path / "dog.png")
    assert finish(replay(recipe, request_from(recipe, tmp_path), open_model("mine"))).identical


def test_it_is_verified(toy: Path) -> None:
    checks = {check.name: check.state for check in verify_model(open_model("mine"), steps=4, reference=8)}
    assert checks["schedule, labels"] == "pass"
    assert checks["direct_inversion round trip"] == "pass"


def test_it_is_trained(toy: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(6):
        pixels = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(i)) * 2 - 1
        save(pictures / f"{i}.png", pixels, None)
        (pictures / f"{i}.txt").write_text(f"picture {i}")
    request = Train(data=pictures, name="more", start="mine", steps=2, batch=2, hold_out=1, size=32)
    list(train(request))
    before, after = open_model("mine").network, open_model("more").network
    assert not torch.equal(before.first.weight, after.first.weight)
    assert not torch.equal(before.embedding.weight, after.embedding.weight), "its words learn, too"
