"""The abilities of a family. A request for one that it lacks is refused with an error message."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

from regrow.core.names import Objective
from regrow.messages.message import say
from regrow.models.memory.words import remembered


class Abilities:
    """Abilities of all checkpoints of a family."""

    name: str

    NETWORK: ClassVar[str] = "unet"
    """The part that denoises."""
    takes_words: ClassVar[bool] = True
    """Whether it is conditioned on prompts."""
    no_words: ClassVar[str] = ""
    """The default negative prompt."""
    shares_attention: ClassVar[bool] = False
    """Whether `models.attention` can share its attention."""
    engine_graph: ClassVar[bool] = True
    """Whether an engine can compute its network."""
    encodes_tokens_alone: ClassVar[bool] = False
    """Whether the `Condition` of `encode_tokens` holds tokens only, so that an engine can compute it."""
    trainable: ClassVar[bool] = True
    """Whether `regrow train` can train it."""
    lora: ClassVar[bool] = False
    """Whether low-rank adapters can be trained on its network."""
    lora_pipeline: ClassVar[str] = ""
    """The diffusers pipeline class that loads LoRA files and embeddings for it; empty if none does."""
    embedding_encoders: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType({})
    """Tokenizer and text encoder for each key of an embedding file; with a single text encoder, any key is accepted.
    Empty if it takes no embedding files."""
    sings: ClassVar[bool] = False
    """Whether its prompts may hold lyrics (`models.song`)."""
    reads_scores: ClassVar[bool] = False
    """Whether its prompts are scores (`worlds.songbook.score`): lyrics on notes."""
    new_objectives: ClassVar[tuple[Objective, ...]] = ()
    """Prediction types that a new model (`write_new`) can have, the default first; empty if regrow creates none."""
    new_media: ClassVar[tuple[str, ...]] = ("picture",)
    """Media that a new model can generate."""
    new_extent: ClassVar[tuple[int, int] | None] = None
    """Frame size of a new model, if the family fixes it."""
    edits_by_instruction: ClassVar[bool] = False
    """Whether it was trained to edit a source picture by instruction (`with_source`)."""
    only_by_instruction: ClassVar[bool] = False
    """Whether its prompts are always instructions, so that it supports no other editing method."""
    inpaints: ClassVar[bool] = False
    """Whether its network was trained for inpainting, with mask and unmasked picture as input (`with_known`)."""
    takes_tiles: ClassVar[bool] = True
    """Whether a picture can be denoised in tiles, each with its own part of the network's extra channels."""
    guided_evaluations: ClassVar[int] = 2
    """Network evaluations per guided prediction: one with the prompt, the others without it."""

    @property
    def singers(self) -> tuple[str, ...]:
        """Names of its voices, in the order of the songbook's singers; empty if it reads no scores."""
        return ()

    def of_score(self, text: str, frames: int = 0) -> Self:
        """Return the same opened checkpoint, set to a score's length and pitch.

        Args:
            text: the score.
            frames: minimum length of the song.

        Raises:
            ValueError: the model does not sing notes.
        """
        raise ValueError(say("codec_sings_no_notes", name=self.name))

    def __init_subclass__(cls, **options: Any) -> None:
        """Make each `condition` that a subclass defines look up prompts in `encoded` first."""
        super().__init_subclass__(**options)
        if "condition" in vars(cls):
            cls.condition = remembered(vars(cls)["condition"])  # pyright: ignore[reportAttributeAccessIssue]
