"""Labs and browsers for the tests of the console."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.walking import Browser, RunningLab, chromium


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab that the tests of a module share."""
    running = RunningLab(tmp_path_factory.mktemp("lab-home"))
    running.start()
    yield running
    running.command("stop")


@pytest.fixture
def browser(lab: RunningLab, tmp_path: Path) -> Iterator[Browser]:
    """A browser with a fresh profile on that lab."""
    with chromium(lab.url, tmp_path / "profile") as opened:
        yield opened
