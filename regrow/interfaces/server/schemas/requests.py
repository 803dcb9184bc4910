"""The requests of all verbs of the server: those of the command line, and those that only the server has."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from regrow.core.methods.registry import names
from regrow.messages.message import say
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert
from regrow.requests.ranges import check_ranges
from regrow.requests.sing import Sing
from regrow.requests.train import Train

MOST_CELLS = 64
"""Most cells of a sheet of strengths and guidances, or most results of a comparison."""


@dataclass(frozen=True)
class Explore(Edit):
    """Try one edit at several strengths and guidances.

    Attributes:
        strengths: of the sheet, each above 0 up to 1.
        guidances: of the sheet; 1 = off. A method that tunes its words takes one.
    """

    strengths: tuple[float, ...] = (0.5, 0.7, 0.85, 1.0)
    guidances: tuple[float, ...] = (2.0, 4.0, 7.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_strengths(self.strengths)
        _check_count(len(self.strengths) * len(self.guidances))


@dataclass(frozen=True)
class Compare(Edit):
    """Make one edit by several methods, strengths, guidances and models, and measure each.

    Attributes:
        methods: to compare; the edit's own if none is given.
        strengths: to compare, each above 0 up to 1; the edit's own if none is given.
        guidances: to compare; the edit's own if none is given.
        models: to compare; the edit's own if none is given.
    """

    methods: tuple[str, ...] = ()
    strengths: tuple[float, ...] = ()
    guidances: tuple[float, ...] = ()
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_strengths(self.strengths)
        if unknown := [name for name in self.methods if name not in names()]:
            raise ValueError(say("methods_unknown", names=", ".join(names()), given=unknown[0][:60]))
        each = (self.methods, self.strengths, self.guidances, self.models)
        count = len(self.target)
        for some in each:
            count *= len(some) or 1
        _check_count(count)


@dataclass(frozen=True)
class Replay:
    """Make a result again from the recipe in its file, and say whether it is the same bit for bit.

    Attributes:
        file: a picture or a sound that regrow saved.
    """

    file: Path


@dataclass(frozen=True)
class Inspect:
    """Show what a picture or a sound says about itself, what a model loses of it, and its path to noise and back.

    Attributes:
        image: the picture or sound file.
        source: words that describe the picture, for that path.
        steps: of that path.
        model: that looks at it; the embedded one of the file's medium if not given.
    """

    image: Path
    source: str = ""
    steps: int = 28
    model: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class Verify:
    """Prove the maths: every formula against a closed form."""


@dataclass(frozen=True)
class Describe:
    """Put into words what a picture or a sound shows, as its model sees it.

    Attributes:
        image: the picture or sound file.
        model: that looks at it; the embedded one of the file's medium if not given.
        language: of the words; that of who asks if not given.
    """

    image: Path
    model: str = ""
    language: Literal["en", "zh"] | None = None


@dataclass(frozen=True)
class FindWords:
    """Find in a picture what words name, as a mask.

    Attributes:
        image: the picture file.
        words: what to find, such as "the dog", "hat" or "the background".
        source: words that describe the picture; recognised in it if not given.
        model: that looks at it.
    """

    image: Path
    words: str
    source: str = ""
    model: str = "storybook"

    def __post_init__(self) -> None:
        check_ranges(self)
        if not self.words.strip():
            raise ValueError(say("nothing_to_find"))


@dataclass(frozen=True)
class PullModel:
    """Get a model from the Hugging Face hub. Broken off, the same request gets the rest.

    Attributes:
        repo: a hub repository `user/repo`.
        name: what to call it here; the last part of the repository's name if not given.
        file: the weight file to get, of a repository that holds several.
    """

    repo: str
    name: str = ""
    file: str = ""


REQUESTS: dict[str, type] = {
    "generate": Generate,
    "sing": Sing,
    "edit": Edit,
    "extend": Extend,
    "interpolate": Interpolate,
    "invert": Invert,
    "replay": Replay,
    "inspect": Inspect,
    "verify": Verify,
    "explore": Explore,
    "compare": Compare,
    "describe": Describe,
    "mask": FindWords,
}
"""The class of the request by verb; each verb is run as a job."""
FORMS: dict[str, type] = REQUESTS | {"train": Train, "models_pull": PullModel}
"""All requests that have a form on the page."""


def _check_strengths(strengths: tuple[float, ...]) -> None:
    if wrong := [strength for strength in strengths if not 0 < strength <= 1]:
        raise ValueError(say("strengths_out_of_range", given=wrong[0]))


def _check_count(count: int) -> None:
    if not 0 < count <= MOST_CELLS:
        raise ValueError(say("too_many_results", count=count, most=MOST_CELLS))
