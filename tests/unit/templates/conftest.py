"""A fake account: just enough of CloudFormation, S3, STS, GuardDuty, Config and CloudTrail, in memory."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from scenario import load
from scenario.model import Scenario, Variant
from scenario.variant import variant
from templates.deploy import Credentials, Session

ACCOUNT = "486547846362"
REGION = "us-east-1"


def error(code: str, message: str) -> ClientError:
    """Return the error that botocore raises for AWS's `code`."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


class FakeAws:
    """One account. `log` holds every changing call in order: (who, operation, what it was about)."""

    def __init__(self) -> None:
        self.client_class = FakeClient
        self.log: list[tuple[str, str, str]] = []
        self.stacks: dict[str, dict[str, Any]] = {}
        self.buckets: dict[str, dict[str, bytes]] = {}
        self.detectors: dict[str, list[dict[str, str]]] = {}
        self.recorders: list[str] = []
        self.trails: list[str] = []
        self.events: list[dict[str, str]] = []
        self.denials = 0
        """How often AssumeRole is still refused: a new role is not known everywhere at once."""
        self.denial = "because no identity-based policy allows it"
        self.fails: dict[str, str] = {}
        """Stack name -> the status in which its next creation or update ends."""
        self.refills: list[str] = []
        """Buckets that are written to once more behind their emptying."""
        self.owned: dict[str, tuple[str, ...]] = {}
        """Stack name -> its buckets: it cannot be deleted until they are empty."""
        self.endless = False
        self.lacks: dict[str, tuple[str, str]] = {}
        """Service, or `service operation` -> error code and message of an emulator that does not have it."""
        self.unmade: set[str] = set()
        """Kinds of things (function, rule, list, recorder, trail) that stacks claim to make and do not."""
        self.stay: set[str] = set()
        """Kinds of things that stay when their stack is deleted."""
        self.function: dict[str, str] = {"State": "Active"}
        self.misses = 0
        """How often a deletion is called failed on the way to succeeding, as LocalStack does."""

    def made(self, kind: str, part: str) -> str | None:
        """Return the prefix of the lab that has a thing of a kind, made by the stack of `part`; None where none has."""
        for name, stack in self.stacks.items():
            stands = kind in self.stay or stack["StackStatus"] not in ("DELETE_COMPLETE", "DELETE_FAILED")
            if name.endswith(f"guardduty-labs-{part}") and kind not in self.unmade and stands:
                return name.removesuffix(f"guardduty-labs-{part}")
        return None

    def connect(self, credentials: Credentials | None) -> Session:
        """Return a session of the instructor, or of whoever the key id names."""
        return FakeSession(self, credentials.access_key_id if credentials else "self")


class FakeSession:
    """A session whose clients are the methods of `FakeClient`."""

    def __init__(self, aws: FakeAws, who: str) -> None:
        self.aws, self.who = aws, who

    def client(self, service_name: str, /) -> Any:
        """Return the client of any service, which takes only what botocore's model of the service allows."""
        return Strict(service_name, FakeClient(self.aws, self.who))


@cache
def operations(service_name: str) -> dict[str, OperationModel]:
    """Return botocore's models of a service's operations by the names of a client's methods."""
    model = botocore.session.get_session().get_service_model(service_name)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


class Strict:
    """A client that checks every call against botocore's model before the fake takes it."""

    def __init__(self, service_name: str, client: "FakeClient") -> None:
        self._service_name, self._client = service_name, client
        self.meta = client.meta

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, name, getattr(self._client, name))

    def get_paginator(self, name: str) -> Any:
        """Return a paginator whose calls are checked as well."""
        return SimpleNamespace(paginate=partial(self._call, name, self._client.get_paginator(name).paginate))

    def _call(self, name: str, operation: Callable[..., Any], **params: Any) -> Any:
        shape = operations(self._service_name)[name].input_shape
        complaints = ParamValidator().validate(params, shape).generate_report() if shape else ""
        assert not complaints, f"{self._service_name} {name}: {complaints}"
        lacks = self._client.aws.lacks
        if refusal := lacks.get(self._service_name) or lacks.get(f"{self._service_name} {name}"):
            raise error(*refusal)
        return operation(**params)


