"""What is installed: a wheel holds everything that regrow needs while it runs, and the notices of what it was given."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from regrow.training.world_data import CODE
from regrow.worlds.bandstand.sampler import BANK

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def builder() -> WheelBuilder:
    return WheelBuilder(str(ROOT))


def test_the_wheel_holds_the_bank_and_the_models(builder: WheelBuilder) -> None:
    held = {file.distribution_path.replace("\\", "/") for file in builder.recurse_included_files()}
    entries = json.loads((BANK / "index.json").read_text()).values()
    for name in ("index.json", "NOTICE", *(entry["file"] for entry in entries)):
        assert f"regrow/worlds/bandstand/bank/{name}" in held
    assert "regrow/weights/storybook/model_index.json" in held
    assert not [path for path in held if not path.startswith("regrow/")]


def test_the_soundfont_s_notice_is_one_of_the_package_s_licences(builder: WheelBuilder) -> None:
    assert "regrow/worlds/bandstand/bank/NOTICE" in builder.metadata.core.license_files
    notice = (BANK / "NOTICE").read_text()
    for words in ("Frank Wen", "FluidR3", "Permission is hereby granted, free of charge", 'PROVIDED "AS IS"'):
        assert words in notice


def test_drawn_pictures_are_kept_by_all_the_code_that_draws_them_and_no_other() -> None:
    listing = (
        "import sys; import regrow.worlds.storybook.drawing; print(*(m for m in sys.modules if 'regrow.worlds.' in m))"
    )
    output = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout
    loaded = {name.removeprefix("regrow.worlds.storybook.") for name in output.split() if ".storybook." in name}
    # wording only names what is drawn
    assert {f"{name}.py" for name in loaded if not name.startswith("wording")} == set(CODE)
