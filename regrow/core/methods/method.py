"""What an editing method is: how it inverts, where it starts, how it steps back, and data that the program reads.

A method's file defines it as `METHOD = Method(...)`. Command line, page, benchmark and cache read these data and never
compare a method's name. docs/how-to/add-a-method.md shows how to add one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser
from regrow.core.guidance import Guidance
from regrow.core.levels import Level
from regrow.core.masks import Held, Hold
from regrow.core.names import LabelConvention
from regrow.core.solvers import Step, ddim
from regrow.core.trajectory import Progress, Trajectory
from regrow.messages.message import say

Words = Float[Tensor, "b *words"]
"""Encoded words of a prompt."""


@dataclass(frozen=True)
class PathSettings:
    """The settings of an inversion; each method reads those it needs.

    Attributes:
        label: which level's label the network gets in a step from clean to noisy.
        tolerance: relative RMS change at which a step counts as solved.
        seeds: of noise, one per sample.
    """

    label: LabelConvention = "leaves"
    tolerance: float = 1e-5
    seeds: Sequence[int] = (0,)


@dataclass(frozen=True, eq=False)
class Origin:
    """What an edit starts from.

    Attributes:
        x0: the sample itself, clean, one for each result: `b *rest`.
        seeds: one per result.
        source: opens the network under the source prompt; a method that never asks it does not pay for it.
        trajectory: the inverted path; None where the method has none.
        step: the sampler's step, of methods that take any.
        hold: where the results keep to the sample's own path; None nowhere.
    """

    x0: Batch
    seeds: Sequence[int]
    source: Callable[[], Denoiser]
    trajectory: Trajectory | None = None
    step: Step = ddim
    hold: Hold | None = None

    @property
    def path(self) -> Trajectory:
        """The inverted path.

        Raises:
            ValueError: there is none.
        """
        if self.trajectory is None:
            raise ValueError(say("method_needs_path_and_invert"))
        return self.trajectory


@dataclass(frozen=True)
class Tuned:
    """After `index` of `steps` levels: where the guided way back stands, and the words found for each level left."""

    index: int
    steps: int
    level: Level
    x: Batch
    words: dict[Level, Words]


def on_path(origin: Origin, level: Level) -> Batch:
    """Return the inverted path's state at a level."""
    return origin.path.at(level)


def along_path(origin: Origin) -> Step:
    """Return the sampler's step, with the path's offsets added where it has some."""
    return origin.path.back(origin.step) if origin.trajectory else origin.step


@dataclass(frozen=True)
class Method:
    """One way to edit.

    Attributes:
        name: on the command line, in recipes and keys.
        source: the paper, and the equation or section in it.
        path: name of the method whose inverted path this walks back, mostly its own; empty where it inverts nothing.
            Methods of one path share it, on disk and in memory.
        no_path: what it does instead of inverting, for the message that refuses a trajectory: "starts from fresh
            noise".
        invert: walks from clean to noisy levels; its last `Progress` carries the trajectory.
        start: the sample's own state at a level: the walk back starts there, and a mask puts back what must stay.
        step_back: a fresh step from noisy to clean, made for every walk.
        guide: combines the predictions of a batch of targets and, behind them, their sources, with the guidance; None
            is classifier-free guidance.
        tune: tunes the negative words along the path before the walk back, for one guidance other than 1.
        own_negative: whether it sets the negative prompt itself, so that none can be given.
        stochastic: whether its regeneration draws noise, for result i from seed + i.
        seed_in_key: whether its path depends on the seed.
        start_in_key: whether its path depends on the level it is walked back from.
        allows_attention: whether attention can be shared with its path.
        takes_eta: whether the steps back may add fresh noise.
        takes_label: whether the inversion has a choice of label convention.
        takes_tolerance: whether the inversion solves its steps up to a tolerance.
        inverts_unguided: whether the inversion must be without guidance.
        has_measured_strengths: whether the edit strengths that models carry were measured with it.
        needs_no_path: whether what it inverts along is drawn at every level afresh, so that it needs no deterministic
            path of the model's sampler.
        without_path: name of the method that takes the place of this one, which is the default, on models that have
            no deterministic path.
        gives_way: names of methods that take the place of this one, which is the default, by the ability of a model
            that they need.
        needs: the ability of a model that it needs, by its name in `models.model.Model`; empty where any will do. Such
            a method walks the whole way from pure noise, under the model's own guidance in all steps.
        kept: the sample's own state at a level, that a mask puts back; None is `start`.
        holds: whether a mask puts back what must stay; not where the network itself is shown it.
        returns_source: whether the way back under the source's own prompt ends at the sample itself, by construction.
        min_steps: the fewest steps back that it works with.
        strengths: that a benchmark tunes over, the usual one first.
        guidances: the same of guidance.
    """

    name: str
    source: tuple[str, str]
    path: str = ""
    no_path: str = ""
    invert: Callable[[Denoiser, Batch, Sequence[Level], PathSettings], Iterator[Progress]] | None = None
    start: Callable[[Origin, Level], Batch] = on_path
    step_back: Callable[[Origin], Step] = along_path
    guide: Callable[[Denoiser, Guidance], Denoiser] | None = None
    tune: Callable[[Denoiser, Callable[[Words], Denoiser], Words, Trajectory, Level, float], Iterator[Tuned]] | None = (
        None
    )
    own_negative: bool = False
    stochastic: bool = False
    seed_in_key: bool = False
    start_in_key: bool = False
    allows_attention: bool = False
    takes_eta: bool = False
    takes_label: bool = False
    takes_tolerance: bool = False
    inverts_unguided: bool = False
    has_measured_strengths: bool = False
    needs_no_path: bool = False
    without_path: str = ""
    gives_way: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    kept: Callable[[Origin, Level], Batch] | None = None
    holds: bool = True
    returns_source: bool = False
    min_steps: int = 1
    strengths: tuple[float, ...] = (0.9, 1.0, 0.75)
    guidances: tuple[float, ...] = (4, 3, 2)

    def __post_init__(self) -> None:
        if bool(self.path) is not (self.invert is not None) or bool(self.path) is bool(self.no_path):
            raise ValueError(say("method_needs_path_or_start", name=self.name))

    @property
    def follows_path(self) -> bool:
        """Whether it inverts along the deterministic path of the model's sampler."""
        return bool(self.path) and not self.needs_no_path

    def back(self, origin: Origin) -> Step:
        """Return a fresh step back, after which what must stay is put back onto the sample's own path."""
        step = self.step_back(origin)
        if origin.hold is None or not self.holds:
            return step
        return Held(step, origin.hold, partial(self.kept or self.start, origin))