class FakeClient:
    """All services' operations in one object: their names do not clash."""

    meta = SimpleNamespace(region_name=REGION, endpoint_url="https://sts.amazonaws.com")

    def __init__(self, aws: FakeAws, who: str) -> None:
        self.aws, self.who = aws, who

    def _log(self, operation: str, about: str) -> None:
        self.aws.log.append((self.who, operation, about))

    # STS

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/teacher", "UserId": "AIDAEXAMPLE"}

    def assume_role(self, *, RoleArn: str, RoleSessionName: str) -> dict[str, Any]:
        if self.aws.denials:
            self.aws.denials -= 1
            raise error(
                "AccessDenied", f"not authorized to perform: sts:AssumeRole on resource: {RoleArn} {self.aws.denial}"
            )
        assert RoleArn.startswith(f"arn:aws:iam::{ACCOUNT}:role/")
        key = f"{RoleArn.rpartition('/')[2]}/{RoleSessionName}"
        return {"Credentials": {"AccessKeyId": key, "SecretAccessKey": "secret", "SessionToken": "token"}}

    # CloudFormation

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        stack = next((s for s in self.aws.stacks.values() if StackName in (s["StackName"], s["StackId"])), None)
        if stack is None or (stack["StackStatus"] == "DELETE_COMPLETE" and StackName != stack["StackId"]):
            raise error("ValidationError", f"Stack with id {StackName} does not exist")
        seen = dict(stack)
        if stack["StackStatus"].endswith("_IN_PROGRESS") and not self.aws.endless:
            stack["StackStatus"] = stack["next"]
        return {"Stacks": [seen]}

    def create_stack(self, *, StackName: str, Tags: list[dict[str, str]], **rest: Any) -> None:
        self._log("create_stack", StackName)
        self._settle(StackName, "CREATE", Tags, rest)

    def update_stack(self, *, StackName: str, Tags: list[dict[str, str]], **rest: Any) -> None:
        self._log("update_stack", StackName)
        if self.aws.stacks[StackName]["rest"] == rest:
            raise error("ValidationError", "No updates are to be performed.")
        self._settle(StackName, "UPDATE", Tags, rest)

    def _settle(self, name: str, verb: str, tags: list[dict[str, str]], rest: dict[str, Any]) -> None:
        self.aws.stacks[name] = {
            "StackName": name,
            "StackId": f"arn:{name}",
            "StackStatus": f"{verb}_IN_PROGRESS",
            "next": self.aws.fails.pop(name, f"{verb}_COMPLETE"),
            "Tags": tags,
            "rest": rest,
        }

    def delete_stack(self, *, StackName: str) -> None:
        self._log("delete_stack", StackName)
        full = any(self.aws.buckets.get(bucket) for bucket in self.aws.owned.get(StackName, ()))
        stack = self.aws.stacks[StackName]
        stack["StackStatus"] = "DELETE_IN_PROGRESS"
        stack["next"] = "DELETE_FAILED" if full else self.aws.fails.get(StackName, "DELETE_COMPLETE")
        if self.aws.misses:
            self.aws.misses -= 1
            stack["next"] = "DELETE_FAILED"

    def get_paginator(self, operation: str) -> Any:
        pages: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {
            "describe_stack_events": self._stack_events,
            "list_object_versions": self._object_versions,
        }
        return SimpleNamespace(paginate=pages[operation])

    def _stack_events(self, *, StackName: str) -> Iterator[dict[str, Any]]:
        yield {"StackEvents": list(reversed(self.aws.events))}

    # S3

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self._log("put_object", f"s3://{Bucket}/{Key}")
        self.aws.buckets.setdefault(Bucket, {})[Key] = Body

    def _object_versions(self, *, Bucket: str) -> Iterator[dict[str, Any]]:
        if Bucket not in self.aws.buckets:
            raise error("NoSuchBucket", "The specified bucket does not exist")
        yield {"Versions": [{"Key": key, "VersionId": "null"} for key in self.aws.buckets[Bucket]]}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> None:
        self._log("delete_objects", Bucket)
        for item in Delete["Objects"]:
            del self.aws.buckets[Bucket][item["Key"]]
        if Bucket in self.aws.refills:
            self.aws.refills.remove(Bucket)
            self.aws.buckets[Bucket]["late.json.gz"] = b"{}"

    # GuardDuty, Config, CloudTrail

    def list_detectors(self) -> dict[str, Any]:
        own = self.aws.made("detector", "baseline") is not None and not self.aws.detectors
        return {"DetectorIds": ["d" * 32] if own else list(self.aws.detectors)}

    def get_detector(self, *, DetectorId: str) -> dict[str, Any]:
        return {"Features": self.aws.detectors[DetectorId]}

    def update_detector(self, *, DetectorId: str, Features: list[dict[str, str]]) -> None:
        self._log("update_detector", DetectorId)
        self.aws.detectors[DetectorId] = Features

    def describe_configuration_recorders(self) -> dict[str, Any]:
        return {"ConfigurationRecorders": [{"name": name} for name in self.aws.recorders]}

    def describe_trails(self) -> dict[str, Any]:
        return {"trailList": [{"Name": name} for name in self.aws.trails]}

    def list_threat_intel_sets(self, *, DetectorId: str) -> dict[str, Any]:
        if DetectorId == "0" * 32:
            raise error("BadRequestException", "The request is rejected because the input detectorId is not owned.")
        return {"ThreatIntelSetIds": ["list"] if self.aws.made("list", "detection") is not None else []}

    def get_threat_intel_set(self, *, DetectorId: str, ThreatIntelSetId: str) -> dict[str, Any]:
        return {"Name": f"{self.aws.made('list', 'detection')}S3BadIpAddressList", "Status": "ACTIVATING"}

    def describe_configuration_recorder_status(self) -> dict[str, Any]:
        made = self.aws.made("recorder", "baseline") is not None
        names = [*self.aws.recorders, *(["default"] if made else [])]
        return {"ConfigurationRecordersStatus": [{"name": name, "recording": True} for name in names]}

    def get_trail_status(self, *, Name: str) -> dict[str, Any]:
        if self.aws.made("trail", "baseline") is None:
            raise error("TrailNotFoundException", f"Unknown trail: {Name}")
        return {"IsLogging": True}

    # Lambda, EventBridge, IAM

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:
        if f"{self.aws.made('function', 'workload')}traffic-simulation" != FunctionName:
            raise error("ResourceNotFoundException", f"Function not found: {FunctionName}")
        return dict(self.aws.function)

    def describe_rule(self, *, Name: str) -> dict[str, Any]:
        if f"{self.aws.made('rule', 'workload')}traffic-simulation-schedule" != Name:
            raise error("ResourceNotFoundException", f"Rule {Name} does not exist.")
        return {"Name": Name, "State": "ENABLED"}

    def list_targets_by_rule(self, *, Rule: str) -> dict[str, Any]:
        name = Rule.removesuffix("-schedule")
        targets = [] if "target" in self.aws.unmade else [{"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"}]
        return {"Targets": targets}

    def get_role(self, *, RoleName: str) -> dict[str, Any]:
        raise error("NoSuchEntity", f"The role with name {RoleName} cannot be found.")


@pytest.fixture
def aws() -> FakeAws:
    """A fake account with nothing in it."""
    return FakeAws()


@pytest.fixture
def scenario() -> Scenario:
    """The kit's scenario, without its background."""
    return load.load("lambda-malicious-ip", tasks_only=True)


@pytest.fixture
def values(scenario: Scenario) -> Variant:
    """The values of one seed."""
    return variant(scenario, "demo")
