"""The request of `regrow edit`, as a frozen dataclass that imports nothing heavy."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from regrow.core.methods.registry import DEFAULT, method
from regrow.core.names import LabelConvention, SharingName, Spacing, Switch
from regrow.media.names import EditMode
from regrow.messages.message import say
from regrow.requests.method_option import MethodOption, check_label
from regrow.requests.model_option import STORYBOOK
from regrow.requests.ranges import check_ranges
from regrow.requests.song_options import SongOptions

if TYPE_CHECKING:
    from regrow.core.methods.method import Method

USUAL_GUIDANCE = 4.0
"""Of an edit where the request names none."""


@dataclass(frozen=True)
class Edit(SongOptions):
    """Edit a picture or a sound by words, and keep everything else.

    Attributes:
        image: the picture or sound file.
        target: what the result shows, or an instruction such as "make it a dog". Several prompts give several results,
            computed in one batch. It may be left out with to_lyrics, tune, singer or bpm: then everything else stays.
        source: what the file shows now; if not given, it is described automatically. The model describes it where it
            was trained to, else the describer; the description is printed. "auto" does the same.
        model: a name, a folder, a weight file, or a hub id. A hub id is `user/repo`; `regrow models` lists the names.
            If not given, storybook for a picture, bandstand for a sound, and for a song the model that sang it.
        method: the editing method. docs/how-to/choose-a-method.md compares them. Distilled models that draw fresh noise
            in every step have no path that the default could invert, and are edited by edit_friendly. Models that
            edit by instruction (InstructPix2Pix, FLUX.1 Kontext, Qwen-Image-Edit; FLUX.2 where neither source nor
            strength is given) are edited by instruction, and inpainting models by inpaint where a region or mask is
            given.
        strength: how much may change, above 0 up to 1. It is the fraction of the inverted path that is regenerated. If
            not given, it is 0.9, or the value measured for the model and this kind of edit, which is printed: with the
            default method, expanded prompts and no trajectory, the storybook takes 0.65 for another animal or colour.
            "auto" finds the weakest strength at which the target predicts most of the change.
        start_step: number of steps to skip, counted from noise; replaces strength.
        steps: number of steps of the whole path. If not given, that of the trajectory, else the model's own: 6 for the
            storybook and 10 for the bandstand, where more gained little, and 30 for models that were not measured.
            Edits by instruction and inpainting take the number that the model's authors recommend.
        guidance: how strongly the result follows the target; 1 = off. If not given, it is 4, or the model's own where
            it edits by instruction or fills in a mask.
        image_guidance: how closely an edit by instruction keeps to the picture; 1 = off. If not given, it is the
            model's own, 1.5 for InstructPix2Pix. It needs a guidance other than 1.
        guidance_share: fraction of the steps with guidance, the first ones. Guidance in the later steps moves what
            should stay, at twice the cost. uni_edit and null_text guide in all steps.
        invert_guidance: guidance during the inversion; 1 = off.
        negative: what the result should not show. If not given, it is empty where source and target are expanded
            (prompt_expansion), else the source, so that guidance amplifies only the difference between the two.
        seed: seed of the random noise. img2img, inversion_free, delta_denoising and eta use seed + i for target i; the
            edit_friendly methods share one set of noisy copies among all targets.
        eta: for naive: fresh noise in each DDIM step, 0 to 1.
        spacing: spacing of the noise levels.
        label: for naive: which level labels a step. It is the level that the inversion step leaves or arrives at.
        tolerance: for fixed_point: largest error accepted in a step.
        frame: fit a picture: auto, whole, region, crop, pad, stretch. whole scales all of it in its own shape to about
            as many pixels as the model was made for; region takes the part around the region or mask file, in full
            resolution where it is no larger than that; crop, pad and stretch give exactly the model's size. auto is
            region where one is given and the picture is larger than the model was made for, else whole.
        size: height and width of the frame in pixels. If not given, by the picture's own shape, or the model's size
            with crop, pad and stretch.
        tiles: edit in full resolution, in overlapping tiles of the model's size.
        span: seconds of a sound that may change: "2.0:4.5", or "0.5:1.2,2.0:4.5". The rest of the file stays, sample
            for sample.
        region: the box that may change, as fractions: "left,top,right,bottom". For example "0.2,0.3,0.8,0.9". The rest
            of the picture stays, bit for bit (in a png or webp).
        mask: a picture of what may change: white may, black may not. Transparent pixels stay; grey pixels change in
            that fraction of the last steps. It is stretched to the size of the picture. "auto" finds the mask where
            source and target disagree and writes it beside the result, to be edited by hand and given here. With a
            region, only what both allow may change.
        feather: width of the soft edge of a region or mask. It is a fraction of the picture's shorter side, and also
            softens the edges of the part of a picture that the model was given.
        attention: share the source's attention. p2p (Prompt-to-Prompt) lets words that both prompts have, or that
            replace each other, act where they acted in the source: use it to replace one word, not to add or drop
            words. masactrl builds the edit from the source's keys and values. Both need a method that inverts.
        attention_share: fraction of the steps that share attention. p2p shares in the first steps, masactrl in the
            last.
        emphasis: for p2p: weights of words of the target, such as "hat=2" "snow=0.5".
        notes: the notes of a sound: keep or free them. keep passes the notes of the file to models that take them (the
            embedded bandstand does); with free they may change with the words.
        prompt_expansion: expand source and target to full captions. The added words describe what the prompts omit, so
            that it is preserved. It needs a model that can describe its input, as the embedded ones can. Prompts are
            not expanded with emphasis, with a trajectory, or where they are unlike the model's captions.
        trajectory: start from an inverted path saved by `regrow invert`.
        cache: reuse inverted paths and encoded pictures. Paths are kept on disk, encoded pictures in memory.
        normalize: adapt a sound's level to the model and back. The result gets the level and the channels of the file.
            With off, as in older versions, the level stays and results are clipped at full scale.
        to_lyrics: lyrics of the result; if not given, those of the file. A song that the embedded songbook sang keeps
            its tune, and every unchanged word stays sample for sample.
        describer: captioning model that finds the source: a folder or hub id. It is a model of transformers, such as
            BLIP.
    """

    image: Positional[Path]
    target: tuple[str, ...] = ()
    source: str = ""
    model: str = STORYBOOK
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
    to_lyrics: Annotated[str, arg(aliases=("--words",), metavar="")] = ""

    def __post_init__(self) -> None:
        check_ranges(self)
        self.check_song()
        if not self.target and not (self.to_lyrics or self.tune or self.singer or self.bpm or self.key):
            raise ValueError(say("edit_needs_target"))
        if not self.target:
            object.__setattr__(self, "target", ("" if self.source == "auto" else self.source,))
        _ = self.box, self.spans
        if self.describer and self.source not in ("", "auto"):
            raise ValueError(say("describer_or_source"))
        if isinstance(self.strength, float | int) and not 0 < self.strength <= 1:
            raise ValueError(say("strength_out_of_range", strength=self.strength))
        if self.steps is not None and self.start_step is not None and not 0 <= self.start_step < self.steps:
            raise ValueError(say("start_step_out_of_range", last=self.steps - 1, start_step=self.start_step))
        if self.emphasis and self.attention != "p2p":
            raise ValueError(say("emphasis_needs_p2p"))
        _ = self.factors
        if self.frame == "region" and self.region is None and self.mask in (None, "auto"):
            raise ValueError(say("frame_region_needs_place"))
        if self.tiles and self.frame in ("crop", "pad", "stretch"):
            raise ValueError(say("tiles_keep_size"))
        if self.tiles and self.attention != "none":
            raise ValueError(say("tiles_share_no_attention"))
        self._check_method(method(self.method))

    def _check_method(self, chosen: "Method") -> None:
        """Refuse settings that the method does not have."""
        name = self.method
        if self.attention != "none" and not chosen.allows_attention:
            raise ValueError(say("method_shares_no_attention", method=name, default=DEFAULT))
        if self.eta and not chosen.takes_eta:
            raise ValueError(say("method_takes_no_eta", method=name))
        check_label(chosen, self.label)
        if self.trajectory and not chosen.path:
            raise ValueError(say("method_takes_no_trajectory", method=name, no_path=chosen.no_path))
        if self.steps is not None and self._is_settled and self.steps_back < chosen.min_steps:
            raise ValueError(say("method_needs_steps_back", method=name, min_steps=chosen.min_steps))
        if chosen.own_negative and self.negative is not None:
            raise ValueError(say("method_has_own_negative", method=name))
        if chosen.inverts_unguided and self.invert_guidance != 1:
            raise ValueError(say("method_inverts_unguided", method=name))
        if self.image_guidance is not None and not (chosen.needs or chosen.gives_way):
            raise ValueError(say("no_image_guidance", name=name))
        if chosen.tune and self.guidance == 1:
            raise ValueError(say("method_tunes_guidance", method=name))

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
            raise ValueError(say("emphasis_malformed", emphasis=" ".join(self.emphasis)))
        return factors

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """Where each span begins and ends, in seconds, in their order; none where all may change."""
        if self.span is None:
            return ()
        try:
            spans = tuple((float(begin), float(end)) for begin, end in (one.split(":") for one in self.span.split(",")))
        except ValueError:
            spans = ((math.nan, math.nan),)
        ends = [0.0, *(second for span in spans for second in span)]
        if not all(0 <= begin < end < math.inf for begin, end in spans) or ends != sorted(ends):
            raise ValueError(say("span_malformed", span=self.span))
        return spans

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
            raise ValueError(say("region_malformed", region=self.region))
        return left, top, right, bottom

    @property
    def _is_settled(self) -> bool:
        return self.start_step is not None or isinstance(self.strength, float | int)

    @property
    def steps_back(self) -> int:
        """How many of the steps are walked back, once there is a number of them."""
        if self.steps is None:
            raise ValueError(say("steps_not_known_yet"))
        if self.start_step is not None:
            return self.steps - self.start_step
        if self.strength is None or self.strength == "auto":
            raise ValueError(say("strength_not_known_yet"))
        return max(1, round(self.strength * self.steps))
