"""The teacher: hibari's voice, made to sing a score. It is needed only to train and evaluate a singer.

hibari (PyPI hibari-tts, Apache-2.0) is one ONNX graph: it predicts lengths of symbols, then a pitch curve, then five
spectra per frame, which `hibari.dsp.synth` turns into a wave. The graph's lengths and pitch are replaced by those of
the score.

The teacher would let a vowel of a second die away, as at the end of a sentence. So it speaks no vowel longer than
`LONGEST`, whose spectra are then stretched at the loudest place to the note's length, while the pulses continue.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from regrow.media.audio.pitch import unlike_at
from regrow.worlds.songbook.alignment import UNIT, Alignment, Segment, align
from regrow.worlds.songbook.phones import UNVOICED, is_vowel
from regrow.worlds.songbook.score import LOW, Score

RATE = 24_000
HOP = 300
_LENGTHS, _PITCH = "/Cast_32_output_0", "f0"
"""Names of the replaced values in the graph of hibari 0.2."""
EARLY = 6
"""Frames by which a phone sounds before its symbol; found by trial, like all values below (figures in LOG.md)."""
SPEAKS = (170.0, 250.0)
"""Range of its pitch input in Hz: its natural range. At the song's pitch it would be less intelligible."""
LONGEST = 9
"""Longest vowel for the teacher, in units."""
STEADY = (0.2, 0.6)
"""Part of a stretched vowel, as fractions of its length, that is searched for its loudest frame."""
CLEARER = 1.4
"""Nepers by which the teacher's third component, besides harmonics and noise, is reduced in a stretched vowel: its
phases stand still there, which is audible as a hum."""
UNLIKE = 0.3
"""YIN's difference in the middle of a vowel above which it counts as not sung."""
_SPEECH = 150
"""Bins up to 3 kHz, in which loudness is measured."""
FORMANTS = {LOW: 0.85}
"""Factor of a singer's formant frequencies, relative to the teacher's."""


def sing(score: Score) -> np.ndarray:
    """Return the wave of a score, float32 in about [-1, 1], at `RATE`; the same for the same score.

    Its noise depends only on the frame's number, so the waves of two scores differ mostly where the scores differ.
    Elsewhere they differ by 1 to 2 dB, as the teacher's network has a wide receptive field.

    Raises:
        ImportError: hibari-tts or onnx is not installed.
    """
    alignment = align(score)
    units = [_spoken(segment) for segment in alignment.segments]
    symbols, lengths = _symbols(alignment.segments, units)
    session, vocabulary = _graph()
    hertz = (440 * 2 ** ((alignment.pitch - 69) / 12)).astype(np.float32)
    even = _places(alignment.segments, units, None)
    hertz[~_voiced(alignment)] = 0
    spoken = hertz[np.clip(np.searchsorted(even, np.arange(UNIT * lengths.sum()) + EARLY), 0, len(hertz) - 1)]
    spoken = np.where(spoken > 0, np.clip(spoken, *SPEAKS), 0).astype(np.float32)
    ids = np.array([[0, *(vocabulary[symbol] for symbol in symbols), 0]], np.int64)
    inputs = {"ids": ids, "speed": np.ones(1, np.float32), _LENGTHS: lengths, _PITCH: spoken[None]}
    spectra = [part[0] for part in session.run(None, inputs)[:5]]
    loudness = np.roll(np.logaddexp.reduce(2 * spectra[0][:_SPEECH], axis=0), EARLY)
    source = np.maximum(_places(alignment.segments, units, loudness) - EARLY, 0)
    factor = FORMANTS.get(score.singer, 1.0)
    lh, theta, ln, lr, phi = (_lowered(_drawn_out(part, source), factor) for part in spectra)
    lr = lr - CLEARER * (np.gradient(source) < 0.5)
    from hibari import dsp

    wave = dsp.synth(lh, theta, ln, lr, phi, hertz, _Noise())
    gain = np.interp(np.arange(len(wave)), (np.arange(len(alignment.level)) + 0.5) * HOP, alignment.level)
    return (wave * 10 ** (gain / 20)).astype(np.float32)


def unvoiced_vowels(score: Score, wave: np.ndarray) -> list[int]:
    """Return the numbers of the notes that the teacher failed at: the vowel has no pitch, or a wrong one."""
    alignment = align(score)
    unlike = unlike_at(wave, alignment.pitch)
    failed = []
    for segment in alignment.segments:
        inside = unlike[segment.start * UNIT + 2 : segment.end * UNIT - 2]
        if is_vowel(segment.phone) and len(inside) >= 4 and np.median(inside) > UNLIKE:
            failed.append(segment.note)
    return failed


