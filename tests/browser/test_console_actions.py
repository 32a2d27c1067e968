"""Every form of the console does what it says, seen through the AWS CLI, and tells the command that does the same."""

import html
import http.cookiejar
import json
import re
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.walking import RunningLab

FUNCTION = "/console/lambda/functions/traffic-simulation-canary"
NAME = "traffic-simulation-canary"


class _Forms(HTMLParser):
    """The forms of a page: what each posts to, and what it would send as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._area: tuple[str, list[str]] | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.forms.append((told.get("action", ""), {}))
        if not self.forms:
            return
        sent = self.forms[-1][1]
        if tag == "input" and "name" in told and (told.get("type") != "checkbox" or "checked" in told):
            sent[told["name"]] = told.get("value", "")
        elif tag == "textarea":
            self._area = (told["name"], [])
        elif tag == "select":
            self._select = told["name"]
        elif tag == "option" and (self._select not in sent or "selected" in told):
            sent[self._select] = told.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self._area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            self.forms[-1][1][self._area[0]] = "".join(self._area[1]).removeprefix("\n")
            self._area = None


class Visitor:
    """Somebody with a session, who sends the forms of pages."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.page("/console/lab")

    def page(self, path: str) -> str:
        """Return a page."""
        with self.opener.open(f"{self.url}{path}", timeout=120) as answer:
            return str(answer.read().decode())

    def send(self, path: str, action: str, **given: str) -> str:
        """Send the form of a page that posts to `action`, filled in as given; return what the next page tells was done."""
        forms = _Forms()
        forms.feed(self.page(path))
        _, sent = next(
            each for each in forms.forms
            if each[0] == action and all(each[1].get(key, "") in ("", value) for key, value in given.items() if key in ("id", "name", "sid", "key"))
        )  # fmt: skip
        body = urlencode({**sent, **given}).encode()
        with self.opener.open(f"{self.url}{action}", body, timeout=180) as answer:
            text = answer.read().decode()
        told = re.search(r'role="status">(.*?)</div>', text, re.DOTALL)
        assert told, text
        return html.unescape(re.sub(r"<[^>]+>|\s+", " ", told[1]))


@pytest.fixture
def visitor(lab: RunningLab) -> Iterator[Visitor]:
    """A visitor of the module's lab."""
    yield Visitor(lab.url)


def _setting(lab: RunningLab) -> dict[str, Any]:
    found: dict[str, Any] = lab.aws("lambda", "get-function-configuration", "--function-name", NAME)
    return found


def test_a_functions_forms(lab: RunningLab, visitor: Visitor) -> None:
    """Configuration, environment, concurrency, tags, versions, permission and code."""
    visitor.send(f"{FUNCTION}?tab=configuration", f"{FUNCTION}/configuration", Timeout="7", Description="seen")
    assert (_setting(lab)["Timeout"], _setting(lab)["Description"]) == (7, "seen")
    visitor.send(f"{FUNCTION}?tab=environment", f"{FUNCTION}/environment", variables='AA=1\nBB=x=y, "z"\n')
    assert _setting(lab)["Environment"]["Variables"] == {"AA": "1", "BB": 'x=y, "z"'}
    told = visitor.send(f"{FUNCTION}?tab=concurrency", f"{FUNCTION}/concurrency", reserved="0")
    assert f"aws lambda put-function-concurrency --function-name {NAME} --reserved-concurrent-executions 0" in told
    assert lab.aws("lambda", "get-function-concurrency", "--function-name", NAME)["ReservedConcurrentExecutions"] == 0
    visitor.send(f"{FUNCTION}?tab=concurrency", f"{FUNCTION}/concurrency/delete")
    assert not lab.aws("lambda", "get-function-concurrency", "--function-name", NAME)
    arn = _setting(lab)["FunctionArn"]
    visitor.send(f"{FUNCTION}?tab=tags", f"{FUNCTION}/tags", key="owner", value="me")
    assert lab.aws("lambda", "list-tags", "--resource", arn)["Tags"]["owner"] == "me"
    visitor.send(f"{FUNCTION}?tab=tags", f"{FUNCTION}/tags/delete", key="owner")
    assert "owner" not in lab.aws("lambda", "list-tags", "--resource", arn)["Tags"]
    assert "Version 1 was published" in visitor.send(
        f"{FUNCTION}?tab=versions", f"{FUNCTION}/versions", Description="first"
    )
    before = _setting(lab)["CodeSha256"]
    forms = _Forms()
    forms.feed(visitor.page(FUNCTION))
    sent = next(each for action, each in forms.forms if action == f"{FUNCTION}/code")
    file = next(key for key in sent if key.startswith("file:"))
    told = visitor.send(FUNCTION, f"{FUNCTION}/code", **{file: sent[file] + "\n# edited\n"})
    assert "aws lambda update-function-code" in told and _setting(lab)["CodeSha256"] != before
    assert "# edited" in visitor.page(FUNCTION)
    lab.aws(
        "lambda",
        "add-permission",
        "--function-name",
        NAME,
        "--statement-id",
        "odd",
        "--action",
        "lambda:InvokeFunction",
        "--principal",
        "s3.amazonaws.com",
    )
    visitor.send(f"{FUNCTION}?tab=permissions", f"{FUNCTION}/permission", sid="odd")
    assert "odd" not in visitor.page(f"{FUNCTION}?tab=permissions")


