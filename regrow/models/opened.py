"""The data of an opened checkpoint: parts, codec, sizes, abilities."""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.denoiser import PredictionType
from regrow.core.levels import Schedule
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.piano_roll import PianoRollSettings
from regrow.media.audio.sound_codec import SoundCodec
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import Medium
from regrow.media.names import EditMode
from regrow.messages.message import say
from regrow.models.abilities import Abilities
from regrow.models.adapters.embedding_files import EmbeddingFile
from regrow.models.adapters.lora_files import LoraFile, combined_hash
from regrow.models.checked import content_hash
from regrow.models.codecs.codec import Codec
from regrow.models.codecs.mel import MelFrames
from regrow.models.condition import Condition
from regrow.models.engines.engine import Engine
from regrow.models.engines.gathering import Gathering
from regrow.models.memory.codec_room import Coding
from regrow.models.own_settings import OwnSettings
from regrow.models.parts import Parts


@dataclass(eq=False, kw_only=True)
class Opened(Abilities):
    """An opened checkpoint, in eval mode and without gradients; its copies with other settings share its parts.

    Attributes:
        name: as the user gave it.
        folder: where its files are.
        family: name of its family in the registry.
        schedule: its noise levels and their labels.
        prediction_type: what its network predicts.
        size: height and width of the pictures it was made for, in pixels; of mels, bands and frames.
        multiple: a frame's sides must be multiples of this.
        longest: longest side in pixels that its network has positions for; None if it takes any.
        parts: its networks and tokenizers, opened when they are first used.
        codec: converts frames to latents and back.
        network_multiple: latents whose sides are multiples of this can share an engine's graph; 0 if every size needs
            its own.
        files: the config and weight files it was read from.
        notes: messages on what had to be assumed.
        waves: for a sound model, converts waves to frames and back; None for a picture model.
        piano_roll: settings of the piano roll that its network takes besides each latent; None if it takes none.
        own: sampling settings that its authors recommend.
        edit_steps: default number of steps of an edit, from its folder (`edit_file`); measured for regrow's own models.
        edit_strengths: by attribute, the strength for an edit that changes only such attributes; from the same file.
        edit_frame: best way to fit edited pictures to its frame, from the same file; `auto` by default.
        note_conditioning: piano roll for all samples, or one per sample, which `denoiser` appends to the latents; or
            None.
        engine: computes the networks for `denoiser` and the codec; None for torch. It ignores changes to `network`
            (hooks, replaced attention), which need `using(None)`.
        loras: LoRA files that were added to its weights.
        tiled: for a picture model, whether larger pictures are denoised in tiles of the size it was made for.
        embeddings: embedding files whose words were added to its text encoders.
        together: whether torch computes a batch of sounds together, as in recipes from before `normalize`.
        coding: how its codec fits into memory; None if not chosen yet.
        encoded: already encoded prompts for `condition`, by their list (`memory.words`).
        gathering: batches network calls with those of other requests; None computes each call alone.
    """

    name: str
    folder: Path
    family: str
    schedule: Schedule
    prediction_type: PredictionType
    size: tuple[int, int]
    multiple: int
    parts: Parts
    codec: Codec
    files: tuple[Path, ...]
    network_multiple: int = 0
    longest: int | None = None
    notes: tuple[str, ...] = ()
    waves: SoundCodec | None = None
    piano_roll: PianoRollSettings | None = None
    own: OwnSettings = field(default_factory=OwnSettings)
    edit_steps: int = 30
    edit_strengths: Mapping[str, float] = field(default_factory=dict)
    edit_frame: EditMode = "auto"
    note_conditioning: Float[Tensor, "m k y x"] | None = None
    engine: Engine | None = None
    together: bool = False
    loras: tuple[LoraFile, ...] = ()
    embeddings: tuple[EmbeddingFile, ...] = ()
    coding: Coding | None = None
    tiled: bool = False
    encoded: Mapping[tuple[str, ...], Condition] = field(default_factory=dict)
    gathering: Gathering | None = None

    @property
    def extent(self) -> tuple[int, ...]:
        """Extent of the frames that it was made for: height and width, bands and frames, or samples."""
        return self.size

    @property
    def windows(self) -> tuple[int, ...]:
        """Sizes of windows along the last axes, in latent cells, if larger latents are denoised in windows; else ()."""
        if self.waves is not None:
            return (self.size[-1] // self.codec.factor,)
        return tuple(side // self.codec.factor for side in self.size) if self.tiled else ()

    @property
    def usual_length(self) -> int:
        """Default length of generated samples, in frames along the last axis."""
        return self.size[-1]

    def of_length(self, samples: int) -> Self:
        """Return the same opened checkpoint for sounds of this many samples; itself if its prompts hold no length."""
        return self

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return self.codec.latent_channels

    @property
    def factor(self) -> int:
        """Pixels, or frames, that a latent cell spans along each side; 1 where the latents are the frames."""
        return self.codec.factor

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of transformers."""
        return self.parts["tokenizer"]

    @property
    def network(self) -> Any:
        """The part that denoises."""
        return self.parts[self.NETWORK]

    @property
    def codec_network(self) -> Any:
        """The autoencoder of a codec that has one (`codec.part`)."""
        assert self.codec.part is not None, "its latents are its frames"
        return self.parts[self.codec.part]

    @property
    def plain_weights(self) -> tuple[nn.Parameter, ...]:
        """Weights that AdamW trains, as they do not map hidden features: the network's last layer, and others."""
        return (self.network.get_submodule("conv_out").get_parameter("weight"),)

    @property
    def text_encoders(self) -> Iterator[nn.Module]:
        """The text encoders, opened, which may be trained with the network."""
        yield from (self.parts[name] for name in self.parts if name.startswith("text_encoder"))

    @property
    def medium(self) -> Medium:
        """The medium that it generates."""
        return PICTURE if self.waves is None else SOUND

    @property
    def sound(self) -> SoundCodec:
        """Its codec of waves to frames.

        Raises:
            ValueError: it is not a sound model.
        """
        if self.waves is None:
            raise ValueError(say("makes_no_sounds", name=self.name, medium=self.medium, embedded=SOUND.embedded))
        return self.waves

    @property
    def mel(self) -> MelSettings | None:
        """Settings of the mels that are its frames; None if its frames are pictures or waves."""
        return self.waves.lens if isinstance(self.waves, MelFrames) else None

    @property
    def relative(self) -> bool:
        """Whether it is a mel model without an absolute level, whose clips all have their loudest cell at 0 dB."""
        return isinstance(self.waves, MelFrames) and self.waves.relative

    @property
    def deterministic_path(self) -> bool:
        """Whether its sampler has a deterministic path, which inversion needs; ping-pong adds noise at every step."""
        return self.own.solver != "ping_pong"

    @property
    def device(self) -> torch.device:
        """The network's device."""
        return self.parts.device

    @property
    def dtype(self) -> torch.dtype:
        """The network's dtype."""
        return self.parts.dtype

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> Self:
        """Move the modules, in place, and let torch compute them; None leaves as is."""
        self.engine = None
        self.parts.to(device, dtype)
        return self

    @property
    def computed_by(self) -> str:
        """Engine and precision of the network, such as "torch float32"; "torch float8" names the storage dtype."""
        dtype = "float8" if self.parts.placement.float8 else str(self.dtype).removeprefix("torch.")
        return self.engine.name if self.engine else f"torch {dtype}"

    def using(self, engine: Engine | None) -> Self:
        """Return the same opened checkpoint, computed by another engine; None for torch."""
        other = copy(self)
        other.engine = engine
        return other

    @property
    def one_by_one(self) -> bool:
        """Whether the samples of a batch are computed one by one, as those of sounds are on the CPU.

        In a batch, torch rounds a sample differently, which 24-bit sound shows; one by one, it is the same as alone.
        """
        return self.waves is not None and self.device.type == "cpu" and not self.together

    def batched(self, together: bool = True) -> Self:
        """Return the same opened checkpoint with `together`, which is needed if samples share attention."""
        other = self if self.together == together else copy(self)
        other.together = together
        return other

    @cached_property
    def content_hash(self) -> str:
        """BLAKE2b, in hex, over the sorted relative paths and the contents of `files`, `loras`, `embeddings`."""
        return combined_hash(content_hash(self.folder, self.files), self.loras, self.embeddings)

    def condition_on_notes(self, note_conditioning: Float[Tensor, "m k y x"] | None) -> Self:
        """Return the same opened checkpoint, conditioned on these piano rolls; None for none.

        Raises:
            ValueError: it takes no piano roll.
        """
        if note_conditioning is not None and self.piano_roll is None:
            raise ValueError(say("notes_cannot_be_given", name=self.name))
        other = copy(self)
        other.note_conditioning = note_conditioning
        return other
