"""axe-core, the accessibility checker: taken from npm into an ignored folder beside this file, run in the page itself."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from selenium import webdriver

VERSION = "4.14.1"
FOLDER = Path(__file__).parent
GRAVE = ("serious", "critical")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@cache
def source() -> str:
    """Return the checker's script, installed where it is missing."""
    script = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        command = [
            "npm",
            "install",
            "--prefix",
            str(FOLDER),
            "--no-save",
            "--no-package-lock",
            "--silent",
            f"axe-core@{VERSION}",
        ]
        subprocess.run(command, check=True, timeout=300)
    return script.read_text("utf-8")


def grave(driver: webdriver.Chrome) -> list[str]:
    """Return what is seriously wrong with the page that is shown: rule, what it says, where."""
    driver.execute_script(source())
    # All nodes are told of what is violated only: to describe what is right takes most of the time.
    options = "{runOnly: arguments[0], resultTypes: ['violations']}"
    run = f"const done = arguments[1]; axe.run({options}).then(found => done(found.violations))"
    found: list[dict[str, Any]] = driver.execute_async_script(run, list(RULES))
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in GRAVE
    ]
