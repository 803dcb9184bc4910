"""How long the command line takes to begin: an edit whose network is converted, beside the bare libraries.

    share = seconds of `regrow edit` / (2 * seconds of `python -c "import torch, openvino"` + the edit's own seconds)

Each is a process of its own, in turn, so that a machine whose speed drifts is fair to both; medians are compared.
"""

import json
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TextIO

from regrow.core.progress import Progress
from regrow.models.engines.openvino_runtime import installed

LIBRARIES = "import torch, openvino"
"""What an edit with a converted network cannot do without."""
TIMES = 2
"""As many times their loading, and the edit itself, is the aim."""


@dataclass(frozen=True)
class StartFigures:
    """Seconds by the clock, one a turn.

    Attributes:
        bare: `python -c pass`.
        package: `python -c "import regrow"`.
        libraries: see `LIBRARIES`.
        whole: the second edit of a file at the command line.
        own: what of it the edit itself took, as it says.
        modules: of diffusers and transformers that it loaded; 0 is right.
    """

    bare: tuple[float, ...]
    package: tuple[float, ...]
    libraries: tuple[float, ...]
    whole: tuple[float, ...]
    own: tuple[float, ...]
    modules: int

    @property
    def share(self) -> float:
        """Of the aim: 1 reaches it, less is faster."""
        return median(self.whole) / (TIMES * median(self.libraries) + median(self.own))


def bench_start(picture: Path, source: str, target: str, turns: int) -> Generator[Progress, None, StartFigures]:
    """Measure starts, after one of each that is not counted.

    Args:
        picture: that is edited, with the embedded model.
        source: its prompt.
        target: what it is to become.
        turns: of each.

    Raises:
        ValueError: OpenVINO is not installed, or an edit failed; the sentence is its own.
    """
    if not installed():
        raise ValueError("OpenVINO is not installed, and this measures starts with it: pip install openvino.")
    with TemporaryDirectory(prefix="regrow-start-") as folder:
        words = ["edit", str(picture), "--source", source, "--target", target, "--json", "--out"]
        rows: list[tuple[float, ...]] = []
        for turn in range(turns + 1):
            edit = [*words, str(Path(folder) / f"{turn}.png")]
            bare, package, libraries = (_seconds(["-c", code])[0] for code in ("pass", "import regrow", LIBRARIES))
            whole, printed = _seconds(["-m", "regrow", *edit])
            own = json.loads(printed)["recipes"][0]["figures"]["seconds"]
            rows.append((bare, package, libraries, whole, own))
            yield Progress("start", turn + 1, turns + 1)
        columns = tuple(zip(*rows[1:], strict=True))
        return StartFigures(*columns, modules=_heavy_modules([*words, str(Path(folder) / "last.png")]))


def _seconds(arguments: Sequence[str]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise ValueError(" ".join(done.stderr.split()).removeprefix("regrow: ") or "A process failed without a word.")
    return seconds, done.stdout


def _heavy_modules(arguments: Sequence[str]) -> int:
    code = (
        "import sys; from regrow.interfaces.cli import main; main(sys.argv[1:]); "
        "print(len({'diffusers', 'transformers'} & set(sys.modules)))"
    )
    return int(_seconds(["-c", code, *arguments])[1].splitlines()[-1])


def print_table(figures: StartFigures, out: TextIO) -> None:
    """Print medians, and how far the aim is."""
    rows = (
        ("python -c pass", figures.bare),
        ('python -c "import regrow"', figures.package),
        (f'python -c "{LIBRARIES}"', figures.libraries),
        ("regrow edit, the second time", figures.whole),
        ("of that the edit itself", figures.own),
    )
    for name, seconds in rows:
        print(f"{name:38} {median(seconds):7.3f} s   ({min(seconds):.3f} to {max(seconds):.3f})", file=out)
    times = median(figures.package) / median(figures.bare)
    print(f"import regrow takes {times:.2f} times a bare start; the edit loads {figures.modules} of diffusers and "
          f"transformers", file=out)  # fmt: skip
    print(f"{figures.share:.2f} of {TIMES} times the libraries and the edit itself", file=out)
