"""Facts in the file of a path that no inversion writes: one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from regrow.editing.trajectories import load_trajectory
from regrow.media.files import MediaError

TENSORS = {"state.0": torch.zeros(1, 2), "state.1": torch.ones(1, 2)}
FACTS: dict[str, Any] = {"levels": [[1.0, 0.0], [0.0, 1.0]], "convergence": [], "made_of": {"steps": 1}}
WRONG: dict[str, str] = {
    "null": "null",
    "a list": "[]",
    "lists in lists": "[" * 100_000,
    "a level too large for a float": json.dumps(FACTS | {"levels": [[10**400, 0], [0, 1]]}),
    "a level in words": json.dumps(FACTS | {"levels": [["one", 0], [0, 1]]}),
    "a level that is not finite": json.dumps(FACTS | {"levels": [[float("nan"), 0], [0, 1]]}),
    "made of a list": json.dumps(FACTS | {"made_of": [1]}),
}


def written(path: Path, facts: str) -> Path:
    path.write_bytes(save(TENSORS, {"regrow trajectory": facts}))
    return path


def test_a_path_without_a_checksum_is_read_as_older_versions_wrote_it(tmp_path: Path) -> None:
    trajectory, made_of = load_trajectory(written(tmp_path / "path.safetensors", json.dumps(FACTS)))
    assert [(level.alpha, level.sigma) for level in trajectory.levels] == [(1, 0), (0, 1)]
    assert made_of["steps"] == 1


@pytest.mark.parametrize("wrong", WRONG)
def test_facts_of_a_path_that_cannot_be_are_one_sentence(wrong: str, tmp_path: Path) -> None:
    path = written(tmp_path / "path.safetensors", WRONG[wrong])
    with pytest.raises(MediaError, match=r"path\.safetensors is damaged, or not a trajectory of regrow: invert again"):
        load_trajectory(path)
