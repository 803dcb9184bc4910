"""What the bandstand bench finds, as data, as a table and as a sheet of mels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.estimates import Estimate
from regrow.benchmark.sound_judge import ATTRIBUTES, SETTINGS
from regrow.editing.sound_sheet import mel_cell
from regrow.media.audio.mel import to_unit
from regrow.media.image.sheet import Row, sheet

Mels = Float[Tensor, "b 1 bands frames"]


@dataclass(frozen=True, eq=False)
class BandstandFigures:
    """What `bench_bandstand` found.

    Attributes:
        model: its name.
        phrases: how many.
        settings: of the generation, and the first seed.
        lost: mean absolute difference of mels in dB from the played ones: "codec", and "codec and phase".
        heard: share of right readings by attribute, by kind of clip; where clips grew from words, an attribute counts
            only in those whose words ask for it.
        confusion: of instruments in what grew from English words: asked, then heard.
        judge: the judge's accuracy on its own held-out clips.
        seconds: that the bench took.
        samples: the first mels in dB, by kind of clip.
        captions: of the first phrases.
    """

    model: str
    phrases: int
    settings: Mapping[str, Any]
    lost: Mapping[str, Estimate]
    heard: Mapping[str, Mapping[str, Estimate]]
    confusion: Mapping[str, Mapping[str, int]]
    judge: Mapping[str, Any]
    seconds: float
    samples: Mapping[str, Mels]
    captions: tuple[str, ...]


def as_dict(figures: BandstandFigures) -> dict[str, Any]:
    """The figures without the mels, as JSON can hold them."""
    fields = {name: value for name, value in vars(figures).items() if name not in ("samples", "lost", "heard")}
    heard = {kind: {name: asdict(found) for name, found in right.items()} for kind, right in figures.heard.items()}
    return {**fields, "lost": {kind: asdict(found) for kind, found in figures.lost.items()}, "heard": heard}


def print_table(figures: BandstandFigures, out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    settings = figures.settings
    print(
        f"{figures.model}: {figures.phrases} phrases from seed {settings['first_seed']}; {settings['steps']} steps of "
        f"{settings['solver']}, guidance {settings['guidance']:g} in the first "
        f"{100 * settings['guidance_share']:.0f} % of them, "
        f"prompt expansion {settings['prompt_expansion']}\n95 % bootstrap intervals; {figures.seconds:g} s\n",
        file=out,
    )
    for kind, found in figures.lost.items():
        print(f"{kind}: {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] dB from the played mel", file=out)
    order = ("played", *(kind for kind in figures.heard if kind != "played"))
    print("\n" + f"{'heard rightly, %':<18}" + "".join(f"{kind:<28}" for kind in order).rstrip(), file=out)
    for name in ATTRIBUTES:
        cells = []
        for kind in order:
            here = figures.heard[kind].get(name)
            few = f" of {here.count}" if here and here.count != figures.phrases else ""
            shown = here and f"{100 * here.value:.1f} [{100 * here.low:.1f}, {100 * here.high:.1f}]{few}"
            cells.append(f"{shown or '-':<28}")
        print((f"{name:<18}" + "".join(cells)).rstrip(), file=out)
    wrong = [
        f"{true} as {name} {count}"
        for true, counts in figures.confusion.items()
        for name, count in counts.items()
        if count and name != true
    ]
    print(f"\nasked in English, heard as another: {', '.join(wrong) or 'none'}", file=out)


def contact_sheet(
    figures: BandstandFigures, kinds: tuple[str, ...] = ("played", "codec and phase", "words en")
) -> Float[Tensor, "3 h w"]:
    """Mels of the same phrases side by side, one kind a column, to be saved with `media.image.save`.

    Raises:
        ValueError: no clip of a kind was kept.
    """
    if missing := [kind for kind in kinds if kind not in figures.samples]:
        raise ValueError(f"These figures hold no clips of the kind {missing[0]!r}.")
    rows = []
    for i, words in enumerate(figures.captions):
        cells = [
            mel_cell(to_unit(figures.samples[kind][i : i + 1], SETTINGS)[0], [words if kind == kinds[0] else kind])
            for kind in kinds
        ]
        rows.append(Row("", cells))
    title = f"{figures.model}: played, through codec and phase, and grown from the words"
    return sheet(rows, cell=512, title=title)
