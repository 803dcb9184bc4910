"""Words on tunes: what stays, what is divided and sung on, keys and chords."""

from dataclasses import replace
from itertools import accumulate
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.prompts.songs.harmony import chords_of, key_of, read_key
from regrow.prompts.songs.lyrics import sung_words
from regrow.prompts.songs.setting import RANGES, score_of, with_tune, with_words
from regrow.prompts.songs.tune import read_tune
from regrow.prompts.songs.tune_note import Tune, TuneNote
from regrow.worlds.songbook.alignment import align
from regrow.worlds.songbook.score import HEART, LOW, MOST_NOTES, Note, Score, read_score
from regrow.worlds.songbook.songs import song

LINES = "Twinkle twinkle little star\nhow I wonder what you are"
TUNE = "C4 C4 G4 G4 A4 A4 G4:2 F4 F4 E4 E4 D4 D4 C4:2"
POOL = ["la", "star", "wonder", "little", "banana", "sing", "the", "a", "merrily", "love", "forever", "tonight", "you"]


def twinkle() -> Score:
    score, remarks = score_of(sung_words(LINES), read_tune(TUNE))
    assert remarks == ()
    return score


def pitches(score: Score) -> list[float | None]:
    return [note.pitch for note in score.notes]


def sung_curve(score: Score) -> list[tuple[float, float | None]]:
    """Return (beat at which it begins, pitch) of the notes, of which equal ones in a row are one."""
    starts = [0.0, *accumulate(note.beats for note in score.notes)]
    curve: list[tuple[float, float | None]] = []
    for at, note in zip(starts, score.notes, strict=False):
        if not curve or curve[-1][1] != note.pitch:
            curve.append((round(at, 4), note.pitch))
    return curve


def syllables_of(score: Score) -> str:
    return " ".join(note.word or ("~" if note.sung_on else "R") for note in score.notes)


# a new song


def test_words_are_set_to_a_tune_note_by_note() -> None:
    score = twinkle()
    assert syllables_of(score) == "Twinkle - twinkle - little - star how I wonder - what you are"
    assert pitches(score) == [60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60]
    assert [note.beats for note in score.notes] == [*[1] * 6, 2, *[1] * 6, 2]
    assert read_score(score.text) == score


def test_a_surplus_of_notes_is_sung_on() -> None:
    score, remarks = score_of(sung_words("how are you\nmy dear friend"), read_tune(TUNE))
    assert sum(note.sung_on for note in score.notes) == 8
    assert pitches(score) == pitches(twinkle())
    assert remarks == ("8 notes more than syllables: vowels are held over them.",)


def test_the_shortest_note_is_sung_on() -> None:
    score, _ = score_of(sung_words("one two three"), read_tune("C4:2 D4:2 E4:0.5 F4:2"))
    assert syllables_of(score) == "one two ~ three"


def test_slurs_of_the_tune_are_kept() -> None:
    tune = read_tune("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\nw:A -_ _men_ so be it\n")
    tune = Tune(tuple(TuneNote(60.0 + i, 1.0, 0.0, i in (1, 2, 4)) for i in range(8)), lyrics=tune.lyrics)
    score, remarks = score_of(sung_words("hey you sing it now"), tune)
    assert syllables_of(score) == "hey ~ ~ you ~ sing it now"
    assert remarks == ()


def test_the_longest_notes_are_divided_for_more_syllables() -> None:
    score, remarks = score_of(sung_words("one two three four"), read_tune("C4 D4:2 E4"))
    assert [(note.pitch, note.beats) for note in score.notes] == [(60, 1), (62, 1), (62, 1), (64, 1)]
    assert remarks == ("1 syllable more than notes: the longest notes are divided for it.",)


def test_a_tune_is_sung_again_for_twice_the_words() -> None:
    score, remarks = score_of(sung_words(f"{LINES}\n{LINES}"), read_tune(TUNE))
    assert pitches(score) == pitches(twinkle()) * 2
    assert "sung 2 times" in remarks[0]


def test_a_tune_of_many_phrases_ends_with_its_words() -> None:
    score, remarks = score_of(sung_words("sing with me"), read_tune("C4 D4 E4 R " * 4))
    assert pitches(score) == [60, 62, 64]
    assert remarks == ("The words are shorter than the tune, so its last 9 notes are left out.",)


