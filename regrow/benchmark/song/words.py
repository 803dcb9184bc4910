"""Measure whether words are intelligible: pocketsphinx recognises each among eight, for every voice in the same way.

It was trained on speech (CMU's US English model, BSD, inside its wheel), which has no vowels of a second. So the middle
of a vowel longer than 200 ms is cut out, by the score's own times, which are the same for every voice of a song. The
other words are drawn by seed: of similar length and different sound. Its errors with the teacher's own voice show the
best possible result.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from random import Random
from typing import Any

import numpy as np
import soxr

from regrow.media.audio.voice import HOP, RATE, Wave
from regrow.worlds.songbook.alignment import UNIT, Segment, align
from regrow.worlds.songbook.phones import is_vowel, split_phones
from regrow.worlds.songbook.score import Score
from regrow.worlds.songbook.songs import words as lexicon

CHOICES = 8
SHORTEST = 3
"""Least letters of a word that is tested: a forced choice means little for words such as "a" and "of"."""
LONGEST = 0.2
"""Most seconds of a vowel that the recogniser gets."""
FADE = 0.01
"""Seconds of the crossfade between the two ends of a shortened vowel."""
_BEFORE = 2
"""Units of 25 ms kept before and after a word."""
_LOUD, _HISS = 0.6, 1e-3


def word_segments(score: Score) -> list[tuple[str, tuple[str, ...], list[Segment]]]:
    """Return the words of a score in order, each with its phones and its segments of the alignment."""
    notes: list[tuple[str, list[int]]] = []
    for i, note in enumerate(score.notes):
        if note.word not in ("", "-"):
            notes.append((note.word, [i]))
        elif note.word == "-" and notes:
            notes[-1][1].append(i)
    segments = align(score).segments
    each = [(word, [segment for segment in segments if segment.note in numbers]) for word, numbers in notes]
    phones = [split_phones("".join(score.notes[i].phones for i in numbers)) for _, numbers in notes]
    return [(word, sounds, parts) for (word, parts), sounds in zip(each, phones, strict=True)]


def excerpt(wave: Wave, segments: Sequence[Segment]) -> Wave:
    """Return the samples of a word, with vowels shortened to `LONGEST` by cutting out their middles."""
    unit, keep, fade = UNIT * HOP, int(LONGEST * RATE), int(FADE * RATE)
    first, last = segments[0].start, segments[-1].end
    pieces = [wave[max(0, first - _BEFORE) * unit : first * unit]]
    ramp, half = np.linspace(0, 1, fade), keep // 2
    for segment in segments:
        piece = wave[segment.start * unit : segment.end * unit]
        if is_vowel(segment.phone) and len(piece) > keep:
            end = piece[-half:]
            crossfade = piece[half - fade : half] * (1 - ramp) + end[:fade] * ramp
            piece = np.concatenate([piece[: half - fade], crossfade, end[fade:]])
        pieces.append(piece)
    pieces.append(wave[last * unit : (last + _BEFORE) * unit])
    return np.concatenate(pieces)


def measurable(word: str) -> bool:
    """Return whether a word is long enough, and the recogniser knows it.

    Raises:
        ImportError: pocketsphinx is not installed.
    """
    return len(word) >= SHORTEST and word in _dictionary()


def choices(word: str, phones: Sequence[str], seed: str, among: Iterable[str] = ()) -> list[str]:
    """Return eight words, shuffled by a seed: this one, those of `among`, and others of similar length.

    No two of them sound alike: their phones differ.

    Raises:
        ImportError: pocketsphinx is not installed.
    """
    random, sounds = Random(f"choices {seed} {word}"), dict(_lexicon())
    listed, taken = [word], {tuple(phones)}
    others = random.sample(list(sounds), len(sounds))
    others.sort(key=lambda other: max(1, abs(len(other) - len(word))))  # few words are very long
    for other in (*among, *others):
        if len(listed) < CHOICES and other not in listed and sounds.get(other) not in taken:
            listed.append(other)
            taken.add(sounds.get(other, ()))
    random.shuffle(listed)
    return listed


def chosen(wave: Wave, options: Sequence[str]) -> str:
    """Return the word that the recogniser chooses for a wave at 24 kHz; empty if it chooses none.

    Raises:
        ImportError: pocketsphinx is not installed.
    """
    decoder = _decoder()
    decoder.reinit_feat()  # its running mean of cepstra, and so its choice, would depend on earlier waves
    decoder.add_jsgf_string("choice", f"#JSGF V1.0; grammar choice; public <word> = {' | '.join(options)};")
    decoder.activate_search("choice")
    low = soxr.resample(np.asarray(wave, float), RATE, 16_000)
    low = low / max(1e-6, float(np.abs(low).max(initial=0))) * _LOUD
    hiss = [np.random.default_rng(seed).standard_normal(1600) * _HISS for seed in (0, 1)]
    samples = (np.concatenate([hiss[0], low, hiss[1]]) * 32767).astype(np.int16)
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return best.hypstr if best else ""


def words_right(wave: Wave, score: Score, seed: str) -> list[bool]:
    """Return for each measurable word of a score whether the recogniser chooses it.

    Args:
        wave: at 24 kHz.
        score: the score that it should sing.
        seed: of the choices; the same for every voice that is compared.

    Raises:
        ImportError: pocketsphinx is not installed.
    """
    return [
        chosen(excerpt(wave, segments), choices(word, phones, f"{seed} {i}")) == word
        for i, (word, phones, segments) in enumerate(word_segments(score))
        if segments and measurable(word)
    ]


@cache
def _lexicon() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((word, split_phones(phones)) for word, phones in lexicon() if measurable(word))


@cache
def _dictionary() -> frozenset[str]:
    from pocketsphinx import get_model_path

    with open(get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as file:
        return frozenset(line.split(maxsplit=1)[0] for line in file)


@cache
def _decoder() -> Any:
    from pocketsphinx import Decoder, get_model_path

    model = get_model_path("en-us")
    return Decoder(hmm=f"{model}/en-us", dict=f"{model}/cmudict-en-us.dict", lm=None, samprate=16_000, loglevel="FATAL")