def test_a_security_group_and_a_functions_vpc(lab: RunningLab, visitor: Visitor) -> None:
    """Create a group, close what it lets out, and attach a function to it: the module's containment."""
    groups = "/console/vpc/security-groups"
    visitor.send(groups, groups, name="closed", description="Nothing gets out")
    group = lab.aws("ec2", "describe-security-groups", "--filters", "Name=group-name,Values=closed")["SecurityGroups"][
        0
    ]
    here = f"{groups}/{group['GroupId']}"
    told = visitor.send(here, f"{here}/egress/delete")
    assert "aws ec2 revoke-security-group-egress" in told
    assert "nothing gets out" in visitor.page(here)
    visitor.send(here, f"{here}/egress", protocol="udp", cidr="10.0.0.0/8", **{"from": "53", "to": "53"})
    rules = lab.aws("ec2", "describe-security-groups", "--group-ids", group["GroupId"])["SecurityGroups"][0][
        "IpPermissionsEgress"
    ]
    assert [(each["IpProtocol"], each["FromPort"], each["IpRanges"][0]["CidrIp"]) for each in rules] == [
        ("udp", 53, "10.0.0.0/8")
    ]
    subnet = lab.aws("ec2", "describe-subnets")["Subnets"][0]
    role = _setting(lab)["Role"].rpartition("/")[2]
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
    lab.aws(
        "iam", "put-role-policy", "--role-name", role, "--policy-name", "vpc", "--policy-document", json.dumps(allowed)
    )
    visitor.send(f"{FUNCTION}?tab=vpc", f"{FUNCTION}/vpc", subnet=subnet["SubnetId"], group=group["GroupId"])
    assert _setting(lab)["VpcConfig"]["SecurityGroupIds"] == [group["GroupId"]]
    visitor.send(f"{FUNCTION}?tab=vpc", f"{FUNCTION}/vpc", subnet="", group="")
    assert not _setting(lab).get("VpcConfig", {}).get("VpcId")