def test_lines_begin_behind_rests() -> None:
    score, _ = score_of(sung_words("sing a song\nsing along with me"), read_tune("C4 D4 E4 F4 R G4 A4 G4 A4 G4 A4"))
    assert syllables_of(score).split(" R ")[1].startswith("sing along - with")


@pytest.mark.parametrize("seed", range(6))
def test_a_tune_by_rule_has_bars_lines_and_its_key(seed: int) -> None:
    words = sung_words(LINES)
    score, remarks = score_of(words, key="G major", seed=seed)
    assert remarks == ()
    assert score == score_of(words, key="G major", seed=seed)[0]
    names = [note.word for note in score.notes]
    rest = names.index("")
    assert names[rest - 1 : rest + 2] == ["star", "", "how"]
    assert sum(note.beats for note in score.notes[: rest + 1]) % 4 == 0
    assert score.notes[rest - 1].beats >= 1
    assert score.notes[-1].pitch in (55, 67, 79)
    scale = {(7 + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)}
    assert all(note.pitch is None or note.pitch % 12 in scale for note in score.notes)
    assert len({score_of(words, seed=other)[0] for other in range(6)}) == 6


@pytest.mark.parametrize("singer", [HEART, LOW])
@pytest.mark.parametrize("text", ["C2 E2 G2", "C4 E4 G4", "C6 E6 G6", TUNE])
def test_tunes_are_moved_into_the_singers_range_by_octaves(singer: str, text: str) -> None:
    tune = read_tune(text)
    score, remarks = score_of(sung_words("la la la"), tune, singer=singer)
    low, high = RANGES[singer]
    moved = {(note.pitch or 0) - (slot.pitch or 0) for note, slot in zip(score.notes, tune.notes, strict=True)}
    assert all(low <= (note.pitch or 0) <= high for note in score.notes)
    assert moved <= {-36.0, -24.0, -12.0, 0.0, 12.0, 24.0}
    assert len(moved) == 1
    assert (moved == {0.0}) == (len([remark for remark in remarks if "singer" in remark]) == 0)


def test_a_tempo_that_no_score_has_keeps_its_seconds() -> None:
    notes = (TuneNote(60.0, 4.0), TuneNote(62.0, 8.0))
    score, _ = score_of(sung_words("sing now"), Tune(notes, tempo=600.0))
    assert [note.beats * 60 / score.tempo for note in score.notes] == pytest.approx([0.4, 0.8])
    assert read_score(score.text) == score


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"key": "H minor"}, 'key must be a note with major or minor, such as "A minor"'),
        ({"key": "A minor"}, "The tune is taken to be in C major and cannot be moved to A minor"),
        ({"tempo": 5.0}, "tempo must be from 30 to 300"),
        ({"tempo": float("nan")}, "tempo must be from 30 to 300"),
    ],
)
def test_keys_and_tempi_that_are_none_are_refused(arguments: dict[str, object], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        score_of(sung_words(LINES), read_tune(TUNE), **arguments)  # pyright: ignore[reportArgumentType]


def test_too_many_words_are_refused() -> None:
    for tune in (None, read_tune(TUNE)):
        with pytest.raises(ValueError, match=f"{MOST_NOTES:,} are allowed"):
            score_of(sung_words("la " * (MOST_NOTES + 1)), tune)
    with pytest.raises(ValueError, match="no words"):
        score_of([])


# other words


def test_other_words_are_set_to_the_notes_of_those_before() -> None:
    before = twinkle()
    after, remarks = with_words(before, "twinkle sparkle little star\nhow I wonder where you are")
    assert after.words == ("Twinkle", "sparkle", "little", "star", "how", "I", "wonder", "where", "you", "are")
    changed = [i for i, (a, b) in enumerate(zip(before.notes, after.notes, strict=True)) if a is not b]
    assert changed == [2, 3, 11]
    assert remarks == ()


def test_more_and_fewer_syllables_stay_on_their_stretch() -> None:
    before = twinkle()
    more, remarks = with_words(before, LINES.replace("little", "unbelievable"))
    assert sung_curve(more) == sung_curve(before)
    assert remarks == ("3 syllables more than notes: the longest notes are divided for them.",)
    fewer, remarks = with_words(before, LINES.replace("little", "my"))
    assert syllables_of(fewer).split()[4:7] == ["my", "~", "star"]
    assert remarks == ("1 note more than syllables: vowels are held over it.",)


def test_words_that_are_left_out_are_sung_over() -> None:
    after, remarks = with_words(twinkle(), "Twinkle twinkle little star\nhow I wonder")
    assert syllables_of(after).endswith("wonder - ~ ~ ~")
    assert '"what you are" was removed, so the vowel before it is held' in remarks[0]
    assert sung_curve(after) == sung_curve(twinkle())


def test_after_a_rest_a_vowel_begins_anew() -> None:
    score, _ = score_of(sung_words("sing now\nmy friend"), read_tune("C4 D4 R E4 F4"))
    after, _ = with_words(score, "sing tomorrow")
    assert read_score(after.text) == after
    assert sung_curve(after) == sung_curve(score)
    short, _ = with_words(score, "sing now")
    assert [note.text for note in short.notes[3:]] == ["E4 1 W -", "F4 1 ~"]
    assert align(short).onsets.keys() == {0, 1, 3}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f"{LINES} now", '"now" has no notes after the last word'),
        (f"oh {LINES}", '"oh" has no notes before the first word'),
        (LINES.replace("I", "I really"), '"really" has no notes after "I"'),
        ("little star\nhow I wonder what you are", '"Twinkle twinkle" was removed from the beginning'),
        (LINES.replace("star", "star " + "la " * 60), "no notes"),
        (LINES.replace("star", "extraordinary " * 9), "too many to divide"),
        ("", "no words"),
    ],
)
def test_words_without_notes_are_refused(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part) as problem:
        with_words(twinkle(), text)
    assert "\n" not in str(problem.value)


