"""Singers: regrow's own family, which sings a score (`worlds.songbook`) frame by frame.

Its frames are harmonics, noise and pitch (`media.audio.voice`); its latents are its frames. The network does not
predict the pitch: its flow is computed from the score, so that every solver ends exactly at the score's notes.
"""

import json
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.media.audio import voice
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.messages.message import say
from regrow.models.codecs.codec import Identity
from regrow.models.codecs.voice import VoiceFrames
from regrow.models.condition import Condition
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.registry import register
from regrow.models.sidecars.singers_file import SINGERS_FILE, read_singers
from regrow.models.source import Source
from regrow.worlds.songbook.alignment import align
from regrow.worlds.songbook.phones import PHONES
from regrow.worlds.songbook.score import SINGERS, is_score, read_score

FRAMES = 400
"""Frames of the songs that a singer is trained on: 5 s. As its network is local, it can sing longer songs at once."""
NETWORK_MODULE = "regrow.models.families.shared.singer_network"


@register(
    "singer", "regrow's singers", pipelines=("RegrowSingerPipeline",), folders=("network",), medium=SOUND
)  # fmt: skip
class Singer(Model):
    """See `Model`. Its only part is `network`."""

    NETWORK = "network"
    engine_graph = False
    guided_evaluations = 1
    sings = True
    reads_scores = True
    new_objectives = ("flow",)
    new_media = ("sound",)
    new_extent = (voice.ROWS, FRAMES)

    @classmethod
    def open(cls, source: Source) -> "Singer":
        """Open a folder with `network` and `scheduler`."""
        schedule, prediction_type, scheduler_file = source.schedule()
        parts, files, checked = source.parts(
            {"network": source.network(NETWORK_MODULE, source.class_of("network", "SingerNetwork"), "network")},
            (source.index_file, scheduler_file, *filter(Path.is_file, [source.folder / SINGERS_FILE])),
        )
        read_singers(source.folder)
        if checked is None:
            source.remember(parts, files)
        return cls(
            name=source.name,
            folder=source.folder,
            family="singer",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(voice.ROWS, FRAMES),
            multiple=1,
            parts=parts,
            codec=Identity(1),
            files=files,
            waves=VoiceFrames(),
            own=OwnSettings(steps=3, guidance=1.0, solver="ddim", is_guided=False, edit_method="img2img"),
            edit_steps=3,
        )

    @classmethod
    def write_new(cls, folder: Path, *, seed: int, size: str, **_: Any) -> None:
        """Write an untrained singer: tiny has 0.2 million parameters, small 4.4, medium 8."""
        from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

        from regrow.models.families.shared.singer_network import SingerNetwork

        width, layers = {"tiny": (64, 4), "small": (192, 12), "medium": (256, 13)}[size]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = SingerNetwork(voice.ROWS - 1, len(PHONES), len(SINGERS), width, layers)
        network.save_pretrained(folder / "network")
        FlowMatchEulerDiscreteScheduler().save_pretrained(folder / "scheduler")
        index = {
            "_class_name": "RegrowSingerPipeline",
            "network": ["regrow", "SingerNetwork"],
            "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        }
        (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")

    @property
    def singers(self) -> tuple[str, ...]:
        return read_singers(self.folder)

    @property
    def windows(self) -> tuple[int, ...]:
        """No windows: the network's receptive field is about a second, so it takes songs of any length at once."""
        return ()

    @property
    def plain_weights(self) -> tuple[nn.Parameter, ...]:
        return (self.network.conv_out.weight,)

    def of_score(self, text: str, frames: int = 0) -> Self:
        aligned, other = align(read_score(text)), copy(self)
        other.size = (voice.ROWS, max(frames, aligned.frames))
        other.waves = VoiceFrames(pitch=aligned.pitch)
        return other

    def tokenize(self, prompts: Sequence[str]) -> Float[Tensor, "b frames columns"]:
        """Return scores as the network reads them, one row per frame; an empty prompt is silence.

        Raises:
            ValueError: a prompt is not a score, or its singer is unknown.
        """
        rows = [self._rows(prompt) for prompt in prompts]
        length = max([FRAMES, *(len(row) for row in rows)])
        return torch.stack([_lengthened(torch.from_numpy(row), length) for row in rows])

    def _rows(self, prompt: str) -> np.ndarray:
        if not prompt:
            return np.array([[0, 0, 1, voice.CENTRE, 0, 0]], np.float32)
        if not is_score(prompt):
            raise ValueError(say("prompt_is_no_score", name=self.name, prompt=prompt[:60]))
        score = read_score(prompt)
        singers = self.singers
        if score.singer not in singers:
            raise ValueError(
                say("no_such_singer", name=self.name, singer=score.singer[:40], singers=" and ".join(singers))
            )
        aligned = align(score)
        singer = np.full(aligned.frames, singers.index(score.singer))
        return np.column_stack([aligned.phones(), aligned.pitch, aligned.level, singer]).astype(np.float32)

    def encode_tokens(self, ids: Float[Tensor, "b frames columns"]) -> Condition:
        return Condition(ids)

    def condition(self, prompts: Sequence[str]) -> Condition:
        return self.encode_tokens(self.tokenize(prompts).to(self.device))

    def forward(
        self, x_t: Float[Tensor, "b 1 rows frames"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b 1 rows frames"]:
        score = _lengthened(condition.tokens, x_t.shape[-1], 1)
        level = torch.tensor([self.schedule.level(label).sigma for label in labels.tolist()]).to(x_t)
        flow = self.parts["network"](x_t[:, 0, :-1], level, score)
        pitch = ((score[..., 3] - voice.CENTRE) / voice.REACH).to(flow)
        # x_t = (1 - s) x0 + s eps and the flow eps - x0, so x0 is the pitch exactly; at s = 0 nothing moves
        known = torch.where(level[:, None] > 0, (x_t[:, 0, -1] - pitch) / level[:, None].clamp_min(1e-6), 0)
        return torch.cat([flow, known[:, None].to(flow)], 1)[:, None]


def _lengthened(rows: Tensor, length: int, axis: int = 0) -> Tensor:
    """Return rows of a score, cut to a length or padded with silence at the last pitch."""
    have = rows.shape[axis]
    if have >= length:
        return rows.narrow(axis, 0, length)
    last = rows.narrow(axis, have - 1, 1).clone()
    last[..., :3] = torch.tensor([0.0, length - have, 1.0]).to(last)
    return torch.cat([rows, last.expand(*(length - have if i == axis else n for i, n in enumerate(rows.shape)))], axis)
