"""Hostile inputs for batches, and for the command line as a process, which must print a result or one sentence."""

import json
import subprocess
import sys
from pathlib import Path

from regrow.benchmark.hostile.attempt import ADDRESS_SPACE
from regrow.benchmark.hostile.kind import AnswerError, Kind
from regrow.benchmark.hostile.media_kinds import wave, write_picture
from regrow.benchmark.hostile.word_kinds import ABC
from regrow.interfaces.batch.attempts import attempts_at, begin, is_alive
from regrow.interfaces.batch.jobs import read_jobs
from regrow.interfaces.batch.records import Record, read_record

COMMANDS = {
    "in.png": ("inspect", "in.png"),
    "in.wav": ("inspect", "in.wav"),
    "tune.abc": ("sing", "la la la", "--tune", "tune.abc", "--steps", "1", "--out", "out.flac"),
    "jobs.jsonl": ("batch", "jobs.jsonl", "--out", "out"),
    "family.json": ("models", "show", "."),
}
"""The arguments of the command that reads each mutated file; all are quick, as they compute little or nothing."""
JOBS = (
    {"verb": "edit", "image": "in.png", "target": ["a dog"], "source": "a cat", "steps": 3, "size": [64, 64]},
    {"verb": "generate", "prompt": "a cat", "seed": 1, "count": 2},
    {"verb": "extend", "sound": "in.wav", "prompt": "more"},
    {"verb": "interpolate", "first": "in.png", "second": "in.png", "words": ["a", "b"], "frames": 3},
)
KEY = "0" * 20


def _make_files(folder: Path) -> None:
    import soundfile

    write_picture(folder / "in.png")
    soundfile.write(folder / "in.wav", wave(), 8000)
    (folder / "tune.abc").write_text(ABC, encoding="utf-8")


def _make_batch(folder: Path) -> None:
    _make_files(folder)
    (folder / "jobs.jsonl").write_text("".join(json.dumps(job) + "\n" for job in JOBS), encoding="utf-8")
    (folder / "out" / ".attempts").mkdir(parents=True)
    (folder / "out" / "a.png").write_bytes((folder / "in.png").read_bytes())
    Record("done", "edit", {"target": ["a dog"]}, ("a.png",), ("A.",), "", 1.5, 3).write(folder / "out", KEY)
    begin(folder / "out", KEY)


def _read_batch(folder: Path, name: str) -> None:
    read_record(folder / "out", KEY)
    is_alive(folder / "out", KEY)
    attempts_at(folder / "out", KEY)
    read_jobs(folder / "jobs.jsonl")


def _make_commands(folder: Path) -> None:
    _make_files(folder)
    (folder / "jobs.jsonl").write_text('{"verb": "generate", "prompt": "a cat", "steps": 1}\n', encoding="utf-8")
    (folder / "family.json").write_text('{"family": "storybook"}', encoding="utf-8")


def _read_command(folder: Path, name: str) -> None:
    limits = f"import resource; resource.setrlimit(resource.RLIMIT_DATA, ({ADDRESS_SPACE}, {ADDRESS_SPACE}))"
    program = f"{limits}; from regrow.interfaces.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMANDS[name]], cwd=folder, capture_output=True, text=True, errors="replace"
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("regrow: ")]
    if "Traceback" in done.stderr or done.returncode not in (0, 1) or (done.returncode == 1 and len(said) != 1):
        raise AnswerError(f"{' '.join(COMMANDS[name])}: {done.returncode}\n{done.stderr[-4000:]}")


def command_kinds() -> tuple[Kind, ...]:
    """Return the kinds of this file."""
    return (
        Kind("batches", _make_batch, ("jobs.jsonl", "out/*"), _read_batch),
        Kind("commands", _make_commands, tuple(COMMANDS), _read_command, 0.05),
    )
