"""Record the results of every verb, method and medium, to compare one commit with another on the same machine.

    python runs/record.py make FOLDER [--like OTHER] [--only PATTERN] [--code CHECKOUT]
    python runs/record.py compare FOLDER_A FOLDER_B [--only PATTERN] [--no-words] [--renamed OLD=NEW ...]
    python runs/record.py replay FOLDER [--only PATTERN] [--code CHECKOUT]

`make` runs the commands of record_parts/cases.py, in torch on one thread, and keeps the files that they write.
index.json gets hashes of pixels, samples and tensors, and the printed figures, settings and sentences. If it is
stopped, it continues the next time. `--like` takes the inputs of another record. `compare` prints every difference, and
exits with 1 if there is one; `replay` makes the results of a record again from their recipes. Only the command line is
used, never regrow's modules, so that the record outlives them.
"""

import argparse
import contextlib
import fnmatch
import importlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before torch is imported below
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

from record_parts.cases import arguments_of, cases
from record_parts.facts import array_difference, documents, file_facts, flat, is_wording, json_difference
from record_parts.inputs import make_inputs

ENTRY = "regrow.interfaces.cli:main"
Main = Callable[[list[str]], None]


def main(arguments: list[str] | None = None) -> int:
    """Run make, compare or replay, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, dest="verb")
    for verb, folders in (("make", ("folder",)), ("compare", ("folder", "other")), ("replay", ("folder",))):
        options = verbs.add_parser(verb)
        for name in folders:
            options.add_argument(name, type=Path)
        options.add_argument("--only", default="*", help="cases whose name fits this pattern, as in 'edit *'")
        if verb == "compare":
            options.add_argument("--no-words", action="store_true", help="leave sentences out")
            options.add_argument("--renamed", nargs="*", default=[], metavar="OLD=NEW", help="names that mean the same")
            continue
        options.add_argument("--code", type=Path, default=Path(__file__).parents[1], help="checkout that is measured")
        options.add_argument("--entry", default=ENTRY, help="module:function of the command line")
        if verb == "make":
            options.add_argument("--like", type=Path, help="another record, whose inputs are taken")
    given = parser.parse_args(arguments)
    given.folder = given.folder.resolve()
    return {"make": make, "compare": compare, "replay": replay}[given.verb](given)


def make(given: argparse.Namespace) -> int:
    """Run the cases that are not in the folder's index yet, and return the exit status."""
    command_line = opened(given.code.resolve(), given.entry)
    folder, inputs = given.folder, given.folder / "inputs"
    if given.like and not inputs.exists():
        shutil.copytree(given.like / "inputs", inputs)
    if not inputs.exists():
        make_inputs(inputs, given.code / "examples")
    places = {str(folder): "FOLDER", str(given.code.resolve()): "CODE"}
    index = read_index(folder) if (folder / "index.json").exists() else {"about": about(given.code), "cases": {}}
    for name, commands in cases().items():
        if name in index["cases"] or not fnmatch.fnmatch(name, given.only):
            continue
        began, here = time.monotonic(), place(folder, name)
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir(parents=True)
        ran = [run(arguments_of(command), here, places, command_line) for command in commands]
        files = {path.relative_to(here).as_posix(): file_facts(path) for path in files_in(here)}
        seconds = round(time.monotonic() - began, 1)
        index["cases"][name] = {"commands": commands, "ran": ran, "files": files, "seconds": seconds}
        (folder / "index.part").write_text(json.dumps(index, ensure_ascii=False, indent=1))
        (folder / "index.part").rename(folder / "index.json")
        print(f"{seconds:6.1f} s  {name}: {', '.join(str(one['status']) for one in ran)}", flush=True)
    print(f"{len(index['cases'])} cases, {sum(case['seconds'] for case in index['cases'].values()):.0f} s, in {folder}")
    return 0


def opened(code: Path, entry: str) -> Main:
    """Import the command line of a checkout, and check that it is not that of another one."""
    sys.path.insert(0, str(code))
    os.environ["PYTHONPATH"] = str(code)
    module, _, function = entry.partition(":")
    found = importlib.import_module(module)
    if not Path(str(found.__file__)).resolve().is_relative_to(code):
        sys.exit(f"{module} comes from {found.__file__}, not from {code}.")
    return getattr(found, function)


def about(code: Path) -> dict[str, str]:
    """Return the commit, and the facts besides the code that results depend on."""
    import torch

    asked = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(asked, cwd=code, capture_output=True, text=True, check=False).stdout.strip()
    torches = f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"
    return {"commit": commit, "python": platform.python_version(), "torch": torches, "machine": platform.machine()}


def place(folder: Path, name: str) -> Path:
    """Return the folder of a case's files."""
    return folder / "cases" / re.sub(r"\W+", "-", name)


def files_in(here: Path) -> list[Path]:
    """Return the files that a case wrote, with the models of its home, but without the home's runs and caches."""
    home = here / "home"
    kept = [path for path in here.rglob("*") if path.is_relative_to(home / "models") or home not in path.parents]
    return sorted(path for path in kept if path.is_file())


