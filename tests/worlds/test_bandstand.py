"""The bandstand as arithmetic says it must sound: the same everywhere, in tune, in time, at its level."""

import hashlib
import subprocess
import sys
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.worlds.bandstand.playing import (
    INSTRUMENTS,
    INSTRUMENTS_OF,
    KEYS,
    KITS,
    MELODIC,
    PATTERNS,
    RATE,
    REGISTERS,
    REGISTERS_OF,
    SCALES,
    SCALES_OF,
    TEMPOS,
    Note,
    Phrase,
    notes,
    play,
    play_many,
)
from regrow.worlds.bandstand.sampler import mixed, sound, voice

PHRASES = st.integers(0, 10**9).map(Phrase.random)
TUNEFUL = PHRASES.filter(lambda phrase: phrase.pattern != "beat")
FINGERPRINT = (
    "import hashlib; from regrow.worlds.bandstand.playing import Phrase, play\n"
    "waves = b''.join(play(Phrase.random(n), 2.0).wave.tobytes() for n in range(12))\n"
    "print(hashlib.sha256(waves).hexdigest())"
)
LEADING = 3
"""Semitones below the tonic of the deepest note, the one before a melody's last on a pentatonic scale."""
LOWEST, HIGHEST = min(filter(None, REGISTERS.values())) - LEADING, max(REGISTERS.values()) + KEYS - 1 + 12


def decibels(wave: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(wave, dtype=np.float64))))


def test_the_same_seed_gives_the_same_samples_in_another_process():
    other = subprocess.run([sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, check=True)
    waves = b"".join(play(Phrase.random(n), 2.0).wave.tobytes() for n in range(12))
    assert other.stdout.strip() == hashlib.sha256(waves).hexdigest()


def test_several_processes_play_what_one_plays():
    phrases = [Phrase.random(n) for n in range(20)]
    ours, theirs = (list(play_many(phrases, 1.5, processes)) for processes in (1, 2))
    for one, other in zip(ours, theirs, strict=True):
        assert np.array_equal(one.wave, other.wave)
        assert (one.notes, one.caption) == (other.notes, other.caption)


@settings(max_examples=25, deadline=None)
@given(PHRASES, st.data())
def test_another_instrument_plays_the_same_notes_at_the_same_level(phrase, data):
    other = phrase.replace(instrument=data.draw(st.sampled_from(INSTRUMENTS_OF[phrase.pattern])))
    first, second = play(phrase, 3.0), play(other, 3.0)
    assert first.notes == second.notes == notes(phrase, 3.0)
    assert (first.wave == second.wave).all() == (phrase == other)
    for played in (first, second):
        assert played.wave.shape == (1, 3 * RATE)
        assert played.wave.dtype == np.float32
        assert np.abs(played.wave).max() <= 1
        assert abs(decibels(played.wave) - phrase.level) < 0.01


@pytest.mark.parametrize("level", [-60.0, -20.0])
@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_quietest_and_the_loudest_are_as_loud_as_they_say(instrument, level):
    phrase = Phrase(instrument, "beat", "none", register="none") if instrument in KITS else Phrase(instrument)
    wave = play(phrase.replace(level=level), 2.0).wave
    assert abs(decibels(wave) - level) < 0.01
    assert np.abs(wave).max() <= 1


def cents_off(wave: np.ndarray, key: int) -> float:
    """How far the centre of power about the first four harmonics lies above the key's, their mean by power.

    A centre, and no comb: of a vibrato or a choir a comb reads one of its sidebands.
    """
    part = wave[RATE // 20 :]
    spectrum = np.square(np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 17)))
    frequencies = np.arange(1, len(spectrum)) * RATE / (1 << 17)
    total, weighted = 0.0, 0.0
    for harmonic in range(1, 5):
        centre = harmonic * 440 * 2 ** ((key - 69) / 12)
        near = np.flatnonzero(np.abs(np.log2(frequencies / centre)) < 80 / 1200)
        cents = 1200 * np.log2(frequencies[near] / centre)
        power = spectrum[near + 1]
        total, weighted = total + power.sum(), weighted + (power * cents).sum()
    return weighted / total


