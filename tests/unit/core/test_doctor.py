"""What the doctor says of the AWS CLI that is found: whether it reads the lab's endpoint from the environment."""

import os
import sys
from pathlib import Path

import pytest

from simulator import doctor


@pytest.mark.parametrize(
    ("prints", "state", "says"),
    [
        ("echo aws-cli/2.9.19 Python/3.11.2", "note", "does not read AWS_ENDPOINT_URL"),
        ("echo aws-cli/2.13.0 Python/3.11.4", "ok", ""),
        ("echo aws-cli/1.28.9 Python/3.11.4 >&2", "note", "does not read AWS_ENDPOINT_URL"),
        ("echo aws-cli/1.29.0 Python/3.11.4", "ok", ""),
        ("echo aws-cli/3.0.1 Python/3.14.0", "ok", ""),
        ("exit 1", "note", "Run it yourself"),
    ],
)
def test_an_aws_cli_is_known_by_its_version(
    prints: str, state: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An old one asks AWS itself, with the lab's keys, where only the environment names the lab."""
    windows = sys.platform == "win32"
    program = tmp_path / ("aws.cmd" if windows else "aws")
    program.write_text(f"@{prints}\n" if windows else f"#!/bin/sh\n{prints}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    row = next(each for each in doctor.machine() if each.name == "AWS CLI")
    assert (row.state, says in row.advice) == (state, True)
    assert str(program).lower() in row.found.lower()


def test_where_there_is_none_the_doctor_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing on the path and none beside the interpreter."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert doctor._cli().found == "none on the path"
