"""The core alone: invert a batch of numbers under a distribution whose answer is known, and walk back.

.venv/bin/python examples/walk_the_path.py
"""

import torch

from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.methods.naive import naive
from regrow.core.schedules import VariancePreserving
from regrow.core.solvers import last, solve
from regrow.verification.oracles import Gaussian

schedule = VariancePreserving.from_betas(torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2)
data = Gaussian(mean=torch.tensor(0.5, dtype=torch.float64), std=torch.tensor(0.2, dtype=torch.float64))
x0 = torch.linspace(-0.1, 1.1, 7, dtype=torch.float64)[:, None]
levels = schedule.grid(20)[::-1]
for method in (naive, direct_inversion):
    *_, end = method(data, x0, levels)
    path = end.trajectory
    assert path is not None
    back = last(solve(path.back(), data, path.states[-1], levels[::-1]))
    true = data.exact_flow(x0, levels[0], levels[-1])
    print(f"{method.__name__:16} round trip {float((back - x0).abs().max()):.1e}", end="  ")
    print(f"latent off by {float((path.states[-1] - true).abs().max()):.1e}")
