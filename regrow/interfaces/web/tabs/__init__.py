"""The page's tabs. A tab is a module here whose name ends in `_tab`, and `texts/NAME.json` with what it says.

The module offers `TAB`. Nothing else lists the tabs: the page builds all that are in this folder.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from regrow.interfaces.web.shared import Page


@dataclass(frozen=True)
class Tab:
    """A tab of the page.

    Attributes:
        name: its id, and the key of its title in its texts.
        place: tabs stand, and are built, in the order of their places: a tab finds the fields of those before it.
        build: makes its components, given the page and the `gr.Tab` that they go into.
    """

    name: str
    place: int
    build: Callable[[Page, Any], None]


def all_tabs() -> list[Tab]:
    """Return the tabs in their order."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name.endswith("_tab")]
    return sorted((import_module(f"{__name__}.{name}").TAB for name in names), key=lambda tab: tab.place)
