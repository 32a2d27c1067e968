"""A browser on a lab of its own: what the browser tests and the picture maker share."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from tests.aws_cli import aws_cli

ROOT = Path(__file__).resolve().parents[2]
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 60
"""Seconds that a page may take: the machine may be busy, and `lab check` is a process of its own."""


@dataclass(frozen=True, slots=True)
class RunningLab:
    """A lab in a process of its own, on its own LAB_HOME."""

    home: Path

    def command(self, *arguments: str, code: int | None = 0) -> str:
        """Return what `lab ARGUMENTS` prints; its exit code must be `code` (None: any)."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
        done = subprocess.run(
            [sys.executable, "-m", "lab", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240,
            env={**kept, "LAB_HOME": str(self.home), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert code is None or done.returncode == code, (
            f"lab {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def start(self, port: int = 0) -> None:
        """Start the lab, or go on with it. A port of its own lets a killed lab be started there again at once."""
        if not port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.command("start", "--port", str(port), "--seed", "browser", "--json")

    def server(self) -> dict[str, Any]:
        """Return what the running simulator says of itself."""
        told: dict[str, Any] = json.loads((self.home / "server.json").read_text("utf-8"))
        return told

    @property
    def url(self) -> str:
        """Return where the lab answers."""
        return str(self.server()["endpoint_url"])

    def aws(self, *arguments: str) -> Any:
        """Return the JSON that the AWS CLI prints with what `lab env` sets, None for nothing."""
        environ = _environment(self, (self.home / "server.json").read_text("utf-8"))
        return aws_cli().run([*arguments, "--output", "json"], environ)


@cache
def _environment(lab: RunningLab, _server: str) -> dict[str, str]:
    """Return what `lab env` sets while the same simulator runs."""
    told: dict[str, str] = json.loads(lab.command("env", "--shell", "json"))
    return told


class Browser:
    """Chromium, asked the way a person reads a page: by the words on it."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self, path: str) -> None:
        """Go to an address of the lab and wait for the page, past the one that begins a session."""
        self.driver.get(f"{self.url}{path}")
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "main h1") and self._settled())

    def _settled(self) -> bool:
        return (
            "Opening" not in self.driver.title
            and self.driver.execute_script("return document.readyState") == "complete"
        )

    def until(self, told: Any) -> Any:
        """Wait until `told()` is true, and return it."""
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.1).until(lambda _: told())

    def link(self, text: str, within: str = "main") -> WebElement:
        """Return the link or button with these words; the first of several."""
        words = text.replace("'", "’")
        path = (
            f"//{within}//*[self::a or self::button or self::summary][contains(normalize-space(.), '{words}')]"
            f" | //{within}//*[self::a or self::button][@aria-label='{words}']"
        )
        return self.until(lambda: next(iter(self.driver.find_elements(By.XPATH, path)), None))  # type: ignore[no-any-return]

    def click(self, text: str, within: str = "main", *, loads: bool = True) -> None:
        """Click a link or button by its words and, unless it only opens something here, wait for the next page."""
        element = self.link(text, within)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        if loads:
            self.turned(element)

    def turned(self, element: WebElement) -> None:
        """Wait until the page that held `element` is gone and the next one is there."""
        WebDriverWait(self.driver, PATIENCE).until(staleness_of(element))
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "main h1") and self._settled())

    def text(self, selector: str = "main") -> str:
        """Return the words that a part of the page shows."""
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def value(self, label: str) -> str:
        """Return the value beside a name in the finding's panel or a table of facts."""
        path = f"//dt[normalize-space(.)='{label}']/following-sibling::dd[1]"
        return self.until(lambda: self.driver.find_element(By.XPATH, path)).text  # type: ignore[no-any-return]

    def fill(self, label: str, text: str) -> None:
        """Type into the field with this label, over what is there."""
        path = f"//label[starts-with(normalize-space(.), '{label}')]"
        name = self.driver.find_element(By.XPATH, path).get_attribute("for")
        field = self.driver.find_element(By.ID, str(name))
        field.clear()
        field.send_keys(text)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, words: str, *, begins: bool = False, limit: int = 250) -> WebElement:
        """Press Tab until what has the focus says `words` (or begins so), as somebody without a mouse does, and return it."""
        for _ in range(limit):
            self.press(Keys.TAB)
            focused = self.driver.switch_to.active_element
            name = self._name(focused)
            if name.startswith(words) if begins else words in name:
                return focused
        raise AssertionError(f"{limit} times Tab never came to {words!r}")

    def _name(self, element: WebElement) -> str:
        told = "const e = arguments[0]; return (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent || '').trim()"
        return " ".join(str(self.driver.execute_script(told, element)).split())

    def enter(self, words: str) -> None:
        """Come to a link or button by Tab, press Enter, and wait for the next page."""
        element = self.tab_to(words, begins=True)
        element.send_keys(Keys.ENTER)
        self.turned(element)


@contextmanager
def chromium(
    url: str, profile: Path, *, width: int = 1440, height: int = 1000, dark: bool = False
) -> Iterator[Browser]:
    """Open a headless Chromium on a lab, with a fresh profile in `profile`."""
    options = webdriver.ChromeOptions()
    for flag in (*QUIET, f"--user-data-dir={profile}", f"--window-size={width},{height}", "--lang=en-US"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        driver.set_script_timeout(2 * PATIENCE)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": "Chromium", "acceptLanguage": "en-US"})
        yield Browser(driver, url)
    finally:
        driver.quit()
