"""Words with a picture among them, as Qwen2.5-VL reads them."""

from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from regrow.models.errors import ModelError
from regrow.models.folder import mend, plain_json, read_json, reason
from regrow.models.source import QWEN2

PICTURE_TOKEN = "<|image_pad|>"
"""What stands in a text for a patch of a picture."""
SETTINGS = ("preprocessor_config.json", "processor_config.json")
"""Files that say how pictures are cut into patches; the second as transformers 5 writes it, with all of a processor."""
QWEN2_VL = QWEN2._replace(classes=("Qwen2VLProcessor", "Qwen2_5_VLProcessor"), opens=QWEN2.classes[0])
"""A processor's folder, as that of its tokenizer."""


def check_settings(folder: Path) -> None:
    """Refuse a processor's folder without settings for pictures.

    Raises:
        ModelError: no file holds them, or it is no JSON object.
    """
    read_json(next((folder / name for name in SETTINGS if (folder / name).is_file()), folder / SETTINGS[0]))


def picture_processor(tokenizer: Any, folder: Path) -> Any:
    """Return transformers' processor of texts with pictures, without that of films, which needs torchvision.

    Pictures are scaled by Pillow, as the published processors were when the checkpoints were made.

    Args:
        tokenizer: of the same folder.
        folder: with one of `SETTINGS`.

    Raises:
        ModelError: its files make none.
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
            pictures(images=Image.new("RGB", (pictures.patch_size, pictures.patch_size)))  # which meets every setting
            return Processor(pictures, tokenizer)
    except Exception as error:  # transformers raises whatever the files' contents break
        raise ModelError(f"{folder} makes no processor of pictures ({reason(error)}): {mend(folder)}.") from error


class WithPicture:
    """Qwen2.5-VL that knows which of its tokens are a picture's, whose positions have rows and columns.

    transformers reads that from `mm_token_type_ids` since 5.0, and diffusers' pipelines up to 0.42 leave it out
    (github.com/huggingface/diffusers/issues/14194): the patches are then counted like words.
    """

    def __init__(self, encoder: Any) -> None:
        self.encoder, self.dtype = encoder, encoder.dtype

    def __call__(self, input_ids: Tensor, **more: Any) -> Any:
        """Return what the encoder does of tokens, `b tokens`, and pictures."""
        types = (input_ids == self.encoder.config.image_token_id).int()
        return self.encoder(input_ids=input_ids, **{"mm_token_type_ids": types, **more})
