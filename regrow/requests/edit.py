"""The request of `regrow edit`, as a frozen dataclass that imports nothing heavy."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional

from regrow.core.methods.registry import DEFAULT, method
from regrow.core.names import LabelConvention, SharingName, Spacing, Switch
from regrow.media.names import EditMode
from regrow.requests.method_option import MethodOption, check_label
from regrow.requests.ranges import check_ranges
from regrow.requests.song_options import SongOptions

if TYPE_CHECKING:
    from regrow.core.methods.method import Method

USUAL_GUIDANCE = 4.0
"""Of an edit where the request names none."""


@dataclass(frozen=True)
class Edit(SongOptions):
    """Change what the words change in a picture, and keep the rest.

    Attributes:
        image: the picture file.
        target: one or more prompts, each a description ("a dog on a beach") or an instruction ("make it a dog"); each
            gives a result, all in one batch. With to_lyrics it may be left out: then all but the words stays.
        source: words that describe the picture as it is. If not given, or "auto", they are read off the picture, by the
            model itself where it was trained to describe, or by the describer, and shown.
        model: name of an embedded or installed model, a folder, a weight file, or a hub id `user/repo`.
        method: how to edit; docs/choose-a-method.md compares them. Distilled models that draw fresh noise in every step
            have no path that the default could invert along, and are edited by edit_friendly in its place; models that
            edit by instruction (InstructPix2Pix, FLUX.1 Kontext, Qwen-Image-Edit; FLUX.2 where neither source nor
            strength is given) by instruction; and inpainting models by inpaint, where a region or mask is given.
        strength: share of the path that is walked back, above 0 up to 1. If not given it is 0.9, or what the model
            needs for such an edit where that was measured, which is then said: with the default
            method, expanded prompts and no trajectory, the storybook takes 0.65 for another animal or colour. "auto"
            finds the weakest at which the target sees most of what it would change.
        start_step: the same as a number of steps that are skipped, counted from noise; overrides strength.
        steps: levels of the whole path; if not given, those of the trajectory, else the model's own: 6 of the storybook
            and 10 of the bandstand, where more gained little, 30 of models that were not measured. By instruction, and
            where a mask is filled in, as many as its makers take.
        guidance: of the regrowth; 1 = off. If not given it is 4, or the model's own where it edits by instruction or
            fills in a mask.
        image_guidance: of a model that edits by instruction: how much it keeps to the picture, 1 = off; if not given,
            the model's own, 1.5 of InstructPix2Pix. It needs a guidance other than 1.
        guidance_share: of the steps back in which guidance is on, the first ones, 0 to 1: after them it would move what
            shall stay, at twice the cost. uni_edit and null_text have it on in all.
        invert_guidance: of the inversion; 1 = off.
        negative: words to grow away from; if not given, none where source and target are expanded (prompt_expansion),
            else the source's own, so that guidance exaggerates just the difference between the two.
        seed: of the noise of img2img, inversion_free, delta_denoising and eta, where target i has seed + i, and of the
            edit_friendly methods' copies, which all targets share.
        eta: fresh noise of the naive regrowth's DDIM steps, 0 to 1.
        spacing: of the levels.
        label: which level's label the network gets while naive inverts: leaves or arrives.
        tolerance: of fixed_point.
        frame: how a picture that is not of the model's size is fitted. whole: all of it in its own shape, scaled to
            about as many pixels as the model was made for; region: what lies around region or mask file, in full
            resolution where that are no more; crop, pad, stretch: to exactly the model's size. auto is region where one
            is given and the picture is larger than the model was made for, else whole.
        size: height and width of the frame; if not given, by the picture's own shape, or the model's with crop, pad and
            stretch.
        tiles: edit the picture in its own resolution, however large, in tiles of the model's size that overlap.
        span: of a sound, the seconds that may change, as in 2.0:4.5; all else stays as it is in the file, sample for
            sample.
        region: the box that may change, as shares of the picture: left, top, right, bottom ("0.2,0.3,0.8,0.9"). All the
            rest stays as it is in the file, bit for bit (in a png or webp).
        mask: the same by a picture: white may change, black and what is transparent stay, a grey changes that much (so
            many of the last steps); of any size, for it is stretched over the picture. "auto" finds it where source and
            target disagree and writes it beside the result, to be changed by hand and given here. With region, only
            where both allow it.
        feather: how far outside region or mask the result fades into the picture, as a share of its shorter side; also
            inside the edges of the part of a picture that the model saw.
        attention: what the edit shares with the source while it grows. none; p2p (Prompt-to-Prompt: words that both
            have, and words that stand for others, act in the places where they acted in the source: for a word in the
            place of a word, not for words added or dropped); masactrl (the edit is made of the source's parts). Needs a
            method that inverts.
        attention_share: of the steps in which it is shared, 0 to 1: of p2p the first, of masactrl the last.
        emphasis: with p2p, words of the target that shall weigh more or less, as in "hat=2" or "snow=0.5".
        notes: of a sound: keep tells the model which notes the sound plays, all the way, where it can be told (the
            embedded bandstand can); free leaves them to the path, so that they change with the words.
        prompt_expansion: on expands source and target to full captions that also say what they leave open, so that it
            stays; it needs a model that can describe what it sees (the embedded ones can). Prompts stay as they are
            with off, with emphasis, with a trajectory, and where they are unlike the model's captions.
        trajectory: a file of `regrow invert` to start from.
        cache: keep inverted paths on disk, and what the codec makes of the picture in memory, and reuse them.
        normalize: of a sound: on brings it to a level that the model knows, and gives results the level and channels of
            the file; off, as before there was a choice, leaves the level, and cuts results off at full scale.
        to_lyrics: of a song: what the result sings, as lyrics; if not given, what the file sings.
        describer: folder or hub id of a captioning model of transformers, such as BLIP, that source auto asks.
    """

    image: Positional[Path]
    target: tuple[str, ...] = ()
    source: str = ""
    model: str = "storybook"
    method: MethodOption = DEFAULT
    strength: float | Literal["auto"] | None = None
    start_step: int | None = None
    steps: int | None = None
    guidance: float | None = None
    image_guidance: float | None = None
    guidance_share: float = 0.5
    invert_guidance: float = 1.0
    negative: str | None = None
    seed: int = 0
    eta: float = 0.0
    spacing: Spacing = "trailing"
    label: LabelConvention = "leaves"
    tolerance: float = 1e-5
    frame: EditMode = "auto"
    size: tuple[int, int] | None = None
    tiles: bool = False
    span: str | None = None
    region: str | None = None
    mask: Literal["auto"] | Path | None = None
    feather: float = 0.03
    attention: Literal["none", SharingName] = "none"
    attention_share: float = 0.8
    emphasis: tuple[str, ...] = ()
    notes: Literal["keep", "free"] = "keep"
    prompt_expansion: Switch = "on"
    trajectory: Path | None = None
    cache: bool = True
    normalize: Switch = "on"
    describer: str = ""
    to_lyrics: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)
        self.check_song()
        if not self.target and not self.to_lyrics:
            raise ValueError("edit needs at least one --target.")
        if not self.target:
            object.__setattr__(self, "target", ("" if self.source == "auto" else self.source,))
        _ = self.box, self.seconds
        if self.describer and self.source not in ("", "auto"):
            raise ValueError("describer is asked for the source where you give none: leave out one of the two.")
        if isinstance(self.strength, float | int) and not 0 < self.strength <= 1:
            raise ValueError(f"strength must be above 0 and at most 1; got {self.strength}.")
        if self.steps is not None and self.start_step is not None and not 0 <= self.start_step < self.steps:
            raise ValueError(f"start_step must be from 0 to steps - 1 = {self.steps - 1}; got {self.start_step}.")
        if self.emphasis and self.attention != "p2p":
            raise ValueError("emphasis weighs words in Prompt-to-Prompt: it needs attention=p2p.")
        _ = self.factors
        if self.frame == "region" and self.region is None and self.mask in (None, "auto"):
            raise ValueError("frame region is what lies around a region or a mask file: give --region or --mask.")
        if self.tiles and self.frame in ("crop", "pad", "stretch"):
            raise ValueError("tiles take a picture in its own size: leave frame out, or take whole or region.")
        if self.tiles and self.attention != "none":
            raise ValueError("attention is shared within one frame, not across tiles: leave out one of the two.")
        self._check_method(method(self.method))

    def _check_method(self, chosen: "Method") -> None:
        """Refuse settings that the method does not have."""
        name = self.method
        if self.attention != "none" and not chosen.allows_attention:
            raise ValueError(
                f"attention is shared with an inverted path, which {name} has not: take {DEFAULT}, or leave it out."
            )
        if self.eta and not chosen.takes_eta:
            raise ValueError(f"eta must be 0 with {name}, whose way back is deterministic; use naive.")
        check_label(chosen, self.label)
        if self.trajectory and not chosen.path:
            raise ValueError(f"{name} {chosen.no_path} and takes no trajectory.")
        if self.steps is not None and self._is_settled and self.steps_back < chosen.min_steps:
            raise ValueError(f"{name} walks back {chosen.min_steps} steps or more: raise strength or steps.")
        if chosen.own_negative and self.negative is not None:
            raise ValueError(f"{name} has its own words to grow away from: leave negative out, or take naive.")
        if chosen.inverts_unguided and self.invert_guidance != 1:
            raise ValueError(f"{name} follows a path inverted without guidance: invert_guidance must be 1.")
        if self.image_guidance is not None and not (chosen.needs or chosen.gives_way):
            raise ValueError(f"{name} has no image guidance: leave image_guidance out.")
        if chosen.tune and self.guidance == 1:
            raise ValueError(f"{name} tunes what guidance leads away from: guidance must not be 1.")

    @property
    def factors(self) -> dict[str, float]:
        """The emphasis: factors by word."""
        factors = {}
        for text in self.emphasis:
            word, _, factor = text.rpartition("=")
            try:
                factors[word.strip()] = float(factor)
            except ValueError:
                factors[""] = math.nan
        if any(not word or not 0 <= factor < math.inf for word, factor in factors.items()):
            raise ValueError(f'emphasis must be words with factors, as in "hat=2"; got {" ".join(self.emphasis)}.')
        return factors

    @property
    def seconds(self) -> tuple[float, float] | None:
        """The span: where it begins and ends."""
        if self.span is None:
            return None
        try:
            begin, end = (float(part) for part in self.span.split(":"))
        except ValueError:
            begin = end = math.nan
        if not 0 <= begin < end < math.inf:
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
            raise ValueError("steps are the model's own until it is opened (editing.steps); give a number here.")
        if self.start_step is not None:
            return self.steps - self.start_step
        if self.strength is None or self.strength == "auto":
            raise ValueError("the strength is found from a picture and its words; give a number here.")
        return max(1, round(self.strength * self.steps))
