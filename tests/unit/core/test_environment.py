"""The environment in which AWS clients reach the lab and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.environment import assignments, hostile, isolated, lab_variables
from simulator.home import Home, Running

RUNNING = Running(
    pid=1, endpoint_url="http://127.0.0.1:4566", token="t", lab_id="l", seed="s", scenario="x", account_id="1", region="us-east-1",
    access_key_id="ASIA", secret_access_key="secret/+'quote", session_token="tok", check_access_key_id="", check_secret_access_key="",
    check_session_token="", owner_access_key_id="", owner_secret_access_key="", owner_session_token="",
)  # fmt: skip
OUTSIDE = {
    "AWS_PROFILE": "work", "AWS_ENDPOINT_URL_GUARDDUTY": "http://elsewhere", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "HTTP_PROXY": "http://proxy", "https_proxy": "http://proxy", "ALL_PROXY": "http://proxy", "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_CONFIG_FILE": "/real", "LOCALSTACK_HOST": "elsewhere", "AWS_CA_BUNDLE": "/real", "PATH": "/bin", "HOME": "/home/me",
}  # fmt: skip


def test_nothing_from_outside_stays_in_force(tmp_path: Path) -> None:
    """Profile, service endpoint, proxies, credentials and files are the lab's own; the rest of the environment is kept.

    The one proxy inside is the lab itself, which refuses what a client would send elsewhere.
    """
    inside = isolated(OUTSIDE, Home(tmp_path), RUNNING)
    refusing = {"HTTPS_PROXY": RUNNING.endpoint_url, "https_proxy": RUNNING.endpoint_url}
    ours = {**lab_variables(Home(tmp_path), RUNNING), **refusing}
    leading = {
        name: value for name, value in inside.items() if name.upper().startswith("AWS_") or "PROXY" in name.upper()
    }
    assert leading == {name: ours[name] for name in leading}
    assert inside["HOME"] == "/home/me"
    assert inside["PATH"].endswith("/bin")
    assert "LOCALSTACK_HOST" not in inside


def test_hostile_names_are_found_in_any_case() -> None:
    """What `lab env` clears and `lab check` drops is everything that could lead elsewhere."""
    assert hostile(OUTSIDE) == sorted(set(OUTSIDE) - {"PATH", "HOME"})


@pytest.mark.skipif(sys.platform == "win32", reason="there is no sh")
@given(value=st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=40))
def test_sh_reads_back_any_value(value: str) -> None:
    """Whatever a secret consists of, a shell that runs the lines has exactly it."""
    script = assignments({"SECRET": value}, ["AWS_PROFILE"], "sh") + '\nprintf %s "$SECRET:${AWS_PROFILE-gone}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, env={"AWS_PROFILE": "work"}, check=True)
    assert done.stdout.decode() == f"{value}:gone"


@pytest.mark.parametrize(
    ("shell", "lines"),
    [
        ("fish", "set -e AWS_PROFILE;\nset -gx K 'a b';"),
        ("powershell", "Remove-Item Env:AWS_PROFILE -ErrorAction SilentlyContinue\n$Env:K = 'a b'"),
        ("cmd", 'set AWS_PROFILE=\nset "K=a b"'),
    ],
)
def test_other_shells_have_their_own_lines(shell: str, lines: str) -> None:
    """fish, PowerShell and cmd each get their own assignments."""
    assert assignments({"K": "a b"}, ["AWS_PROFILE"], shell) == lines  # type: ignore[arg-type]
