"""What a checkpoint is to the rooms above: codec, words and network behind one interface.

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
from regrow.models import denoising
from regrow.models.condition import Condition
from regrow.models.errors import ModelError as ModelError
from regrow.models.memory.codec_room import room_for_codec
from regrow.models.opened import Opened

if TYPE_CHECKING:
    from regrow.models.source import Source


class Model(Opened, ABC):
    """An opened checkpoint and what is computed with it; see `Opened` for its attributes."""

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
            ModelError: regrow makes none of this family.
        """
        raise ModelError(f"regrow makes no new models of this family; {folder} was not written.")

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Return the ids of the first tokenizer, cut and padded, one row a prompt; no columns without words."""
        length = self.tokenizer.model_max_length
        tokenized = self.tokenizer(
            list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        return tokenized.input_ids

    def encode_tokens(self, ids: Int[Tensor, "b tokens"]) -> Condition:
        """Encode token ids by torch; gradients reach the text encoder where they are on.

        Raises:
            ModelError: the family reads more of a prompt than the ids of its first tokenizer.
        """
        raise ModelError(f"Token ids alone do not hold what {self.name} reads of a prompt; it cannot be trained here.")

    def condition(self, prompts: Sequence[str]) -> Condition:
        """Encode prompts, one a sample; words beyond the text encoder's length are cut and named in a warning."""
        with torch.no_grad():
            return self.encode_tokens(self.tokenize(prompts).to(self.device))

    def unconditional(self, count: int) -> Condition:
        """Encode what guidance leads away from without negative words: `no_words`, unless the family differs."""
        return self.condition([self.no_words] * count)

    def negative(self, prompts: Sequence[str]) -> Condition:
        """Encode prompts that guidance leads away from, one a sample: `unconditional` where a prompt is empty."""
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
        """Whether guidance is an input of its network, which then answers as if it were guided, in one evaluation.

        Negative words have no place in that: where there are some, the network is asked at guidance 1 under both
        prompts, and led away from them by classifier-free guidance. So is an edit, away from its source prompt: only
        then does it end at the file itself where the target is the source. With an empty negative prompt it is not.
        """
        return False

    def away(self, prompts: Sequence[str]) -> Condition | None:
        """Encode prompts that guidance leads away from; None where it leads from none, as it is the network's input."""
        return None if self.guidance_is_input and not any(prompts) else self.negative(prompts)

    def evaluations(self, guidance: Guidance, negative: Condition | None) -> int:
        """Return how often a call of `denoiser` evaluates the network for one sample."""
        off = not isinstance(guidance, Tensor) and guidance == 1
        return 1 if off or (self.guidance_is_input and negative is None) else self.guided_evaluations

    @abstractmethod
    def forward(
        self, x_t: Float[Tensor, "b c *places"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c *places"]:
        """Return what the network itself returns, in its own dtype."""

    def guide(self, pair: Denoiser, guidance: Guidance) -> Denoiser:
        """Combine the predictions of a batch that is `guided_evaluations` times as long, under the prompts first."""
        return classifier_free(pair, guidance)

    def grid(self, steps: int, spacing: Spacing = "trailing", shape: Sequence[int] = ()) -> tuple[Level, ...]:
        """Return `steps + 1` levels from the noisiest to clean, for latents of a shape `c *places`."""
        return self.schedule.grid(steps, spacing)

    def encode(self, frames: Float[Tensor, "b channels *extent"]) -> Float[Tensor, "b c *places"]:
        """Encode frames in [-1, 1] to latents in the scale that the network was trained on, free of chance.

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
        """Return what goes through the codec at once, `count` samples at most."""
        return batch.split(1) if self.one_by_one else batch.split(count) if len(batch) else (batch,)

    def latent_shape(self, *extent: int) -> tuple[int, ...]:
        """Return channels and places of the latent of a frame of this extent, such as height and width.

        Raises:
            ValueError: a side is not a positive multiple of `multiple`, or is longer than `longest`.
        """
        if self.longest is not None and max(extent) > self.longest and not self.tiled:
            raise ValueError(
                f"{self.name} has positions for {self.medium}s of at most {self.longest} pixels a side; "
                f"got {' x '.join(map(str, extent))} (height x width): take a smaller size."
            )
        if min(extent) < 1 or any(side % self.multiple for side in extent):
            unit = "pixels" if self.waves is None else "bands and frames" if len(extent) == 2 else "samples"
            order = " (height x width)" if len(extent) == 2 else ""
            raise ValueError(
                f"{self.name} takes {self.medium}s whose sides are multiples of {self.multiple} {unit}; "
                f"got {' x '.join(map(str, extent))}{order}."
            )
        return self.codec.latent_channels, *(side // self.codec.factor for side in extent)

    def denoiser(
        self, condition: Condition, negative: Condition | None = None, guidance: Guidance = 1.0, closed: bool = False
    ) -> Denoiser:
        """Return the network under these prompts, as the maths sees it.

        Args:
            condition: 1 prompt, or one a sample.
            negative: what guidance leads away from, likewise; None = `unconditional`, or nothing where guidance is an
                input of the network. Unused at guidance 1.
            guidance: 1 = off, one evaluation a call; else two, as one call of a doubled batch. See `evaluations`.
            closed: of sounds: whether the end is followed by the beginning.

        Returns:
            A denoiser that computes in the dtype of its input and calls the network in the network's own. Sounds
            longer than the network was made for are denoised in windows of that length that overlap by half.

        Raises:
            ValueError: guidance for a network that takes no words.
        """
        return denoising.denoiser(self, condition, negative, guidance, closed)

    def require_path(self, action: str, instead: str = "take --method edit_friendly or img2img") -> None:
        """Refuse an action that inverts along a path that its sampler does not have, by a ValueError."""
        if not self.deterministic_path:
            raise ValueError(
                f"{self.name} has no deterministic path, which {action} inverts along, as it is sampled with fresh "
                f"noise in every step; {instead}."
            )

    def with_known(
        self, frame: Float[Tensor, "1 channels *extent"], latents: Float[Tensor, "1 c *places"], region: Region
    ) -> Self:
        """Return the same opened checkpoint, shown what stays, where its network takes that; else itself.

        Methods that invert a path do without: the way back then is under the same condition as the way there.

        Args:
            frame: what there is, in the model's frame.
            latents: of it.
            region: where it grows anew.
        """
        return self

    def with_source(
        self,
        frame: Float[Tensor, "1 channels *extent"],
        latents: Float[Tensor, "1 c *places"],
        image_guidance: float | None = None,
    ) -> Self:
        """Return the same opened checkpoint, shown what its prompts are instructions for.

        Args:
            frame: the picture that is edited, in the model's frame.
            latents: of it.
            image_guidance: how much the picture is exaggerated, for a model with `own.image_guidance`; None = that.

        Raises:
            ValueError: it does not edit by instruction.
        """
        raise ValueError(f"{self.name} was not trained to edit by instruction; take --method {DEFAULT}.")

    def covering(self, frames: Float[Tensor, " channels *extent"]) -> Self:
        """Return the same opened checkpoint, which makes a cover of a sound that it takes for a melody.

        Raises:
            ValueError: it makes no covers.
        """
        raise ValueError(f"{self.name} cannot be told which notes to play: leave the melody out.")

    def sounding_like(self, frames: Float[Tensor, " channels *extent"]) -> Self:
        """Return the same opened checkpoint, conditioned on the timbre and style of a sound.

        Raises:
            ValueError: it takes no reference sound.
        """
        raise ValueError(f"{self.name} takes no reference sound: leave reference_sound out.")

    def beside(self, x_t: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"]:
        """Return latents with what the network takes below them: of the piano roll, 0 where no note sounds.

        Raises:
            ValueError: the piano roll is of another length, or of another number of samples.
        """
        return denoising.with_piano_roll(self, x_t)