def test_rules_and_schedules(lab: RunningLab, visitor: Visitor) -> None:
    """Disable, enable, edit targets, delete."""
    arn = _setting(lab)["FunctionArn"]
    lab.aws("events", "put-rule", "--name", "spare", "--schedule-expression", "rate(1 day)")
    here = "/console/events/rules/spare"
    visitor.send(here, f"{here}/disable")
    assert lab.aws("events", "describe-rule", "--name", "spare")["State"] == "DISABLED"
    visitor.send(here, f"{here}/enable")
    assert lab.aws("events", "describe-rule", "--name", "spare")["State"] == "ENABLED"
    visitor.send(here, f"{here}/targets", id="one", arn=arn, input='{"a": 1}')
    assert lab.aws("events", "list-targets-by-rule", "--rule", "spare")["Targets"] == [
        {"Id": "one", "Arn": arn, "Input": '{"a": 1}'}
    ]
    visitor.send(here, f"{here}/targets/delete", id="one")
    assert lab.aws("events", "list-targets-by-rule", "--rule", "spare")["Targets"] == []
    visitor.send(here, f"{here}/delete")
    assert "spare" not in visitor.page("/console/events/rules")
    role = lab.aws("iam", "get-role", "--role-name", "TagComplianceRole")["Role"]["Arn"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    lab.aws(
        "iam", "update-assume-role-policy", "--role-name", "TagComplianceRole", "--policy-document", json.dumps(trust)
    )
    target = json.dumps({"Arn": arn, "RoleArn": role, "Input": "{}"})
    lab.aws(
        "scheduler",
        "create-schedule",
        "--name",
        "daily",
        "--schedule-expression",
        "rate(1 day)",
        "--flexible-time-window",
        "Mode=OFF",
        "--target",
        target,
    )
    here = "/console/scheduler/schedules/default/daily"
    visitor.send(here, f"{here}/disable")
    found = lab.aws("scheduler", "get-schedule", "--name", "daily")
    assert found["State"] == "DISABLED" and found["Target"]["Input"] == "{}", "what was not changed is kept"
    visitor.send(here, f"{here}/target", arn=arn, role=role, input='{"b": 2}')
    assert lab.aws("scheduler", "get-schedule", "--name", "daily")["Target"]["Input"] == '{"b": 2}'
    visitor.send(here, f"{here}/delete")
    assert lab.aws("scheduler", "list-schedules")["Schedules"] == []


def test_guardduty_forms(lab: RunningLab, visitor: Visitor) -> None:
    """Archive and take back, feedback, suppression rules, lists, protection plans, frequency."""
    detector = lab.aws("guardduty", "list-detectors")["DetectorIds"][0]
    low = '{"Criterion": {"severity": {"Lt": 4}}}'
    finding = lab.aws("guardduty", "list-findings", "--detector-id", detector, "--finding-criteria", low)["FindingIds"][
        0
    ]

    def archived() -> bool:
        found = lab.aws("guardduty", "get-findings", "--detector-id", detector, "--finding-ids", finding)["Findings"][0]
        return bool(found["Service"]["Archived"])

    here, post = f"/console/guardduty/findings?macros=all&fId={finding}", "/console/guardduty/findings"
    visitor.send(here, f"{post}/archive", id=finding, do="archive")
    assert archived()
    visitor.send(here, f"{post}/archive", id=finding, do="unarchive")
    assert not archived()
    visitor.send(here, f"{post}/feedback", id=finding, do="useful")
    visitor.send("/console/guardduty/findings?f=severity|eq|Low", "/console/guardduty/rules/create", name="quiet-low")
    saved = lab.aws("guardduty", "get-filter", "--detector-id", detector, "--filter-name", "quiet-low")
    assert saved["Action"] == "ARCHIVE" and saved["FindingCriteria"]["Criterion"]["severity"]
    visitor.send("/console/guardduty/rules", "/console/guardduty/rules/delete", name="quiet-low")
    assert lab.aws("guardduty", "list-filters", "--detector-id", detector)["FilterNames"] == []
    lists = "/console/guardduty/lists"
    bucket = next(each["Name"] for each in lab.aws("s3api", "list-buckets")["Buckets"] if "assets" in each["Name"])
    key = next(
        each["Key"]
        for each in lab.aws("s3api", "list-objects-v2", "--bucket", bucket)["Contents"]
        if each["Key"].endswith(".txt")
    )
    visitor.send(lists, f"{lists}/add", kind="trusted", location=f"s3://{bucket}/{key}", name="ours")
    made = lab.aws("guardduty", "list-ip-sets", "--detector-id", detector)["IpSetIds"][0]
    lab.command("advance", "1h")
    visitor.send(lists, f"{lists}/trusted/{made}/deactivate")
    lab.command("advance", "1h")
    assert lab.aws("guardduty", "get-ip-set", "--detector-id", detector, "--ip-set-id", made)["Status"] == "INACTIVE"
    visitor.send(f"{lists}/trusted/{made}/delete", f"{lists}/trusted/{made}/delete", confirm="delete")
    protection = "/console/guardduty/protection"
    visitor.send(protection, f"{protection}/feature", name="LAMBDA_NETWORK_LOGS")
    features = lab.aws("guardduty", "get-detector", "--detector-id", detector)["Features"]
    assert {each["Name"]: each["Status"] for each in features}["LAMBDA_NETWORK_LOGS"] == "DISABLED"
    visitor.send(protection, f"{protection}/frequency", frequency="ONE_HOUR")
    assert lab.aws("guardduty", "get-detector", "--detector-id", detector)["FindingPublishingFrequency"] == "ONE_HOUR"


def test_a_refused_action_tells_what_aws_said(lab: RunningLab, visitor: Visitor) -> None:
    """Code, words, and the command that was refused; nothing of it is shown as done."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        visitor.send(f"{FUNCTION}?tab=configuration", f"{FUNCTION}/configuration", Timeout="901")
    page = refused.value.read().decode()
    assert 'role="alert"' in page and "aws lambda update-function-configuration" in page
    with pytest.raises(urllib.error.HTTPError):
        visitor.send(f"{FUNCTION}/delete", f"{FUNCTION}/delete", confirm="no")
    assert _setting(lab)["FunctionName"] == NAME


def test_a_stack_is_deleted_and_the_debrief_made(lab: RunningLab, visitor: Visitor) -> None:
    """With its function, rule and permission; the debrief is a page of its own that runs nothing."""
    stack = "/console/cloudformation/stack/delete"
    visitor.send(f"{stack}?stackId=guardduty-labs-workload", stack, confirm="delete")
    functions = [each["FunctionName"] for each in lab.aws("lambda", "list-functions")["Functions"]]
    assert "traffic-simulation" not in functions and NAME in functions
    visitor.send("/console/lab/debrief", "/console/lab/debrief")
    with visitor.opener.open(f"{visitor.url}/console/lab/debrief/page") as answer:
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "<html" in answer.read().decode()
