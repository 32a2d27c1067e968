"""Take the pictures that the README shows: `python -m tests.browser.pictures [FOLDER]`.

It walks the module's text in a lab of its own, so the pictures show what a trainee sees; the seed is fixed, times are not.
"""

import sys
import tempfile
from pathlib import Path

from tests.browser.walking import ROOT, Browser, RunningLab, chromium

WIDTH, HEIGHT = 1440, 860


def main(folder: Path) -> None:
    """Write the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        lab = RunningLab(Path(scratch) / "home")
        lab.start()
        try:
            with chromium(lab.url, Path(scratch) / "profile", width=WIDTH, height=HEIGHT) as browser:
                _walk(browser, folder)
        finally:
            lab.command("stop")


def _walk(browser: Browser, folder: Path) -> None:
    def take(name: str) -> None:
        browser.driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
        browser.driver.save_screenshot(str(folder / f"{name}.png"))

    browser.open("/guardduty/home?#/findings?macros=current")
    take("findings")
    browser.open("/console/guardduty/findings?f=resource.resourceType|eq|Lambda")
    browser.click("UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom", within="table")
    address = browser.value("IP address").split()[0]
    take("finding")
    browser.open("/config/home?#/resources/timeline?resourceId=traffic-simulation&resourceName=traffic-simulation")
    rows = browser.driver.find_elements("css selector", ".line > li")
    for row in rows[:2]:
        row.find_element("css selector", "summary").click()
    take("timeline")
    browser.open("/console/cloudtrail/events?key=EventName&value=CreateFunction20150331")
    events = browser.driver.find_elements("xpath", "//tr[contains(., 'System')]//a")
    browser.driver.get(str(events[-1].get_attribute("href")))
    browser.until(lambda: "CreateFunction" in browser.text("h1"))
    take("event")
    browser.open("/console/lambda/functions/traffic-simulation/delete")
    browser.fill("To confirm deletion", "delete")
    browser.click("Delete", within="form")
    browser.open("/console/lab")
    answers = (("Name the function", "traffic-simulation"), ("Name the address", address), ("Name who", "WSSystemRole"))
    for label, text in answers:
        field = browser.driver.find_element("xpath", f"//label[contains(., '{label}')]").get_attribute("for")
        browser.driver.find_element("id", str(field)).send_keys(text)
    browser.click("Check", within="form[@id='check']")
    browser.driver.execute_script("document.activeElement.blur(); document.getElementById('tasks').scrollIntoView()")
    browser.driver.save_screenshot(str(folder / "check.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
