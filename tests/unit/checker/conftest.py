"""The scenario with tasks of the contract's ids and points, whose words are fixed here."""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from checker.evidence import FINDING_TYPE, Event, Finding
from checker.memory import FileMemory
from checker.rules.samples import (
    ARN,
    ASSIGNED,
    GUARDS,
    HISTORY,
    IP,
    NAME,
    NEIGHBOUR,
    NOW,
    ROLE_ARN,
    connection,
    outlook,
)
from checker.worlds import Outlook
from scenario.load import load
from scenario.model import Hint, Part, Reference, Scenario, Task

PARTS = (("stopped", 25), ("evidence", 5), ("collateral", 5), ("verified", 5))


def _task(task_id: str, points: int, *parts: tuple[str, int]) -> Task:
    return Task(
        id=task_id,
        title=f"Do {task_id}",
        question=f"What about {task_id}?",
        max_score=points,
        answered=not parts,
        hints=tuple(Hint(rung=rung, text=f"{task_id} {rung}") for rung in ("where", "call", "example")),
        key="",
        parts=tuple(Part(id=part, title=f"Part {part}", max_score=score) for part, score in parts),
    )


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """The scenario with the contract's ids and points."""
    return replace(
        load("lambda-malicious-ip", tasks_only=True),
        title="A Lambda function calls a malicious IP",
        finding_type=FINDING_TYPE,
        tasks=(
            _task("function-name", 15),
            _task("malicious-ip", 15),
            _task("creator", 30),
            _task("remediation", 40, *PARTS),
        ),
        references=(Reference(framework="MITRE ATT&CK", id="T1648", title="Serverless Execution"),),
    )


class FakeAws:
    """An account in memory that answers the checker's reads, checked against botocore's models.

    `answers` maps (service, operation) to a result, an error code, or a function of the parameters. `calls` is what
    was asked.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str) -> "FakeClient":
        """Return a client of one service."""
        return FakeClient(self, service)


class FakeClient:
    """One service's operations under their Python names."""

    def __init__(self, aws: FakeAws, service: str) -> None:
        self._aws = aws
        self._service = service
        self._model = _service_model(service)

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = _operations(self._service)[method]

        def call(**params: Any) -> dict[str, Any]:
            shape = self._model.operation_model(operation)
            problems = ParamValidator().validate(params, shape.input_shape)
            assert not problems.has_errors(), problems.generate_report()
            self._aws.calls.append((self._service, operation, params))
            answer = self._aws.answers.get((self._service, operation), {})
            result = answer(params) if callable(answer) else answer
            if isinstance(result, str):
                raise ClientError({"Error": {"Code": result, "Message": f"{result} it is"}}, operation)
            assert set(result) <= set(shape.output_shape.members), f"{operation} has no {set(result)}"
            return dict(result)

        return call


@cache
def _service_model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@cache
def _operations(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in _service_model(service).operation_names}


class FakeWorld:
    """A lab without a world: its account, its memory and its outlook are what a test says."""

    target = "simulator"
    lab_id = "lab-1"
    trainee = "Participant"

    def __init__(self, aws: FakeAws, folder: Path) -> None:
        self.aws = aws
        self.memory = FileMemory(folder)
        self.outlook = Outlook(until=NOW)

    @property
    def foresight(self) -> "FakeWorld":
        """The outlook is this world's own."""
        return self

    def look_ahead(self, hours: float, known: Collection[str]) -> Outlook:
        """Return the outlook."""
        return self.outlook

    def client(self, service: str) -> Any:
        """Return a client."""
        return self.aws.client(service)

    def now(self) -> datetime:
        """Return the sample lab's now."""
        return NOW


