"""Set words to a tune: a new song, other words to the same tune, or another tune for the same words."""

from collections.abc import Sequence
from dataclasses import replace

from regrow.messages.message import say
from regrow.prompts.songs.harmony import NAMES, key_of, read_key, semitones_to
from regrow.prompts.songs.lyrics import SungWord, sung_words
from regrow.prompts.songs.placing import Sung, held, placed
from regrow.prompts.songs.tune_by_rule import tune_by_rule
from regrow.prompts.songs.tune_note import Tune, TuneNote, octaves_in_words
from regrow.prompts.songs.word_changes import changed_words, word_spans
from regrow.worlds.songbook.phones import VOWELS, syllables
from regrow.worlds.songbook.score import FASTEST, HEART, LOW, MOST_NOTES, SLOWEST, Note, Score

TEMPO = 100.0
"""Beats per minute if neither the user nor the tune gives a tempo."""
RANGES = {HEART: (54.0, 81.0), LOW: (43.0, 69.0)}
"""The lowest and the highest note that each singer has learned, as MIDI numbers."""
MIDDLES = {HEART: 66.0, LOW: 54.0}
"""The middle of the octave in which most songs of a singer are: C4 to C5, and C3 to C4."""
_FAR = 9.0
"""Largest distance in semitones between the middles of tune and singer; beyond it, a tune in range is moved too."""
AGAIN = 1.5
"""Number of syllables per note from which on a tune is repeated."""


def score_of(
    words: Sequence[SungWord],
    tune: Tune | None = None,
    *,
    key: str = "",
    tempo: float | None = None,
    singer: str = HEART,
    seed: int = 0,
) -> tuple[Score, tuple[str, ...]]:
    """Return words set to a tune, and sentences on the changes that this needed.

    Args:
        words: from `sung_words`.
        tune: None makes one by rule.
        key: such as "A minor"; a tune is transposed to it by the shortest way, from the key that its file states or
            that its notes fit best, and a tune by rule is made in it.
        tempo: beats per minute, from 30 to 300; if not given, the tune's, or 100.
        singer: who sings; a tune out of the singer's range is moved by whole octaves.
        seed: of a tune by rule.

    Raises:
        ValueError: there are no words, or too many syllables for a song or the tune, or key or tempo are invalid.
    """
    if not words:
        raise ValueError(say("no_words_to_sing"))
    if tempo is not None and not SLOWEST <= tempo <= FASTEST:
        raise ValueError(say("tempo_out_of_range", slowest=SLOWEST, fastest=FASTEST, tempo=tempo))
    sung = _syllables(words)
    made = tune is None
    if tune is None:
        tune = tune_by_rule(sung, key, singer, seed)
    return _set(sung, tune, Score((), tempo or TEMPO, singer), "" if made else key, tempo)


def with_tune(score: Score, tune: Tune, *, key: str = "") -> tuple[Score, tuple[str, ...]]:
    """Return the words of a score on another tune, and sentences on the changes that this needed.

    Lines are assumed to end at the score's rests. The tempo is the tune's, or else the score's.

    Raises:
        ValueError: the score has no words, the tune has no room for them, or the key is invalid.
    """
    sung = [
        Sung(note.phones, note.word, i + 1 == len(score.notes) or score.notes[i + 1].pitch is None)
        for i, note in enumerate(score.notes)
        if note.pitch is not None and not note.sung_on
    ]
    if not sung:
        raise ValueError(say("song_has_no_words"))
    return _set(sung, tune, score, key, None)


def in_range(score: Score) -> tuple[Score, tuple[str, ...]]:
    """Return a score moved by octaves into the range of its singer, and a sentence on this; as it is if it is there."""
    pitches = [note.pitch for note in score.notes if note.pitch is not None]
    low, high = RANGES.get(score.singer, RANGES[HEART])
    octaves = 0 if all(low <= pitch <= high for pitch in pitches) else _octaves(pitches, score.singer)
    if not octaves:
        return score, ()
    notes = [n if n.pitch is None else replace(n, pitch=n.pitch + 12 * octaves) for n in score.notes]
    said = say("tune_moved_for_singer", octaves_in_words=octaves_in_words(octaves), singer=score.singer)
    return score.with_notes(notes), (said,)


def with_words(score: Score, text: str) -> tuple[Score, tuple[str, ...]]:
    """Return other words on the same tune, and sentences on the changes that this needed.

    Unchanged words keep their note objects. Each run of changed words is set to the notes of the words that it
    replaces. Pitches, and the total number of beats, never change.

    Args:
        score: with its present words.
        text: all words of the song, both unchanged and changed ones.

    Raises:
        ValueError: words are added where there are no notes, or left out at the beginning; or as for `sung_words`.
    """
    words = sung_words(text)
    spans = word_spans(score.notes)
    notes: list[Note] = []
    remarks: list[str] = []
    done = 0
    for i, i_end, j, j_end in changed_words(score.words, [word.text for word in words]):
        if i == i_end:
            raise ValueError(_no_notes(words, j, j_end, at_end=i == len(spans)))
        begin, end = spans[i][0], spans[i_end - 1][1]
        notes += score.notes[done:begin]
        slots = [TuneNote(note.pitch, note.beats, note.level, note.sung_on) for note in score.notes[begin:end]]
        if j == j_end:
            notes += _sung_over(notes, slots, score.words[i:i_end])
            remarks.append(say("words_left_out", words=" ".join(score.words[i:i_end])[:60]))
        else:
            try:
                stretch, said = placed(_syllables(words[j:j_end]), slots, score.tempo)
            except ValueError as problem:
                raise ValueError(
                    say("tune_text_wrong", text=" ".join(word.text for word in words[j:j_end])[:60], problem=problem)
                ) from None
            notes += stretch
            remarks += said
        done = end
    if not done:
        return score, (say("words_unchanged"),)
    notes += score.notes[done:]
    _check_count(len(notes))
    return score.with_notes(notes), tuple(dict.fromkeys(remarks))


