"""Resource types: each handler turns a resource's properties into the API calls that AWS's handler makes.

A type without a handler does not exist in the lab: a template that names one is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from simulator.services.cloudformation.resources import (
    audit,
    ec2,
    events,
    guardduty,
    iam,
    lambda_,
    messaging,
    s3,
    stacks,
    stores,
)
from simulator.services.cloudformation.resources.base import Handler


def _handlers(module: ModuleType) -> Iterator[Handler]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Handler) and "type" in vars(value):
            yield value()


HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        handler.type: handler
        for module in (audit, ec2, events, guardduty, iam, lambda_, messaging, s3, stacks, stores)
        for handler in _handlers(module)
    }
)
"""The handler of every resource type that the lab can make."""

_SDK_NAMES: Final = {
    "DynamoDB": "DynamoDb",
    "EC2": "Ec2",
    "Events": "EventBridge",
    "IAM": "Iam",
    "KMS": "Kms",
    "Logs": "CloudWatchLogs",
    "SNS": "Sns",
    "SQS": "Sqs",
    "SSM": "Ssm",
}


def service_of(resource_type: str) -> str:
    """Return what a failure's text calls the service of a type, the SDK's name for it: `Ec2` of AWS::EC2::VPC."""
    name = resource_type.split("::")[1]
    return _SDK_NAMES.get(name, name)