def trail_event(event: Event) -> dict[str, Any]:
    """Return an event in LookupEvents' shape."""
    record = {
        "userIdentity": {
            "type": "AssumedRole",
            "invokedBy": event.invoked_by,
            "sessionContext": {"sessionIssuer": {"userName": event.issuer, "arn": event.issuer_arn}},
        },
        "eventTime": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": event.source,
        "userAgent": event.user_agent,
        "requestParameters": dict(event.request) or None,
        "responseElements": dict(event.response) or None,
        **({"errorCode": event.error} if event.error else {}),
    }
    return {
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": "true" if event.read_only else "false",
        "EventTime": event.at,
        "EventSource": event.source,
        "Username": event.session,
        "Resources": [{"ResourceType": "AWS::Lambda::Function", "ResourceName": NAME}],
        "CloudTrailEvent": json.dumps(record),
    }


def finding_body(found: Finding) -> dict[str, Any]:
    """Return a finding in GetFindings' shape."""
    action = {
        "ActionType": "NETWORK_CONNECTION",
        "NetworkConnectionAction": {
            "RemoteIpDetails": {"IpAddressV4": found.ip},
            "RemotePortDetails": {"Port": found.port, "PortName": "HTTPS"},
        },
    }
    resource: dict[str, Any] = {"ResourceType": "Lambda" if found.function_name else "AccessKey"}
    if found.function_name:
        resource["LambdaDetails"] = {
            "FunctionName": found.function_name,
            "FunctionArn": found.function_arn,
            "Role": found.role_arn,
        }
    return {
        "Id": found.id,
        "Type": found.type,
        "Title": "[SAMPLE] it" if found.sample else "It",
        "CreatedAt": f"{found.created_at:%Y-%m-%dT%H:%M:%S.016Z}" if found.created_at else None,
        "Resource": resource,
        "Service": {
            "Action": action,
            "Archived": found.archived,
            "Count": 238,
            "EventFirstSeen": f"{found.first_seen:%Y-%m-%dT%H:%M:%S.000Z}" if found.first_seen else None,
            "EventLastSeen": f"{found.last_seen:%Y-%m-%dT%H:%M:%S.000Z}" if found.last_seen else None,
            "Evidence": {
                "ThreatIntelligenceDetails": [
                    {"ThreatListName": name, "ThreatNames": ["Customer Threat Intel"]} for name in found.list_names
                ]
            },
            "AdditionalInfo": {"Value": "{}", "Type": "default"},
        },
    }


def _lookup(events: Sequence[Event], page_size: int = 2) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return LookupEvents over events given oldest first: newest first, in small pages."""

    def lookup(params: dict[str, Any]) -> dict[str, Any]:
        attribute = params["LookupAttributes"][0]
        key, value = attribute["AttributeKey"], attribute["AttributeValue"]
        found = [each for each in reversed(events) if _attribute(each, key) == value]
        start = int(params.get("NextToken", 0))
        more = {"NextToken": str(start + page_size)} if start + page_size < len(found) else {}
        return {"Events": [trail_event(each) for each in found[start : start + page_size]], **more}

    return lookup


def _attribute(event: Event, key: str) -> str:
    """Return an event's attribute; all of the sample lab's Lambda events are about its function."""
    return {
        "ResourceName": NAME if event.source == "lambda.amazonaws.com" else "",
        "Username": event.session,
        "EventName": event.name,
        "ReadOnly": str(event.read_only).lower(),
    }[key]


def _objects(contents: dict[str, list[bytes]]) -> dict[tuple[str, str], Any]:
    """Return S3's answers for objects by key, each with its versions newest first."""

    def versions(params: dict[str, Any]) -> dict[str, Any]:
        key = params["Prefix"]
        return {
            "Versions": [
                {"Key": key, "VersionId": str(number), "IsLatest": number == 0, "Size": len(body)}
                for number, body in enumerate(contents.get(key, []))
            ]
        }

    def read(params: dict[str, Any]) -> dict[str, Any]:
        return {"Body": io.BytesIO(contents[params["Key"]][int(params["VersionId"])])}

    return {("s3", "ListObjectVersions"): versions, ("s3", "GetObject"): read}


