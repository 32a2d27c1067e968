"""Functions in a VPC: the attachment, its interfaces, and what the network lets through."""

from typing import Any

import pytest

from simulator.errors import AwsError

ARN = "arn:aws:lambda:us-east-1:486547846362:function:traffic"
ATTACHED = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


@pytest.fixture
def permitted(traffic: Any) -> Any:
    """The lab with the function, whose role may make interfaces."""
    statement = {"Effect": "Allow", "Action": ["logs:*", "ec2:CreateNetwork*"], "Resource": "*"}
    traffic.aws.policies["traffic-role"] = [{"Statement": statement}]
    return traffic


def test_the_role_needs_the_right_to_make_interfaces(traffic: Any) -> None:
    """In AWS's words; a Deny wins."""
    refused = traffic.refused("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=ATTACHED)
    words = "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
    assert refused == ("InvalidParameterValueException", words)
    traffic.aws.policies["traffic-role"] = [
        {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
        {"Statement": [{"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]},
    ]
    assert traffic.refused("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=ATTACHED)[1] == words


def test_attaching_resolves_the_vpc_and_makes_interfaces(permitted: Any) -> None:
    """One a subnet, described as AWS describes them; a replay makes none again."""
    shape = permitted.do("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=ATTACHED)
    assert shape["VpcConfig"] == {**ATTACHED, "VpcId": "vpc-1", "Ipv6AllowedForDualStack": False}
    assert shape["LastUpdateStatus"] == "InProgress"
    made = list(permitted.aws.interfaces.values())
    assert [each["subnet"] for each in made] == ["subnet-1", "subnet-2"]
    assert made[0]["description"].startswith("AWS Lambda VPC ENI-traffic-")
    replayed = permitted.replayed()
    assert replayed.aws_lambda.by_name == permitted.aws_lambda.by_name
    assert replayed.calls == []
    permitted.pass_time(seconds=8)
    assert permitted.do("GetFunctionConfiguration", FunctionName="traffic")["LastUpdateStatus"] == "InProgress"
    permitted.pass_time(seconds=8)
    assert permitted.do("GetFunctionConfiguration", FunctionName="traffic")["LastUpdateStatus"] == "Successful"


def test_detaching_and_deleting_take_the_interfaces_away(permitted: Any) -> None:
    """A detached function shows an empty VpcConfig."""
    permitted.do("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=ATTACHED)
    nothing: dict[str, list[str]] = {"SubnetIds": [], "SecurityGroupIds": []}
    shape = permitted.do("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=nothing)
    assert shape["VpcConfig"]["VpcId"] == ""
    assert permitted.aws.interfaces == {}
    permitted.do("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=ATTACHED)
    permitted.do("DeleteFunction", FunctionName="traffic")
    assert permitted.aws.interfaces == {}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}, "must coexist or be both empty list"),
        ({"SubnetIds": ["subnet-7"], "SecurityGroupIds": ["sg-1"]}, "EC2 Error Code: InvalidSubnetID.NotFound"),
        ({"SubnetIds": ["subnet-1", "subnet-9"], "SecurityGroupIds": ["sg-1"]}, "must all be in the same VPC"),
        ({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-9"]}, "required to be in the same VPC"),
    ],
)
def test_an_attachment_that_makes_no_sense_is_refused(permitted: Any, config: dict[str, Any], words: str) -> None:
    """And changes nothing."""
    refused = permitted.refused("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=config)
    assert refused[0] == "InvalidParameterValueException"
    assert words in refused[1]
    assert "VpcConfig" not in permitted.do("GetFunctionConfiguration", FunctionName="traffic")


def test_an_interface_that_cannot_be_made_fails_the_update(permitted: Any) -> None:
    """The function says so; nothing is raised into the caller's answer."""
    full = AwsError("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet.")
    permitted.aws.refuse["CreateNetworkInterface"] = full
    permitted.do("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=ATTACHED)
    permitted.pass_time(minutes=2)
    shape = permitted.do("GetFunctionConfiguration", FunctionName="traffic")
    assert shape["LastUpdateStatus"] == "Failed"
    assert "InsufficientFreeAddressesInSubnet" in shape["LastUpdateStatusReason"]


def test_a_closed_security_group_rejects_the_connection(permitted: Any) -> None:
    """The run goes on; its flow record says REJECT. Outside a VPC nothing is asked of EC2."""
    permitted.deliver()
    permitted.do("UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=ATTACHED)
    permitted.deliver()
    before, after = permitted.flows
    assert (before.action, before.permitted, before.interface_id) == ("ACCEPT", True, None)
    assert (after.action, after.permitted, after.interface_id) == ("REJECT", False, "eni-1")
    assert permitted.aws_lambda.network_of(ARN).vpc_id == "vpc-1"
    assert permitted.aws_lambda.network_of("none") is None
