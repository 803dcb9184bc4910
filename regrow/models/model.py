"""What a checkpoint is to the rooms above: codec, text encoder and network behind one interface.

Nothing here knows a file format; each family fills in `encode`, `decode`, `condition` and `output`.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser, Prediction, PredictionType, predict
from regrow.core.guidance import classifier_free
from regrow.core.levels import Level, Schedule
from regrow.core.windows import windowed
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.piano_roll import PianoRollSettings
from regrow.media.audio.sound_codec import SoundCodec
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import Medium

Family = Literal["stable-diffusion", "pixel-unet", "mel-unet"]


class ModelError(ValueError):
    """A checkpoint that cannot be opened; the message is one sentence: what is wrong, where, what to do."""


@dataclass(frozen=True)
class Condition:
    """Encoded prompts.

    Attributes:
        tokens: one vector a token, shape `b tokens dim`; `b 0 0` for networks that take no words.
    """

    tokens: Float[Tensor, "b tokens dim"]

    def cat(self, other: "Condition") -> "Condition":
        """Both batches, this one's first."""
        return Condition(torch.cat([self.tokens, other.tokens]))

    def expand(self, batch: int) -> "Condition":
        """One prompt for the whole batch, or already one a sample.

        Raises:
            ValueError: neither 1 nor `batch` prompts.
        """
        if len(self.tokens) not in (1, batch):
            raise ValueError(f"A batch of {batch} needs 1 or {batch} prompts; got {len(self.tokens)}.")
        return Condition(self.tokens.expand(batch, -1, -1))


Way = Literal["encode", "decode"]
"""Of a codec: from pictures to latents, or back."""


