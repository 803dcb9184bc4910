"""The request of `regrow invert`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from regrow.core.methods.registry import DEFAULT, method
from regrow.core.names import LabelConvention, Spacing, Switch
from regrow.media.names import EditMode
from regrow.requests.method_option import MethodOption, check_label
from regrow.requests.ranges import check_ranges


@dataclass(frozen=True)
class Invert:
    """Rewind a picture to noise.

    Attributes:
        image: the picture file.
        source: words that describe it.
        model: name of an embedded or installed model, a folder, a weight file, or a hub id `user/repo`.
        method: whose path is walked; any of `regrow edit` that inverts.
        steps: levels walked.
        guidance: of the inversion; 1 = off.
        spacing: of the levels.
        label: which level's label the network gets while naive inverts: the one a step leaves or arrives at.
        tolerance: of fixed_point.
        frame: how a picture that is not of the model's size is fitted: whole in its own shape, or crop, pad or stretch
            to exactly the model's size; auto is whole.
        size: height and width of the frame; if not given, by the picture's own shape, or the model's with crop, pad and
            stretch.
        tiles: as in `regrow edit`.
        reference: steps of the fine inversion that latent accuracy is measured against; 0 leaves it out.
        seed: of the edit_friendly methods' copies.
        normalize: of a sound: on brings it to a level that the model knows; off, as before there was a choice, does
            not.
    """

    image: Positional[Path]
    source: str = ""
    model: str = "storybook"
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
            raise ValueError(f"{self.method} {chosen.no_path} and inverts nothing: take {DEFAULT}.")
        check_label(chosen, self.label)
        if self.steps < chosen.min_steps:
            raise ValueError(f"{self.method} needs {chosen.min_steps} steps or more; got {self.steps}.")
        if self.frame == "region":
            raise ValueError("invert knows no region or mask: take --frame whole.")
        if self.source == "auto":
            raise ValueError(
                "source auto is found for a target prompt, so only edit has it; describe the picture in words."
            )
