"""FLUX.2 [klein] KV, whose reference picture attends only to itself."""

from typing import Any

import torch
from torch import Tensor

from regrow.models.families.flux_2 import Flux2Klein


class Flux2KleinKV(Flux2Klein):
    """Flux2Klein whose noise-free reference picture attends only to itself, as in its training.

    So diffusers caches the reference's keys and values after the first step. Here they are computed in every step, with
    the same result.
    """

    def _shown(self, tokens: Tensor, places: Tensor, shown: Tensor, behind: Tensor, given: dict[str, Any]) -> Tensor:
        from diffusers.models.transformers.transformer_flux2 import (
            Flux2KVAttnProcessor,
            Flux2KVParallelSelfAttnProcessor,
        )

        network = self.parts["transformer"]
        for blocks, kind in (
            (network.transformer_blocks, Flux2KVAttnProcessor),
            (network.single_transformer_blocks, Flux2KVParallelSelfAttnProcessor),
        ):
            for block in blocks:
                if not isinstance(block.attn.processor, kind):
                    block.attn.set_processor(kind())
        both = torch.cat([shown, tokens], 1), torch.cat([behind, places])
        return network(both[0], img_ids=both[1], kv_cache_mode="extract", num_ref_tokens=shown.shape[1], **given)[0]