class Engine(Protocol):
    """What computes a network in torch's stead."""

    @property
    def name(self) -> str:
        """As recipes tell it: the library, and what it computes in."""
        ...

    def __call__(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], tokens: Float[Tensor, "b n dim"]
    ) -> Float[Tensor, "b c y x"]:
        """What the network returns."""
        ...

    def coded(self, way: Way, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k h w"] | None:
        """What the codec returns, of pictures or of latents in its own scale; None leaves it to torch."""
        return None


@dataclass(eq=False, kw_only=True)
class Model(ABC):
    """An opened checkpoint, in eval mode and without gradients.

    Attributes:
        name: as the user gave it.
        folder: where its files are.
        family: which file of this room opened it.
        schedule: its levels and their labels.
        prediction_type: what its network predicts.
        size: height and width of the pictures it was made for, in pixels; of mels, bands and frames.
        multiple: picture sides must be multiples of this many pixels.
        latent_channels: channels of a latent.
        factor: pixels a latent cell spans along each side; 1 where the latents are the pixels.
        files: the config and weight files it was read from.
        notes: sentences on what had to be assumed.
        unet: the network, an `nn.Module`.
        codec: an `nn.Module`; None where the latents are the pixels.
        text_encoder: an `nn.Module`; None where the network takes no words.
        tokenizer: of the text encoder; None without one.
        mel: how it hears; None for a model of pictures. What is said of pictures `b 3 h w` and pixels then holds for
            mels `b 1 bands frames`, in which -1 is silence (`regrow.media.audio.mel.to_unit`).
        relative: of a model of sounds: it knows no level, each of its clips is as loud as its loudest moment can be.
        piano_roll: the raster of the notes that its network can be told beside each latent; None where it is told none.
        edit_steps: levels of an edit's path where none are asked for: what its folder says (`edit_file`), measured for
            the models that regrow carries.
        edit_strengths: that an edit needs which changes nothing but these attributes of the model's world; likewise.
        note_conditioning: piano rolls of all samples or of one each, which `denoiser` puts beside the latents; or None.
        engine: what computes the network for `denoiser`; None for torch. Whatever else is done to `unet` (hooks,
            changed attention) it does not know of: that takes `using(None)`.
    """

    name: str
    folder: Path
    family: Family
    schedule: Schedule
    prediction_type: PredictionType
    size: tuple[int, int]
    multiple: int
    latent_channels: int
    factor: int
    files: tuple[Path, ...]
    unet: Any
    codec: Any = None
    text_encoder: Any = None
    tokenizer: Any = None
    notes: tuple[str, ...] = ()
    mel: MelSettings | None = None
    relative: bool = False
    piano_roll: PianoRollSettings | None = None
    edit_steps: int = 30
    edit_strengths: Mapping[str, float] = field(default_factory=dict)
    note_conditioning: Float[Tensor, "m k y x"] | None = None
    engine: Engine | None = None

    def __post_init__(self) -> None:
        for module in self._modules():
            module.eval().requires_grad_(False)

    @abstractmethod
    def encode(self, pictures: Float[Tensor, "b channels h w"]) -> Float[Tensor, "b c y x"]:
        """Pictures in [-1, 1] to latents in the scale that the network was trained on, free of chance.

        Raises:
            ValueError: a side is not a multiple of `multiple`.
        """

    @abstractmethod
    def decode(self, latents: Float[Tensor, "b c y x"]) -> Float[Tensor, "b channels h w"]:
        """Latents to pictures, clamped to [-1, 1]."""

    @abstractmethod
    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Token ids, one row a prompt; no columns for networks that take no words."""

    @abstractmethod
    def condition(self, prompts: Sequence[str]) -> Condition:
        """Encode prompts, one a sample."""

    @abstractmethod
    def output(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        """What the network itself returns, in its own dtype."""

    def latent_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Channels, height and width of the latent of a picture of this many pixels.

        Raises:
            ValueError: a side is not a positive multiple of `multiple`.
        """
        if min(height, width) < 1 or height % self.multiple or width % self.multiple:
            raise ValueError(
                f"{self.name} takes {self.medium}s whose sides are multiples of {self.multiple} "
                f"{'bands and frames' if self.mel else 'pixels'}; got {height} x {width} (height x width)."
            )
        return self.latent_channels, height // self.factor, width // self.factor

    def denoiser(
        self, condition: Condition, negative: Condition | None = None, guidance: float = 1.0, closed: bool = False
    ) -> Denoiser:
        """The network under these prompts, as the maths sees it.

        Args:
            condition: 1 prompt, or one a sample.
            negative: what guidance leads away from, likewise; None = the empty prompt. Unused at guidance 1.
            guidance: 1 = off, one evaluation a call; else two, as one call of a doubled batch.
            closed: of sounds: whether the end is followed by the beginning.

        Returns:
            A denoiser that computes in the dtype of its input and calls the network in the network's own. Sounds
            longer than the network was made for are denoised in windows of that length that overlap by half.

        Raises:
            ValueError: guidance for a network that takes no words.
        """
        if guidance == 1:
            return self._with_note_conditioning(self._of_any_length(self._conditioned(condition), closed))
        if self.text_encoder is None:
            raise ValueError(f"{self.name} takes no prompts, so guidance must be 1; got {guidance}.")
        away = self.condition([""]) if negative is None else negative

        def pair(x_t: Batch, level: Level) -> Prediction:
            half = len(x_t) // 2
            if self.note_conditioning is not None:  # guidance exaggerates the notes, too: away from none
                x_t = x_t.clone()
                x_t[half:, self.latent_channels :] = 0
            return self._conditioned(condition.expand(half).cat(away.expand(half)))(x_t, level)

        return self._with_note_conditioning(self._of_any_length(classifier_free(pair, guidance), closed))

    def _with_note_conditioning(self, denoise: Denoiser) -> Denoiser:
        """The same with the contour beside every sample, all along, so that windows take their own parts of it."""
        if self.piano_roll is None:
            return denoise

        def with_notes(x_t: Batch, level: Level) -> Prediction:
            return denoise(self.beside(x_t), level)

        return with_notes

    def beside(self, x_t: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k y x"]:
        """Latents with the channels of the contour below them, which are 0 where nothing is played.

        Raises:
            ValueError: the contour is of another length, or of another number of samples.
        """
        if self.piano_roll is None:
            return x_t
        batch, _, height, width = x_t.shape
        if self.note_conditioning is None:
            return torch.cat([x_t, x_t.new_zeros(batch, self.piano_roll.channels(self.factor), height, width)], 1)
        if self.note_conditioning.shape[-1] != width:
            raise ValueError(f"The contour has {self.note_conditioning.shape[-1]} cells, but the latents have {width}.")
        if batch % len(self.note_conditioning):
            raise ValueError(f"{len(self.note_conditioning)} contours do not fit a batch of {batch}.")
        # a batch that is guided holds its samples twice, one after the other
        return torch.cat([x_t, self.note_conditioning.to(x_t).repeat(batch // len(self.note_conditioning), 1, 1, 1)], 1)

    def _of_any_length(self, denoise: Denoiser, closed: bool) -> Denoiser:
        if not self.mel:
            return denoise
        width = self.size[1] // self.factor
        return windowed(denoise, width, width // 2, closed)

    def _conditioned(self, condition: Condition) -> Denoiser:
        def denoise(x_t: Batch, level: Level) -> Prediction:
            # float32 whatever the network's dtype: bfloat16 has no 999
            labels = torch.full((len(x_t),), self.schedule.label(level), dtype=torch.float32, device=self.device)
            # gradients only towards encoded words that ask for them, as null-text inversion does
            with torch.set_grad_enabled(torch.is_grad_enabled() and condition.tokens.requires_grad):
                x, expanded = x_t.to(self.device, self.dtype), condition.expand(len(x_t))
                engine = None if torch.is_grad_enabled() else self.engine
                output = engine(x, labels, expanded.tokens) if engine else self.output(x, labels, expanded)
                return predict(output.to(x_t), x_t[:, : self.latent_channels], level, self.prediction_type)

        return denoise

    @property
    def medium(self) -> Medium:
        """What it makes."""
        return SOUND if self.mel else PICTURE

    @property
    def sound(self) -> SoundCodec:
        """How it takes waves.

        Raises:
            ValueError: it makes no sounds.
        """
        if not self.mel:
            raise ValueError(
                f"{self.name} makes {self.medium}s, not sounds; take --model {SOUND.embedded} or another sound model."
            )
        from regrow.models.codecs.sound_codec import MelFrames  # which imports this module

        return MelFrames(self.mel, self.relative)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.unet.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return next(self.unet.parameters()).dtype

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> Self:
        """Move the modules, in place, and let torch compute them; None leaves as is."""
        self.engine = None
        for module in self._modules():
            torch.nn.Module.to(module, device=device, dtype=dtype)  # diffusers' own logs a page on every call
        return self

    @property
    def computed_by(self) -> str:
        """What computes the network, and in which precision: "torch float32"."""
        return self.engine.name if self.engine else f"torch {str(self.dtype).removeprefix('torch.')}"

    def using(self, engine: Engine | None) -> Self:
        """The same opened checkpoint, computed by another engine; None for torch."""
        other = copy(self)
        other.engine = engine
        return other

    @cached_property
    def content_hash(self) -> str:
        """BLAKE2b, in hex, over the sorted relative paths and the contents of `files`."""
        whole = hashlib.blake2b(digest_size=32)
        for name, path in sorted((path.relative_to(self.folder).as_posix(), path) for path in self.files):
            with path.open("rb") as file:
                whole.update(name.encode() + b"\0" + hashlib.file_digest(file, "blake2b").digest())
        return whole.hexdigest()

    def condition_on_notes(self, note_conditioning: Float[Tensor, "m k y x"] | None) -> Self:
        """The same opened checkpoint, told these notes (`regrow.media.audio.piano_roll`); None for none.

        Raises:
            ValueError: it cannot be told any.
        """
        if note_conditioning is not None and self.piano_roll is None:
            raise ValueError(f"{self.name} cannot be told which notes to play.")
        other = copy(self)
        other.note_conditioning = note_conditioning
        return other

    def _modules(self) -> list[torch.nn.Module]:
        return [module for module in (self.unet, self.codec, self.text_encoder) if module is not None]
