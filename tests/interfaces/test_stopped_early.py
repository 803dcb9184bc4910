"""SIGTERM at any moment of a command, also while it still imports what it needs, ends it with a sentence."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BEGUN = "import sys; print('begun', flush=True); "


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.5])
def test_a_training_says_a_word_when_it_is_stopped_in_its_first_seconds(seconds: float, tmp_path: Path) -> None:
    words = ["train", "--world", "storybook", "--name", "early", "--new", "tiny", "--for", "30m", "--scenes", "64"]
    program = "from regrow.interfaces.cli import main; " + BEGUN + "main()"  # python's own start is not ours
    with subprocess.Popen(
        [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
        assert process.wait() in (130, 143)
    assert "Stopped by SIGTERM." in said or "saving" in said
    assert "Traceback" not in said


def test_who_runs_a_command_in_a_program_keeps_their_own_handler() -> None:
    program = (
        "import signal; signal.signal(signal.SIGTERM, lambda *_: None); from regrow.interfaces.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert callable(signal.getsignal(signal.SIGTERM))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0
