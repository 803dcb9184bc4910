"""The page's tabs, texts and assets: a tab is a module and its texts, and each language says all of them."""

import json
import re
from collections import Counter
from pathlib import Path

from test_package import ROOT, builder  # noqa: F401, a fixture

from regrow.interfaces.web import tabs, texts
from regrow.interfaces.web.assets import asset

FOLDER = Path(texts.__file__).parent
TABLES = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FOLDER.glob("*.json")}
TABLES.pop("sentences.zh")


def test_each_text_is_in_both_languages_with_the_same_figures() -> None:
    for key, languages in texts.TEXTS.items():
        assert set(languages) == {"en", "zh"}, key
        assert all(words.strip() for words in languages.values()), key
        english, chinese = (set(re.findall(r"\{(\w+)\}", languages[language])) for language in ("en", "zh"))
        assert english == chinese, key


def test_no_key_is_in_two_files() -> None:
    counted = Counter(key for table in TABLES.values() for key in table)
    assert {key for key, count in counted.items() if count > 1} == set()


def test_a_tab_is_a_module_and_its_texts() -> None:
    listed = tabs.all_tabs()
    assert [tab.name for tab in listed] == ["edit", "generate", "history", "train", "inside", "models"]
    assert len({tab.place for tab in listed}) == len(listed)
    assert set(TABLES) == {tab.name for tab in listed} | {"shared"}
    for tab in listed:
        assert tab.name in TABLES[tab.name], f"{tab.name} has no title among its texts"


def test_a_module_more_is_a_tab_more(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "zoo_tab.py").write_text(
        "from regrow.interfaces.web.tabs import Tab\nTAB = Tab('zoo', 2.5, lambda page, tab: None)\n"
    )
    monkeypatch.setattr(tabs, "__path__", [*tabs.__path__, str(tmp_path)])
    assert [tab.name for tab in tabs.all_tabs()][1:4] == ["generate", "zoo", "history"]


def test_the_wheel_holds_scripts_styles_and_texts(builder) -> None:  # noqa: F811
    held = {file.distribution_path.replace("\\", "/") for file in builder.recurse_included_files()}
    web = ROOT / "regrow" / "interfaces" / "web"
    needed = [file for ending in ("js", "css", "json") for file in web.rglob(f"*.{ending}")]
    assert len(needed) > 15
    assert {file.relative_to(ROOT).as_posix() for file in needed} <= held
    assert asset("page.css").startswith(".status")
