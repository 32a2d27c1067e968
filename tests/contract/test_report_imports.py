"""What the room's commands cost before they are asked for anything."""

import subprocess
import sys

import pytest

SLOW = ("boto3", "botocore", "moto", "pydantic", "yaml", "rich.console", "checker.grade", "scenario.load")


def _loaded(code: str) -> set[str]:
    """Return the modules loaded after `code` ran in a fresh interpreter."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_mounting_the_commands_imports_nothing_slow() -> None:
    """`lab --help` pays for typer only."""
    code = "from checker.cli import build\nbuild(lambda target: None)"
    assert _loaded(code) & set(SLOW) == set()


@pytest.mark.parametrize("module", ["checker.grade", "checker.report", "checker.debrief"])
def test_judging_needs_no_sdk(module: str) -> None:
    """The core is pure: no SDK, no pydantic, no YAML."""
    assert _loaded(f"import {module}") & {"boto3", "botocore", "pydantic", "yaml", "typer"} == set()


def test_collecting_needs_no_pydantic() -> None:
    """The path of `lab check` stays light."""
    assert _loaded("import checker.collect, scenario.load") & {"moto", "pydantic", "rich.console"} == set()
