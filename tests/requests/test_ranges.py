"""Numbers that no request takes: refused before anything is computed, by a sentence that names the flag."""

import math
from pathlib import Path
from typing import Any

import pytest

from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert

PLACE = Path("a.png")
BEGUN: dict[str, Any] = {
    "generate": lambda **given: Generate("a cat", **given),
    "invert": lambda **given: Invert(PLACE, **given),
    "edit": lambda **given: Edit(PLACE, ("a dog",), **given),
    "extend": lambda **given: Extend(PLACE, **given),
    "interpolate": lambda **given: Interpolate("a", "b", **given),
}


@pytest.mark.parametrize(
    ("verb", "name", "value"),
    [
        ("generate", "guidance", math.nan),
        ("generate", "guidance", math.inf),
        ("generate", "seed", 10**22),
        ("generate", "seed", -1),
        ("generate", "count", 0),
        ("generate", "size", (100_000, 100_000)),
        ("generate", "size", (0, 64)),
        ("invert", "guidance", math.nan),
        ("invert", "tolerance", math.nan),
        ("edit", "tolerance", -1.0),
        ("edit", "guidance_share", 1.5),
        ("edit", "feather", math.nan),
        ("extend", "guidance", math.nan),
        ("interpolate", "seed", 2**63),
    ],
)
def test_what_is_out_of_range_is_refused_by_its_flag(verb: str, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^--{name.replace('_', '-')} must be "):
        BEGUN[verb](**{name: value})
