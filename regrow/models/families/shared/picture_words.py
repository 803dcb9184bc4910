"""Prompts with a picture in them, for Qwen2.5-VL."""

from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import mend, plain_json, read_json, reason
from regrow.models.source import QWEN2

PICTURE_TOKEN = "<|image_pad|>"
"""Placeholder in a text for a patch of a picture."""
SETTINGS = ("preprocessor_config.json", "processor_config.json")
"""Files with the settings of picture patches; the second, of transformers 5, holds a whole processor."""
QWEN2_VL = QWEN2._replace(classes=("Qwen2VLProcessor", "Qwen2_5_VLProcessor"), opens=QWEN2.classes[0])
"""The tokenizer in a processor's folder."""


def check_settings(folder: Path) -> None:
    """Check that a processor's folder holds settings for pictures.

    Raises:
        ModelError: no file holds them, or it is no JSON object.
    """
    read_json(next((folder / name for name in SETTINGS if (folder / name).is_file()), folder / SETTINGS[0]))


def picture_processor(tokenizer: Any, folder: Path) -> Any:
    """Return transformers' processor for texts with pictures, without the one for videos, which needs torchvision.

    Pictures are scaled by Pillow, as the published processors were when the checkpoints were made.

    Args:
        tokenizer: the tokenizer of the same folder.
        folder: a folder with one of `SETTINGS`.

    Raises:
        ModelError: the files are not usable.
    """
    from transformers import Qwen2VLImageProcessorPil, Qwen2VLProcessor
    from transformers.processing_utils import ProcessorMixin

    from regrow.models.load_part import quiet

    class Processor(Qwen2VLProcessor):
        def __init__(self, image_processor: Any, tokenizer: Any) -> None:
            self.image_token, self.image_token_id = PICTURE_TOKEN, tokenizer.convert_tokens_to_ids(PICTURE_TOKEN)
            ProcessorMixin.__init__(self, image_processor, tokenizer)

    try:
        with quiet(), plain_json(folder) as readable:
            pictures = Qwen2VLImageProcessorPil.from_pretrained(str(readable), local_files_only=True)
            pictures(images=Image.new("RGB", (pictures.patch_size, pictures.patch_size)))  # uses every setting
            return Processor(pictures, tokenizer)
    except Exception as error:  # bad files raise many exception types in transformers
        raise ModelError(say("processor_not_made", folder=folder, reason=reason(error), mend=mend(folder))) from error


class WithPicture:
    """Qwen2.5-VL that knows which tokens are a picture's, so that their positions have rows and columns.

    transformers 5.0 reads this from `mm_token_type_ids`, which diffusers' pipelines up to 0.42 do not pass
    (github.com/huggingface/diffusers/issues/14194): patches would then get the positions of words.
    """

    def __init__(self, encoder: Any) -> None:
        self.encoder, self.dtype = encoder, encoder.dtype

    def __call__(self, input_ids: Tensor, **more: Any) -> Any:
        """Return the encoder's output for tokens, `b tokens`, and pictures."""
        types = (input_ids == self.encoder.config.image_token_id).int()
        return self.encoder(input_ids=input_ids, **{"mm_token_type_ids": types, **more})
