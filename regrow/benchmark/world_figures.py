"""The results of the benchmark of a world: data, a table, and a sheet of pictures or mels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.estimates import Estimate, as_json, mean, shown
from regrow.media.audio.mel import as_picture, to_unit
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.probes.attribute_network import MEL
from regrow.worlds.world import WORLDS, Language

STORYBOOK = "storybook"
THINGS = {STORYBOOK: "scenes", "bandstand": "phrases"}
"""The name of the items of each world, in the plural."""
TRUTH = {STORYBOOK: "drawn", "bandstand": "played"}
"""The word for true items of each world, which went through no model."""
TRIO = ("animal", "place", "colour")
"""Attributes that every caption of the storybook names."""
ALL_THREE = "all three"
PAIRS = 4
"""Pairs of a drawn and a generated picture per row of the sheet."""


@dataclass(frozen=True)
class Judged:
    """The judge's readings of one kind of results, and their distance from drawings.

    Attributes:
        right: share of correct readings, in [0, 1], by attribute; for the storybook also "all three", which is animal,
            place and colour at once. For generated results, an attribute counts only if the caption names it.
        confusion: counts, by the true animal or instrument and the one that was read.
        distance: of pictures from the drawings of the same scenes, by `kernel_distance` of the judge's features; 0 if
            they cannot be told apart; None for the drawings themselves and for sounds. A rough picture may be read
            correctly and still have a large distance.
    """

    right: Mapping[str, Estimate]
    confusion: Mapping[str, Mapping[str, int]]
    distance: Estimate | None = None


@dataclass(frozen=True, eq=False)
class WorldFigures:
    """The results of `bench_world`.

    Attributes:
        model: its name.
        world: storybook or bandstand.
        count: number of scenes or phrases.
        settings: of the generation, and the first seed.
        codec: of pictures PSNR in dB, whole ("psnr"), of both pictures at half their size ("psnr_halved") and within
            the animal ("psnr_animal"), and "ssim"; of sounds the mean absolute difference of mels in dB from the played
            ones: "codec", and "codec and phase". None without a codec.
        judged: by kind: "truth", "codec", of sounds "codec and phase", and "words en", "words zh" for what was made
            from words.
        judge: the judge's accuracy on its own held-out data, by degradation and attribute.
        seconds: duration of the benchmark.
        things: the first scenes or phrases.
        samples: of these, by kind: pictures in [-1, 1], or mels in dB.
        readings: of the samples, by kind: what the judge read.
    """

    model: str
    world: str
    count: int
    settings: Mapping[str, Any]
    codec: Mapping[str, Estimate] | None
    judged: Mapping[str, Judged]
    judge: Mapping[str, Any]
    seconds: float
    things: tuple[Any, ...]
    samples: Mapping[str, Float[Tensor, "b c h w"]]
    readings: Mapping[str, tuple[Mapping[str, str], ...]]


def judged(
    world: str,
    things: Sequence[Any],
    read: Sequence[Mapping[str, str]],
    named: Sequence[set[str]] | None = None,
    distance: Estimate | None = None,
) -> Judged:
    """Compare readings with the true attributes.

    Args:
        world: of the scenes or phrases.
        things: the true scenes or phrases, one per reading.
        read: value by attribute, as returned by a judge.
        named: the attributes that count, one set per reading; all when None.
        distance: see `Judged`.
    """
    attributes = WORLDS[world].attributes
    rows = list(zip(things, read, named or [set(attributes)] * len(things), strict=True))
    right = {}
    for name in attributes:
        if hits := [float(values[name] == getattr(thing, name)) for thing, values, names in rows if name in names]:
            right[name] = mean(hits)
    if world == STORYBOOK:
        right[ALL_THREE] = mean([float(all(values[n] == getattr(s, n) for n in TRIO)) for s, values, _ in rows])
    main, allowed = next(iter(attributes.items()))
    confusion = {true: dict.fromkeys(allowed, 0) for true in allowed}
    for thing, values, _ in rows:
        confusion[getattr(thing, main)][values[main]] += 1
    return Judged(right, confusion, distance)


def as_dict(figures: WorldFigures) -> dict[str, Any]:
    """Return the figures JSON-able, without the samples; an infinite PSNR becomes None."""
    right = {
        _label(figures, kind): {name: as_json(share) for name, share in judgement.right.items()}
        for kind, judgement in figures.judged.items()
    }
    codec = figures.codec and {name: as_json(loss) for name, loss in figures.codec.items()}
    shared = {
        "model": figures.model,
        THINGS[figures.world]: figures.count,
        "settings": figures.settings,
        "judge": figures.judge,
        "seconds": figures.seconds,
    }
    if figures.world != STORYBOOK:
        settings = {name: value for name, value in figures.settings.items() if name != "size"}
        english = figures.judged.get("words en")
        confusion = english.confusion if english else {}
        parts = {"lost": codec, "heard": right, "confusion": confusion, "captions": _captions(figures)}
        return {**shared, "settings": settings, **parts}
    kinds = {
        _label(figures, kind): {
            "right": right[_label(figures, kind)],
            "confusion": judgement.confusion,
            "distance": judgement.distance and as_json(judgement.distance),
        }
        for kind, judgement in figures.judged.items()
    }
    return {**shared, "codec": codec, "judged": kinds}


def _captions(figures: WorldFigures) -> list[str]:
    """Return the plainest captions of the first scenes or phrases."""
    return [WORLDS[figures.world].captions(thing, "en")[0] for thing in figures.things]


def _label(figures: WorldFigures, kind: str) -> str:
    return TRUTH[figures.world] if kind == "truth" else kind


def print_table(figures: WorldFigures, out: TextIO) -> None:
    """Print the figures as lines for a terminal; those of picture models take 120 columns."""
    settings, pictures = figures.settings, figures.world == STORYBOOK
    print(
        f"{figures.model}: {figures.count} {THINGS[figures.world]} from seed {settings['first_seed']}; "
        f"{settings['steps']} steps of {settings['solver']}, guidance {settings['guidance']:g} in the first "
        f"{100 * settings['guidance_share']:.0f} % of them, "
        f"prompt expansion {settings['prompt_expansion']}\n95 % bootstrap intervals; {figures.seconds:g} s",
        file=out,
    )
    _print_codec(figures, out)
    # 22 columns hold "100.0 [100.0, 100.0]"; 28 also hold "of 499", as not every caption names an attribute
    widths = [22 if pictures and not kind.startswith("words") else 28 for kind in figures.judged]

    def row(name: str, cells: Sequence[str]) -> str:
        return (f"{name:<18}" + "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))).rstrip()

    labels = [_label(figures, kind) for kind in figures.judged]
    print("\n" + row("read rightly, %" if pictures else "heard rightly, %", labels), file=out)
    names = tuple(WORLDS[figures.world].attributes)
    if pictures:
        names = (*TRIO, ALL_THREE, *(name for name in names if name not in TRIO))
    for name in names:
        cells = []
        for judgement in figures.judged.values():
            share = judgement.right.get(name)
            few = f" of {share.count}" if share and share.count != figures.count else ""
            cells.append(f"{shown(share, 100, 1)}{few}" if share else "-")
        print(row(name, cells), file=out)
    made = {kind: judgement.confusion for kind, judgement in figures.judged.items() if kind.startswith("words")}
    if not pictures:
        wrong = [
            f"{true} as {name} {count}"
            for true, counts in made.get("words en", {}).items()
            for name, count in counts.items()
            if count and name != true
        ]
        print(f"\nasked in English, heard as another: {', '.join(wrong) or 'none'}", file=out)
        return
    far = [shown(judgement.distance, 1, 3) if judgement.distance else "-" for judgement in figures.judged.values()]
    print(row("from drawings", far), file=out)
    for kind, confusion in made.items():
        print(f"\n{kind + ': asked, read':<22}" + "".join(f"{name:>9}" for name in confusion), file=out)
        for true, counts in confusion.items():
            print(f"{true:<22}" + "".join(f"{count:>9}" for count in counts.values()), file=out)


def _print_codec(figures: WorldFigures, out: TextIO) -> None:
    if figures.codec is None:
        return
    print(file=out)
    if figures.world != STORYBOOK:
        for kind, loss in figures.codec.items():
            print(f"{kind}: {shown(loss, 1, 2)} dB from the played mel", file=out)
        return
    names = {"psnr": "PSNR, dB", "psnr_halved": "at half size", "psnr_animal": "within the animal", "ssim": "SSIM"}
    parts = [f"{label} {shown(figures.codec[name], 1, 3)}" for name, label in names.items()]
    print(f"codec: {'; '.join(parts[:2])};\n       {'; '.join(parts[2:])}", file=out)


def contact_sheet(figures: WorldFigures, language: Language = "en") -> Float[Tensor, "3 h w"]:
    """Return a picture in [-1, 1] of true items beside those generated from their captions, for `picture.save`.

    Under a drawing is the scene's plainest caption; under a generated picture, the judge's wrong readings of animal,
    colour and place. For sounds it shows mels, also those through codec and phase reconstruction.

    Raises:
        ValueError: nothing was generated from captions in that language, or no samples were kept.
    """
    made = f"words {language}"
    if made not in figures.samples or not figures.things:
        raise ValueError(f"These figures hold no {THINGS[figures.world]} generated from captions in {language!r}.")
    captions, rows = _captions(figures), []
    if figures.world != STORYBOOK:
        kinds = ("truth", "codec and phase", made)
        for i, words in enumerate(captions):
            mels = ((kind, as_picture(to_unit(figures.samples[kind][i : i + 1], MEL))[0]) for kind in kinds)
            rows.append(Row("", [Cell(mel, [words if kind == "truth" else kind]) for kind, mel in mels]))
        return sheet(
            rows, cell=512, title=f"{figures.model}: played, through codec and phase, and grown from the words"
        )
    cells = []
    samples = (figures.samples["truth"], figures.samples[made], figures.readings[made])
    for scene, words, drawn, grown, read in zip(figures.things, captions, *samples, strict=True):
        wrong = [read[name] for name in TRIO if read[name] != getattr(scene, name)]
        cells += [Cell(drawn, [words]), Cell(grown, [f"read: {', '.join(wrong)}" if wrong else "as asked"])]
    rows = [Row("", cells[i : i + 2 * PAIRS]) for i in range(0, len(cells), 2 * PAIRS)]
    side = max(64, min(256, figures.samples["truth"].shape[-1]))
    return sheet(rows, cell=side, title=f"{figures.model}: drawn, and grown from words in {language}")
