"""A lab in a real account, or on LocalStack: what would happen next is read from what happened since the last change.

AWS has no call that looks ahead. What is known: which functions ran since the change (CloudWatch, metric
Invocations), when the finding was last seen, and what would invoke the function (rules by target). Where that is too
young to tell, the answer is "not known yet", with the moment from which it is. An emulator without GuardDuty is asked
nothing: whatever it answered, no finding would be behind it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from checker.collect import assigned_finding, event, finding
from checker.evidence import CONTAINING, FINDING_TYPE, Finding
from checker.memory import FileMemory
from checker.worlds import AGENT, Memory, NextConnection, Outlook, user_agent
from scenario.errors import LabError

PERIOD = timedelta(minutes=10)
"""The module's schedule, for a function that no rule names."""

SETTLES = timedelta(minutes=20)
"""What GuardDuty and CloudWatch need on top of a schedule's period to show a run: minutes, up to half an hour was
seen for other types (docs/aws-facts.md, part 2)."""

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


class CloudForesight:
    """Foresight from hindsight. `client` gives boto3 clients, `now` the time. Implements `worlds.Foresight`."""

    def __init__(self, client: Callable[[str], Any], now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    def look_ahead(self, hours: float, known: Collection[str]) -> Outlook:
        """Return the outlook: what is seen to go on is expected to go on, what stood still for long enough not to.

        A connection is expected where the finding was seen after the last change, or where the function still runs
        and nobody watches any more (list, protection, detector changed). Not determinable before one period and some
        minutes.
        """
        now = self._now()
        until = now + timedelta(hours=hours)
        findings = self._findings()
        assigned = assigned_finding(findings, FINDING_TYPE)
        if assigned is None:
            why = ("the finding is gone, so nothing says which traffic to look for",)
            return Outlook(until=until, determinable=False, why=why)
        change = self._last_change(assigned)
        source, period = self._trigger(assigned)
        if change is None:
            return Outlook(until=until, connections=(_expected(assigned, now + period, source),), invocations=1)
        runs = self._runs(assigned.function_name, change)
        seen = [each for each in findings if each.last_seen and each.last_seen > change + timedelta(minutes=1)]
        if seen:
            going_on = tuple(_expected(each, now + period, source if each == assigned else "") for each in seen)
            return Outlook(until=until, connections=going_on, invocations=runs)
        return self._quiet(change + period + SETTLES, _expected(assigned, now + period, source), runs, until)

    def _quiet(self, known_at: datetime, expected: NextConnection, runs: int, until: datetime) -> Outlook:
        """Return what it means that no finding was seen again since the change, known from `known_at`."""
        if self._now() < known_at:
            why = (
                "the last change is too recent: the next run must have been due, and AWS shows it some minutes later",
            )
            return Outlook(until=until, determinable=False, why=why, ask_again=known_at)
        if runs and not self._watched():
            why = ("the function still runs, and detection was switched off, so that its silence says nothing",)
            return Outlook(until=until, connections=(expected,), determinable=False, why=why, invocations=runs)
        return Outlook(until=until, invocations=runs)

    def _findings(self) -> tuple[Finding, ...]:
        """Return the findings of the type that are about a function, samples left out."""
        guardduty = self._client("guardduty")
        of_type = {"Criterion": {"type": {"Equals": [FINDING_TYPE]}}}
        found: list[Finding] = []
        for detector in guardduty.list_detectors()["DetectorIds"]:
            ids = guardduty.list_findings(DetectorId=detector, FindingCriteria=of_type, MaxResults=50)["FindingIds"]
            if ids:
                bodies = guardduty.get_findings(DetectorId=detector, FindingIds=ids)["Findings"]
                found += map(finding, bodies)
        return tuple(each for each in found if each.function_name and each.ip and not each.sample)

    def _last_change(self, assigned: Finding) -> datetime | None:
        """Return when something was last changed that can stop traffic, since the finding was first seen."""
        lookup = self._client("cloudtrail").lookup_events
        params: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            "StartTime": assigned.first_seen,
            "MaxResults": 50,
        }
        while True:
            page = lookup(**params)
            for each in map(event, page["Events"]):
                if not each.error and AGENT not in each.user_agent and each.is_(*CONTAINING):
                    return each.at
            if not page.get("NextToken"):
                return None
            params["NextToken"] = page["NextToken"]

    def _trigger(self, assigned: Finding) -> tuple[str, timedelta]:
        """Return the ARN of the slowest enabled rule that has the function as its target, and its period."""
        rules = list(self._rules(assigned.function_arn))
        return max(rules, key=lambda rule: rule[1], default=("", PERIOD))

    def _rules(self, function_arn: str) -> Iterator[tuple[str, timedelta]]:
        events = self._client("events")
        for name in events.list_rule_names_by_target(TargetArn=function_arn)["RuleNames"]:
            rule = events.describe_rule(Name=name)
            if rule.get("State") != "DISABLED":
                yield rule["Arn"], period_of(rule.get("ScheduleExpression", ""))

    def _runs(self, function_name: str, since: datetime) -> int:
        """Return how often the function ran since a moment, as CloudWatch counts."""
        points = self._client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": "FunctionName", "Value": function_name}],
            StartTime=since + timedelta(minutes=1),
            EndTime=self._now(),
            Period=300,
            Statistics=["Sum"],
        )["Datapoints"]
        return int(sum(point["Sum"] for point in points))

    def _watched(self) -> bool:
        """Tell whether GuardDuty would still see the connection.

        Detector, protection and a threat list are on, and no trusted list is, which would hide it.
        """
        guardduty = self._client("guardduty")
        for detector in guardduty.list_detectors()["DetectorIds"]:
            body = guardduty.get_detector(DetectorId=detector)
            features = {each["Name"]: each["Status"] for each in body.get("Features", ())}
            active = any(
                guardduty.get_threat_intel_set(DetectorId=detector, ThreatIntelSetId=each)["Status"] == "ACTIVE"
                for each in guardduty.list_threat_intel_sets(DetectorId=detector)["ThreatIntelSetIds"]
            )
            trusted = any(
                guardduty.get_ip_set(DetectorId=detector, IpSetId=each)["Status"] in ("ACTIVE", "ACTIVATING")
                for each in guardduty.list_ip_sets(DetectorId=detector)["IpSetIds"]
            )
            protected = features.get("LAMBDA_NETWORK_LOGS") == "ENABLED" and body.get("Status") == "ENABLED"
            if protected and active and not trusted:
                return True
        return False