@pytest.mark.parametrize("instrument", MELODIC)
def test_every_note_of_every_instrument_is_in_tune(instrument):
    off = {
        key: round(cents_off(sound(instrument, Note(0.0, 1.5, key, 100)), key), 1) for key in range(LOWEST, HIGHEST + 1)
    }
    assert max(map(abs, off.values())) <= 10, off


@settings(max_examples=25, deadline=None)
@given(PHRASES, st.data())
def test_notes_begin_and_end_when_the_score_says(phrase, data):
    score = notes(phrase, 3.0)
    gone = data.draw(st.sampled_from(range(len(score))))
    note, onset = score[gone], round(score[gone].onset * RATE)
    whole = mixed(phrase.instrument, score, 3 * RATE)
    alone = whole - mixed(phrase.instrument, (*score[:gone], *score[gone + 1 :]), 3 * RATE)
    end = onset + round(note.duration * RATE) + round(voice(phrase.instrument).release * RATE)
    assert np.abs(alone[:onset]).max(initial=0) < 1e-6
    assert np.abs(alone[end:]).max(initial=0) < 1e-6
    assert np.abs(alone[onset : onset + RATE // 20]).max() > 0.03 * np.abs(alone).max()  # a slow attack, but no delay


@settings(max_examples=200, deadline=None)
@given(TUNEFUL, st.floats(1, 20))
def test_scores_keep_scale_register_and_the_end_of_the_clip(phrase, duration):
    score = notes(phrase, duration)
    tonic = REGISTERS[phrase.register] + phrase.key
    assert score[0].onset == 0
    assert list(score) == sorted(score, key=lambda note: (note.onset, note.pitch))
    for note in score:
        assert tonic - LEADING <= note.pitch <= tonic + 12
        assert (note.pitch - tonic) % 12 in SCALES[phrase.scale]
        assert note.duration > 0.03
        assert note.onset + note.duration <= duration - 0.2 + 1e-9
        assert 1 <= note.velocity <= 127
        quarters = note.onset * TEMPOS[phrase.tempo] / 60 * 4
        assert abs(quarters - round(quarters)) < 1e-9


@settings(max_examples=100, deadline=None)
@given(TUNEFUL, st.data())
def test_the_other_fields_change_the_same_tune_as_they_say(phrase, data):
    score = notes(phrase)
    other = phrase.replace(scale=data.draw(st.sampled_from(SCALES_OF[phrase.pattern])))
    steps = dict(zip(SCALES[phrase.scale], SCALES[other.scale], strict=True))
    tonic = REGISTERS[phrase.register] + phrase.key
    changed = notes(other)
    assert [note.onset for note in changed] == [note.onset for note in score]
    if phrase.scale != "pentatonic":  # whose seven steps share five pitches, so that they cannot be told
        expected = [tonic + steps[(n.pitch - tonic) % 12] + 12 * ((n.pitch - tonic) // 12) for n in score]
        assert sorted(n.pitch for n in changed) == sorted(expected)

    moved = notes(phrase.replace(register=data.draw(st.sampled_from(REGISTERS_OF[phrase.pattern]))))
    shift = moved[0].pitch - score[0].pitch
    assert shift % 12 == 0
    assert [(n.onset, n.duration, n.pitch - shift, n.velocity) for n in moved] == [
        (n.onset, n.duration, n.pitch, n.velocity) for n in score
    ]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_faster_tempo_plays_the_same_tune_sooner(pattern):
    phrase = Phrase(INSTRUMENTS_OF[pattern][0], pattern, SCALES_OF[pattern][0], "slow", REGISTERS_OF[pattern][0])
    slow, fast = notes(phrase, 12.0), notes(phrase.replace(tempo="fast"), 6.0)  # four bars of both
    assert len(slow) - 3 <= len(fast) <= len(slow)  # the last 0.2 s, which have no notes, are more of the fast ones
    assert [(n.pitch, n.velocity) for n in slow[: len(fast)]] == [(n.pitch, n.velocity) for n in fast]
    assert np.allclose([n.onset for n in slow[: len(fast)]], [2 * n.onset for n in fast])


def test_the_concert_is_spread_as_it_says():
    phrases = [Phrase.random(n) for n in range(6000)]
    for instrument in INSTRUMENTS:
        assert abs(sum(p.instrument == instrument for p in phrases) / 6000 - 1 / 14) < 0.015
    tuneful = [p for p in phrases if p.instrument in MELODIC]
    for pattern, share in zip(PATTERNS[:-1], (0.35, 0.25, 0.25, 0.15), strict=True):
        assert abs(sum(p.pattern == pattern for p in tuneful) / len(tuneful) - share) < 0.025
    assert all(-28 <= p.level <= -22 for p in phrases)
    assert {p.pattern for p in phrases if p.instrument in KITS} == {"beat"}


def test_every_melody_ends_on_the_tonic():
    for scale, tempo, tune in product(SCALES_OF["melody"], TEMPOS, range(20)):
        last = notes(Phrase(scale=scale, tempo=tempo, tune=tune))[-1]
        assert last.pitch in (60, 72)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"instrument": "kazoo"}, "instrument is 'kazoo', but must be one of"),
        ({"instrument": "drum kit"}, "instrument is 'drum kit', but must be one of .* in pattern 'melody'"),
        ({"pattern": "beat"}, "instrument is 'piano', but must be one of 'drum kit', 'drum machine' in pattern 'beat'"),
        ({"pattern": "fugue"}, "pattern is 'fugue', but must be one of"),
        ({"scale": "none"}, "scale is 'none', but must be one of"),
        ({"scale": "dorian"}, "scale is 'dorian', but must be one of"),
        ({"tempo": "presto"}, "tempo is 'presto', but must be one of"),
        ({"pattern": "bass line", "register": "high"}, "register is 'high', but must be one of 'low' in pattern"),
        ({"key": 6}, "key is 6, but must be a whole number from 0 to 5"),
        ({"key": True}, "key is True, but must be a whole number"),
        ({"key": 1.0}, "key is 1.0, but must be a whole number"),
        ({"tune": -1}, "tune is -1, but must be a whole number, 0 or more"),
        ({"level": -19.9}, "level is -19.9, but must be a number from -60.0 to -20.0"),
        ({"level": float("nan")}, "level is nan, but must be a number"),
        ({"level": "loud"}, "level is 'loud', but must be a number"),
    ],
)
def test_a_bad_value_gets_one_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence) as raised:
        Phrase(**values)
    told = str(raised.value)
    assert "\n" not in told
    assert told.endswith(".")