def test_the_same_words_change_nothing() -> None:
    score = twinkle()
    same, remarks = with_words(score, LINES.upper())
    assert same is score
    assert remarks == ("These are already the words of the song.",)


def test_a_song_whose_first_words_are_all_too_long_has_others() -> None:
    assert song(7197).words


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10_000), st.data())
def test_what_is_untouched_stays_and_the_tune_never_changes(seed: int, data: st.DataObject) -> None:
    score = song(seed)
    words = list(score.words)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at : at + data.draw(st.integers(1, 2))] = data.draw(st.lists(st.sampled_from(POOL), max_size=3))
        if not words:
            return
    try:
        after, _ = with_words(score, " ".join(words))
    except ValueError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        return
    assert sum(note.beats for note in after.notes) == pytest.approx(sum(note.beats for note in score.notes))
    assert [pitch for _, pitch in sung_curve(after)] == [pitch for _, pitch in sung_curve(score)]
    assert [at for at, _ in sung_curve(after)] == pytest.approx([at for at, _ in sung_curve(score)], abs=1e-3)
    assert [word.casefold() for word in after.words] == [word.casefold() for word in words]
    assert read_score(after.text).text == after.text
    align(after)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.data())
def test_notes_outside_a_changed_stretch_are_the_same_objects(seed: int, data: st.DataObject) -> None:
    score = song(seed)
    if data.draw(st.booleans()):  # words that return, which a diff could take for one another
        names = iter(["la", "sun", "la", "sun", "sun", "la"] * 20)
        score = score.with_notes([replace(n, word=next(names)) if n.word not in ("", "-") else n for n in score.notes])
    begin = data.draw(st.integers(0, len(score.words) - 1))
    end = data.draw(st.integers(begin + 1, len(score.words)))
    new = data.draw(st.lists(st.sampled_from(["banana", "tonight", "oh"]), min_size=1, max_size=4))
    places = [i for i, note in enumerate(score.notes) if note.word not in ("", "-")]
    before, behind = places[begin], len(score.notes) - places[end] if end < len(places) else 0
    if any(word in score.words for word in new):
        return
    try:
        after, _ = with_words(score, " ".join([*score.words[:begin], *new, *score.words[end:]]))
    except ValueError as error:
        sentence = str(error)
        assert "too many to divide" in sentence
        return
    assert all(a is b for a, b in zip(score.notes[:before], after.notes[:before], strict=True))
    ends = score.notes[len(score.notes) - behind :], after.notes[len(after.notes) - behind :]
    assert all(a is b for a, b in zip(*ends, strict=True))
    assert after.words == (*score.words[:begin], *new, *score.words[end:])


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.sampled_from(POOL), min_size=1, max_size=30), st.integers(1, 40))
def test_any_words_fit_any_tune_or_a_sentence(seed: int, words: list[str], count: int) -> None:
    draw = Random(seed)
    notes = [
        TuneNote(draw.choice((None, 55.0, 60.0, 64.5, 67.0)), draw.choice((0.25, 0.5, 1.0, 2.0))) for _ in range(count)
    ]
    tune = Tune((TuneNote(60.0, 1.0), *notes, TuneNote(62.0, 1.0)))
    lyrics = "".join(word + draw.choice("   \n") for word in words)
    try:
        score, _ = score_of(sung_words(lyrics), tune)
    except ValueError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        return
    assert list(score.words) == words
    assert read_score(score.text).text == score.text
    align(score)


