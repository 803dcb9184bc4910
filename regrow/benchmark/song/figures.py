"""The results of the benchmark of singing models, as data and as tables in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from regrow.benchmark.estimates import Estimate, as_json, mean, ratio, shown
from regrow.benchmark.song.edits import EDIT, IMG2IMG, LIMITS, REGENERATED
from regrow.benchmark.song.measure import MOVED
from regrow.worlds.songbook.alignment import FRAME

VOICES = {"teacher": "the teacher", "frames": "through the frames", "model": "the model"}
"""The voices that are measured, and their names in the table."""
SHARES = {
    "pitch": "pitch within 25 cents of the curve, %",
    "notes": "pitch in vowels within 25 cents of the note, %",
    "onsets": "vowels that are sung and begin within 50 ms, %",
    "on_time": "vowels that begin within 50 ms, whatever is sung, %",
}
AIMS = {"pitch": "95", "onsets": "95", "more": "3", "megabytes": "30", "speed": "5", "granted": "95", "distance": "0.5"}
"""Targets set in issue 34, by figure."""


@dataclass(frozen=True, eq=False)
class SongFigures:
    """All figures of a run.

    Attributes:
        model: its name.
        steps: of the songs.
        solver: of the songs.
        megabytes: of the model's weights.
        songs: one row per song (`measure.song_row`).
        edits: rows (`edits.SongEdit`) by editing method; empty if no edits were made.
        strengths: chosen for these methods.
        tuning: number of songs that the strengths were chosen on.
        seconds: duration of the run.
    """

    model: str
    steps: int
    solver: str
    megabytes: float
    songs: Sequence[Mapping[str, Any]]
    edits: Mapping[str, Sequence[Mapping[str, Any]]]
    strengths: Mapping[str, float]
    tuning: int
    seconds: float


def of_songs(figures: SongFigures) -> dict[str, Estimate]:
    """Return the figures of the songs, with 95 % intervals from resampled songs.

    Keys join voice and measure, such as "teacher pitch". "words" is the share of wrongly recognised words; "more" is
    the model's share minus the teacher's; "limit" is the value of "notes" of the score's own curve.
    """
    rows = figures.songs
    estimates = {"limit": _share(row["limit"] for row in rows)}
    for voice in VOICES:
        for name in SHARES:
            estimates[f"{voice} {name}"] = _share(row[voice][name] for row in rows)
        sure = [row[voice]["pitch"][1] for row in rows]
        estimates[f"{voice} voiced"] = ratio(sure, [row["teacher"]["pitch"][1] for row in rows])
        estimates[f"{voice} words"] = _share([n - right, n] for right, n in (row[voice]["words"] for row in rows))
        estimates[f"{voice} mel"] = mean([row[voice]["mel"] for row in rows])
    more = [row["teacher"]["words"][0] - row["model"]["words"][0] for row in rows]
    estimates["more"] = ratio(more, [row["model"]["words"][1] for row in rows])
    estimates["speed"] = ratio([row["length"] for row in rows], [row["seconds"] for row in rows])
    checks = [row["check"] for row in rows if "check" in row]
    for name in checks[0] if checks else ():
        if any(check[name][1] for check in checks):
            estimates[f"check {name}"] = _share(check[name] for check in checks)
    return estimates


def of_edits(figures: SongFigures) -> dict[str, dict[str, Estimate]]:
    """Return the figures of the edits by method, also as ratios to those of regeneration and img2img."""
    estimates = {}
    for name, rows in figures.edits.items():
        estimates[name] = {
            "granted": _share(row["granted"] for row in rows),
            "tune": _share(row["tune"] for row in rows),
            **{key: mean([row[key] for row in rows]) for key in ("truth", "inside", "outside")},
        }
        if sum(row["granted"][0] for row in figures.edits[REGENERATED]):
            other = [row["granted"][0] for row in figures.edits[REGENERATED]]
            estimates[name]["granted of regenerated"] = ratio([row["granted"][0] for row in rows], other)
        for other_name in (REGENERATED, IMG2IMG):
            for key in ("truth", "inside"):
                other = [row[key] for row in figures.edits[other_name]]
                estimates[name][f"{key} of {other_name}"] = ratio([row[key] for row in rows], other)
    return estimates


def _share(pairs: Any) -> Estimate:
    hits, counts = zip(*pairs, strict=True)
    return ratio(hits, counts) if sum(counts) else Estimate(float("nan"), float("nan"), float("nan"), len(counts))


def as_dict(figures: SongFigures) -> dict[str, Any]:
    """Return the figures JSON-able."""
    return {
        "model": figures.model,
        "steps": figures.steps,
        "solver": figures.solver,
        "megabytes": round(figures.megabytes, 2),
        "songs": {"count": len(figures.songs), **_plain(of_songs(figures))},
        "thrown_away": sum(row["thrown"] for row in figures.songs),
        "threads": sorted({row["threads"] for row in figures.songs}),
        "edits": {name: _plain(each) for name, each in of_edits(figures).items()},
        "strengths": dict(figures.strengths),
        "tuning": figures.tuning,
        "seconds": figures.seconds,
    }


def _plain(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: as_json(estimate) for name, estimate in estimates.items()}


def markdown(figures: SongFigures) -> str:
    """Return the tables of a run, with sentences on its conditions, in Markdown."""
    estimates, rows = of_songs(figures), figures.songs
    thrown, threads = sum(row["thrown"] for row in rows), sorted({row["threads"] for row in rows})
    words = sum(row["model"]["words"][1] for row in rows)
    vowels = sum(row["model"]["onsets"][1] for row in rows)
    lines = [
        f"{figures.model}: {len(rows)} held-out songs with {words} words that are listened for and {vowels} vowels, "
        f"{figures.steps} steps of {figures.solver}; 95 % bootstrap intervals over songs. {thrown} more songs were "
        "thrown away, in which the teacher left a vowel unvoiced.",
        "",
        f"| | {' | '.join(VOICES.values())} | aim |",
        "|---|---|---|---|---|",
    ]
    for name, head in SHARES.items():
        cells = [shown(estimates[f"{voice} {name}"], 100, 1) for voice in VOICES]
        if name in ("onsets", "on_time"):
            cells[0] = "-"  # by construction
        if name == "notes":
            head += f" (of the score's own curve: {100 * estimates['limit'].value:.1f})"
        lines.append(_row(head, *cells, AIMS.get(name, "")))
    lines.append(_row("frames with a sure pitch, of the teacher's, %", "-",
                      *(shown(estimates[f"{v} voiced"], 100, 1) for v in ("frames", "model")), ""))  # fmt: skip
    lines.append(_row("words chosen wrongly, of 8, %", *(shown(estimates[f"{v} words"], 100, 1) for v in VOICES), ""))
    lines.append(_row("more than the teacher, points", "-", "-", shown(estimates["more"], 100, 1), AIMS["more"]))
    lines.append(_row("log-mel distance to the teacher, dB", "-",
                      *(shown(estimates[f"{v} mel"], 1, 2) for v in ("frames", "model")), ""))  # fmt: skip
    lines.append(_row("weights, MB", "", "", f"{figures.megabytes:.1f}", AIMS["megabytes"]))
    head = f"times real time, {' or '.join(map(str, threads))} threads"
    lines += [_row(head, "", "", shown(estimates["speed"], 1, 1), AIMS["speed"]), ""]
    checks = [
        f"of those moved by {1000 * frames * FRAME:g} ms "
        f"{shown(estimates[key], 100, 0)} % are called {'on time' if frames * FRAME <= 0.05 else 'late'}"
        for frames in MOVED
        if (key := f"check {1000 * frames * FRAME:g}") in estimates
    ]
    if checks:
        lines += [f"The measure of onsets, tried on vowels of the teacher: {'; '.join(checks)}.", ""]
    return "\n".join(lines + (_of_edits(figures) if figures.edits else []))


def _of_edits(figures: SongFigures) -> list[str]:
    estimates = of_edits(figures)
    count = len(figures.edits[REGENERATED])
    words = sum(row["granted"][1] for row in figures.edits[REGENERATED])
    lines = [
        f"Other words, same tune: {count} songs, {words} words; strengths chosen on {figures.tuning} other songs.",
        "",
        "| | strength | words granted, % | tune kept, % | to the truth, dB | inside, dB | samples kept outside, % |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in estimates.items():
        strength = "" if name in LIMITS or name.startswith(REGENERATED) else f"{figures.strengths[name]:g}"
        cells = [shown(each["granted"], 100, 1), shown(each["tune"], 100, 1)]
        cells += [shown(each["truth"], 1, 2), shown(each["inside"], 1, 2), shown(each["outside"], 100, 1)]
        lines.append(_row(name, strength, *cells))
    edit = estimates[EDIT]
    granted = "Regeneration granted no word."
    if "granted of regenerated" in edit:
        share = shown(edit["granted of regenerated"], 100, 0)
        granted = f"Words that {EDIT} grants, of as many as regeneration grants: {share} % (aim {AIMS['granted']})."
    lines += [
        "",
        f"{granted} The distance of {EDIT} to the truth is "
        f"{shown(edit[f'truth of {REGENERATED}'], 1, 2)} of regeneration's and "
        f"{shown(edit[f'truth of {IMG2IMG}'], 1, 2)} of img2img's (aim {AIMS['distance']}), inside the changed spans "
        f"{shown(edit[f'inside of {REGENERATED}'], 1, 2)} and {shown(edit[f'inside of {IMG2IMG}'], 1, 2)}.",
        "",
    ]
    return lines


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def print_table(figures: SongFigures, out: TextIO) -> None:
    """Print the figures as Markdown."""
    print(markdown(figures), file=out)
