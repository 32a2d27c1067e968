"""A lab of fakes: a bucket, functions and an event bus, in which GuardDuty alone is real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest
from botocore import xform_name

from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context, Flow
from simulator.services.guardduty import GuardDuty

if TYPE_CHECKING:
    from simulator.world import Lab

START = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
ACCOUNT = "486547846362"
IP = "198.51.100.7"
BUCKET = "threat-lists"


@dataclass
class FakeFunctions:
    """The functions of the lab, by name."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    def function_state(self, name: str) -> dict[str, Any] | None:
        """Return a function's configuration, as Lambda's own service does."""
        return self.states.get(name)


@dataclass
class FakeBus:
    """Collects the events that GuardDuty puts."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def put_service_event(self, ctx: Context, **event: Any) -> None:
        """Keep the event."""
        self.events.append(event)


@dataclass
class FakeLab:
    """What GuardDuty sees of a lab."""

    seed: str = "unit"
    account_id: str = ACCOUNT
    region: str = "us-east-1"
    functions: FakeFunctions = field(default_factory=FakeFunctions)
    bus: FakeBus = field(default_factory=FakeBus)
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    records: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    service_under_test: GuardDuty | None = None

    def service(self, name: str) -> Any:
        """Return a fake."""
        return {"lambda": self.functions, "events": self.bus}[name]

    def read(self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer GetObject and DescribeSecurityGroups."""
        if (service, operation) == ("ec2", "DescribeSecurityGroups"):
            return {"SecurityGroups": [{"GroupId": each, "GroupName": "closed"} for each in params["GroupIds"]]}
        body = self.objects.get((params["Bucket"], params["Key"]))
        if body is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)
        return {"Body": body}

    def record(self, ctx: Context, service: str, kind: str, data: Mapping[str, Any]) -> None:
        """Keep and apply a consequence."""
        self.records.append((service, kind, data))
        assert self.service_under_test is not None
        getattr(self.service_under_test, f"apply_{kind}")(ctx, data)


class World:
    """GuardDuty in a fake lab, with a clock that tests move."""

    def __init__(self, seed: str = "unit") -> None:
        self.lab = FakeLab(seed=seed)
        self.service = GuardDuty(cast("Lab", self.lab))
        self.lab.service_under_test = self.service
        self.now = START
        self.changes = 0
        self.detector_id = ""

    def context(self, region: str = "us-east-1") -> Context:
        """Return a context of a new change at the current time."""
        self.changes += 1
        return Context(
            lab=cast("Lab", self.lab),
            principal=Principal(type="Root", account_id=ACCOUNT),
            now=self.now,
            ids=Ids.of(self.lab.seed, "change", self.changes),
            region=region,
        )

    def call(self, operation: str, region: str = "us-east-1", **params: Any) -> dict[str, Any]:
        """Make a call; the lab's detector is filled in where the operation takes one and none is given."""
        method: Callable[..., dict[str, Any] | None] = getattr(self.service, xform_name(operation))
        if self.detector_id and "DetectorId" not in params and operation not in WITHOUT_DETECTOR:
            params["DetectorId"] = self.detector_id
        return method(self.context(region), **params) or {}

    def wait(self, **span: float) -> None:
        """Let time pass and run what becomes due on the way."""
        end = self.now + timedelta(**span)
        while (due := self.service.next_due()) is not None and due <= end:
            self.now = max(due, self.now)
            ctx = self.context()
            self.service.run_due(ctx)
            for process in ctx.processes:
                process(ctx)
            assert self.service.next_due() != due, "work left undone"
        self.now = end

    def flow(
        self,
        ip: str = IP,
        *,
        function: str = "traffic-simulation",
        action: Literal["ACCEPT", "REJECT"] = "ACCEPT",
        port: int = 443,
        run: str = "",
    ) -> None:
        """Have a function connect now."""
        flow = Flow(
            at=self.now,
            function_name=function,
            function_version="$LATEST",
            ip=ip,
            port=port,
            protocol="TCP",
            action=action,
            permitted=action == "ACCEPT",
            run_id=run,
        )
        self.service.on_flow(self.context(), flow)

    def put(self, key: str, body: bytes) -> str:
        """Write an object and return its location."""
        self.lab.objects[BUCKET, key] = body
        return f"https://s3.amazonaws.com/{BUCKET}/{key}"

    def error(self, operation: str, **params: Any) -> AwsError:
        """Return the error of a call that must fail."""
        with pytest.raises(AwsError) as caught:
            self.call(operation, **params)
        return caught.value

    def findings(self, **criterion: Any) -> list[dict[str, Any]]:
        """Return the findings that are visible now."""
        ids = self.call("ListFindings", FindingCriteria={"Criterion": criterion})["FindingIds"]
        found: list[dict[str, Any]] = self.call("GetFindings", FindingIds=ids)["Findings"]
        return found

    def finding(self) -> dict[str, Any]:
        """Return the only finding that is visible now."""
        (found,) = self.findings()
        return found


