"""The request of `regrow interpolate`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass

from tyro.conf import Positional

from regrow.core.names import Spacing, Switch
from regrow.media.names import PairMode
from regrow.messages.message import say
from regrow.requests.model_option import STORYBOOK
from regrow.requests.ranges import check_ranges


@dataclass(frozen=True)
class Interpolate:
    """Interpolate between two pictures, two sounds or two prompts.

    Two files are inverted to noise. The results between them are generated from noise on the arc between the two; the
    first and the last result are the codec's reconstructions of the files. Two prompts start from the same noise.

    Attributes:
        first: a picture file, a sound file, or a prompt.
        second: another one of the same kind.
        words: for two files: what each of them shows.
        frames: number of results, including the two ends.
        model: a name, a folder, a weight file, or a hub id. A hub id is `user/repo`; `regrow models` lists the names.
            If not given, storybook for a picture, bandstand for a sound.
        steps: number of steps.
        strength: for files: how far to rewind them, above 0 up to 1. A smaller strength makes the results between the
            ends more like a cross-fade of the two.
        guidance: how strongly to follow the prompts; 1 = off. If not given, it is off for files, and 4 in the first
            half of the steps for prompts, as in `regrow generate`.
        seed: seed of the noise that prompts start from.
        spacing: spacing of the noise levels.
        frame: how to fit pictures. auto takes the shape of the first and crops the second to it; crop, pad and stretch
            give the model's size or --size.
        size: height and width in pixels; if not given, the model's own.
        duration: for prompts of sounds: seconds; if not given, the model's own.
        normalize: adapt sounds' levels to the model and back. The results get levels between those of the two files.
            With off, as in older versions, the levels stay and results are clipped at full scale.
    """

    first: Positional[str]
    second: Positional[str]
    words: tuple[str, str] = ("", "")
    frames: int = 7
    model: str = STORYBOOK
    steps: int = 30
    strength: float = 1.0
    guidance: float | None = None
    seed: int = 0
    spacing: Spacing = "trailing"
    frame: PairMode = "auto"
    size: tuple[int, int] | None = None
    duration: float | None = None
    normalize: Switch = "on"

    def __post_init__(self) -> None:
        check_ranges(self)
        if not 0 < self.strength <= 1:
            raise ValueError(say("strength_out_of_range", strength=self.strength))
        if self.duration is not None and not 0.1 <= self.duration <= 600:
            raise ValueError(say("duration_out_of_range", duration=self.duration))
