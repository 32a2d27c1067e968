"""The plan, applied by the very code that applies it to a real account, to the lab's own AWS: made, changed, taken away."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from scenario import load
from scenario.errors import LabError
from scenario.variant import variant
from simulator.functions import Environments
from simulator.identity import Principal
from simulator.journal import Journal
from simulator.services.moto import Moto
from simulator.world import Ask, Lab, new_meta
from templates.deploy import Credentials, Session, apply, destroy_plan, plan, survey
from templates.options import Options
from templates.preflight import preflight

SCENARIO = load.load("lambda-malicious-ip", tasks_only=True)
NUMBERS = count(10)

# moto leaves the closing of its objects' buffers to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:S3 key was not disposed of in time:ResourceWarning"),
]
REGION = "us-east-1"


class Account:
    """A lab with nothing in it, reached as `templates` reaches any world."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def connect(self, credentials: Credentials | None) -> Session:
        """Return a session of the account's owner, or of the role's session that the credentials are for."""
        if credentials is None:
            return LabSession(self.lab, owner(self.lab.account_id))
        return LabSession(self.lab, self.lab.service("sts").principal_of(credentials.access_key_id))

    def apply(self, seed: str = "demo", options: Options | None = None) -> None:
        """Deploy the lab of `seed` as it stands now."""
        chosen = options or Options()
        values = replace(variant(SCENARIO, seed), account_id=self.lab.account_id)
        found = survey(self.connect(None), chosen)
        apply(plan(SCENARIO, values, chosen, found), self.connect, sleep=lambda _: None)

    def pass_an_hour(self) -> None:
        """Let an hour of lab time go by: long enough for trails to show events and for lists to become active."""
        self.lab.advance(timedelta(hours=1))

    def destroy(self, options: Options | None = None) -> None:
        """Take the lab away."""
        chosen = options or Options()
        found = survey(self.connect(None), chosen)
        apply(
            destroy_plan(self.lab.account_id, REGION, chosen, found),
            self.connect,
            sleep=lambda _: None,
        )

    def client(self, service_name: str) -> Any:
        """Return a client of the account's owner."""
        return self.connect(None).client(service_name)

    def belongings(self) -> dict[str, list[str]]:
        """Return what there is of everything that the templates make, by kind."""
        return {
            "stacks": [each["StackName"] for each in self.client("cloudformation").describe_stacks()["Stacks"]],
            "buckets": [each["Name"] for each in self.client("s3").list_buckets().get("Buckets", [])],
            "roles": [each["RoleName"] for each in self.client("iam").list_roles()["Roles"]],
            "functions": [each["FunctionName"] for each in self.client("lambda").list_functions()["Functions"]],
            "rules": [each["Name"] for each in self.client("events").list_rules()["Rules"]],
            "logs": [each["logGroupName"] for each in self.client("logs").describe_log_groups()["logGroups"]],
            "detectors": self.client("guardduty").list_detectors()["DetectorIds"],
            "recorders": [
                each["name"]
                for each in self.client("config").describe_configuration_recorders()["ConfigurationRecorders"]
            ],
            "channels": [
                each["name"] for each in self.client("config").describe_delivery_channels()["DeliveryChannels"]
            ],
            "trails": [each["Name"] for each in self.client("cloudtrail").describe_trails()["trailList"]],
        }

    def threat_lists(self) -> list[dict[str, Any]]:
        """Return the account's threat lists."""
        guardduty = self.client("guardduty")
        (detector,) = guardduty.list_detectors()["DetectorIds"]
        return [
            guardduty.get_threat_intel_set(DetectorId=detector, ThreatIntelSetId=each)
            for each in guardduty.list_threat_intel_sets(DetectorId=detector)["ThreatIntelSetIds"]
        ]


class LabSession:
    """A session whose clients ask the lab directly: no server, no signature, the same operations."""

    def __init__(self, lab: Lab, principal: Principal) -> None:
        self.lab, self.principal = lab, principal

    def client(self, service_name: str, /) -> Any:
        """Return a client of a service."""
        return LabClient(self.lab, self.principal, service_name)


