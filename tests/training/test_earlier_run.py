"""A checkpoint that an earlier version wrote (commit b8647ca, `small_run` stopped after step 59) is resumed."""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file
from small_run import small_run

EARLIER = Path(__file__).with_name("earlier_run")


def test_a_run_of_an_earlier_version_goes_on_to_the_weights_of_one_that_was_never_stopped(tmp_path: Path) -> None:
    resumed, whole = shutil.copytree(EARLIER, tmp_path / "resumed"), tmp_path / "whole"
    lines: list[str] = []
    small_run(resumed, lines.append)
    assert lines[0] == "59 Resuming at step 59 of 120."
    small_run(whole, lambda line: None)
    weights, expected = (load_file(folder / "final.safetensors") for folder in (resumed, whole))
    assert weights.keys() == expected.keys()
    for name, tensor in expected.items():  # the checkpoint may come from another machine, whose last digits differ
        torch.testing.assert_close(weights[name], tensor, rtol=1e-3, atol=1e-4)
