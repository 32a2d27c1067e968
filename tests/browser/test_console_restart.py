"""The console goes on where it was when the simulator is killed and started again."""

import os
import signal
from urllib.parse import urlsplit

from tests.browser.walking import Browser, RunningLab


def test_a_page_and_its_form_survive_a_kill(lab: RunningLab, browser: Browser) -> None:
    """The session holds, a form of a page from before still works, and what was done before is there."""
    browser.open("/console/events/rules/traffic-simulation-schedule")
    server = lab.server()
    os.kill(server["pid"], signal.SIGKILL)
    lab.start(port=urlsplit(server["endpoint_url"]).port or 0)
    assert lab.server()["pid"] != server["pid"]
    browser.click("Disable", within="form")
    assert "DISABLED" in browser.text()
    assert "aws events disable-rule --name traffic-simulation-schedule" in browser.text("[role=status]")
    browser.open("/guardduty/home?#/findings?macros=current")
    assert "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom" in browser.text()
