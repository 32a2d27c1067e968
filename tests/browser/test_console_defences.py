"""Text full of markup stays text; pages of other sites, rebound names, forged forms and missing sessions get and change nothing."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.browser.walking import Browser, RunningLab

EVIL = "<script>window.owned=1</script><img src=x onerror=window.owned=1>"
RULE = "/console/events/rules/traffic-simulation-schedule"


def _ask(
    lab: RunningLab, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None = None
) -> tuple[int, str, Any]:
    where = urlsplit(lab.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
    body = urlencode(form) if form is not None else None
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers} if form is not None else headers
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


def _session(lab: RunningLab) -> str:
    """Return the cookie of a session, as a browser gets it at its first page."""
    _, _, headers = _ask(lab, "GET", "/console/lab", {})
    return str(headers["Set-Cookie"]).partition(";")[0]


def _state(lab: RunningLab) -> str:
    return str(lab.aws("events", "describe-rule", "--name", "traffic-simulation-schedule")["State"])


@contextmanager
def _other_site(page: str) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_markup_in_the_account_is_shown_as_text(lab: RunningLab, browser: Browser) -> None:
    """Descriptions, tags, environment values, log lines, objects, rules and error messages run nothing."""
    name = "traffic-simulation-canary"
    values = json.dumps({"Description": EVIL, "FunctionName": name, "Environment": {"Variables": {"NOTE": EVIL}}})
    lab.aws("lambda", "update-function-configuration", "--cli-input-json", values)
    arn = lab.aws("lambda", "get-function-configuration", "--function-name", name)["FunctionArn"]
    lab.aws(
        "lambda",
        "tag-resource",
        "--cli-input-json",
        json.dumps({"Resource": arn, "Tags": {"note": "<b onclick=owned>"}}),
    )
    lab.aws(
        "events",
        "put-rule",
        "--cli-input-json",
        json.dumps({"Name": "odd", "ScheduleExpression": "rate(1 day)", "Description": EVIL}),
    )
    lab.aws("logs", "create-log-group", "--log-group-name", "odd")
    lab.aws("logs", "create-log-stream", "--log-group-name", "odd", "--log-stream-name", "odd")
    now = int(browser.driver.execute_script("return Date.now()"))
    events = json.dumps(
        {"logGroupName": "odd", "logStreamName": "odd", "logEvents": [{"timestamp": now, "message": EVIL}]}
    )
    lab.aws("logs", "put-log-events", "--cli-input-json", events)
    shown = {
        f"/console/lambda/functions/{name}": EVIL,
        f"/console/lambda/functions/{name}?tab=environment": EVIL,
        f"/console/lambda/functions/{name}?tab=tags": "<b onclick=owned>",
        "/console/events/rules": EVIL,
        "/console/logs/stream?group=odd&name=odd": EVIL,
        f"/console/config/timeline?resourceId={EVIL}": EVIL,
        f"/console/guardduty/findings?f=id|eq|{EVIL}": EVIL,
        f"/console/lambda/functions/{EVIL.replace('/', '')}": "<script>",
    }
    for path, text in shown.items():
        browser.open(path.replace("<", "%3C").replace(">", "%3E"))
        assert text in browser.text(), path
        assert browser.driver.execute_script("return window.owned") is None, path


def test_a_page_of_another_site_gets_and_changes_nothing(lab: RunningLab, browser: Browser) -> None:
    """Neither its form, nor its script, nor a frame reaches the lab, though the browser has a session there."""
    browser.open(RULE)
    page = f"""<form id=f method=post action="{lab.url}{RULE}/disable"><input name=token value=x></form>
    <iframe src="{lab.url}{RULE}"></iframe><script>
    const told = [];
    Promise.allSettled([fetch("{lab.url}{RULE}", {{credentials: "include"}}).then(a => a.text()).then(t => told.push(t)),
      fetch("{lab.url}{RULE}/disable", {{method: "POST", mode: "no-cors", credentials: "include",
        headers: {{"Content-Type": "application/x-www-form-urlencoded"}}, body: "token=x"}})])
      .then(() => {{ document.title = "done " + told.length; }});
    </script>"""
    with _other_site(page) as address:
        browser.driver.get(address)
        browser.until(lambda: browser.driver.title.startswith("done"))
        assert browser.driver.title == "done 0"
        browser.driver.execute_script("document.getElementById('f').submit()")
        browser.until(lambda: lab.url in browser.driver.current_url)
        assert "traffic-simulation-schedule" not in browser.text("body").replace(RULE, "")
    assert _state(lab) == "ENABLED"


def test_a_rebound_name_is_answered_nothing(lab: RunningLab) -> None:
    """A name that somebody pointed at this machine is not the lab's."""
    for path in ("/console/lab", "/guardduty/home", "/console/static/console.js"):
        status, text, headers = _ask(lab, "GET", path, {"Host": "attacker.example"})
        assert status == 403 and "Set-Cookie" not in headers
        assert "traffic-simulation" not in text