def _syllables(words: Sequence[SungWord]) -> list[Sung]:
    sung = []
    for word in words:
        pieces = syllables(word.phones)
        sung += [
            Sung(piece, "-" if i else word.text, word.ends_line and i + 1 == len(pieces))
            for i, piece in enumerate(pieces)
        ]
    _check_count(len(sung))
    return sung


def _check_count(count: int) -> None:
    if count > MOST_NOTES:
        raise ValueError(say("song_too_many_notes", count=count, most_notes=MOST_NOTES))


def _set(
    sung: Sequence[Sung], tune: Tune, score: Score, key: str, tempo: float | None
) -> tuple[Score, tuple[str, ...]]:
    """Return a score with syllables on a tune."""
    if not tune.sung:
        raise ValueError(say("tune_has_no_notes"))
    tune = _within_tempi(tune)
    slots, remarks = _enough(tune.notes, len(sung))
    pitches = [slot.pitch for slot in slots]
    moved = 0
    if key:
        own_key = read_key(tune.key) if tune.key else key_of(pitches, [slot.beats for slot in slots])
        moved, own = semitones_to(key, own_key), f"{NAMES[own_key[0]]} {own_key[1]}"
        if not moved:
            remarks.append(say("tune_in_key_already", own=own))
        elif tune.key:
            remarks.append(say("tune_moved_from_stated_key", own=own, key=key.strip(), semitones=moved))
        else:
            remarks.append(say("tune_moved_to_key", own=own, key=key.strip(), semitones=moved))
    octaves = _octaves([pitch + moved for pitch in pitches if pitch is not None], score.singer)
    if octaves:
        remarks.append(say("tune_moved_for_singer", octaves_in_words=octaves_in_words(octaves), singer=score.singer))
    by = moved + 12 * octaves
    slots = [slot if slot.pitch is None else replace(slot, pitch=slot.pitch + by) for slot in slots]
    tempo = tempo or tune.tempo or score.tempo
    notes, said = placed(sung, slots, tempo)
    _check_count(len(notes))
    return replace(score, tempo=tempo).with_notes(notes), (*tune.remarks, *remarks, *said)


def _within_tempi(tune: Tune) -> Tune:
    """Return a tune of the same duration at a tempo that a score can have."""
    if tune.tempo is None or SLOWEST <= tune.tempo <= FASTEST:
        return tune
    tempo = min(max(tune.tempo, SLOWEST), FASTEST)
    notes = tuple(replace(note, beats=note.beats * tempo / tune.tempo) for note in tune.notes)
    return replace(tune, notes=notes, tempo=tempo)


def _enough(notes: Sequence[TuneNote], count: int) -> tuple[list[TuneNote], list[str]]:
    """Return a tune repeated for many syllables, or cut to its first phrases for few, and sentences on this."""
    begins = sum(note.pitch is not None and not note.sung_on for note in notes)
    times = int(count / begins + 0.5) if count >= AGAIN * begins else 1
    if times > 1:
        return [*notes] * times, [say("tune_repeated", times=times, notes=begins, syllables=count)]
    passed = 0
    for i, note in enumerate(notes):
        passed += note.pitch is not None and not note.sung_on
        if note.pitch is None and passed >= count and begins >= AGAIN * passed:
            return [*notes[:i]], [say("last_notes_left_out", notes=begins - passed)]
    return [*notes], []


def _octaves(pitches: Sequence[float], singer: str) -> int:
    """Return the octaves by which to move notes for a singer: 0 if they are in range and near the singer's middle."""
    low, high = RANGES.get(singer, RANGES[HEART])
    away = sum(pitches) / len(pitches) - MIDDLES.get(singer, MIDDLES[HEART])

    def price(octaves: int) -> tuple[float, bool, float]:
        beyond = sum(max(low - p - 12 * octaves, p + 12 * octaves - high, 0.0) for p in pitches)
        far = abs(away + 12 * octaves)
        return beyond, far > _FAR, abs(octaves) if far <= _FAR else far

    return min(range(-4, 5), key=price)


def _sung_over(before: Sequence[Note], slots: Sequence[TuneNote], left_out: Sequence[str]) -> list[Note]:
    """Return the notes of omitted words, on which the vowel before them continues."""
    vowel = next((sign for note in reversed(before) for sign in reversed(note.phones) if sign in VOWELS), "")
    if not vowel:
        raise ValueError(say("first_words_left_out", left_out=" ".join(left_out)[:60]))
    notes: list[Note] = []
    for slot in slots:
        rested = (notes or before)[-1].pitch is None
        notes.append(Note(None, slot.beats) if slot.pitch is None else held(vowel, slot, rested))
    return notes


def _no_notes(words: Sequence[SungWord], begin: int, end: int, at_end: bool) -> str:
    added = " ".join(word.text for word in words[begin:end])[:60]
    if at_end:
        return say("no_notes_at_end", words=added)
    beside = say("behind_word", word=words[begin - 1].text) if begin else say("before_first_word")
    return say("no_notes_for_words", words=added, beside=beside)
