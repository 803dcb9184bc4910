"""What an opened checkpoint holds and says of itself: parts, codec, sizes, abilities."""

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
from regrow.models.abilities import Abilities
from regrow.models.adapters.embedding_files import EmbeddingFile
from regrow.models.adapters.lora_files import LoraFile, combined_hash
from regrow.models.checked import content_hash
from regrow.models.codecs.codec import Codec
from regrow.models.codecs.mel import MelFrames
from regrow.models.condition import Condition
from regrow.models.engines.engine import Engine
from regrow.models.memory.codec_room import Coding
from regrow.models.own_settings import OwnSettings
from regrow.models.parts import Parts


@dataclass(eq=False, kw_only=True)
class Opened(Abilities):
    """An opened checkpoint, in eval mode and without gradients.

    Attributes:
        name: as the user gave it.
        folder: where its files are.
        family: its layout, by the name that it is registered under.
        schedule: its levels and their labels.
        prediction_type: what its network predicts.
        size: height and width of the pictures it was made for, in pixels; of mels, bands and frames.
        multiple: sides of frames must be multiples of this.
        longest: side in pixels that its network has positions for; None where it takes any.
        parts: its networks and tokenizers, opened when they are first computed with.
        codec: from frames to latents and back.
        network_multiple: sides of latents of multiples of this take the same path through the network; 0 where each
            size takes its own.
        files: the config and weight files it was read from.
        notes: sentences on what had to be assumed.
        waves: of a model of sounds, how a wave becomes its frames and back; None for a model of pictures.
        piano_roll: the raster of the notes that its network takes beside each latent; None where it takes none.
        own: what its makers say it is sampled with.
        edit_steps: levels of an edit's path where none are asked for: what its folder says (`edit_file`), measured for
            the models that regrow carries.
        edit_strengths: that an edit needs which changes nothing but these attributes of the model's world; likewise.
        edit_frame: how pictures that are edited are best fitted to it; likewise. auto where nothing is said.
        note_conditioning: piano rolls of all samples or of one each, which `denoiser` puts beside the latents; or None.
        engine: what computes the networks for `denoiser` and the codec; None for torch. Whatever else is done to
            `network` (hooks, changed attention) it does not know of: that takes `using(None)`.
        loras: LoRA files that were added to its weights.
        tiled: of a model of pictures, whether larger ones are denoised in tiles of the size it was made for.
        embeddings: embedding files whose words were added to its text encoders.
        together: whether torch computes the sounds of a batch together, as it did when requests had no `normalize`.
        coding: how its codec computes, in the room that there is; None where nobody has looked.
        encoded: prompts that `condition` knows already, by the list that they are in (`memory.words`).
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

    @property
    def extent(self) -> tuple[int, ...]:
        """Extent of the frames that it was made for: height and width, bands and frames, or samples."""
        return self.size

    @property
    def windows(self) -> tuple[int, ...]:
        """Cells of the last axes that the network was made for, where more are denoised in windows; else none."""
        if self.waves is not None:
            return (self.size[-1] // self.codec.factor,)
        return tuple(side // self.codec.factor for side in self.size) if self.tiled else ()

    @property
    def usual_length(self) -> int:
        """Of what is generated where no length is asked for: frames along the last axis."""
        return self.size[-1]

    def of_length(self, samples: int) -> Self:
        """Return the same opened checkpoint for sounds of this many samples; itself where no prompt holds a length."""
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
        """The network's last layer, and others that are no maps between hidden features: AdamW trains them."""
        return (self.network.get_submodule("conv_out").get_parameter("weight"),)

    @property
    def text_encoders(self) -> Iterator[nn.Module]:
        """The parts that encode words and may be trained with the network, opened."""
        yield from (self.parts[name] for name in self.parts if name.startswith("text_encoder"))

    @property
    def medium(self) -> Medium:
        """What it makes."""
        return PICTURE if self.waves is None else SOUND

    @property
    def sound(self) -> SoundCodec:
        """How it takes waves.

        Raises:
            ValueError: it makes no sounds.
        """
        if self.waves is None:
            raise ValueError(
                f"{self.name} makes {self.medium}s, not sounds; take --model {SOUND.embedded} or another sound model."
            )
        return self.waves

    @property
    def mel(self) -> MelSettings | None:
        """The mels that are its frames; None where its frames are pictures or waves."""
        return self.waves.lens if isinstance(self.waves, MelFrames) else None

    @property
    def relative(self) -> bool:
        """Whether it is a model of mels without a level: each of its clips is as loud as its loudest moment can be."""
        return isinstance(self.waves, MelFrames) and self.waves.relative

    @property
    def deterministic_path(self) -> bool:
        """Whether its sampler has a deterministic path, which inversion needs: ping-pong draws noise in every step."""
        return self.own.solver != "ping_pong"

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.parts.device

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return self.parts.dtype

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> Self:
        """Move the modules, in place, and let torch compute them; None leaves as is."""
        self.engine = None
        self.parts.to(device, dtype)
        return self

    @property
    def computed_by(self) -> str:
        """What computes the network, and in which precision: "torch float32"; "torch float8" by how it is stored."""
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

        torch rounds a sample otherwise beside others, which 24 bits show: so each is the same as alone.
        """
        return self.waves is not None and self.device.type == "cpu" and not self.together

    def batched(self, together: bool = True) -> Self:
        """Return the same opened checkpoint, with `together`: samples that look at each other have to be."""
        other = self if self.together == together else copy(self)
        other.together = together
        return other

    @cached_property
    def content_hash(self) -> str:
        """BLAKE2b, in hex, over the sorted relative paths and the contents of `files`, `loras`, `embeddings`."""
        return combined_hash(content_hash(self.folder, self.files), self.loras, self.embeddings)

    def condition_on_notes(self, note_conditioning: Float[Tensor, "m k y x"] | None) -> Self:
        """Return the same opened checkpoint with these piano rolls beside its latents; None for none.

        Raises:
            ValueError: it takes none.
        """
        if note_conditioning is not None and self.piano_roll is None:
            raise ValueError(f"{self.name} cannot be told which notes to play.")
        other = copy(self)
        other.note_conditioning = note_conditioning
        return other