class LabClient:
    """A client as boto3's, by names, parameters, results and errors."""

    meta = SimpleNamespace(region_name=REGION)

    def __init__(self, lab: Lab, principal: Principal, service_name: str) -> None:
        model = botocore.session.get_session().get_service_model(service_name)
        self._operations = {xform_name(name): name for name in model.operation_names}
        self._lab, self._principal, self._service_name = lab, principal, service_name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = self._operations[name]

        def call(**params: Any) -> dict[str, Any]:
            done = self._lab.ask(
                Ask(service=self._service_name, operation=operation, params=params, principal=self._principal)
            )
            if done.error:
                said = {"Code": done.error.code, "Message": done.error.message}
                raise ClientError({"Error": said}, operation)
            return done.result or {}

        return call

    def get_paginator(self, name: str) -> Any:
        """Return a paginator of one page: the accounts here are small."""
        return SimpleNamespace(paginate=lambda **params: iter([getattr(self, name)(**params)]))


def owner(account_id: str) -> Principal:
    """Return who sets up the account before its own roles exist."""
    return Principal.session(
        account_id=account_id,
        role_name="OrganizationAccountAccessRole",
        role_id="AROAEXAMPLEEXAMPLE234",
        session_name="account-setup",
        access_key_id="ASIAEXAMPLEEXAMPLE23",
        created=datetime(2026, 11, 24, tzinfo=UTC),
    )


@pytest.fixture
def account() -> Iterator[Account]:
    """An account with nothing in it, another one for each test: moto keeps them all in one place."""
    account_id = f"4865478463{next(NUMBERS):02}"
    meta = new_meta(seed="demo", account_id=account_id, scenario_id=SCENARIO.id, ip=None, history=0.0, versions={})
    environments = Environments()
    lab = Lab(meta=meta, journal=Journal.create(None, meta), moto=Moto(), environments=environments)
    yield Account(lab)
    lab.close()
    environments.close()


def test_what_is_deployed_is_destroyed_to_the_last_bucket(account: Account) -> None:
    """Everything is there, then nothing is but GuardDuty's own role, which no stack made: it stays on AWS as well."""
    before = account.belongings()
    account.apply()
    made = account.belongings()
    assert [len(made[kind]) - len(before[kind]) for kind in made] == [4, 3, 5, 1, 1, 1, 1, 1, 1, 1]
    account.destroy()
    assert account.belongings() == {**before, "roles": [*before["roles"], "AWSServiceRoleForAmazonGuardDuty"]}


def test_the_function_is_created_by_the_system_role_through_cloudformation(account: Account) -> None:
    """The answer to the module's last question."""
    account.apply()
    account.pass_an_hour()
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": "traffic-simulation"}
    events = account.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    event = json.loads(events[-1]["CloudTrailEvent"])
    assert event["eventName"] == "CreateFunction20150331"
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "WSSystemRole"
    assert event["userIdentity"]["principalId"].endswith(":System")
    assert event["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"


def test_deploying_again_changes_nothing(account: Account) -> None:
    """Every stack says that there is nothing to update."""
    account.apply()
    before = {each["StackName"]: each.get("LastUpdatedTime") for each in _stacks(account)}
    account.apply()
    assert {each["StackName"]: each.get("LastUpdatedTime") for each in _stacks(account)} == before
    assert {each["StackStatus"] for each in _stacks(account)} == {"CREATE_COMPLETE"}


def test_another_list_is_activated_by_the_stacks_update(account: Account) -> None:
    """The same set, at the new object's place."""
    account.apply()
    (before,) = account.threat_lists()
    account.pass_an_hour()
    account.apply(seed="another")
    (after,) = account.threat_lists()
    assert after["Name"] == before["Name"] == "S3BadIpAddressList"
    assert after["Location"] != before["Location"]
    assert after["Status"] in ("ACTIVATING", "ACTIVE")


def test_a_second_lab_fits_beside_the_first(account: Account) -> None:
    """With a prefix, and with the detector and the recorder that are there; it goes without taking the first along."""
    account.apply()
    first = account.belongings()
    (detector,) = first["detectors"]
    second = Options(name_prefix="two", detector_id=detector, recorder=False)
    account.apply(options=second)
    assert {each["Name"] for each in account.threat_lists()} == {"S3BadIpAddressList", "two-S3BadIpAddressList"}
    account.destroy(second)
    assert account.belongings() == first


def test_what_preflight_calls_a_problem_is_one(account: Account) -> None:
    """A second detector makes the stack fail, and the message is the one that preflight gave beforehand."""
    account.client("guardduty").create_detector(Enable=True)
    checks = preflight(account.connect(None), Options(), {})
    assert [each.state for each in checks][:2] == ["problem", "ok"]
    with pytest.raises(LabError, match="a detector already exists") as caught:
        account.apply()
    assert "--detector" in caught.value.try_next


def _stacks(account: Account) -> list[dict[str, Any]]:
    stacks: list[dict[str, Any]] = account.client("cloudformation").describe_stacks()["Stacks"]
    return stacks
