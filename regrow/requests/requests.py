"""Requests about pictures and sounds: what a user asks for, as frozen dataclasses that import nothing heavy.

The command line is made from them, and a recipe's settings are their fields.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tyro.conf import Positional

from regrow.core.names import InversionName, LabelConvention, SharingName, SolverName, Spacing
from regrow.media.names import Mode
from regrow.requests.ranges import check_ranges

MethodName = Literal[InversionName, "negative_prompt", "null_text", "uni_edit", "inversion_free", "img2img"]
"""The ways to edit: by each inversion alone, by an inversion and a way back of its own, and without inversion."""

_INVERSIONS: tuple[InversionName, ...] = get_args(InversionName)
PATHS: dict[MethodName, InversionName] = {
    **{name: name for name in _INVERSIONS},
    "negative_prompt": "naive",
    "null_text": "naive",
    "uni_edit": "uni_inv",
}
"""The inversion that a method starts from; those that invert nothing are not in it."""
OWN_NEGATIVE: tuple[MethodName, ...] = ("negative_prompt", "null_text", "uni_edit")
"""The methods that say themselves what guidance leads away from."""


@dataclass(frozen=True)
class Generate:
    """Make pictures or sounds from words.

    Attributes:
        prompt: what the picture shows, or what is heard.
        negative: what it should not show, or what is not heard.
        model: name of an embedded or installed model, a folder, or a hub id `user/repo`.
        steps: levels walked from noise.
        guidance: how much the words are exaggerated; 1 = off.
        guidance_share: of the steps in which guidance is on, the first ones, 0 to 1: where little noise is left, it
            costs a second evaluation and coarsens what is drawn.
        seed: of the first result; result i has seed + i and can be made again alone.
        count: how many.
        solver: ddim, heun (two evaluations a step) or dpmpp_2m.
        eta: fresh noise of ddim, 0 to 1.
        spacing: of the levels.
        size: height and width in pixels; the model's own if not given.
        duration: of a sound in seconds; the model's own if not given. Longer ones grow in windows that overlap.
        loop: let the end of a sound lead into its beginning.
        melody: a sound file whose notes are played, as long as it is; what plays them, say the words.
        details: tell draws what the words leave open by the seed, as often as the model's world has it, and tells the
            model all of it, of sounds a tune, too (the embedded ones know such a world); words that are not as its
            captions are, are told as they are, as all are with a melody, and with leave.
    """

    prompt: Positional[str]
    negative: str = ""
    model: str = "storybook"
    steps: int = 30
    guidance: float = 4.0
    guidance_share: float = 0.5
    seed: int = 0
    count: int = 1
    solver: SolverName = "dpmpp_2m"
    eta: float = 0.0
    spacing: Spacing = "trailing"
    size: tuple[int, int] | None = None
    duration: float | None = None
    loop: bool = False
    melody: Path | None = None
    details: Literal["tell", "leave"] = "tell"

    def __post_init__(self) -> None:
        if self.duration is not None and not 0.1 <= self.duration <= 600:
            raise ValueError(f"duration must be from 0.1 to 600 seconds; got {self.duration}.")
        if self.melody and (self.duration is not None or self.loop):
            raise ValueError("a sound with the notes of a melody is as long as that: leave duration and loop out.")
        check_ranges(self)


@dataclass(frozen=True)
class Invert:
    """Rewind a picture to noise.

    Attributes:
        image: the picture file.
        source: words that describe it.
        model: name of an embedded or installed model, a folder, or a hub id `user/repo`.
        method: anchored (keeps what the way back misses), naive, fixed_point (solves every step), uni_inv (predicts and
            corrects), edict, belm, reversible (steps that undo themselves), or edit_friendly and edit_friendly_2m
            (DDPM's noise, found on independent noisy copies).
        steps: levels walked.
        guidance: of the inversion; 1 = off.
        spacing: of the levels.
        label: which level naive tells the network: the one a step leaves, or the one it arrives at.
        tolerance: of fixed_point.
        frame: how a picture that is not of the model's size is fitted: crop, pad or stretch.
        size: height and width the picture is fitted to; the model's own if not given.
        reference: steps of the fine inversion that latent accuracy is measured against; 0 leaves it out.
        seed: of the edit_friendly methods' copies.
    """

    image: Positional[Path]
    source: str = ""
    model: str = "storybook"
    method: InversionName = "anchored"
    steps: int = 30
    guidance: float = 1.0
    spacing: Spacing = "trailing"
    label: LabelConvention = "leaves"
    tolerance: float = 1e-5
    frame: Mode = "crop"
    size: tuple[int, int] | None = None
    reference: int = 250
    seed: int = 0

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.method == "belm" and self.steps < 2:
            raise ValueError(f"belm takes two states to start from, so steps must be 2 or more; got {self.steps}.")
        if self.source == "auto":
            raise ValueError("source auto is found for a wish, so only edit has it; tell in words what is seen.")


@dataclass(frozen=True)
class Edit:
    """Change what the words change in a picture, and keep the rest.

    Attributes:
        image: the picture file.
        target: one or more wishes; each gives a picture, all in one batch.
        source: words that describe the picture as it is; "auto" has them found, by the model itself where it was
            trained to describe, or by the describer, and says which they are.
        model: name of an embedded or installed model, a folder, or a hub id `user/repo`.
        method: anchored (the inverted path, with what the way back misses of it: reconstructs exactly); naive, uni_inv,
            fixed_point (plain regrowth, which misses the path less and less); edict, belm, reversible (steps that undo
            themselves); edit_friendly, edit_friendly_2m (DDPM's noise, found on noisy copies); negative_prompt (naive,
            guided away from the source's words alone); null_text (what guidance leads away from is tuned by gradients
            until the way back follows the path; slow); uni_edit (uni_inv, and guidance that is stronger where the wish
            changes more); inversion_free (follows the difference of wish and source on noisy copies); img2img (fresh
            noise instead of inversion, for comparison).
        strength: share of the path that is walked back, above 0 up to 1. If not given it is 0.9, or what the model
            needs for such a wish where that was measured, which is then said: with anchored, words told in full
            (details) and no trajectory, the storybook takes 0.65 for another animal or colour. "auto" finds the
            weakest at which the target sees most of what it would change.
        start_step: the same as a number of steps that are skipped, counted from noise; overrides strength.
        steps: levels of the whole path; if not given, those of the trajectory, else the model's own: 6 of the storybook
            and 10 of the bandstand, where more gained little, 30 of models that were not measured.
        guidance: of the regrowth; 1 = off.
        guidance_share: of the steps back in which guidance is on, the first ones, 0 to 1: after them it would move what
            shall stay, at twice the cost. uni_edit and null_text have it on in all.
        invert_guidance: of the inversion; 1 = off.
        negative: words to grow away from; if not given, none where source and target are told in full (details), else
            the source's own, so that guidance exaggerates just the difference between the two.
        seed: of img2img's, inversion_free's and eta's noise, where wish i has seed + i, and of the edit_friendly
            methods' copies, which all wishes share.
        eta: fresh noise of the naive regrowth's DDIM steps, 0 to 1.
        spacing: of the levels.
        label: which level naive tells the network while inverting: leaves or arrives.
        tolerance: of fixed_point.
        frame: how a picture that is not of the model's size is fitted: crop, pad or stretch.
        size: height and width the picture is fitted to; the model's own if not given.
        span: of a sound, the seconds that may change, as in 2.0:4.5; all else stays as it is in the file, sample for
            sample.
        region: the box that may change, as shares of the picture: left, top, right, bottom ("0.2,0.3,0.8,0.9"). All the
            rest stays as it is in the file, bit for bit (in a png or webp).
        mask: the same by a picture: white may change, black stays, a grey changes that much (so many of the last
            steps); of any size, for it is stretched over the picture. "auto" finds it where source and target disagree
            and writes it beside the result, to be changed by hand and given here. With region, only where both allow
            it.
        feather: how far outside region or mask the result fades into the picture, as a share of its shorter side; also
            inside the edges of the part of a picture that the model saw.
        attention: what the wish shares with the source while it grows. none; p2p (Prompt-to-Prompt: words that both
            have, and words that stand for others, act in the places where they acted in the source: for a word in the
            place of a word, not for words added or dropped); masactrl (the wish is made of the source's parts). Needs a
            method that inverts.
        attention_share: of the steps in which it is shared, 0 to 1: of p2p the first, of masactrl the last.
        emphasis: with p2p, words of the wish that shall weigh more or less, as in "hat=2" or "snow=0.5".
        notes: of a sound: keep tells the model which notes the sound plays, all the way, where it can be told (the
            embedded bandstand can); free leaves them to the path, so that they change with the words.
        details: tell fills the words up, where the model can describe what it sees (the embedded ones can), to full
            sentences that also say what source and target leave open, so that it stays; for words that are not as its
            captions are, that weigh (emphasis), or that a trajectory was inverted under, and with leave, they are told
            as they are.
        trajectory: a file of `regrow invert` to start from.
        cache: keep inverted paths on disk, and what the codec makes of the picture in memory, and reuse them.
        describer: folder or hub id of a captioning model of transformers, such as BLIP, that source auto asks.
    """

    image: Positional[Path]
    target: tuple[str, ...]
    source: str = ""
    model: str = "storybook"
    method: MethodName = "anchored"
    strength: float | Literal["auto"] | None = None
    start_step: int | None = None
    steps: int | None = None
    guidance: float = 4.0
    guidance_share: float = 0.5
    invert_guidance: float = 1.0
    negative: str | None = None
    seed: int = 0
    eta: float = 0.0
    spacing: Spacing = "trailing"
    label: LabelConvention = "leaves"
    tolerance: float = 1e-5
    frame: Mode = "crop"
    size: tuple[int, int] | None = None
    span: str | None = None
    region: str | None = None
    mask: Literal["auto"] | Path | None = None
    feather: float = 0.03
    attention: Literal["none", SharingName] = "none"
    attention_share: float = 0.8
    emphasis: tuple[str, ...] = ()
    notes: Literal["keep", "free"] = "keep"
    details: Literal["tell", "leave"] = "tell"
    trajectory: Path | None = None
    cache: bool = True
    describer: str = ""

    def __post_init__(self) -> None:
        if not self.target:
            raise ValueError("edit needs at least one --target.")
        check_ranges(self)
        _ = self.box, self.seconds
        if self.describer and self.source != "auto":
            raise ValueError("describer is asked by source auto: leave it out, or say --source auto.")
        if isinstance(self.strength, float | int) and not 0 < self.strength <= 1:
            raise ValueError(f"strength must be above 0 and at most 1; got {self.strength}.")
        if self.steps is not None and self.start_step is not None and not 0 <= self.start_step < self.steps:
            raise ValueError(f"start_step must be from 0 to steps - 1 = {self.steps - 1}; got {self.start_step}.")
        if self.attention != "none" and (self.method not in PATHS or self.method in ("uni_edit", "null_text")):
            raise ValueError(f"attention is shared with an inverted path, which {self.method} has not: take anchored.")
        if self.emphasis and self.attention != "p2p":
            raise ValueError("emphasis weighs words in Prompt-to-Prompt: it needs attention=p2p.")
        _ = self.factors
        if self.eta and self.method not in ("naive", "img2img"):
            raise ValueError(f"eta must be 0 with {self.method}, whose way back is deterministic; use naive.")
        if self.trajectory and self.method == "img2img":
            raise ValueError("img2img starts from fresh noise and takes no trajectory.")
        if self.trajectory and self.method == "inversion_free":
            raise ValueError("inversion_free starts from the picture itself and takes no trajectory.")
        if self.method == "belm" and self.steps is not None and self._is_settled and self.steps_back < 2:
            raise ValueError("belm takes two states to start from: walk back 2 steps or more, by strength or steps.")
        if self.method in OWN_NEGATIVE and self.negative is not None:
            raise ValueError(f"{self.method} has its own words to grow away from: leave negative out, or take naive.")
        if self.method in ("negative_prompt", "null_text") and self.invert_guidance != 1:
            raise ValueError(f"{self.method} follows a path inverted without guidance: invert_guidance must be 1.")
        if self.method == "null_text" and self.guidance == 1:
            raise ValueError("null_text tunes what guidance leads away from: guidance must not be 1.")

    @property
    def factors(self) -> dict[str, float]:
        """The emphasis: factors by word."""
        found = {}
        for text in self.emphasis:
            word, _, factor = text.rpartition("=")
            try:
                found[word.strip()] = float(factor)
            except ValueError:
                found[""] = math.nan
        if any(not word or not 0 <= factor < math.inf for word, factor in found.items()):
            raise ValueError(f'emphasis must be words with factors, as in "hat=2"; got {" ".join(self.emphasis)}.')
        return found

    @property
    def seconds(self) -> tuple[float, float] | None:
        """The span: where it begins and ends."""
        if self.span is None:
            return None
        try:
            begin, end = (float(part) for part in self.span.split(":"))
        except ValueError:
            begin = end = math.nan
        if not 0 <= begin < end:
            raise ValueError(f'span must be two times in seconds, as in 2.0:4.5; got "{self.span}".')
        return begin, end

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """The region: left, top, right and bottom as shares of the picture."""
        if self.region is None:
            return None
        try:
            left, top, right, bottom = (float(part) for part in self.region.split(","))
        except ValueError:
            left = top = right = bottom = math.nan
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError(
                'region must be left, top, right and bottom as shares of the picture, as in "0.2,0.3,0.8,0.9"; '
                f'got "{self.region}".'
            )
        return left, top, right, bottom

    @property
    def _is_settled(self) -> bool:
        return self.start_step is not None or isinstance(self.strength, float | int)

    @property
    def steps_back(self) -> int:
        """How many of the steps are walked back, once there is a number of them."""
        if self.steps is None:
            raise ValueError("steps are the model's own until it is opened (operations.steps); give a number here.")
        if self.start_step is not None:
            return self.steps - self.start_step
        if self.strength is None or self.strength == "auto":
            raise ValueError("the strength is found from a picture and its words; give a number here.")
        return max(1, round(self.strength * self.steps))
