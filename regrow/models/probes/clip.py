"""CLIP: how well a picture matches a text."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor
from transformers import AutoTokenizer, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from regrow.media.image.picture import to_uint8
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import reason
from regrow.models.load_part import quiet
from regrow.models.probes.pretrained import open_pretrained

USUAL = "openai/clip-vit-large-patch14"
"""The checkpoint with which papers on picture editing measure CLIP scores."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A checkpoint of transformers' CLIPModel (Radford et al. 2021, arXiv 2103.00020), in float32.

    Attributes:
        name: its folder's name, or its id.
        network: the two encoders.
        pictures: the preprocessor of 8-bit pictures: bicubic resizing by Pillow, and a centre crop.
        tokenizer: the text encoder's tokenizer.
    """

    name: str
    network: Any
    pictures: Any
    tokenizer: Any

    @torch.no_grad()
    def score(self, picture: Float[Tensor, "3 h w"], words: str) -> float:
        """Return CLIPScore, 100 max(cos, 0) of the two embeddings (Hessel et al. 2021, arXiv 2104.08718, weight 100).

        This is what `torchmetrics.multimodal.CLIPScore` returns. Longer prompts are truncated to the encoder's length.

        Args:
            picture: in [-1, 1], rounded to 8 bits here.
            words: the text.
        """
        longest = self.network.config.text_config.max_position_embeddings
        tokens = self.tokenizer([words], return_tensors="pt", padding=True, truncation=True, max_length=longest)
        inputs = self.pictures(to_uint8(picture), return_tensors="pt", input_data_format="channels_last")
        device = self.network.device
        text = self.network.get_text_features(**{name: value.to(device) for name, value in tokens.items()})
        image = self.network.get_image_features(pixel_values=inputs["pixel_values"].to(device))
        return 100 * max(0.0, float(F.cosine_similarity(_pooled(text), _pooled(image))[0]))


def open_clip(where: str = USUAL, device: str | torch.device = "cpu", allow_pickle: bool = False) -> Clip:
    """Open a CLIPModel with its tokenizer from a folder or the Hugging Face cache.

    Raises:
        ModelError: it is missing, incomplete, or cannot be opened.
    """
    network = open_pretrained(CLIPModel, where, USUAL, device, allow_pickle)
    try:
        with quiet():
            pictures = CLIPImageProcessorPil.from_pretrained(where, local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as problem:
        raise ModelError(say("clip_incomplete", where=where, reason=reason(problem), usual=USUAL)) from problem
    # if its files are missing, transformers makes a tokenizer with an empty vocabulary
    if len(tokenizer) != network.config.text_config.vocab_size:
        raise ModelError(
            say(
                "clip_tokens_differ",
                where=where,
                count=len(tokenizer),
                known=network.config.text_config.vocab_size,
                usual=USUAL,
            )
        )
    return Clip(where, network, pictures, tokenizer)


def _pooled(output: Any) -> Float[Tensor, "1 width"]:
    """Return the projected embedding, which transformers 5 returns as `pooler_output`."""
    return getattr(output, "pooler_output", output)
