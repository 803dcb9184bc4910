"""CLAP: how well a sound matches a text, and the distance of two sounds in its audio encoder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor
from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

from regrow.media.audio.sound import resample, to_mono
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import reason
from regrow.models.load_part import quiet

SEED = 0
"""Seed of numpy: the feature extractor picks ten seconds of a longer sound at random."""


@dataclass(frozen=True, eq=False)
class Clap:
    """A checkpoint of transformers' ClapModel (Wu et al. 2022, arXiv 2211.06687), in float32 on the CPU.

    Attributes:
        name: its folder's name.
        network: the two encoders.
        features: the feature extractor, from waves to mels.
        tokenizer: the text encoder's tokenizer.
    """

    name: str
    network: Any
    features: Any
    tokenizer: Any

    @torch.no_grad()
    def similarity(self, wave: Float[Tensor, "channels n"], rate: int, words: str) -> float:
        """Return the cosine similarity between the embeddings of a sound and a text, from -1 to 1."""
        tokens = self.tokenizer([words], padding=True, truncation=True, return_tensors="pt")
        text = _pooled(self.network.get_text_features(**tokens))
        sound = _pooled(self.network.get_audio_features(**self._inputs(wave, rate)))
        return float(F.cosine_similarity(text, sound)[0])

    @torch.no_grad()
    def distance(self, first: Float[Tensor, "channels n"], second: Float[Tensor, "channels m"], rate: int) -> float:
        """Return LPAPS, the distance of two sounds in the stages of the audio encoder; 0 for the same sound.

        In each stage (published models have 4), the features `b tokens channels` are divided by their norm over the
        tokens, for each channel. The squared difference is summed over tokens and averaged over channels, which gives 0
        to 4; the result is the sum over stages. ZETA's official code (Manor & Michaeli 2024, arXiv 2402.10009,
        evals/lpaps.py) computes the same on `laion_clap`'s encoder, also on the outputs after downsampling. LPIPS,
        which it is based on, normalises over channels instead.
        """
        stages = [self._stages(wave, rate) for wave in (first, second)]
        return sum(
            float((F.normalize(x, dim=1) - F.normalize(y, dim=1)).square().sum(1).mean())
            for x, y in zip(*stages, strict=True)
        )

    def _stages(self, wave: Float[Tensor, "channels n"], rate: int) -> list[Float[Tensor, "1 tokens channels"]]:
        stages: list[Tensor] = []
        handles = [
            layer.register_forward_hook(lambda _, __, output: stages.append(output[0]))
            for layer in self.network.audio_model.audio_encoder.layers
        ]
        try:
            self.network.audio_model(**self._inputs(wave, rate))
        finally:
            for handle in handles:
                handle.remove()
        return stages

    def _inputs(self, wave: Float[Tensor, "channels n"], rate: int) -> dict[str, Tensor]:
        import numpy as np

        mono = resample(to_mono(wave), rate, self.features.sampling_rate)[0].numpy()
        before = np.random.get_state()
        np.random.seed(SEED)
        try:
            made = self.features(mono, sampling_rate=self.features.sampling_rate, return_tensors="pt")
        finally:
            np.random.set_state(before)
        return dict(made)


def open_clap(folder: Path) -> Clap:
    """Open a folder with a ClapModel, safetensors only.

    Raises:
        ModelError: it cannot be opened, or holds another model.
    """
    try:
        with quiet():
            network: Any = ClapModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True).eval()
            features = ClapFeatureExtractor.from_pretrained(str(folder), local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as problem:
        raise ModelError(say("clap_unusable", folder=folder, reason=reason(problem))) from problem
    return Clap(folder.name, network, features, tokenizer)


def _pooled(output: Any) -> Float[Tensor, "1 width"]:
    """Return the projected embedding, which transformers 5 returns as `pooler_output`."""
    return getattr(output, "pooler_output", output)
