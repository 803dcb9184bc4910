"""What the storybook bench finds, as data, as a table and as a sheet of pictures."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.estimates import Estimate, mean
from regrow.benchmark.judge import ATTRIBUTES
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.worlds.storybook.drawing import Language, Scene, captions

TRIO = ("animal", "place", "colour")
"""What every caption asks for."""
ALL_THREE = "all three"


@dataclass(frozen=True)
class Judged:
    """What the judge read off pictures, a choice among the values of each attribute, and how they look to it.

    Attributes:
        right: share of right readings, in [0, 1], by attribute, and "all three" for animal, place and colour at once.
            Where pictures grew from words, an attribute counts only in those whose words ask for it.
        confusion: how many pictures, by the animal that it should be and the one that was read.
        distance: from the drawings of the same scenes, as `kernel_distance` of the judge's features; 0 where the
            pictures cannot be told from drawings; None for the drawings themselves. A rough picture has a right
            reading and a large distance.
    """

    right: Mapping[str, Estimate]
    confusion: Mapping[str, Mapping[str, int]]
    distance: Estimate | None = None


@dataclass(frozen=True, eq=False)
class Samples:
    """Scenes, their drawings and what grew from their words, `b 3 h w` in [-1, 1], and what was read off the latter."""

    scenes: tuple[Scene, ...]
    drawn: Float[Tensor, "b 3 h w"]
    grown: Float[Tensor, "b 3 h w"]
    read: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, eq=False)
class StorybookFigures:
    """What `bench_storybook` found.

    Attributes:
        model: its name.
        scenes: how many.
        settings: of the generation, and the first seed.
        codec: PSNR in dB, whole ("psnr"), of both pictures at half their size ("psnr_halved") and within the animal
            ("psnr_animal"), and "ssim"; None without a codec.
        judged: by kind of picture: "drawn", "codec", and "words en", "words zh" for what grew from words.
        judge: the judge's accuracy on its own held-out drawings, by wear and attribute.
        seconds: that the bench took.
        samples: the first pictures, by language.
    """

    model: str
    scenes: int
    settings: Mapping[str, Any]
    codec: Mapping[str, Estimate] | None
    judged: Mapping[str, Judged]
    judge: Mapping[str, Any]
    seconds: float
    samples: Mapping[Language, Samples]


def judged(
    scenes: Sequence[Scene],
    read: Sequence[Mapping[str, str]],
    asked: Sequence[set[str]] | None = None,
    distance: Estimate | None = None,
) -> Judged:
    """Compare what was read with what the scenes are.

    Args:
        scenes: one a picture.
        read: attribute to value, one mapping a picture, as `Judge.read` gives it.
        asked: the attributes that count, one set a picture; all where None. Attributes nobody asked for are left out.
        distance: see `Judged`.
    """
    wanted = asked or [set(ATTRIBUTES)] * len(scenes)
    found = list(zip(scenes, read, wanted, strict=True))
    right = {}
    for name in ATTRIBUTES:
        if hits := [float(r[name] == getattr(scene, name)) for scene, r, names in found if name in names]:
            right[name] = mean(hits)
    right[ALL_THREE] = mean([float(all(r[name] == getattr(s, name) for name in TRIO)) for s, r, _ in found])
    confusion = {true: dict.fromkeys(ATTRIBUTES["animal"], 0) for true in ATTRIBUTES["animal"]}
    for scene, r, _ in found:
        confusion[scene.animal][r["animal"]] += 1
    return Judged(right, confusion, distance)


def as_dict(figures: StorybookFigures) -> dict[str, Any]:
    """The figures without the pictures, as JSON can hold them: an infinite PSNR becomes None."""
    fields = {name: value for name, value in vars(figures).items() if name not in ("samples", "codec", "judged")}
    codec = figures.codec and {name: _plain(found) for name, found in figures.codec.items()}
    kinds = {
        kind: {
            "right": {name: _plain(e) for name, e in found.right.items()},
            "confusion": found.confusion,
            "distance": found.distance and _plain(found.distance),
        }
        for kind, found in figures.judged.items()
    }
    return {**fields, "codec": codec, "judged": kinds}


def _plain(found: Estimate) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in asdict(found).items()}


def print_table(figures: StorybookFigures, out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    settings = figures.settings
    # 22 columns hold "100.0 [100.0, 100.0]", 28 hold it with "of 499": only what was asked for is counted there
    widths = [28 if kind.startswith("words") else 22 for kind in figures.judged]

    def row(name: str, cells: Iterable[str]) -> str:
        return (f"{name:<18}" + "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))).rstrip()

    print(
        f"{figures.model}: {figures.scenes} scenes from seed {settings['first_seed']}; {settings['steps']} steps of "
        f"{settings['solver']}, guidance {settings['guidance']:g} in the first "
        f"{100 * settings['guidance_share']:.0f} % of them, "
        f"prompt expansion {settings['prompt_expansion']}\n95 % bootstrap intervals; {figures.seconds:g} s",
        file=out,
    )
    if figures.codec:
        names = {"psnr": "PSNR, dB", "psnr_halved": "at half size", "psnr_animal": "within the animal", "ssim": "SSIM"}
        shown = [f"{label} {_shown(figures.codec[name], 1, 3)}" for name, label in names.items()]
        print(f"\ncodec: {'; '.join(shown[:2])};\n       {'; '.join(shown[2:])}", file=out)
    print("\n" + row("read rightly, %", figures.judged), file=out)
    for name in (*TRIO, ALL_THREE, *(name for name in ATTRIBUTES if name not in TRIO)):
        cells = []
        for found in figures.judged.values():
            here = found.right.get(name)
            few = f" of {here.count}" if here and here.count != figures.scenes else ""
            cells.append(f"{_shown(here, 100, 1)}{few}" if here else "-")
        print(row(name, cells), file=out)
    far = (_shown(found.distance, 1, 3) if found.distance else "-" for found in figures.judged.values())
    print(row("from drawings", far), file=out)
    for kind, found in figures.judged.items():
        if kind in ("drawn", "codec"):
            continue
        print(f"\n{kind + ': asked, read':<22}" + "".join(f"{name:>9}" for name in found.confusion), file=out)
        for true, counts in found.confusion.items():
            print(f"{true:<22}" + "".join(f"{count:>9}" for count in counts.values()), file=out)


def _shown(found: Estimate, factor: int, digits: int) -> str:
    value, low, high = (f"{factor * number:.{digits}f}" for number in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


def contact_sheet(figures: StorybookFigures, language: Language = "en", columns: int = 4) -> Float[Tensor, "3 h w"]:
    """Grown pictures beside the drawings of the same scenes, in [-1, 1], to be saved with `media.image.save`.

    Under a drawing stands the scene's plainest caption, under a grown picture what the judge misread of
    animal, colour and place.

    Args:
        figures: with samples.
        language: that the words were in.
        columns: pairs a row.

    Raises:
        ValueError: nothing was grown from words in that language, or no pictures were kept.
    """
    samples = figures.samples.get(language)
    if samples is None or not samples.scenes:
        raise ValueError(f"These figures hold no pictures that grew from words in {language!r}.")
    cells = []
    for scene, drawn, grown, read in zip(samples.scenes, samples.drawn, samples.grown, samples.read, strict=True):
        wrong = [read[name] for name in TRIO if read[name] != getattr(scene, name)]
        cells += [
            Cell(drawn, [captions(scene)[0]]),
            Cell(grown, [f"read: {', '.join(wrong)}" if wrong else "as asked"]),
        ]
    step = 2 * columns
    rows = [Row("", cells[i : i + step]) for i in range(0, len(cells), step)]
    title = f"{figures.model}: drawn, and grown from words in {language}"
    return sheet(rows, cell=max(64, min(256, samples.drawn.shape[-1])), title=title)
