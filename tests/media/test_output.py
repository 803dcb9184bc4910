"""Names of results, and files that cannot be written: found before the work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regrow.media.files import MediaError, write_whole
from regrow.media.output import beside, check_output, default_output

DEVICES = {"con", "prn", "aux", "nul", "com1", "lpt9"}


@example("\x1f.0", ".png")
@given(st.text(max_size=400), st.sampled_from([".png", ".flac", ".safetensors"]))
def test_a_name_that_every_system_takes(stem: str, suffix: str) -> None:
    name = str(default_output(stem, suffix))
    assert name.endswith(suffix)
    assert len(name.encode("utf-8", "surrogatepass")) <= 255
    assert not name.startswith(("-", ".", " "))
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name.split(".")[0].strip().lower() not in DEVICES
    assert not name.removesuffix(suffix).endswith((" ", "."))


@pytest.mark.parametrize("stem", ["CON", "nul", "aux.tar", "Com1", "-cat", "--help", "a:b", "cat. ", "...", ""])
def test_names_that_are_devices_options_or_nothing(stem: str) -> None:
    name = default_output(stem, ".png").name
    assert name not in (f"{stem}.png", ".png")
    assert not name.startswith("-")


def test_what_stands_beside_a_long_name_fits_too(tmp_path: Path) -> None:
    for letter in ("長", "a", "é", "e\u0301", "🎻"):
        path = tmp_path / default_output(letter * 300, ".png")
        assert 240 < len(os.fsencode(path.name)) <= 255
        assert set(path.stem) <= set(letter), "cut between characters"
        assert len(path.stem) % len(letter) == 0, "no mark is taken from its letter"
        for other in (path, beside(path, "-mask", ".png"), beside(path, "-1000"), beside(path, "-sheet", ".png")):
            check_output(other)
            write_whole(other, b"x")
    assert beside(Path("cat.png"), "-2") == Path("cat-2.png")


@pytest.mark.parametrize(
    ("name", "why"),
    [("no/cat.png", "as the folder .* does not exist"), ("folder", "is a folder"),
     ("file/cat.png", "as the folder .* does not exist"), ("é" * 200 + ".png", "name is too long"),
     ("a\0b.png", "cannot be written"), ("/proc/cat.png", "cannot be written")],
)  # fmt: skip
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match=why):
        check_output(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0, reason="no namespaces here"
)
def test_a_full_and_a_read_only_disk(tmp_path: Path) -> None:
    code = (
        "import sys, warnings; from pathlib import Path; from regrow.media.output import check_output\n"
        "from regrow.media.cache import keep; from regrow.media.home import home\n"
        "warnings.showwarning = lambda message, *_: print(message)\n"
        'for name in ("a", "b"): keep(home() / name, bytes(90_000))\n'
        'try: check_output(Path(sys.argv[1]) / "x.png")\n'
        "except ValueError as problem: print(problem)"
    )
    for options, why in (("size=32k", "No space left"), ("size=1m,ro", "Read-only file system")):
        run = f"{sys.executable} -c '{code}' {tmp_path}"
        command = f"mount -t tmpfs -o {options} tmpfs {tmp_path} && {run}; ls {tmp_path}"
        environment = os.environ | {"REGROW_HOME": str(tmp_path)}
        done = subprocess.run(["unshare", "-rm", "sh", "-c", command], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        told = done.stdout.splitlines()
        assert len(told) == 2, "the home is spoken of once, and nothing is left in it"
        assert told[0].startswith(f"Nothing is cached, as regrow's home {tmp_path} cannot be written (")
        assert why in told[0]
        assert "set REGROW_HOME" in told[0]
        assert f"x.png cannot be written ({why}" in told[1]