def _expected(assigned: Finding, at: datetime, source: str) -> NextConnection:
    return NextConnection(at=at, function_arn=assigned.function_arn, ip=assigned.ip, port=assigned.port, source=source)


def period_of(schedule: str) -> timedelta:
    """Return the period of a rate; a day for a cron expression, which runs at least then in this lab's use."""
    if match := _RATE.fullmatch(schedule):
        return timedelta(**{f"{match[2]}s": int(match[1])})
    return timedelta(days=1) if schedule else PERIOD


NOTHING: Mapping[str, str] = MappingProxyType({})


class CloudWorld:
    """A lab in an account that a boto3 session reaches. Implements `worlds.World`.

    What was answered is kept below `folder`, a file an account. The trainee is whoever the session's credentials
    belong to: on AWS the checker has no others, and is told apart by its user agent alone.

    `lacking` are the services that an emulator does not have, with their names, `seen` what else is to be said of the lab there. Asking
    for a client of such a service raises LabError: without GuardDuty and CloudTrail there is nothing to judge by.
    """

    def __init__(
        self,
        *,
        target: str,
        session: Any,
        folder: Path,
        lacking: Mapping[str, str] = NOTHING,
        seen: Callable[[], str] = str,
    ) -> None:
        from botocore.config import Config

        self.target = target
        self._lacking, self._seen = lacking, seen
        self._session = session
        self._config = Config(user_agent_extra=user_agent(), retries={"mode": "standard", "total_max_attempts": 8})
        self._clients: dict[str, Any] = {}
        self._making = Lock()  # a session makes one client at a time, and looking ahead goes on beside other reads
        caller = self.client("sts").get_caller_identity()
        self.lab_id = f"{caller['Account']}-{session.region_name}"
        self.trainee = re.split("[:/]", caller["Arn"])[-1]
        self.foresight = CloudForesight(self.client, self.now)
        self.memory: Memory = FileMemory(folder / target / caller["Account"])

    def client(self, service: str) -> Any:
        """Return a boto3 client with the checker's user agent, made once. Raises LabError where there is no service."""
        if service in self._lacking:
            raise LabError(
                f"grading on {self.target}",
                f"it has no {' and no '.join(self._lacking.values())}, so what was found out and stopped is not known ({self._seen()})",
                "Grade the lab of lab start, or one in a real account: they have it.",
            )
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, config=self._config)
            return self._clients[service]

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)
