"""The interface of a checkpoint: codec, prompts and network.

Nothing here knows a file format; each family of `families/` fills in `open`, `condition` and `forward`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import Guidance, classifier_free
from regrow.core.levels import Level
from regrow.core.methods.registry import DEFAULT
from regrow.core.names import Spacing
from regrow.media.frame import Region
from regrow.messages.message import say
from regrow.models import denoising
from regrow.models.condition import Condition
from regrow.models.errors import ModelError as ModelError
from regrow.models.memory.codec_room import room_for_codec
from regrow.models.opened import Opened

if TYPE_CHECKING:
    from regrow.models.source import Source


class Model(Opened, ABC):
    """An opened checkpoint and the operations on it; see `Opened` for its attributes."""

    @classmethod
    @abstractmethod
    def open(cls, source: "Source") -> "Model":
        """Open a folder of this family.

        Raises:
            ModelError: a part is missing, damaged, unknown, or does not fit the others.
        """

    @classmethod
    def write_new(cls, folder: Path, **settings: Any) -> None:
        """Write an untrained checkpoint of the family; see `saving.write_new` for the settings.

        Raises:
            ModelError: regrow creates no new checkpoints of this family.
        """
        raise ModelError(say("family_not_saved", folder=folder))

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Return the first tokenizer's ids, cut and padded, one row per prompt; no columns without a tokenizer."""
        length = self.tokenizer.model_max_length
        tokenized = self.tokenizer(
            list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        return tokenized.input_ids

    def encode_tokens(self, ids: Int[Tensor, "b tokens"]) -> Condition:
        """Encode token ids in torch; if gradients are enabled, they reach the text encoder.

        Raises:
            ModelError: the family needs more than the ids of its first tokenizer.
        """
        raise ModelError(say("tokens_do_not_suffice", name=self.name))

    def condition(self, prompts: Sequence[str]) -> Condition:
        """Encode prompts, one per sample; words beyond the text encoder's length are cut, with a warning."""
        with torch.no_grad():
            return self.encode_tokens(self.tokenize(prompts).to(self.device))

    def unconditional(self, count: int) -> Condition:
        """Encode the default negative prompt: `no_words`, unless the family differs."""
        return self.condition([self.no_words] * count)

    def negative(self, prompts: Sequence[str]) -> Condition:
        """Encode negative prompts, one per sample; empty ones as in `unconditional`."""
        empty = [not prompt for prompt in prompts]
        if all(empty):
            return self.unconditional(len(prompts))
        condition = self.condition(prompts)
        if not any(empty):
            return condition
        rows = [i + len(prompts) * blank for i, blank in enumerate(empty)]
        return condition.cat(self.unconditional(len(prompts))).rows(rows)

    @property
    def guidance_is_input(self) -> bool:
        """Whether guidance is an input of its network, which then returns a guided prediction in one evaluation.

        The network takes no negative prompt. If there is one, the network is evaluated at guidance 1 with each of the
        two prompts, and classifier-free guidance combines the results. Edits do so with the source prompt as the
        negative one: only then does an edit whose target is the source return the file itself. An empty negative prompt
        counts as none.
        """
        return False

    def away(self, prompts: Sequence[str]) -> Condition | None:
        """Encode negative prompts; None if all are empty and guidance is an input of the network."""
        return None if self.guidance_is_input and not any(prompts) else self.negative(prompts)

    def evaluations(self, guidance: Guidance, negative: Condition | None) -> int:
        """Return how often one call of the denoiser evaluates the network per sample."""
        off = not isinstance(guidance, Tensor) and guidance == 1
        return 1 if off or (self.guidance_is_input and negative is None) else self.guided_evaluations

    @abstractmethod
    def forward(
        self, x_t: Float[Tensor, "b c *places"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c *places"]:
        """Return the network's raw output, in its own dtype."""

    def guide(self, pair: Denoiser, guidance: Guidance) -> Denoiser:
        """Return a guided denoiser; `pair` gets its batch `guided_evaluations` times, with the prompts first."""
        return classifier_free(pair, guidance)

    def grid(self, steps: int, spacing: Spacing = "trailing", shape: Sequence[int] = ()) -> tuple[Level, ...]:
        """Return `steps + 1` levels from the noisiest to clean, for latents of a shape `c *places`."""
        return self.schedule.grid(steps, spacing)

    def encode(self, frames: Float[Tensor, "b channels *extent"]) -> Float[Tensor, "b c *places"]:
        """Encode frames in [-1, 1] to latents in the scale that the network was trained on, without sampling.

        Raises:
            ValueError: a side is not a multiple of `multiple`.
        """
        self.latent_shape(*frames.shape[2:])
        with room_for_codec(self, len(frames), frames.shape[2:]) as count:
            return torch.cat([self.codec.encode(part, self.engine) for part in self._parts(frames, count)])

    def decode(self, latents: Float[Tensor, "b c *places"]) -> Float[Tensor, "b channels *extent"]:
        """Decode latents to frames, clamped to [-1, 1]."""
        with room_for_codec(self, len(latents), self.codec.extent_of(latents.shape[2:])) as count:
            return torch.cat([self.codec.decode(part, self.engine) for part in self._parts(latents, count)])

    def _parts(self, batch: Float[Tensor, "b c *places"], count: int) -> Sequence[Tensor]:
        """Split a batch for the codec, into parts of at most `count` samples."""
        return batch.split(1) if self.one_by_one else batch.split(count) if len(batch) else (batch,)

    def latent_shape(self, *extent: int) -> tuple[int, ...]:
        """Return the latent's channels and sides for a frame of this extent, such as height and width.

        Raises:
            ValueError: a side is not a positive multiple of `multiple`, or is longer than `longest`.
        """
        about = {"name": self.name, "medium": self.medium, "given": " x ".join(map(str, extent))}
        if self.longest is not None and max(extent) > self.longest and not self.tiled:
            raise ValueError(say("sides_beyond_positions", **about, longest=self.longest))
        if min(extent) < 1 or any(side % self.multiple for side in extent):
            unit = "pixels" if self.waves is None else say("bands_and_frames") if len(extent) == 2 else "samples"
            order = say("height_times_width") if len(extent) == 2 else ""
            raise ValueError(say("sides_no_multiple", **about, multiple=self.multiple, unit=unit, order=order))
        return self.codec.latent_channels, *(side // self.codec.factor for side in extent)

    def denoiser(
        self, condition: Condition, negative: Condition | None = None, guidance: Guidance = 1.0, closed: bool = False
    ) -> Denoiser:
        """Return the network under these prompts as a denoiser, which predicts x0 and eps.

        Args:
            condition: one prompt, or one per sample.
            negative: negative prompts, likewise; None = `unconditional`, or none if guidance is an input of the
                network. Unused at guidance 1.
            guidance: 1 = off, one evaluation per call; else usually two, as one doubled batch. See `evaluations`.
            closed: for sounds: whether they loop, so that the end is followed by the beginning.

        Returns:
            A denoiser that computes in the dtype of its input, and calls the network in the network's dtype. Sounds
            longer than the network was made for are denoised in windows of that length that overlap by half.

        Raises:
            ValueError: guidance for a network that takes no prompts.
        """
        return denoising.denoiser(self, condition, negative, guidance, closed)

    def require_path(self, action: str, instead: str = say("take_edit_friendly")) -> None:
        """Raise a ValueError for an action that needs inversion, if the model has no `deterministic_path`."""
        if not self.deterministic_path:
            raise ValueError(say("no_deterministic_path", name=self.name, action=action, instead=instead))

    def with_known(
        self, frame: Float[Tensor, "1 channels *extent"], latents: Float[Tensor, "1 c *places"], region: Region
    ) -> Self:
        """Return the same opened checkpoint with the known part as input, if its network takes one; else itself.

        Methods that invert a path do not use this, so that inversion and the way back have the same condition.

        Args:
            frame: the known picture or sound, as a model's frame.
            latents: its latents.
            region: the part to regenerate.
        """
        return self

    def with_source(
        self,
        frame: Float[Tensor, "1 channels *extent"],
        latents: Float[Tensor, "1 c *places"],
        image_guidance: float | None = None,
    ) -> Self:
        """Return the same opened checkpoint with a source picture to edit by instruction.

        Args:
            frame: the source picture, as a model's frame.
            latents: its latents.
            image_guidance: guidance scale of the picture, if the model has `own.image_guidance`; None = that one.

        Raises:
            ValueError: it does not edit by instruction.
        """
        raise ValueError(say("not_trained_by_instruction", name=self.name, default=DEFAULT))

    def covering(self, frames: Float[Tensor, " channels *extent"]) -> Self:
        """Return the same opened checkpoint, set to make a cover that keeps the melody of a sound.

        Raises:
            ValueError: it cannot make covers.
        """
        raise ValueError(say("takes_no_melody", name=self.name))

    def sounding_like(self, frames: Float[Tensor, " channels *extent"]) -> Self:
        """Return the same opened checkpoint, conditioned on the timbre and style of a sound.

        Raises:
            ValueError: it takes no reference sound.
        """
        raise ValueError(say("takes_no_reference_sound", name=self.name))

    def beside(self, x_t: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"]:
        """Append the network's extra channels to latents: here those of the piano roll, 0 where no note sounds.

        Raises:
            ValueError: the piano roll has another length, or its number of samples does not divide the batch.
        """
        return denoising.with_piano_roll(self, x_t)
