"""Which process runs which tests: those of a file in one, some files together, and what takes long first."""

from typing import Any

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/families/test_families.py": "suite",
    "tests/test_tiny_families.py": "suite",
}
"""How the names of files begin that share what takes long to start or to open, and what they are together."""
LONGEST = (
    "suite",
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
    """Return what one process runs as a whole: the test's file, or several."""
    file = nodeid.split("::", 1)[0]
    return next((unit for start, unit in TOGETHER.items() if file.startswith(start)), file)


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
