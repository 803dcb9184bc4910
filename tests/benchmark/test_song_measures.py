"""What is measured of a singer says what is true of waves that are known: pitch, onsets, words, and what may change."""

from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regrow.benchmark.song import onsets, pitch, words
from regrow.benchmark.song.edits import kept_outside, result_of
from regrow.benchmark.song.measure import MOVED, onset_check
from regrow.benchmark.song.share import Share
from regrow.benchmark.song.songs import EditTask, HeldOutSong, edit_tasks, spans_of
from regrow.media.audio import voice
from regrow.worlds.songbook import teacher
from regrow.worlds.songbook.alignment import FRAME, UNIT, align
from regrow.worlds.songbook.changes import MARGIN, changed_frames
from regrow.worlds.songbook.phones import PHONES, is_vowel, split_phones
from regrow.worlds.songbook.score import Score, read_score
from regrow.worlds.songbook.songs import other_words, song
from regrow.worlds.songbook.songs import words as lexicon

LINE = read_score(
    "# singer: heart\n# tempo: 90\n# vibrato: 0\nC4 1 wˈɪn window\nE4 1 dO -\nG4 2 stˈɑɹ star\nR 0.5\n"
    "F4 1 mˈʌ mother\nE4 1 ðəɹ -"
)


def robot(score: Score, cents: float = 0.0) -> voice.Wave:
    """A voice in closed form: each phone has one hump of its own on falling harmonics, silence is silence."""
    alignment = align(score)
    rows = np.full((voice.ROWS, alignment.frames), -1.0)
    places = np.arange(voice.HARMONICS)
    for frame, (phone, _, _) in enumerate(alignment.phones()):
        if phone:
            hump = 5 + 60 * (phone * 0.618 % 1)
            rows[: voice.HARMONICS, frame] = 0.6 - places / 80 + 0.4 * np.exp(-(((places - hump) / 6) ** 2))
    rows[-1] = (alignment.pitch + cents / 100 - voice.CENTRE) / voice.REACH
    return voice.synthesise(rows.astype(np.float32))


@pytest.mark.parametrize(("cents", "share"), [(0, 1), (20, 1), (-20, 1), (30, 0), (-30, 0), (1200, 0)])
def test_a_voice_is_in_tune_up_to_25_cents(cents: float, share: int) -> None:
    curve, notes = pitch.pitch_kept(robot(LINE, cents), LINE)
    assert curve.count > 150
    # the tracker is off by some cents itself, and its window reaches into the note beside
    assert abs(curve.hits / curve.count - share) < 0.2
    assert abs(notes.hits / notes.count - share) < 0.2


def test_silence_has_no_pitch_to_be_in_tune() -> None:
    assert pitch.pitch_kept(np.zeros(48_000, np.float32), LINE) == (Share(0, 0), Share(0, 0))


def test_vibrato_is_no_plain_note() -> None:
    trembling = read_score(LINE.text.replace("vibrato: 0", "vibrato: 60"))
    assert pitch.limit_of_notes(LINE).hits > 0.95 * pitch.limit_of_notes(LINE).count
    limit = pitch.limit_of_notes(trembling)
    assert limit.hits < 0.95 * limit.count


@pytest.mark.parametrize(("frames", "on_time"), [(0, True), (2.4, True), (6.4, False), (-2.4, True), (-6.4, False)])
def test_an_onset_that_is_80_ms_off_is_wrong_and_one_of_30_ms_is_not(frames: float, on_time: bool) -> None:
    wave = robot(LINE)
    later = onsets.moved(wave, LINE, 2, frames)  # the vowel of star, with its consonants; before it a vowel
    assert later is not None
    each = onsets.vowel_onsets(later, wave, LINE)
    assert [onset.right for onset in each] == [i != 2 or on_time for i in range(5)]
    assert abs(each[2].late - frames * FRAME) <= 0.025


def test_a_move_without_room_is_none() -> None:
    assert onsets.moved(robot(LINE), LINE, 2, 200) is None


def test_what_does_not_sing_the_vowels_has_no_onsets() -> None:
    wave = teacher.sing(LINE)
    hiss = np.random.default_rng(0).standard_normal(len(wave)).astype(np.float32) * 0.05
    others = LINE.text.replace("ɪ", "æ").replace("dO", "di").replace("ɑ", "i").replace("ʌ", "A").replace("ə", "u")
    for sound in (np.zeros_like(wave), hiss):
        assert not any(onset.right for onset in onsets.vowel_onsets(sound, wave, LINE))
    other = onsets.vowel_onsets(teacher.sing(read_score(others)), wave, LINE)
    assert sum(onset.right for onset in other) <= 2  # of five; some of the other vowels are much like these
    noisy = wave + hiss / 30
    assert all(onset.right for onset in onsets.vowel_onsets(noisy, wave, LINE))


