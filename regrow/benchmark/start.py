"""Measure the start-up of the command line: an edit with a converted network, compared with importing the libraries.

    share = seconds of `regrow edit` / (2 * seconds of `python -c "import torch, openvino"` + the edit's own seconds)

Each runs in a new process, in turn, so that changes of the machine's speed affect both alike; medians are compared.
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
"""The imports that an edit with a converted network needs in any case."""
TIMES = 2
"""The target: the whole edit takes at most this many times the import, plus the edit itself."""


@dataclass(frozen=True)
class StartFigures:
    """Wall-clock seconds, one value per turn.

    Attributes:
        bare: `python -c pass`.
        package: `python -c "import regrow"`.
        libraries: see `LIBRARIES`.
        whole: the second edit of a file at the command line.
        own: the part of `whole` that the edit itself took, as it reports.
        modules: number of modules of diffusers and transformers that it imported; should be 0.
    """

    bare: tuple[float, ...]
    package: tuple[float, ...]
    libraries: tuple[float, ...]
    whole: tuple[float, ...]
    own: tuple[float, ...]
    modules: int

    @property
    def share(self) -> float:
        """Time relative to the target: 1 meets it, less is faster."""
        return median(self.whole) / (TIMES * median(self.libraries) + median(self.own))


def bench_start(picture: Path, source: str, target: str, turns: int) -> Generator[Progress, None, StartFigures]:
    """Measure start-ups, after an uncounted one of each kind.

    Args:
        picture: the picture to edit, with the embedded model.
        source: the source prompt.
        target: the target prompt.
        turns: repetitions of each.

    Raises:
        ValueError: OpenVINO is not installed, or an edit failed; then the sentence is that of the edit.
    """
    if not installed():
        raise ValueError("The start benchmark needs OpenVINO: pip install openvino.")
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
        raise ValueError(" ".join(done.stderr.split()).removeprefix("regrow: ") or "A process failed silently.")
    return seconds, done.stdout


def _heavy_modules(arguments: Sequence[str]) -> int:
    code = (
        "import sys; from regrow.interfaces.cli import main; main(sys.argv[1:]); "
        "print(len({'diffusers', 'transformers'} & set(sys.modules)))"
    )
    return int(_seconds(["-c", code, *arguments])[1].splitlines()[-1])


def print_table(figures: StartFigures, out: TextIO) -> None:
    """Print medians, and the time relative to the target."""
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
