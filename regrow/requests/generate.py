"""The request of `regrow generate`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from regrow.core.names import SolverName, Spacing, Switch
from regrow.requests.ranges import check_ranges
from regrow.requests.song_options import SongOptions


@dataclass(frozen=True)
class Generate(SongOptions):
    """Make pictures or sounds from words.

    Attributes:
        prompt: what the picture shows, or what is heard.
        negative: what it should not show, or what is not heard.
        model: name of an embedded or installed model, a folder, a weight file, or a hub id `user/repo`.
        steps: levels walked from noise; if not given, the model's own, 30 of most.
        guidance: how much the words are exaggerated, 1 = off; if not given, the model's own, 4 of most.
        guidance_share: of the steps in which guidance is on, the first ones, 0 to 1: where little noise is left, it
            costs a second evaluation and coarsens what is drawn.
        seed: of the first result; result i has seed + i and can be made again alone.
        count: how many.
        solver: ddim, heun (two evaluations a step), dpmpp_2m, or ping_pong (fresh noise in every step, for distilled
            models of few steps); if not given, the model's own, dpmpp_2m of most.
        eta: fresh noise of ddim, 0 to 1.
        spacing: of the levels.
        size: height and width in pixels; the model's own if not given.
        duration: of a sound in seconds; the model's own if not given. Longer ones grow in windows that overlap.
        loop: let the end of a sound lead into its beginning.
        melody: a sound file whose notes are played, as long as it is; what plays them, say the words. Models that sing
            make a cover of it.
        reference_sound: a sound file whose timbre and style the result shall have, of models that take one.
        prompt_expansion: on draws what the prompt leaves open by the seed, as often as the model's world has it, and
            gives the model a full caption, of sounds with a tune (the embedded models know such a world). A prompt
            unlike the model's captions stays as it is, as every prompt does with a melody, and with off.
        normalize: of a melody: on brings it to a level that the model knows; off, as before there was a choice,
            does not.
    """

    prompt: Positional[str]
    negative: str = ""
    model: str = "storybook"
    steps: int | None = None
    guidance: float | None = None
    guidance_share: float = 0.5
    seed: int = 0
    count: int = 1
    solver: SolverName | None = None
    eta: float = 0.0
    spacing: Spacing = "trailing"
    size: tuple[int, int] | None = None
    duration: float | None = None
    loop: bool = False
    melody: Path | None = None
    reference_sound: Path | None = None
    prompt_expansion: Switch = "on"
    normalize: Switch = "on"

    def __post_init__(self) -> None:
        check_ranges(self)
        self.check_song()
        if self.duration is not None and not 0.1 <= self.duration <= 600:
            raise ValueError(f"duration must be from 0.1 to 600 seconds; got {self.duration}.")
        if self.melody and (self.duration is not None or self.loop):
            raise ValueError("a sound with the notes of a melody is as long as that: leave duration and loop out.")
