"""Measure how smooth joints are: the second half of a played phrase is made from a mel, and joined to the first half.

    python runs/measure_joints.py [phrases]

The flux is the mean absolute change in dB between neighbouring short spectra (512 samples, 128 apart, the range of 60
dB below the loudest), at its largest around the joint. The best possible figure is that of the phrase itself, which has
no joint. The mel is the phrase's own, or its reconstruction by the codec of `bandstand`.
"""

import sys

import torch

from regrow.media.audio.crossfade import grown_onto
from regrow.media.audio.mel import MelSettings, from_unit, to_mel, to_unit
from regrow.media.audio.mel_inverse import from_mel
from regrow.models.open import open_model
from regrow.worlds.bandstand.playing import MELODIC, Phrase, play

FIRST_SEED, FRAMES, WINDOW, STEP = 9_400_000, 512, 512, 128


def flux(wave: torch.Tensor, joint: int) -> float:
    """Return the largest of the four changes around a joint of `1 n`, in dB."""
    found = torch.stft(wave[0], WINDOW, STEP, window=torch.hann_window(WINDOW), return_complex=True).abs()
    decibels = 20 * found.clamp_min(1e-3 * float(found.max())).log10()
    changes = decibels.diff(dim=1).abs().mean(0)
    return float(changes[joint // STEP - 2 : joint // STEP + 2].max())


def main(phrases: int) -> None:
    settings, model = MelSettings(), open_model("bandstand")
    found: dict[str, list[float]] = {}
    seed = FIRST_SEED
    while phrases:
        phrase, seed = Phrase.random(seed), seed + 1
        if phrase.instrument not in MELODIC:
            continue
        phrases -= 1
        wave = torch.from_numpy(play(phrase, FRAMES * settings.hop / settings.rate).wave)
        joint, end = 60_000, wave.shape[-1]
        mel = to_mel(wave[None], settings)
        codec = from_unit(model.decode(model.encode(to_unit(mel, settings))), settings)
        found.setdefault("the phrase itself", []).append(flux(wave, joint))
        for name, asked in (("its own mel", mel), ("the codec's mel", codec)):
            alone = torch.cat([wave[:, :joint], from_mel(asked, settings)[0, :, joint:]], -1)
            grown = grown_onto(wave[None], (joint, end), asked, settings)[0]
            found.setdefault(f"{name}: put behind", []).append(flux(alone, joint))
            found.setdefault(f"{name}: grown on", []).append(flux(grown, joint))
    for name, values in found.items():
        print(f"{name:30}{sum(values) / len(values):5.2f} dB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