class _Noise:
    """A noise generator for `dsp.synth` whose numbers for a frame do not depend on the song's length."""

    def standard_normal(self, size: tuple[int, int], dtype: Any) -> np.ndarray:
        columns = np.random.default_rng(0).standard_normal((size[1], size[0]), dtype)
        return np.ascontiguousarray(columns.reshape(size[1] // 2, 2, size[0]).transpose(2, 0, 1).reshape(size))


def _spoken(segment: Segment) -> int:
    """Return the length of a phone for the teacher, in units."""
    span = segment.end - segment.start
    return min(span, LONGEST) if is_vowel(segment.phone) else span


def _symbols(segments: Sequence[Segment], counts: Sequence[int]) -> tuple[list[str], np.ndarray]:
    """Return the teacher's symbols, and their lengths in units, including the padding at both ends."""
    symbols, lengths = [], []
    for segment, span in zip(segments[1:-1], counts[1:-1], strict=True):
        stressed = segment.stressed and is_vowel(segment.phone) and span > 1
        symbols += ["ˈ"] * stressed + [segment.phone or ","]
        lengths += [1] * stressed + [span - stressed]
    return symbols, np.array([counts[0], *lengths, counts[-1]], np.int64)


def _places(segments: Sequence[Segment], counts: Sequence[int], loudness: np.ndarray | None) -> np.ndarray:
    """Return the position of each frame of the score among the teacher's frames, with fractions.

    Args:
        segments: segments of the score.
        counts: units of each segment for the teacher.
        loudness: loudness of the teacher's frames: vowels are stretched where they are loudest; None: evenly.
    """
    begin, places = 0, []
    for segment, units in zip(segments, counts, strict=True):
        frames, few = (segment.end - segment.start) * UNIT, units * UNIT
        ticks, values = [0, frames], [0, few]
        if few < frames and loudness is not None:
            low, high = round(STEADY[0] * few), round(STEADY[1] * few)
            peak = low + int(loudness[begin + low : begin + high].argmax())
            ticks, values = [0, peak - 1, frames - few + peak + 1, frames], [0, peak - 1, peak + 1, few]
        places.append(begin + np.interp(np.arange(frames), ticks, values))
        begin += few
    return np.concatenate(places)


def _drawn_out(spectra: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Resample spectra `bins frames` at other frames, by linear interpolation."""
    below = np.minimum(source.astype(int), spectra.shape[1] - 1)
    above = np.minimum(below + 1, spectra.shape[1] - 1)
    share = (source - below).astype(np.float32)
    return spectra[:, below] * (1 - share) + spectra[:, above] * share


def _voiced(alignment: Alignment) -> np.ndarray:
    voiced = np.zeros(alignment.frames, bool)
    for segment in alignment.segments:
        if segment.phone and segment.phone not in UNVOICED:
            voiced[segment.start * UNIT : segment.end * UNIT] = True
    return voiced


def _lowered(spectra: np.ndarray, factor: float) -> np.ndarray:
    """Scale the frequency axis of spectra `bins frames` by `factor`."""
    if factor == 1:
        return spectra
    bins = np.arange(len(spectra))
    source = np.minimum(bins / factor, len(spectra) - 1)
    low = np.floor(source).astype(int)
    share = (source - low)[:, None].astype(np.float32)
    return spectra[low] * (1 - share) + spectra[np.minimum(low + 1, len(spectra) - 1)] * share


@cache
def _graph() -> tuple[Any, dict[str, int]]:
    """Return the teacher's graph with replaced inputs, and the ids of its symbols."""
    import json

    import onnx
    import onnxruntime
    from hibari import tts

    model = onnx.load(Path(tts.ASSETS) / "hibari.onnx")
    for node in model.graph.node:  # the original lengths and pitch are still computed, but unused
        for i, name in enumerate(node.output):
            if name in (_LENGTHS, _PITCH):
                node.output[i] = f"{name} of its own"
    model.graph.input.extend(
        [
            onnx.helper.make_tensor_value_info(_LENGTHS, onnx.TensorProto.INT64, ["symbols"]),
            onnx.helper.make_tensor_value_info(_PITCH, onnx.TensorProto.FLOAT, [1, "frames"]),
        ]
    )
    kept = [output for output in model.graph.output if output.name != _PITCH]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session, json.loads((Path(tts.ASSETS) / "vocab.json").read_text(encoding="utf-8"))