# another tune


def test_another_tune_keeps_words_and_singer() -> None:
    before = twinkle()
    other = read_tune("E4 D4 C4 D4 E4 E4 E4:2 R D4 D4 D4:2 E4 G4 G4:2 C4")
    after, remarks = with_tune(before, other)
    assert after.words == before.words
    assert (after.singer, after.tempo, remarks) == (before.singer, before.tempo, ())
    assert pitches(after) == [note.pitch for note in other.notes]
    assert [note.phones for note in after.notes if note.phones] == [note.phones for note in before.notes]
    with pytest.raises(ValueError, match="no words"):
        with_tune(Score((Note(None, 1.0),)), other)


# keys and chords


def test_the_key_of_a_scale_is_its_tonics() -> None:
    for tonic in range(12):
        major = [60 + tonic + step for step in (0, 2, 4, 5, 7, 9, 11, 12)]
        minor = [60 + tonic + step for step in (0, 2, 3, 5, 7, 8, 10, 12, 7, 3, 0)]
        assert key_of(major) == (tonic, "major")
        assert key_of(minor) == (tonic, "minor")
    assert key_of([]) == (0, "major")
    assert [read_key(name) for name in ("C major", "f# MINOR", "Bb minor", "C♭ major")] == [
        (0, "major"), (6, "minor"), (10, "minor"), (11, "major"),
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "first"), [("D major", 62), ("Bb major", 58), ("F# major", 66), ("G major", 55)])
def test_a_key_moves_a_tune_the_nearest_way(key: str, first: float) -> None:
    score, _ = score_of(sung_words(LINES), read_tune(TUNE), key=key)
    assert [pitch - first for pitch in pitches(score) if pitch is not None] == [
        pitch - 60 for pitch in pitches(twinkle()) if pitch is not None
    ]


def test_a_stated_key_counts_more_than_the_notes() -> None:
    notes = "C C G G A A G2"  # which fit G major best
    tune = read_tune(f"X:1\nM:4/4\nL:1/4\nK:C\n{notes}|\n")
    words = sung_words("twinkle twinkle little star")
    score, remarks = score_of(words, tune, key="D major")
    assert pitches(score) == [62, 62, 69, 69, 71, 71, 69]
    assert "The tune is in C major, as its file states; it was moved by +2 semitones to D major." in remarks
    guessed, _ = score_of(words, replace(tune, key=""), key="D major")
    assert pitches(guessed)[0] == 55
    with pytest.raises(ValueError, match="C major"):
        score_of(words, tune, key="A minor")


def test_chords_of_twinkle() -> None:
    assert chords_of(twinkle()) == [
        (48, "major", 0.0, 4.0), (53, "major", 4.0, 4.0), (53, "major", 8.0, 4.0), (48, "major", 12.0, 4.0),
    ]  # fmt: skip


def test_chords_cover_the_song_and_hold_over_rests() -> None:
    notes = (Note(57.0, 2.0, "lˈɑ", "la"), Note(60.0, 2.0, "lˈɑ", "la"), Note(None, 4.0), Note(57.0, 2.0, "lˈɑ", "la"))
    chords = chords_of(Score(notes))
    assert [(root % 12, quality) for root, quality, _, _ in chords] == [(9, "minor")] * 3
    assert [(start, beats) for _, _, start, beats in chords] == [(0, 4), (4, 4), (8, 2)]
    assert all(48 <= root <= 59 for root, *_ in chords)
    assert chords_of(Score(())) == []
