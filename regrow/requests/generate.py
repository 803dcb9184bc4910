"""The request of `regrow generate`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from regrow.core.names import SolverName, Spacing, Switch
from regrow.messages.message import say
from regrow.requests.model_option import STORYBOOK
from regrow.requests.ranges import check_ranges
from regrow.requests.song_options import SongOptions


@dataclass(frozen=True)
class Generate(SongOptions):
    """Generate pictures or sounds from a prompt.

    Attributes:
        prompt: what to draw or play.
        negative: what the result should not contain.
        model: a name, a folder, a weight file, or a hub id. A hub id is `user/repo`; `regrow models` lists the names.
            If not given, storybook for a picture, bandstand for a sound.
        steps: number of steps; if not given, the model's own, 30 for most.
        guidance: how strongly to follow the prompt, 1 = off; if not given, the model's. For most models it is 4.
        guidance_share: fraction of the steps with guidance, the first ones. In the last steps, at little noise,
            guidance costs a second evaluation and coarsens the result.
        seed: seed of the first result; result i has seed + i. Each can be made again alone.
        count: number of results.
        solver: solver of the steps. heun takes two evaluations a step; ping_pong draws fresh noise in every step and is
            for distilled models of few steps. If not given, the model's own, dpmpp_2m for most.
        eta: fresh noise in each ddim step, 0 to 1.
        spacing: spacing of the noise levels.
        size: height and width in pixels; if not given, the model's own.
        duration: length of a sound in seconds; if not given, the model's own. Longer sounds are generated in
            overlapping windows.
        loop: make a sound whose end leads into its beginning.
        melody: a sound file whose notes are played, for as long as it lasts. The prompt says what plays them. Models
            that sing make a cover of it.
        reference_sound: a sound file whose timbre and style the result takes. Only some models take one.
        prompt_expansion: expand the prompt to a full caption. What the prompt omits is drawn by the seed with the
            frequencies of the model's training captions; a caption of sounds also gets a tune. It needs one of the
            embedded models. Prompts stay as they are with a melody, with off, and where they are unlike the model's
            captions.
        accompany: for the songbook: instrument of the chords, such as "soft piano". Any words of the bandstand.
        normalize: bring a melody to the level the model knows. off, as in older versions, does not.
    """

    prompt: Positional[str]
    negative: str = ""
    model: str = STORYBOOK
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
    accompany: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)
        self.check_song()
        if self.duration is not None and not 0.1 <= self.duration <= 600:
            raise ValueError(say("duration_out_of_range", duration=self.duration))
        if self.melody and (self.duration is not None or self.loop):
            raise ValueError(say("melody_sets_duration"))