def run(arguments: list[str], here: Path, places: dict[str, str], command_line: Main) -> dict[str, Any]:
    """Run a command in a case's folder; a training, which sets the process's precision, in its own process.

    Args:
        arguments: of the command line.
        here: the case's folder.
        places: placeholders for folders by path, so that records in different folders can be compared.
        command_line: regrow's main function.
    """
    os.environ["REGROW_HOME"] = str(here / "home")
    if arguments[0] == "train":
        process = [sys.executable, "-m", "regrow", *arguments]
        ended = subprocess.run(process, cwd=here, capture_output=True, text=True, check=False)
        status, printed, said = ended.returncode, ended.stdout, ended.stderr
    else:
        out, err = io.StringIO(), io.StringIO()
        status: int | str = 0
        captured = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
        with contextlib.chdir(here), captured[0], captured[1], warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)  # else only the first case would get a repeated warning
            try:
                command_line(arguments)
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
            except Exception as problem:
                status = f"{type(problem).__name__}: {problem}"
        printed, said = out.getvalue(), err.getvalue()
    if status == 130:
        sys.exit("stopped")
    for path, word in places.items():
        printed, said = printed.replace(path, word), said.replace(path, word)
    words = list(dict.fromkeys(line for line in said.splitlines() if line.startswith("regrow:")))
    return {"status": status, "words": words, "facts": dict(flat(documents(printed)))}


def read_index(folder: Path) -> dict[str, Any]:
    """Return a record's index."""
    return json.loads((folder / "index.json").read_text())


def facts_of(case: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """Return all facts of a case that are compared, by their place, with old names replaced by new ones."""
    found = dict(flat({"ran": case["ran"], "files": case["files"]}))
    if not renamed:
        return found
    words = re.compile(rf"\b({'|'.join(map(re.escape, renamed))})\b")
    new = {place: words.sub(lambda hit: renamed[hit[0]], place) for place in found}
    return {
        new[place]: words.sub(lambda hit: renamed[hit[0]], value) if isinstance(value, str) else value
        for place, value in found.items()
    }


def compare(given: argparse.Namespace) -> int:
    """Print the differences between two records, and return 1 if there are any, else 0."""
    folders = (given.folder, given.other.resolve())
    one, other = map(read_index, folders)
    for key in ("python", "torch", "machine"):
        if one["about"][key] != other["about"][key]:
            print(f"note: {key} was {one['about'][key]} and is {other['about'][key]}; bits may differ for that alone")
    renamed = dict(pair.split("=", 1) for pair in given.renamed)
    names = [name for name in {**one["cases"], **other["cases"]} if fnmatch.fnmatch(name, given.only)]
    differing: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        if name not in one["cases"] or name not in other["cases"]:
            differing["result", "only one record has it"].append(name)
            continue
        first, second = (facts_of(index["cases"][name], renamed) for index in (one, other))
        for key in sorted(first.keys() | second.keys()):
            before, after = first.get(key, "nothing"), second.get(key, "nothing")
            if before == after or repr(before) == repr(after):  # NaN is not equal to itself
                continue
            kind = "words" if is_wording(before) or is_wording(after) else "result"
            what = f"{key}: {before!r} -> {after!r}"
            paths = [place(folder, name) / key.removeprefix("files.").rpartition(".")[0] for folder in folders]
            if key.startswith("files.") and all(path.is_file() for path in paths):
                how = json_difference if paths[0].suffix == ".json" else array_difference
                what = f"{key}: {how(*paths)}"
            differing[kind, what].append(name)
    shown = [
        (kind, what, where) for (kind, what), where in differing.items() if not (given.no_words and kind == "words")
    ]
    for kind, what, where in sorted(shown):
        print(f"{kind} differs: {what}\n    in {len(where)}: {', '.join(where[:6])}{' ...' if len(where) > 6 else ''}")
    print(f"{len(names)} cases, {len({name for *_, where in shown for name in where})} differ")
    return int(bool(shown) or not names)


def replay(given: argparse.Namespace) -> int:
    """Make every result of a record with a recipe again, and return 1 if one is not the same, else 0."""
    command_line, made, failed = opened(given.code.resolve(), given.entry), 0, 0
    for name, case in read_index(given.folder)["cases"].items():
        if not fnmatch.fnmatch(name, given.only):
            continue
        here = place(given.folder, name)
        results = [
            file for one in case["ran"] for key, file in one["facts"].items() if re.fullmatch(r"files\.\d+", key)
        ]
        for file in results:
            if file.endswith(("-sheet.png", "s.png")):  # a sheet has the recipe of one of its results
                continue
            again = here / "home" / f"again{Path(file).suffix}"
            again.parent.mkdir(exist_ok=True)  # a case that wrote nothing there has no home
            again.unlink(missing_ok=True)
            ran = run(["replay", file, "--out", str(again), "--json", "--threads", "1"], here, {}, command_line)
            made += 1
            if not ran["facts"].get("identical"):
                failed += 1
                print(f"{name}, {file}: {'; '.join(ran['words']) or 'not the same'}", flush=True)
    print(f"{made} replayed, {failed} not the same")
    return int(failed > 0 or not made)


if __name__ == "__main__":
    sys.exit(main())
