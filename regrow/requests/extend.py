"""The request of `regrow extend`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from regrow.core.names import SolverName, Spacing, Switch
from regrow.messages.message import say
from regrow.requests.model_option import BANDSTAND
from regrow.requests.ranges import check_ranges
from regrow.requests.song_options import SongOptions


@dataclass(frozen=True)
class Extend(SongOptions):
    """Continue a sound after its end or before its beginning, and keep every sample of the file.

    Attributes:
        sound: the sound file.
        prompt: what is heard, in the file's own part and in the new one.
        after: seconds to add after the end.
        before: seconds to add before the beginning.
        negative: what the result should not contain.
        model: a name, a folder, a weight file, or a hub id. A hub id is `user/repo`; `regrow models` lists the names.
            If not given, bandstand, and for a song the model that sang it.
        steps: number of steps; if not given, the model's own, 30 for most.
        guidance: how strongly to follow the prompt; 1 = off.
        seed: seed of the first result; result i has seed + i. Each can be made again alone.
        count: number of results.
        solver: solver of the steps. heun takes two evaluations a step; ping_pong draws fresh noise in every step and is
            for distilled models of few steps. If not given, the model's own, dpmpp_2m for most.
        eta: fresh noise in each ddim step, 0 to 1.
        spacing: spacing of the noise levels.
        notes: the notes of the file: repeat or free them. repeat reads the notes of the file and tells the model that
            they return in the same beat, where it takes notes (the embedded bandstand does).
        normalize: adapt the sound's level to the model and back. What is added gets the level of the file. With off, as
            in older versions, the level stays and what is added is clipped at full scale.
    """

    sound: Positional[Path]
    prompt: Positional[str] = ""
    after: float = 4.0
    before: float = 0.0
    negative: str = ""
    model: str = BANDSTAND
    steps: int | None = None
    guidance: float = 3.0
    seed: int = 0
    count: int = 1
    solver: SolverName | None = None
    eta: float = 0.0
    spacing: Spacing = "trailing"
    notes: Literal["repeat", "free"] = "repeat"
    normalize: Switch = "on"

    def __post_init__(self) -> None:
        check_ranges(self)
        self.check_song()
        for name, seconds in (("after", self.after), ("before", self.before)):
            if not (seconds == 0 or 0.1 <= seconds <= 600):
                raise ValueError(say("added_seconds_out_of_range", name=name, seconds=seconds))
        if not self.after and not self.before:
            raise ValueError(say("extend_needs_seconds"))
