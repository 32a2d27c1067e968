"""The commands that pages print work in the lab's shell exactly as printed."""

import html
import http.cookiejar
import re
import shlex
import urllib.request

from tests.browser.walking import RunningLab

STARTS = (
    "/console/lab",
    "/console/guardduty/findings?f=resource.resourceType|eq|Lambda",
    "/console/config/timeline?resourceId=traffic-simulation",
)
COMMAND = re.compile(r'<code tabindex="0">(aws [^<]*)</code>(?![^§]{0,200}?<details class="file">)')
PAGES = 90


def _commands(lab: RunningLab) -> dict[str, str]:
    """Return a command of every operation that the console's pages show, found by following their links."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    opener.open(f"{lab.url}/console/lab").close()
    waiting, seen, kinds, found = list(STARTS), set(STARTS), dict[str, int](), dict[str, str]()
    while waiting and len(seen) < 2000:
        path = waiting.pop(0)
        kind = re.sub(r"[^/]*$", "", path.partition("?")[0]) + str("tab=" in path and path.rpartition("tab=")[2])
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] > 4 or sum(min(each, 4) for each in kinds.values()) > PAGES:
            continue
        try:
            with opener.open(f"{lab.url}{path}") as answer:
                page = answer.read().decode()
        except urllib.error.HTTPError:
            continue
        for text in COMMAND.findall(page):
            command = html.unescape(text)
            found.setdefault(" ".join(command.split()[:3]), command)
        for text in re.findall(r'href="(/console/[^"#]*)', page):
            link = html.unescape(text)
            if link not in seen and "/static/" not in link:
                seen.add(link)
                waiting.append(link)
    return found


def test_printed_commands_work_in_the_labs_shell(lab: RunningLab) -> None:
    """One of every operation, by the AWS CLI itself, in sh."""
    commands = _commands(lab)
    assert len(commands) > 30, sorted(commands)
    # Some answers are errors: a function without a policy of its own says so. A usage error is the command's own fault (252, 2).
    lines = [
        f"( {command} ) >/dev/null 2>err || echo $? {shlex.quote(command)} $(tail -1 err)"
        for command in commands.values()
    ]
    told = lab.command("shell", "--", "sh", "-c", f"cd {shlex.quote(str(lab.home))}\n" + "\n".join(lines))
    wrong = [line for line in told.splitlines() if not re.match(r"25[45] .*(NotFound|NoSuch)", line)]
    assert wrong == []