WITHOUT_DETECTOR = {
    "CreateDetector", "ListDetectors", "ListTagsForResource", "TagResource", "UntagResource", "ListInvitations",
    "GetInvitationsCount", "GetOrganizationStatistics", "CreateMalwareProtectionPlan", "GetMalwareProtectionPlan",
    "ListMalwareProtectionPlans", "UpdateMalwareProtectionPlan", "DeleteMalwareProtectionPlan", "ListMalwareScans",
    "GetMalwareScan", "StartMalwareScan", "SendObjectMalwareScan", "ListOrganizationAdminAccounts",
    "EnableOrganizationAdminAccount", "DisableOrganizationAdminAccount", "DeclineInvitations", "DeleteInvitations",
    "ListCustomDetectionRules", "GetCustomDetectionRule",
}  # fmt: skip


@pytest.fixture
def empty() -> World:
    """Return a world without a detector."""
    return World()


@pytest.fixture
def world(empty: World) -> World:
    """Return a world with a detector and a function `traffic-simulation`."""
    empty.detector_id = empty.call("CreateDetector", Enable=True)["DetectorId"]
    empty.lab.functions.states["traffic-simulation"] = {
        "FunctionName": "traffic-simulation",
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:traffic-simulation",
        "Description": "Function to simulate malicious IP calls",
        "LastModified": "2026-11-22T17:33:22.123+0000",
        "RevisionId": "0f9b0cbb-5d4a-4c5a-8a0e-0d6c4b9f6a11",
        "Version": "$LATEST",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/traffic",
        "Tags": {"team": "payments"},
    }
    return empty


@pytest.fixture
def listed(world: World) -> World:
    """Return a world in which a threat list with the address has been active for a while."""
    location = world.put("list.txt", f"{IP}\n203.0.113.9\n".encode())
    world.call("CreateThreatIntelSet", Name="S3BadIpAddressList", Format="TXT", Location=location, Activate=True)
    world.wait(minutes=10)
    return world


@dataclass
class Furnished:
    """A world with one of everything, and its ids by the name of the parameter that takes them."""

    world: World
    known: dict[str, str]


@pytest.fixture
def furnished(listed: World) -> Furnished:
    """Return a world in which every kind of thing exists once and a finding shows."""
    listed.flow()
    listed.wait(minutes=20)
    location = listed.put("more.txt", b"192.0.2.1\n")
    known = {"DetectorId": listed.detector_id, "FindingId": listed.finding()["Id"], "FilterName": "furniture"}
    known["ThreatIntelSetId"] = listed.call("ListThreatIntelSets")["ThreatIntelSetIds"][0]
    for kind in ("IPSet", "ThreatEntitySet", "TrustedEntitySet"):
        known |= listed.call(f"Create{kind}", Name=kind, Format="TXT", Location=location, Activate=True)
    listed.call("CreateFilter", Name="furniture", FindingCriteria={"Criterion": {"type": {"Equals": ["x"]}}})
    known |= listed.call(
        "CreatePublishingDestination",
        DestinationType="S3",
        DestinationProperties={
            "DestinationArn": "arn:aws:s3:::findings",
            "KmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd",
        },
    )
    known["ResourceArn"] = f"arn:aws:guardduty:us-east-1:{ACCOUNT}:detector/{listed.detector_id}"
    known["AccountId"] = ACCOUNT
    listed.call("CreateSampleFindings")
    listed.wait(minutes=5)
    return Furnished(world=listed, known=known)
