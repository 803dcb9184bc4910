"""The request of `regrow invert`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from regrow.core.methods.registry import DEFAULT, method
from regrow.core.names import LabelConvention, Spacing, Switch
from regrow.media.names import EditMode
from regrow.messages.message import say
from regrow.requests.method_option import MethodOption, check_label
from regrow.requests.model_option import STORYBOOK
from regrow.requests.ranges import check_ranges


@dataclass(frozen=True)
class Invert:
    """Invert a picture or a sound to noise.

    Attributes:
        image: the picture or sound file.
        source: what the file shows.
        model: a name, a folder, a weight file, or a hub id. A hub id is `user/repo`; `regrow models` lists the names.
            If not given, storybook for a picture, bandstand for a sound, and for a song the model that sang it.
        method: whose inversion to use. Any method of `regrow edit` that inverts.
        steps: number of steps.
        guidance: guidance during the inversion; 1 = off.
        spacing: spacing of the noise levels.
        label: for naive: which level labels a step. It is the level that the inversion step leaves or arrives at.
        tolerance: for fixed_point: largest error accepted in a step.
        frame: fit a picture: auto, whole, region, crop, pad, stretch. whole keeps its own shape; crop, pad and stretch
            give exactly the model's size; auto is whole.
        size: height and width of the frame in pixels. If not given, by the picture's own shape, or the model's size
            with crop, pad and stretch.
        tiles: work in full resolution, in overlapping tiles of the model's size.
        reference: steps of the finer inversion to compare with; 0 = none. It measures latent accuracy.
        seed: seed of the noisy copies of the edit_friendly methods.
        normalize: bring a sound to the level that the model knows. off, as in older versions, does not.
    """

    image: Positional[Path]
    source: str = ""
    model: str = STORYBOOK
    method: MethodOption = DEFAULT
    steps: int = 30
    guidance: float = 1.0
    spacing: Spacing = "trailing"
    label: LabelConvention = "leaves"
    tolerance: float = 1e-5
    frame: EditMode = "auto"
    size: tuple[int, int] | None = None
    tiles: bool = False
    reference: int = 250
    seed: int = 0
    normalize: Switch = "on"

    def __post_init__(self) -> None:
        check_ranges(self)
        chosen = method(self.method)
        if not chosen.path:
            raise ValueError(say("method_inverts_nothing", method=self.method, no_path=chosen.no_path, default=DEFAULT))
        check_label(chosen, self.label)
        if self.steps < chosen.min_steps:
            raise ValueError(
                say("method_needs_steps", method=self.method, min_steps=chosen.min_steps, steps=self.steps)
            )
        if self.frame == "region":
            raise ValueError(say("invert_has_no_region"))
        if self.source == "auto":
            raise ValueError(say("source_auto_only_for_edit"))
