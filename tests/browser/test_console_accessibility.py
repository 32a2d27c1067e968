"""axe finds nothing serious on any page, in light and dark, in both languages; no page is wider than the window."""

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser.axe import grave
from tests.browser.walking import Browser, RunningLab, chromium

FUNCTION = "/console/lambda/functions/traffic-simulation"
TABS = (
    "code",
    "monitor",
    "triggers",
    "configuration",
    "environment",
    "permissions",
    "concurrency",
    "vpc",
    "tags",
    "versions",
)


def _pages(lab: RunningLab) -> list[str]:
    """Return an address of every kind of page, of this lab's own things where a page needs one."""
    detector = lab.aws("guardduty", "list-detectors")["DetectorIds"][0]
    findings = lab.aws("guardduty", "list-findings", "--detector-id", detector)["FindingIds"]
    events = lab.aws("cloudtrail", "lookup-events", "--max-items", "1")["Events"]
    buckets = lab.aws("s3api", "list-buckets")["Buckets"]
    assets = next(each["Name"] for each in buckets if "assets" in each["Name"])
    key = lab.aws("s3api", "list-objects-v2", "--bucket", assets)["Contents"][0]["Key"]
    group = lab.aws("ec2", "describe-security-groups")["SecurityGroups"][0]["GroupId"]
    lists = lab.aws("guardduty", "list-threat-intel-sets", "--detector-id", detector)["ThreatIntelSetIds"]
    stream = lab.aws("logs", "describe-log-streams", "--log-group-name", "/aws/lambda/traffic-simulation")[
        "logStreams"
    ][0]
    stack = "/console/cloudformation/stack?stackId=guardduty-labs-workload"
    return [
        "/console/lab", "/console/lab/guide", "/console/lab/debrief", "/console/instructor", "/console/no-such-page",
        "/console/guardduty/findings", f"/console/guardduty/findings?fId={findings[0]}",
        "/console/guardduty/findings?f=resource.resourceType|eq|Lambda", "/console/guardduty/findings?add=type",
        "/console/guardduty/findings?macros=archived", "/console/guardduty/rules", "/console/guardduty/lists",
        f"/console/guardduty/lists/threat/{lists[0]}/delete", "/console/guardduty/protection", "/console/guardduty/usage",
        "/console/config/resources", "/console/config/timeline?resourceId=traffic-simulation",
        "/console/cloudtrail/events", f"/console/cloudtrail/events/{events[0]['EventId']}",
        "/console/lambda/functions", *(f"{FUNCTION}?tab={tab}" for tab in TABS), f"{FUNCTION}/delete",
        "/console/lambda/functions/no-such-function", "/console/events/rules",
        "/console/events/rules/traffic-simulation-schedule", "/console/scheduler/schedules", "/console/iam/roles",
        "/console/iam/roles/WSSystemRole", "/console/cloudformation/stacks", stack, f"{stack}&tab=events",
        f"{stack}&tab=template", "/console/s3/buckets", f"/console/s3/bucket?name={assets}",
        f"/console/s3/object?bucket={assets}&key={quote(key)}", "/console/vpc/security-groups",
        f"/console/vpc/security-groups/{group}", "/console/logs/groups",
        f"/console/logs/group?name={quote('/aws/lambda/traffic-simulation')}",
        f"/console/logs/stream?group={quote('/aws/lambda/traffic-simulation')}&name={quote(stream['logStreamName'])}",
    ]  # fmt: skip


def _problems(browser: Browser, pages: list[str]) -> list[str]:
    found = []
    for path in pages:
        browser.open(path)
        # Whatever is folded is part of the page too.
        browser.driver.execute_script("for (const each of document.querySelectorAll('main details')) each.open = true")
        found += [f"{path}: {each}" for each in grave(browser.driver)]
        wide = browser.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if wide > 0:
            found.append(f"{path}: {wide} pixels wider than the window")
    return found


@pytest.mark.parametrize(("dark", "width"), [(False, 1440), (True, 360)])
def test_no_page_has_serious_barriers(lab: RunningLab, tmp_path: Path, dark: bool, width: int) -> None:
    """On a wide light screen and on a narrow dark one."""
    with chromium(lab.url, tmp_path / "profile", width=width, dark=dark) as browser:
        assert _problems(browser, _pages(lab)) == []


def test_vietnamese_pages_have_none_either(lab: RunningLab, tmp_path: Path) -> None:
    """With the language chosen on the page, the guide beside it, and the widest window."""
    with chromium(lab.url, tmp_path / "profile", width=2560) as browser:
        browser.open("/console/lab")
        browser.click("Tiếng Việt", within="header")
        browser.click("hướng dẫn bên cạnh", within="footer")
        assert browser.driver.find_element("tag name", "html").get_attribute("lang") == "vi"
        assert browser.driver.find_elements("css selector", "aside.guide")
        pages = [
            "/console/lab",
            "/console/guardduty/findings",
            FUNCTION,
            "/console/config/timeline?resourceId=traffic-simulation",
        ]
        assert _problems(browser, pages) == []


def test_the_checker_would_find_a_barrier(browser: Browser) -> None:
    """A field without a name, put into a page, is told: silence elsewhere means something."""
    browser.open("/console/lab")
    browser.driver.execute_script("document.querySelector('main').append(document.createElement('input'))")
    assert any("label" in each for each in grave(browser.driver))
