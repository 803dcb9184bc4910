"""Transcribers: small networks that read the notes from a mel, on any instrument.

A folder of a sound model that can be conditioned on notes (`contour.json`) holds one, `transcriber.safetensors`:

    onset[key, i], sounding[key, i] = sigmoid(features of the mel around frame 2 i)

In training, an onset between two columns is split between them, so that the centre of the probabilities gives its time
more finely than a column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.media.audio.mel import MelSettings
from regrow.media.audio.piano_roll import PianoRollSettings, PlayedNote
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.probes.weights import read_probe, write_probe

FILE = "transcriber.safetensors"
STRIDE = 2
"""Frames of a mel per output column."""
FOUND = 0.5
"""Threshold for an onset: the sum of its probabilities over three columns."""
SOUNDS = 0.5
"""Probability below which a note has ended."""


class TranscriberNetwork(nn.Module):
    """Mels `b 1 bands frames` to logits `b 2 keys frames/2`, of onsets and of sounding notes."""

    def __init__(self, bands: int, keys: int, width: int = 256, layers: int = 4) -> None:
        super().__init__()
        # bands are channels: partials of a note are unevenly spaced in pitch, so their bands are learned
        self.across = nn.Conv1d(bands, width, 2 * STRIDE, stride=STRIDE, padding=STRIDE // 2)
        self.along = nn.ModuleList(nn.Conv1d(width, width, 5, padding=2) for _ in range(layers))
        self.head = nn.Conv1d(width, 2 * keys, 1)

    def forward(self, mels: Float[Tensor, "b 1 bands frames"]) -> Float[Tensor, "b 2 keys columns"]:
        x = self.across(mels[:, 0])
        for layer in self.along:
            x = x + layer(torch.relu(x))
        return self.head(torch.relu(x)).unflatten(1, (2, -1))


@dataclass(frozen=True, eq=False)
class Transcriber:
    """A trained transcriber.

    Attributes:
        network: the network, in eval mode.
        mel: settings of its input mels.
        piano_roll: the range of its keys.
        facts: how it was trained, and `held_out`: the F1 of its notes, by pattern.
    """

    network: TranscriberNetwork
    mel: MelSettings
    piano_roll: PianoRollSettings
    facts: Mapping[str, Any]

    @torch.no_grad()
    def notes(self, mel: Float[Tensor, "1 bands frames"]) -> tuple[PlayedNote, ...]:
        """Return the notes of a mel of any length in the models' scale (-1 = silence), in the order of onsets."""
        onset, sounding = self.network(mel[None]).sigmoid()[0]
        column = STRIDE * self.mel.hop / self.mel.rate
        around = nn.functional.pad(onset, (1, 1))
        before, after = around[:, :-2], around[:, 2:]
        total = before + onset + after
        # of two equal neighbours, the first; the centre of three columns gives times between columns
        begins = (onset > before) & (onset >= after) & (total > FOUND)
        place = torch.arange(onset.shape[1]) + (after - before) / total.clamp_min(1e-6)
        notes = []
        for row in range(len(onset)):
            starts = begins[row].nonzero()[:, 0].tolist()
            for start, following in zip(starts, (*starts, onset.shape[1])[1:], strict=True):
                rest = (sounding[row, start + 1 : following] < SOUNDS).nonzero()[:, 0]
                last = start + 1 + int(rest[0]) if len(rest) else following
                at = max(0.0, float(place[row, start])) * column
                notes.append(PlayedNote(at, max(column, last * column - at), self.piano_roll.lowest + row))
        return tuple(sorted(notes, key=lambda note: (note.onset, note.pitch)))


def read_transcriber(folder: Path, mel: MelSettings, piano_roll: PianoRollSettings) -> Transcriber:
    """Return the transcriber of the model in a folder.

    Raises:
        ModelError: there is none, it is damaged, or it belongs to another model.
    """
    path = folder / FILE
    if not path.is_file():
        raise ModelError(say("transcriber_missing", path=path))
    network, facts = read_probe(
        path, "transcriber", lambda facts: TranscriberNetwork(mel.bands, piano_roll.keys), say("copy_file_again")
    )
    return Transcriber(network, mel, piano_roll, facts)


def write_transcriber(folder: Path, transcriber: Transcriber) -> None:
    """Write a transcriber into a model's folder, in half precision.

    Raises:
        MediaError: the file could not be written.
    """
    write_probe(folder / FILE, "transcriber", transcriber.network, transcriber.facts)