def test_bad_exchanges_and_durations_get_one_sentence():
    with pytest.raises(ValueError, match=r"field is 'mood', but must be one of 'instrument', .*\.$"):
        Phrase().replace(mood="sad")
    with pytest.raises(ValueError, match=r"instrument is 'drum machine', but must be one of .* in pattern 'melody'"):
        Phrase().replace(instrument="drum machine")
    for duration in (0.99, 601, float("nan"), True, "6"):
        with pytest.raises(ValueError, match=r"^duration is .*, but must be a number of seconds from 1.0 to 600.0\.$"):
            play(Phrase(), duration)
    with pytest.raises(ValueError, match=r"^pitch is 60, but 'drum kit' has no such drum\.$"):
        sound("drum kit", Note(0.0, 1.0, 60, 100))


def test_another_pattern_takes_what_fits_it():
    beat = Phrase("violin", "melody", "minor", "fast", "high").replace(pattern="beat")
    assert (beat.instrument, beat.scale, beat.register, beat.tempo) == ("drum kit", "none", "none", "fast")
    line = Phrase("violin", "melody", "minor", "fast", "high").replace(pattern="bass line")
    assert (line.instrument, line.scale, line.register) == ("violin", "minor", "low")


def test_a_clip_of_any_duration_ends_in_silence():
    random = Random(0)
    for n in range(6):
        duration = random.uniform(1, 9)
        wave = play(Phrase.random(n), duration).wave[0]
        assert len(wave) == round(duration * RATE)
        assert abs(wave[-1]) < 1e-4
