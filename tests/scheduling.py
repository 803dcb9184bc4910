"""Which process runs which tests: a file in one, what shares a server in one, and what takes long first."""

from typing import Any

from xdist.scheduler import LoadScopeScheduling

TOGETHER = "tests/interfaces/test_web"
"""How the files begin that use the page: the server that they share takes ten seconds to start."""
LONGEST = (
    TOGETHER,
    "tests/families/test_families.py",
    "tests/benchmark/test_editing.py",
    "tests/families/test_sound_checkpoints.py",
    "tests/training/test_spread.py",
    "tests/editing/test_edit_methods.py",
    "tests/models/test_engine.py",
    "tests/test_examples.py",
    "tests/training/test_fitting.py",
    "tests/interfaces/test_start.py",
    "tests/families/test_ace_step.py",
    "tests/families/test_audioldm.py",
    "tests/training/test_train.py",
)
"""First, in this order, so that what is left at the end is short and no process waits for another."""


def unit(nodeid: str) -> str:
    """Return what one process runs as a whole: the test's file, or all of the page."""
    return TOGETHER if nodeid.startswith(TOGETHER) else nodeid.split("::", 1)[0]


def rank(nodeid: str) -> int:
    """Return the place in the order of `LONGEST`; those that are not in it stay behind as they are."""
    name = unit(nodeid)
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


class ByUnit(LoadScopeScheduling):
    """As `--dist loadfile`, but by `unit`, and in the order in which the tests were collected."""

    def __init__(self, config: Any, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
