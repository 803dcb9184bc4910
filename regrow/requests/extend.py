"""The request of `regrow extend`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from regrow.core.names import SolverName, Spacing, Switch
from regrow.requests.ranges import check_ranges
from regrow.requests.song_options import SongOptions


@dataclass(frozen=True)
class Extend(SongOptions):
    """Let a sound go on after its end, or begin before its beginning; all of the file stays, sample for sample.

    Attributes:
        sound: the sound file.
        prompt: what is heard in the whole, the file's own part and the new one.
        after: seconds to add after its end.
        before: seconds to add before its beginning.
        negative: what is not heard.
        model: name of an embedded or installed model, a folder, a weight file, or a hub id `user/repo`.
        steps: levels walked from noise; if not given, the model's own, 30 of most.
        guidance: how much the words are exaggerated; 1 = off.
        seed: of the first result; result i has seed + i.
        count: how many.
        solver: ddim, heun (two evaluations a step), dpmpp_2m or ping_pong; if not given, the model's own, dpmpp_2m of
            most.
        eta: fresh noise of ddim, 0 to 1.
        spacing: of the levels.
        notes: repeat reads the notes of the file, and tells the model that they come again in their own beat, where it
            can be told (the embedded bandstand can); free leaves to it what is played.
        normalize: on brings the file to a level that the model knows, and what is added to the level of the file; off,
            as before there was a choice, leaves the level, and cuts what is added off at full scale.
    """

    sound: Positional[Path]
    prompt: Positional[str] = ""
    after: float = 4.0
    before: float = 0.0
    negative: str = ""
    model: str = "bandstand"
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
                raise ValueError(f"{name} must be 0, or from 0.1 to 600 seconds; got {seconds}.")
        if not self.after and not self.before:
            raise ValueError("extend needs seconds to add: --after or --before, or both.")
