"""What a second edit imports, once its networks were converted by the first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from homes import sharing_engines

from regrow.models.engines.openvino_runtime import installed

EXAMPLES = Path(__file__).parents[2] / "examples"
SLOW = ("diffusers", "transformers", "huggingface_hub")
"""Libraries that take seconds to load."""
WRAPPED = f"""
import sys
from regrow.interfaces.cli import main
main(sys.argv[1:])
loaded = [name for name in {SLOW} if name in sys.modules]
sys.exit(f"loaded: {{loaded}}" if loaded else 0)
"""


@pytest.mark.skipif(not installed(), reason="OpenVINO is not installed")
@pytest.mark.parametrize(
    ("model", "source", "target", "out"),
    [("storybook", "cat.png", "a dog", "out.png"), ("bandstand", "piano.flac", "a flute", "out.flac")],
)
def test_a_second_edit_loads_none_of_the_large_libraries(
    tmp_path: Path, model: str, source: str, target: str, out: str
) -> None:
    environment = os.environ | {"REGROW_HOME": str(sharing_engines(tmp_path / "home"))}
    edit = ("edit", str(EXAMPLES / source), "--target", target, "--model", model, "--steps", "2", "--out", out)
    for command in (("-m", "regrow"), ("-c", WRAPPED)):
        done = subprocess.run(
            [sys.executable, *command, *edit, "--engine", "openvino"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("out*"))) == 2
