"""Tiny random checkpoints of the families on pipelines of their own, and the latents that diffusers makes with them.

A file a family; each has a table `TINY`. Every switch that changes what is computed stands as in the published files:
class names, scheduler settings, padding, activations, scaling. Only widths and depths are small. Nothing here needs the
network. Where a published scheduler draws noise or takes second-order steps, diffusers' scheduler of the same levels,
the same labels and deterministic first-order steps stands in for it.
"""

import importlib
import pkgutil

from tiny.tiny import Tiny

FAMILIES: dict[str, Tiny] = {}
for _module in pkgutil.iter_modules(__path__):
    FAMILIES |= getattr(importlib.import_module(f"tiny.{_module.name}"), "TINY", {})
