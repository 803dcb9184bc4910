"""The routes of the API. Each module here defines `router`; no other list exists."""

import pkgutil
from importlib import import_module

from fastapi import APIRouter


def all_routers() -> list[APIRouter]:
    """Return the routers of all modules of this folder, sorted by module name."""
    return [import_module(f"{__name__}.{module.name}").router for module in pkgutil.iter_modules(__path__)]