CODE_ZIP = b"not really a zip"


@pytest.fixture
def aws() -> FakeAws:
    """The sample lab as an account: what `samples.lab()` says in records, in AWS's shapes."""
    aws = FakeAws()
    other = replace(NEIGHBOUR, id="bb")
    found = {each.id: each for each in (ASSIGNED, NEIGHBOUR, other)}
    of_type = {"FindingIds": [ASSIGNED.id], "NextToken": ""}
    function = {
        "FunctionName": NAME,
        "FunctionArn": ARN,
        "Role": ROLE_ARN,
        "Timeout": 3,
        "Version": "$LATEST",
        "CodeSha256": base64.b64encode(hashlib.sha256(CODE_ZIP).digest()).decode(),
    }
    policy = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "lambda:InvokeFunction"}
        ]
    }
    aws.answers = {
        ("guardduty", "ListDetectors"): {"DetectorIds": [GUARDS.detector_id]},
        ("guardduty", "GetDetector"): {
            "Status": "ENABLED",
            "Features": [{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}],
        },
        ("guardduty", "ListFindings"): lambda params: (
            of_type if "FindingCriteria" in params else {"FindingIds": list(found)}
        ),
        ("guardduty", "GetFindings"): lambda params: {
            "Findings": [finding_body(found[each]) for each in params["FindingIds"]]
        },
        ("guardduty", "ListThreatIntelSets"): {"ThreatIntelSetIds": ["set"]},
        ("guardduty", "GetThreatIntelSet"): {
            "Name": "S3BadIpAddressList",
            "Format": "TXT",
            "Location": "https://s3.amazonaws.com/lists/threats.txt",
            "Status": "ACTIVE",
            "Tags": {},
        },
        ("guardduty", "ListIPSets"): {"IpSetIds": []},
        ("guardduty", "ListFilters"): {"FilterNames": []},
        ("cloudtrail", "LookupEvents"): _lookup(HISTORY),
        ("cloudtrail", "DescribeTrails"): {
            "trailList": [{"Name": "lab-trail", "TrailARN": "arn:aws:cloudtrail:us-east-1:1:trail/lab-trail"}]
        },
        ("cloudtrail", "GetTrailStatus"): {"IsLogging": True},
        ("lambda", "GetFunction"): {
            "Configuration": function,
            "Tags": {"aws:cloudformation:stack-name": "guardduty-lab-workload"},
        },
        ("lambda", "GetPolicy"): {"Policy": json.dumps(policy)},
        ("lambda", "ListVersionsByFunction"): {"Versions": [function]},
        ("lambda", "ListFunctions"): {"Functions": [{"FunctionName": NAME}, {"FunctionName": "order-webhook"}]},
        ("events", "ListRuleNamesByTarget"): {"RuleNames": ["every-ten-minutes"]},
        ("events", "DescribeRule"): {
            "Name": "every-ten-minutes",
            "State": "ENABLED",
            "ScheduleExpression": "rate(10 minutes)",
        },
        ("config", "DescribeConfigurationRecorderStatus"): {
            "ConfigurationRecordersStatus": [{"name": "default", "recording": True}]
        },
        **_objects({"threats.txt": [f"{IP}\n203.0.113.0/24\n".encode()], "function.zip": [CODE_ZIP]}),
    }
    return aws


@pytest.fixture
def world(aws: FakeAws, tmp_path: Path) -> FakeWorld:
    """The sample lab in a fake world, before anyone has done anything."""
    world = FakeWorld(aws, tmp_path)
    world.outlook = outlook(connection())
    return world


@pytest.fixture
def lookup() -> Callable[[Sequence[Event]], Callable[[dict[str, Any]], dict[str, Any]]]:
    """Return LookupEvents over given events."""
    return _lookup


@pytest.fixture
def objects() -> Callable[[dict[str, list[bytes]]], dict[tuple[str, str], Any]]:
    """Return S3's answers for given objects."""
    return _objects