def test_a_form_needs_session_token_and_origin(lab: RunningLab) -> None:
    """Each of them missing or wrong is refused, and nothing changes; with all of them the same form works."""
    cookie = _session(lab)
    _, text, _ = _ask(lab, "GET", RULE, {"Cookie": cookie})
    found = re.search(rf'action="{RULE}/disable".*?name="token" value="([0-9a-f]+)"', text, re.DOTALL)
    assert found
    token = found[1]
    other = re.search(rf'action="{RULE}/delete".*?name="token" value="([0-9a-f]+)"', text, re.DOTALL)
    assert other and other[1] != token, "each form has its own"
    attempts: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {"token": token}),
        ({"Cookie": _session(lab)}, {"token": token}),
        ({"Cookie": cookie}, {}),
        ({"Cookie": cookie}, {"token": "0" * 64}),
        ({"Cookie": cookie}, {"token": other[1]}),
        ({"Cookie": cookie[:-6] + "AAAAAA"}, {"token": token}),
        ({"Cookie": cookie, "Origin": "http://attacker.example"}, {"token": token}),
        ({"Cookie": cookie, "Origin": "null"}, {"token": token}),
        ({"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}, {"token": token}),
    ]
    for headers, form in attempts:
        status, answer, _ = _ask(lab, "POST", f"{RULE}/disable", headers, form)
        assert status == 403, (headers, form)
        assert "rate(10 minutes)" not in answer
    assert _state(lab) == "ENABLED"
    assert _ask(lab, "POST", f"{RULE}/disable", {"Cookie": cookie, "Origin": lab.url}, {"token": token})[0] == 303
    assert _state(lab) == "DISABLED"


def test_without_a_session_a_page_shows_nothing_of_the_lab(lab: RunningLab) -> None:
    """The first answer only begins a session; the cookie is kept from scripts and from other sites."""
    for path in ("/console/guardduty/findings", "/console/lab", "/console/lambda/functions"):
        status, text, headers = _ask(lab, "GET", path, {})
        assert status == 200
        assert "traffic-simulation" not in text and "Account" not in text
        assert "HttpOnly" in headers["Set-Cookie"] and "SameSite=Strict" in headers["Set-Cookie"]
    # A script's request gets no session at all, nor does a page that another site linked to: its own is not replaced.
    status, _, headers = _ask(lab, "GET", "/console/lab", {"Sec-Fetch-Dest": "empty"})
    assert status == 403 and "Set-Cookie" not in headers
    navigation = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    status, _, headers = _ask(lab, "GET", "/console/lab", navigation)
    assert status == 200 and "Set-Cookie" not in headers


def test_the_instructors_view_needs_the_control_token(lab: RunningLab, browser: Browser) -> None:
    """Without it there is a question, with it the state of the lab and, recorded, the key."""
    browser.open("/console/instructor")
    assert "Journal entries" not in browser.text() and "WSSystemRole" not in browser.text()
    browser.fill("Control token", "wrong")
    browser.click("Open", within="form")
    assert "Journal entries" not in browser.text()
    browser.fill("Control token", lab.server()["token"])
    browser.click("Open", within="form")
    assert "Journal entries" in browser.text()
    assert json.loads(lab.command("status", "--json"))["key_used_at"] is None
    browser.click("Show the key", within="form")
    assert "WSSystemRole" in browser.text()
    assert json.loads(lab.command("status", "--json"))["key_used_at"]
