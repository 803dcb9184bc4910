"""The request of `regrow interpolate`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass

from tyro.conf import Positional

from regrow.core.names import Spacing, Switch
from regrow.media.names import PairMode
from regrow.requests.ranges import check_ranges


@dataclass(frozen=True)
class Interpolate:
    """Go step by step from one picture, sound or prompt to another.

    Two files are rewound to noise, and what lies between is grown from the noises on the arc between theirs; the first
    and the last result are the files as the model's codec gives them back. Two prompts grow from one and the same
    noise.

    Attributes:
        first: a picture file, a sound file, or words.
        second: another of the same.
        words: of two files: what each of them shows or sounds like.
        frames: how many results, the two ends among them.
        model: name of an embedded or installed model, a folder, a weight file, or a hub id `user/repo`.
        steps: levels walked.
        strength: of files: share of the path that is rewound, above 0 up to 1. Less leaves what lies between more like
            the one laid over the other.
        guidance: how much the words are exaggerated; 1 = off, which is also the default for files; for
            prompts 4 in the first half of the steps, as `regrow generate` does.
        seed: of the noise that prompts grow from.
        spacing: of the levels.
        frame: how pictures are fitted: auto is the shape of the first, to which the second is cropped; crop, pad or
            stretch is the model's size or --size.
        size: height and width of the pictures; the model's own if not given.
        duration: of sounds from prompts in seconds; the model's own if not given.
        normalize: of sound files: on brings both to a level that the model knows, and results to levels between theirs;
            off, as before there was a choice, leaves the levels, and cuts results off at full scale.
    """

    first: Positional[str]
    second: Positional[str]
    words: tuple[str, str] = ("", "")
    frames: int = 7
    model: str = "storybook"
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
            raise ValueError(f"strength must be above 0 and at most 1; got {self.strength}.")
        if self.duration is not None and not 0.1 <= self.duration <= 600:
            raise ValueError(f"duration must be from 0.1 to 600 seconds; got {self.duration}.")
