"""A training of a second or two, for tests that kill it: `small_run.py FOLDER` or a process of multiprocessing."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from regrow.training.distributed import Share, make_accelerator
from regrow.training.loop import fit
from regrow.training.run_log import RunLog, read_log
from regrow.training.settings import Fit


def small_run(folder: Path, say: Callable[[str], object], run_log: RunLog | None = None) -> None:
    """Train, saying a line a step, and write the weights beside the checkpoints."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.SiLU(), nn.Conv2d(8, 3, 3), nn.Flatten(), nn.Linear(48, 4))

    def loss_at(network: nn.Module, share: Share) -> Tensor:
        time.sleep(0.01)
        x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(share.step))
        return (network(x) - x.mean(dim=(2, 3)).mean(dim=1, keepdim=True)).square().mean()

    settings = Fit(steps=120, warm_up=5, minutes=0.05 / 60)
    for state in fit(module, loss_at, settings, folder, make_accelerator()):
        if run_log:
            run_log.said = 0  # a line a step, as in a run that takes its time
            run_log.write(state, 4)
        say(f"{state.step} {' '.join(state.notes)}")
    save_file(module.state_dict(), folder / "final.safetensors")


if __name__ == "__main__":
    small_run(Path(sys.argv[1]), lambda line: print(line, flush=True), RunLog(Path(sys.argv[1]), True))
    print("logged", *(line["step"] for line in read_log(Path(sys.argv[1]))))
