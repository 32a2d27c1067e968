"""A replay does not make a lab's reads again, so none of them may change what moto holds."""

import types
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from simulator import wire
from tests.contract.every import MOTO, Subject, operations

LEFT_OUT = ("managed_policies", "aws_managed_policies", "_ri_offerings", "_ri_offerings_generated", "_tick")
"""AWS's own thousand policies, which cost; offers, which are made at the first look and always the same; a count of looks."""


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """Return a lab with something of everything in it, in whose one bucket every access is to be logged to another."""
    made = Subject()
    s3 = made.client("s3")
    s3.create_bucket(Bucket="logs")
    acl = s3.get_bucket_acl(Bucket="logs")
    group = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
    grants = [*acl["Grants"], *({"Grantee": group, "Permission": each} for each in ("WRITE", "READ_ACP"))]
    s3.put_bucket_acl(Bucket="logs", AccessControlPolicy={"Owner": acl["Owner"], "Grants": grants})
    logged = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}}
    s3.put_bucket_logging(Bucket="known-bucket", BucketLoggingStatus=logged)
    made.client("secretsmanager").create_secret(Name="known", SecretString="known")
    made.client("ssm").put_parameter(Name="known", Value="known", Type="String")
    yield made
    made.close()


def held(root: Any) -> dict[str, str]:
    """Return all texts, numbers and moments that objects of moto's hold, by the way to them."""
    found: dict[str, str] = {}
    seen: dict[int, Any] = {}
    left = [("", root)]
    while left:
        path, value = left.pop()
        if id(value) in seen or isinstance(value, types.FunctionType | types.MethodType | type):
            continue
        if isinstance(value, dict):
            inner = [(f"{path}[{key}]", each) for key, each in value.items()]
        elif isinstance(value, list | tuple):
            inner = [(f"{path}[{index}]", each) for index, each in enumerate(value)]
        elif isinstance(value, str | bytes | int | float | date | None):
            found[path] = repr(value)
            continue
        elif hasattr(value, "__dict__") and type(value).__module__.startswith("moto."):
            inner = [(f"{path}.{name}", each) for name, each in vars(value).items() if name not in LEFT_OUT]
        else:
            continue
        seen[id(value)] = value
        left += inner
    return found


@pytest.mark.parametrize("service", [*MOTO, "sns", "ssm", "secretsmanager"])
def test_every_read_of_a_service_leaves_what_moto_holds_as_it_was(subject: Subject, service: str) -> None:
    """Each of its reads with valid parameters: no log, no mark, no status."""
    lab = next(iter(subject.process.gateway.labs.values()))
    backend = lab.moto.backend(service, lab.account_id, "global" if service in ("iam", "s3") else lab.region)
    before = held(backend)
    for _, operation in operations([service]):

        def ask(params: dict[str, Any], operation: str = operation) -> None:
            subject.call(service, operation, params)

        if wire.is_read(service, operation):
            subject.try_each(service, operation, ask, examples=1)
    after = held(backend)
    assert [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)] == []


def test_a_status_does_not_go_on_because_somebody_looked(subject: Subject) -> None:
    """moto ends the restoring of an object, for one, at the second look."""
    s3 = subject.client("s3")
    s3.put_object(Bucket="known-bucket", Key="cold", Body=b"x", StorageClass="GLACIER")
    s3.restore_object(Bucket="known-bucket", Key="cold", RestoreRequest={"Days": 1})
    looks = [s3.head_object(Bucket="known-bucket", Key="cold")["Restore"] for _ in range(3)]
    assert len(set(looks)) == 1
    assert 'ongoing-request="false"' in looks[0]