def test_a_path_follows_what_is_late() -> None:
    sound = np.repeat([0, 1, 2, 3], 10)
    late = np.concatenate([np.repeat(0, 14), np.repeat([1, 2], 10), np.repeat(3, 6)])
    path = onsets.warped(np.abs(sound[:, None] - late[None]).astype(float) * 10)
    assert (np.diff(path, axis=0) >= 0).all()
    assert sound[path[:, 0]].tolist() == late[path[:, 1]].tolist()  # nothing unlike is paired
    straight = onsets.warped(np.zeros((30, 30)))
    assert (straight[:, 0] == straight[:, 1]).all()
    assert np.abs(np.diff(onsets.warped(np.random.default_rng(0).random((60, 60)), 5, 0.0), axis=1)).max() <= 5


def test_the_bench_measures_its_measure_of_onsets() -> None:
    song_of = HeldOutSong(0, LINE, teacher.sing(LINE), 0)
    check = onset_check(song_of)
    assert check.keys() == {f"{1000 * frames * FRAME:g}" for frames in MOVED}
    assert all(right == count for right, count in check.values())


def test_the_recogniser_says_so_when_other_words_are_sung() -> None:
    wave = teacher.sing(LINE)
    assert words.words_right(wave, LINE, "0") == [True, True, True]
    other = read_score(LINE.text.replace("stˈɑɹ star", "bˈɛd bed").replace("wˈɪn window", "pˈA paper"))
    assert words.words_right(wave, read_score(other.text.replace("dO -", "pəɹ -")), "0") == [False, False, True]


def test_a_choice_does_not_depend_on_what_came_before() -> None:
    wave, options = teacher.sing(LINE), ["window", "star", "mother"]
    each = [words.excerpt(wave, segments) for _, _, segments in words.word_segments(LINE)]

    def score(part: voice.Wave) -> int:
        words.chosen(part, options)
        return words._decoder().hyp().best_score

    assert [score(part) for part in each] == [score(part) for part in reversed(each)][::-1]


def test_silence_is_no_word() -> None:
    options = words.choices("star", split_phones("stˈɑɹ"), "0")
    assert words.chosen(np.zeros(12_000, np.float32), options) != "star"


@given(st.integers(0, 4999), st.integers(0, 99))
@settings(max_examples=30)
def test_choices_are_eight_words_that_sound_otherwise(number: int, seed: int) -> None:
    word, phones = lexicon()[number]
    assume(words.measurable(word))
    options = words.choices(word, split_phones(phones), str(seed), ["rather"])
    assert options == words.choices(word, split_phones(phones), str(seed), ["rather"])
    assert len(set(options)) == words.CHOICES
    assert {word, "rather"} <= set(options)
    sounds = dict(lexicon()) | {word: phones}
    assert len({split_phones(sounds[option]) for option in options}) == words.CHOICES
    assert len(word) > 12 or all(abs(len(option) - len(word)) <= 1 for option in set(options) - {"rather"})


def test_long_vowels_are_cut_short_for_the_recogniser() -> None:
    (_, phones, segments) = words.word_segments(LINE)[1]
    assert phones == ("s", "t", "ɑ", "ɹ")
    wave = robot(LINE)
    short = words.excerpt(wave, segments)
    consonants = sum(segment.end - segment.start for segment in segments if not is_vowel(segment.phone))
    beside = 4  # units
    fade = words.FADE * voice.RATE
    assert len(short) == (consonants + beside) * UNIT * voice.HOP + words.LONGEST * voice.RATE - fade


@given(st.integers(0, 300))
@settings(max_examples=20)
def test_what_may_change_is_what_the_scores_say_and_no_more(seed: int) -> None:
    source = song(seed)
    if not source.words:
        return
    target, _ = other_words(source, Random(seed))
    frames, before, after = changed_frames(source, target), align(source).phones()[:, 0], align(target).phones()[:, 0]
    assert frames is not None
    assert not (before != after)[~frames].any()
    near = np.flatnonzero(before != after)
    assert all(np.abs(near - frame).min() <= MARGIN for frame in np.flatnonzero(frames))
    same = changed_frames(source, source)
    assert same is not None
    assert not same.any()
    mask = np.zeros(len(frames) * voice.HOP, bool)
    for first, last in spans_of(frames):
        mask[first:last] = True
    assert (mask == np.repeat(frames, voice.HOP)).all()


def test_what_is_kept_is_kept_bit_for_bit_and_what_is_new_is_as_loud_as_it_was_made() -> None:
    target = read_score(LINE.text.replace("stˈɑɹ star", "bˈɛd bed"))
    before, after = robot(LINE), -robot(target)  # of the opposite phase
    task = EditTask(0, LINE, target, (), before, robot(target), ())
    made, frames = kept_outside(after, task), task.frames
    outside = np.repeat(~frames, voice.HOP)
    assert (made[outside] == before[outside]).all()
    for first, last in spans_of(frames):
        inner = slice(first + 480, last - 480)
        assert (made[inner] == after[inner]).all()
    assert PHONES[align(target).phones()[np.flatnonzero(frames)[MARGIN + 1], 0]] in "dObɛ"


def test_the_truth_of_an_edit_is_at_no_distance_and_is_granted() -> None:
    task = next(edit_tasks(1))
    truth, source = result_of(task, task.truth), result_of(task, task.before)
    assert truth.truth == truth.inside == 0
    assert truth.granted == (len(task.changed), len(task.changed))
    assert source.granted[0] == 0
    assert source.outside == 1
    assert source.inside > source.truth > 1
