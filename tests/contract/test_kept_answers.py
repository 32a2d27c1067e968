"""Answers of moto's that are kept until the lab changes: nobody is told what is no longer so, or what is for somebody else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator import jsonify, wire
from simulator.services.moto import Moto
from tests.contract.any_call import InProcess
from tests.contract.labs import trust


@pytest.fixture
def forwarded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the list of services that moto is asked for, as it grows."""
    asked: list[str] = []
    forward = Moto.forward

    def noted(self: Moto, ctx: Any, service: str, *rest: Any, **named: Any) -> Any:
        asked.append(service)
        return forward(self, ctx, service, *rest, **named)

    monkeypatch.setattr(Moto, "forward", noted)
    return asked


def test_a_read_is_done_once_until_something_changes(owner: InProcess, forwarded: list[str]) -> None:
    """The second one costs moto nothing; after a change everything is looked up anew."""
    iam = owner.client("iam")
    first, again = iam.list_roles(), iam.list_roles()
    assert first["Roles"] == again["Roles"] == []
    assert forwarded == ["iam"]
    iam.create_role(RoleName="new", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["new"]


def test_every_kept_answer_carries_its_own_request_id(owner: InProcess) -> None:
    """In its body as in its header, as on AWS."""
    iam = owner.client("iam")
    answers = [iam.list_users()["ResponseMetadata"] for _ in range(3)]
    ids = [answer["RequestId"] for answer in answers]
    assert len(set(ids)) == 3
    assert ids == [answer["HTTPHeaders"]["x-amzn-requestid"] for answer in answers]


def test_both_reads_are_recorded(owner: InProcess) -> None:
    """A kept answer is a call like any other in the history."""
    iam = owner.client("iam")
    iam.list_users()
    iam.list_users()
    lab = next(iter(owner.gateway.labs.values()))
    lab.advance(timedelta(minutes=10))
    looked = owner.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ListUsers"}]
    )
    assert len(looked["Events"]) == 2


def test_what_a_request_asks_in_its_headers_tells_answers_apart(owner: InProcess) -> None:
    """A range of an object is not the object."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="things")
    etag = s3.put_object(Bucket="things", Key="k", Body=b"0123456789")["ETag"]
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"0123456789"
    assert s3.get_object(Bucket="things", Key="k", Range="bytes=2-4")["Body"].read() == b"234"
    with pytest.raises(ClientError, match="304"):
        s3.get_object(Bucket="things", Key="k", IfNoneMatch=etag)
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"0123456789"


def test_an_object_written_over_is_read_anew(owner: InProcess) -> None:
    """Of the same length, in the same second."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="things")
    for text in (b"one", b"two"):
        s3.put_object(Bucket="things", Key="k", Body=text)
        assert [s3.get_object(Bucket="things", Key="k")["Body"].read() for _ in range(2)] == [text, text]


def test_what_is_no_longer_allowed_is_refused_though_its_answer_is_kept(owner: InProcess) -> None:
    """Authorisation comes before."""
    iam = owner.client("iam")
    iam.create_role(RoleName="guest", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }))  # fmt: skip
    arn = iam.get_role(RoleName="guest")["Role"]["Arn"]
    iam.list_users()
    session = owner.client("sts").assume_role(RoleArn=arn, RoleSessionName="guest")["Credentials"]
    guest = InProcess(owner.gateway, session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    iam.list_users()
    with pytest.raises(ClientError, match="AccessDenied"):
        guest.client("iam").list_users()


def test_a_user_s_reads_count_as_uses_of_the_key(owner: InProcess) -> None:
    """Every one of them, a repeated one as well, whose answer is kept."""
    iam, lab = owner.client("iam"), next(iter(owner.gateway.labs.values()))
    iam.create_user(UserName="u")
    iam.attach_user_policy(UserName="u", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = InProcess(owner.gateway, key["AccessKeyId"], key["SecretAccessKey"])
    used = []
    for _ in range(2):
        lab.advance(timedelta(hours=1))
        user.client("iam").list_roles()
        used.append(iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["LastUsedDate"])
    assert used[1] - used[0] >= timedelta(hours=1)


def test_what_a_service_calls_for_a_user_is_no_use_of_the_key(owner: InProcess) -> None:
    """The user called CloudFormation, which made the queue."""
    iam = owner.client("iam")
    iam.create_user(UserName="u")
    iam.attach_user_policy(UserName="u", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = InProcess(owner.gateway, key["AccessKeyId"], key["SecretAccessKey"])
    template = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    user.client("cloudformation").create_stack(StackName="s", TemplateBody=template)
    assert owner.client("sqs").list_queues()["QueueUrls"]
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert used["ServiceName"] == "cloudformation"


def test_a_list_longer_than_the_room_is_looked_up_every_time(owner: InProcess, forwarded: list[str]) -> None:
    """Memory of a lab stays what it is, however much is read."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="things")
    s3.put_object(Bucket="things", Key="k", Body=bytes(2 << 20))
    forwarded.clear()
    for _ in range(2):
        assert len(s3.get_object(Bucket="things", Key="k")["Body"].read()) == 2 << 20
    assert forwarded == ["s3", "s3"]


def test_settled_structures_are_written_as_any_others_are() -> None:
    """Whole and in pieces, the JSON is the same."""
    shape = wire.operation_model("cloudtrail", "LookupEvents").output_shape
    events: list[dict[str, Any]] = [
        {"EventId": str(number), "EventTime": datetime(2026, 1, 1, tzinfo=UTC), "CloudTrailEvent": '{"a": "é\\u2028"}'}
        for number in range(3)
    ]
    for others in ({}, {"NextToken": "t"}, {"NextToken": "t", "Unknown": 1}):
        pieces = jsonify.as_json(shape, {"Events": [jsonify.Settled(event) for event in events], **others})
        assert json.loads(pieces) == json.loads(jsonify.as_json(shape, {"Events": events, **others}))
