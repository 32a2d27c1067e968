"""A scenario's files are read safely, and what is wrong in them is named."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenario import load
from scenario.errors import LabError

SCENARIO_ID = "lambda-malicious-ip"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of our own with a copy of the scenario; its folder."""
    folder = tmp_path / SCENARIO_ID
    folder.mkdir()
    for name, text in load.files(SCENARIO_ID).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    monkeypatch.setattr(load, "CATALOG", tmp_path)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace `old`, which must be there, by `new` in a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "path"),
    [
        ("scenario.yaml", "    max_score: 15", "    max_scores: 15", "tasks.0.max_scores"),
        ("scenario.yaml", "      - rung: where", "      - rung: there", "tasks.0.hints.0.rung"),
        ("scenario.yaml", "    max_score: 15", "    max_score: many", "tasks.0.max_score"),
        ("background.yaml", "    at: 37m", "    at: soon", "background.episodes.1.at"),
        ("background.yaml", "    kind: role", "    kind: rule", "background.actors.0.kind"),
        ("fixes.yaml", "    score: 40", "    scores: 40", "fixes.0.scores"),
    ],
)
def test_a_bad_key_or_value_is_named_by_its_path(copy: Path, name: str, old: str, new: str, path: str) -> None:
    """`checked` says where in the file it is."""
    edit(copy / name, old, new)
    with pytest.raises(LabError, match=path.replace(".", r"\.")):
        load.checked(SCENARIO_ID)


def test_the_quick_way_refuses_an_unknown_key_too(copy: Path) -> None:
    """It names the key, if not its path, and leaves with the code for a broken environment."""
    edit(copy / "scenario.yaml", "    max_score: 15", "    max_scores: 15")
    with pytest.raises(LabError, match="max_scores") as caught:
        load.load(SCENARIO_ID)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "text",
    [
        "id: !!python/object/apply:os.system ['echo ran > ran']",
        "id: [",
        "- a\n- b",
        "id: x\nid: y",
        "id: !duration soon",
    ],
)
def test_a_file_that_is_not_plain_yaml_is_refused_and_nothing_runs(copy: Path, text: str) -> None:
    """Objects of Python, broken syntax, a list at the top, a key that is there twice."""
    (copy / "scenario.yaml").write_text(text, "utf-8")
    with pytest.raises(LabError, match=r"scenario\.yaml"):
        load.load(SCENARIO_ID)
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    "scenario_id", ["../lambda-malicious-ip", "", "nothing", "/etc", "lambda-malicious-ip/function"]
)
def test_only_names_of_the_catalog_open_anything(scenario_id: str) -> None:
    """Any other is bad usage, and the answer lists what there is."""
    with pytest.raises(LabError, match=SCENARIO_ID) as caught:
        load.load(scenario_id)
    assert caught.value.exit_code == 2


def test_a_missing_page_is_said_to_be_missing(copy: Path) -> None:
    """One sentence instead of a traceback."""
    (copy / "guide.md").unlink()
    with pytest.raises(LabError, match=r"guide\.md cannot be read"):
        load.page(SCENARIO_ID, "guide.md")


def test_a_folder_without_code_cannot_be_zipped(copy: Path) -> None:
    """An author who misspells a folder hears of it."""
    del copy
    scenario = load.load(SCENARIO_ID)
    from scenario.variant import variant

    with pytest.raises(LabError, match="'code/none' holds no code"):
        load.zipped(SCENARIO_ID, variant(scenario, "s"), "code/none")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8h47m", timedelta(hours=8, minutes=47)),
        ("1d", timedelta(days=1)),
        ("90s", timedelta(seconds=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("47", 47),
        ("1h2", "1h2"),
        ("'8h'", "8h"),
        ("1m1h", "1m1h"),
        ("h", "h"),
    ],
)
def test_a_plain_scalar_such_as_8h47m_is_a_duration(text: str, value: Any) -> None:
    """Largest unit first; quoted text and numbers stay what they are."""
    assert yaml.load(text, Loader=load._Loader) == value


def test_loading_for_a_check_imports_neither_pydantic_nor_an_sdk() -> None:
    """What is slow to import stays out of the trainee's command."""
    program = (
        "import sys; from scenario import load; load.load('lambda-malicious-ip', tasks_only=True); "
        "print([m for m in ('pydantic', 'boto3', 'botocore', 'moto', 'zipfile', 'typer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
