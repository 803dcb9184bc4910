"""What a family can do and what not: what it cannot is refused in a sentence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from regrow.core.names import Objective
from regrow.models.memory.words import remembered


class Abilities:
    """Abilities of all checkpoints of a family."""

    NETWORK: ClassVar[str] = "unet"
    """The part that denoises."""
    takes_words: ClassVar[bool] = True
    """Whether it is conditioned on prompts."""
    no_words: ClassVar[str] = ""
    """What is encoded for guidance to lead away from where there are no negative words."""
    shares_attention: ClassVar[bool] = False
    """Whether `models.attention` can share its attention."""
    engine_graph: ClassVar[bool] = True
    """Whether an engine can compute its network."""
    encodes_tokens_alone: ClassVar[bool] = False
    """Whether `encode_tokens` gives nothing but tokens, so that an engine may keep it."""
    trainable: ClassVar[bool] = True
    """Whether `regrow train` can train it."""
    lora: ClassVar[bool] = False
    """Whether low-rank adapters can be trained on its network."""
    lora_pipeline: ClassVar[str] = ""
    """The pipeline of diffusers that reads LoRA files and embeddings for it; empty where none does."""
    embedding_encoders: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType({})
    """The tokenizer and text encoder that take vectors of an embedding file, by their key in it; no key is fixed for a
    single one. Empty where none are taken."""
    sings: ClassVar[bool] = False
    """Whether its prompts may hold lyrics (`models.song`)."""
    new_objectives: ClassVar[tuple[Objective, ...]] = ()
    """What a new one (`write_new`) may predict, the default first; empty where regrow makes no new ones."""
    new_media: ClassVar[tuple[str, ...]] = ("picture",)
    """What a new one may make."""
    edits_by_instruction: ClassVar[bool] = False
    """Whether it was trained to follow instructions for a picture that it is shown (`with_source`)."""
    only_by_instruction: ClassVar[bool] = False
    """Whether it edits by nothing else, as its prompts are always instructions."""
    inpaints: ClassVar[bool] = False
    """Whether its network was trained to fill in masks, shown the rest of the picture (`with_known`)."""
    takes_tiles: ClassVar[bool] = True
    """Whether a picture can be denoised in tiles: what its network is shown beside each is cut like that."""
    guided_evaluations: ClassVar[int] = 2
    """Network calls that a guided prediction takes: under the prompt, and the others without its words."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Have each `condition` that a class writes look into `encoded` first."""
        super().__init_subclass__(**options)
        if "condition" in vars(cls):
            cls.condition = remembered(vars(cls)["condition"])  # pyright: ignore[reportAttributeAccessIssue]
