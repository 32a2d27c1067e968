"""What `lab doctor` says of this machine, this installation and the running lab."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from scenario.errors import LabError
from simulator import client
from simulator.home import Home

DISTRIBUTION = "guardduty-lab"
PACKAGES = ("scenario", "templates", "simulator", "checker", "lab")
MINIMUM, BELOW = (3, 11), (3, 14)
READS_ENDPOINT = {1: (1, 29, 0), 2: (2, 13, 0)}
"""The first AWS CLI of each major version that reads AWS_ENDPOINT_URL (AWS SDKs and Tools reference, Service-specific endpoints)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: `ok`, a `note` that is worth knowing, or a `problem` that keeps the lab from working."""

    name: str
    state: Literal["ok", "note", "problem"]
    found: str
    advice: str = ""


def machine() -> list[Finding]:
    """Return what is found of Python, the AWS CLI, walls around functions, other owners of the kit's package names, and coverage."""
    return [_python(), _cli(), _walls(), _owners(), _coverage()]


def _coverage() -> Finding:
    from simulator.coverage import summary

    return Finding(name="coverage", state="ok", found=summary())


def replay(home: Home) -> list[Finding]:
    """Return what is found of the lab that runs on `home`: answers that a replay gave differently, unimplemented services."""
    try:
        running = client.alive(home)
    except LabError as broken:
        return [
            Finding(name="lab", state="problem", found=f"{broken.tried}: {broken.happened}", advice=broken.try_next)
        ]
    if running is None:
        return [Finding(name="lab", state="note", found=f"none runs on {home.path}", advice="Run 'lab start'.")]
    told = running.get("/_lab/status")
    if told["differences"]:
        return [
            Finding(
                name="replay",
                state="note",
                found="; ".join(told["differences"]),
                advice="The lab was made by another version of the kit or of moto; 'lab reset' makes it anew.",
            )
        ]
    return [Finding(name="replay", state="ok", found="the lab answers as its journal says")]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if MINIMUM <= sys.version_info[:2] < BELOW:
        return Finding(name="python", state="ok", found=version)
    return Finding(
        name="python", state="problem", found=version, advice="The kit is made for Python 3.11, 3.12 and 3.13."
    )


def _cli() -> Finding:
    """The `aws` of this terminal, or else the kit's own, which is first in `lab shell`."""
    program = shutil.which("aws", path=os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)]))
    if program is None:
        advice = "Install the kit with its extra 'aws', or use boto3, the console, or an AWS CLI of your own."
        return Finding(name="AWS CLI", state="note", found="none on the path", advice=advice)
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
        version = re.search(r"aws-cli/(\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
    except (OSError, subprocess.TimeoutExpired):
        version = None
    if version is None:
        advice = "Run it yourself to see what is wrong with it."
        return Finding(name="AWS CLI", state="note", found=f"{program} does not tell its version", advice=advice)
    number = tuple(map(int, version.groups()))
    found = f"{'.'.join(version.groups())}, {program}"
    if number >= READS_ENDPOINT.get(number[0], (0,)):
        return Finding(name="AWS CLI", state="ok", found=found)
    advice = "It does not read AWS_ENDPOINT_URL: use it in 'lab shell', or with --endpoint-url, or take 2.13 or 1.29, or newer."
    return Finding(name="AWS CLI", state="note", found=found, advice=advice)


def _walls() -> Finding:
    from simulator.functions import Environments

    environments = Environments()
    walls = environments.walls()
    environments.close()
    found = f"recorded: {walls.recorded}; blocked: {walls.blocked}"
    if walls.kernel:
        return Finding(name="walls", state="ok", found=found)
    return Finding(
        name="walls", state="note", found=found, advice="Run only code that you trust here; a hosted lab needs Linux."
    )


def _owners() -> Finding:
    """The kit's packages have plain names; another distribution of the same ones would overwrite them without a word."""
    owners = metadata.packages_distributions()
    others = {name: found for name in PACKAGES if (found := sorted(set(owners.get(name, ())) - {DISTRIBUTION}))}
    if not others:
        return Finding(name="packages", state="ok", found="no other distribution owns a name of the kit's")
    told = "; ".join(f"{name} is also {', '.join(found)}'s" for name, found in others.items())
    return Finding(
        name="packages",
        state="problem",
        found=told,
        advice="Install the kit into an environment of its own (make lab, pipx, uv tool).",
    )
