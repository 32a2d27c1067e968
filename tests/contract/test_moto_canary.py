"""Each internal of moto that the simulator relies on or puts something else in place of, held one by one.

A new version of moto that changes one of them fails here, by name, before it fails somewhere by surprise.
"""

import gc
import inspect
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import botocore
import moto.core.errors
import moto.core.parse
import moto.core.serialize
import moto.iam.models
import moto.s3.models
import moto.s3.notifications
import moto.s3.responses
import moto.sns.models
import moto.sqs.models
import pytest
from botocore.exceptions import ClientError
from moto import settings
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.common_models import BaseModel
from moto.core.loaders import create_loader
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.moto_api._internal import mock_random

from simulator import wire
from simulator.identity import account_of
from simulator.services.moto import S3_UNKNOWN
from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab_in_process, trust

ACCOUNT = "486547846362"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}


@pytest.fixture(scope="module")
def owner() -> Iterator[InProcess]:
    """Return the owner's clients of a lab."""
    process = new_lab_in_process(ACCOUNT)
    yield process
    process.gateway.labs[ACCOUNT].close()


def test_the_version_is_the_one_that_was_read() -> None:
    """pyproject.toml pins it; whoever moves the pin reads this module."""
    assert metadata.version("moto") == "5.2.5"


def test_settings_are_in_force() -> None:
    """Cross-account S3 is off, no AMIs are loaded, AWS's managed policies are."""
    assert settings.s3_allow_crossdomain_access() is False
    assert settings.ec2_load_default_amis() is False
    assert settings.load_iam_aws_managed_policies() is True


def test_time_is_the_lab_s(owner: InProcess) -> None:
    """What moto stamps while a call is served is lab time, also days after."""
    lab = owner.gateway.labs[ACCOUNT]
    lab.advance(timedelta(days=3))
    made = owner.client("iam").create_role(RoleName="late", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))[
        "Role"
    ]
    assert abs(made["CreateDate"] - lab.clock.now()) < timedelta(seconds=5)
    owner.client("s3").create_bucket(Bucket="late-bucket")
    owner.client("s3").put_object(Bucket="late-bucket", Key="key", Body=b"x")
    stamped = owner.client("s3").head_object(Bucket="late-bucket", Key="key")["LastModified"]
    assert abs(stamped - lab.clock.now()) < timedelta(seconds=5)
    assert abs(datetime.now(UTC) + timedelta(days=3) - stamped) < timedelta(minutes=5)


def test_ids_come_from_one_generator_that_can_be_seeded() -> None:
    """Where moto draws an id, it draws it from `mock_random`."""
    drawn = []
    for _ in range(2):
        mock_random.seed(7)
        drawn.append((mock_random.uuid4(), mock_random.get_random_hex(8), mock_random.getrandbits(64)))
    assert drawn[0] == drawn[1]


def test_the_same_seed_draws_the_same_ids_in_two_labs() -> None:
    """Ids of roles, VPCs, queues and keys are the seed's."""
    told = []
    for _ in range(2):
        process = new_lab_in_process(ACCOUNT)
        role = process.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
        vpc = process.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        key = process.client("kms").create_key()["KeyMetadata"]["KeyId"]
        told.append((role["Role"]["RoleId"], vpc, key))
        process.gateway.labs[ACCOUNT].close()
    assert told[0] == told[1]


def test_ids_of_users_groups_and_keys_decode_to_the_account(owner: InProcess) -> None:
    """As AWS's do."""
    iam = owner.client("iam")
    user = iam.create_user(UserName="decoded")["User"]["UserId"]
    group = iam.create_group(GroupName="decoded")["Group"]["GroupId"]
    key = iam.create_access_key(UserName="decoded")["AccessKey"]["AccessKeyId"]
    for unique, prefix in ((user, "AIDA"), (group, "AGPA"), (key, "AKIA")):
        assert unique.startswith(prefix)
        assert account_of(unique) == ACCOUNT


def test_what_the_gateway_and_policy_read_of_iam_is_there(owner: InProcess) -> None:
    """Users with keys, roles with policies, groups, boundaries: the attributes that authentication and authorisation read."""
    iam = owner.client("iam")
    iam.create_user(UserName="read")
    made = iam.create_access_key(UserName="read")["AccessKey"]
    iam.put_user_policy(UserName="read", PolicyName="own", PolicyDocument=json.dumps(ALLOW))
    iam.attach_user_policy(UserName="read", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    backend = owner.gateway.labs[ACCOUNT].moto.backend("iam", ACCOUNT, "global")
    user = (
        backend.users["read"]
        if "read" in backend.users
        else next(u for u in backend.users.values() if u.name == "read")
    )
    (key,) = user.access_keys
    assert (key.access_key_id, key.secret_access_key, key.status) == (
        made["AccessKeyId"],
        made["SecretAccessKey"],
        "Active",
    )
    assert user.policies.keys() == {"own"}
    (policy,) = user.managed_policies.values()
    assert any(each.version_id == policy.default_version_id and each.document for each in policy.versions)
    assert (user.arn, user.name, user.id[:4]) == (f"arn:aws:iam::{ACCOUNT}:user/read", "read", "AIDA")
    iam.create_role(RoleName="read", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    role = next(each for each in backend.roles.values() if each.name == "read")
    assert "lambda.amazonaws.com" in str(role.assume_role_policy_document)
    assert all(hasattr(each, "users") and hasattr(each, "policies") for each in backend.groups.values())


def test_bucket_policies_are_kept_and_not_judged_by_moto(owner: InProcess) -> None:
    """A policy that denies everything without TLS is stored, ours judges it, and moto's own reading is off."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="tls-only")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    s3.put_object(Bucket="tls-only", Key="key", Body=b"x")
    assert s3.get_object(Bucket="tls-only", Key="key")["Body"].read() == b"x"
    bucket = owner.gateway.labs[ACCOUNT].moto.backend("s3", ACCOUNT, "global").buckets["tls-only"]
    assert bucket.policy
    assert bucket.get_permission("s3:GetObject", "arn") is not None


@pytest.mark.parametrize("name", sorted(wire.model("s3").operation_names))
def test_no_operation_of_s3_is_taken_for_another(name: str) -> None:
    """What an operation's query asks for is either looked at by moto or refused before moto sees it."""
    source = inspect.getsource(moto.s3.responses)
    query = wire.operation_model("s3", name).http["requestUri"].partition("?")[2]
    asked = {part.partition("=")[0] for part in query.split("&") if part} - {"x-id", "select-type"}
    assert all(f'"{part}"' in source or part in S3_UNKNOWN for part in asked), name


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("delete_bucket_analytics_configuration", {"Id": "a"}), ("delete_bucket_metrics_configuration", {"Id": "a"}),
        ("get_object_retention", {"Key": "key"}), ("get_object_torrent", {"Key": "key"}), ("list_object_annotations", {"Key": "key"}),
        ("delete_object_annotation", {"Key": "key", "AnnotationName": "a"}), ("rename_object", {"Key": "key", "RenameSource": "other"}),
        ("get_bucket_abac", {}), ("create_session", {}), ("get_bucket_request_payment", {}),
    ],
)  # fmt: skip
def test_what_moto_would_mistake_is_refused_and_changes_nothing(
    owner: InProcess, operation: str, more: dict[str, str]
) -> None:
    """Deleting a bucket's metrics configuration once deleted the bucket."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="kept-bucket")
    s3.put_object(Bucket="kept-bucket", Key="key", Body=b"kept")
    with pytest.raises(ClientError) as caught:
        getattr(s3, operation)(Bucket="kept-bucket", **more)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert s3.get_object(Bucket="kept-bucket", Key="key")["Body"].read() == b"kept"


def test_the_places_that_are_patched_are_there() -> None:
    """Names, signatures and modules that `services/moto.py` puts something else in place of."""
    assert "__new__" in vars(BaseModel)
    assert "__getitem__" in vars(AccountSpecificBackend)
    assert isinstance(BackendDict._instances, list)
    assert callable(moto.s3.models.FakeKey.dispose)
    assert callable(moto.s3.models.FakeBucket.get_permission)
    assert callable(moto.iam.models.IAMBackend._init_aws_policies)
    publish = inspect.signature(moto.sns.models.Subscription.publish)
    assert list(publish.parameters)[1:4] == ["message", "message_id", "subject"]
    assert callable(moto.s3.notifications._invoke_awslambda)
    for name in ("User", "Group", "InstanceProfile", "ManagedPolicy"):
        assert inspect.isclass(getattr(moto.iam.models, name))


def test_an_error_s_table_is_made_once(owner: InProcess) -> None:
    """moto makes the factory that keeps them anew for every error: it would keep nothing."""
    assert moto.core.errors.ErrorLookupFactory() is moto.core.errors.ErrorLookupFactory()
    moto.core.errors.ErrorLookupFactory()._error_lut_cache.clear()
    s3 = owner.client("s3")
    for read in (s3.get_bucket_policy, s3.get_bucket_cors, s3.get_bucket_policy):
        with pytest.raises(ClientError):
            read(Bucket="not-there")
    assert list(moto.core.errors.ErrorLookupFactory()._error_lut_cache) == ["S3"]


def test_ids_of_aws_s_own_policies_are_aws_s(owner: InProcess) -> None:
    """They decode to no customer's account and are the same for all, as their documents are; each account has its own to attach."""
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    found = owner.client("iam").get_policy(PolicyArn=arn)["Policy"]
    assert found["PolicyId"].startswith("ANPA") and len(found["PolicyId"]) == 21
    mine, other = (
        moto.iam.models.iam_backends[account]["aws"].managed_policies[arn] for account in ("1" * 12, "2" * 12)
    )
    assert mine.id == other.id == found["PolicyId"]
    assert mine.tags is not other.tags and mine.account_id != other.account_id


def test_parsers_take_plain_fields() -> None:
    """Query parsers read a dict; the router and the protocol's choice are functions of the model."""
    operation = wire.operation_model("sts", "AssumeRole")
    fields = {"RoleArn": "arn", "Tags.member.1.Key": "a", "Tags.member.1.Value": "b"}
    parsed = moto.core.parse.QueryParser(operation).parse({"values": fields})
    assert parsed == {"RoleArn": "arn", "Tags": [{"Key": "a", "Value": "b"}]}
    assert determine_request_protocol(wire.model("s3"), "") == "rest-xml"
    assert callable(get_service_router("s3").match)


def test_nothing_is_tracked(owner: InProcess) -> None:
    """Objects that were written over are let go of."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="overwritten")
    for _ in range(30):
        s3.put_object(Bucket="overwritten", Key="key", Body=b"x" * 10_000)
    gc.collect()
    alive = sum(
        isinstance(each, moto.s3.models.FakeKey) and each.bucket_name == "overwritten" for each in gc.get_objects()
    )
    assert alive == 1


def test_accounts_are_forgotten() -> None:
    """A lab that is closed leaves nothing of its account behind."""
    process = new_lab_in_process("999988887777")
    process.client("s3").create_bucket(Bucket="forgotten")
    process.gateway.labs["999988887777"].close()
    again = new_lab_in_process("999988887777")
    assert again.client("s3").list_buckets()["Buckets"] == []
    again.gateway.labs["999988887777"].close()


def test_moto_runs_no_server_of_its_own() -> None:
    """Neither its server nor its proxies are imported by using it."""
    assert "moto.server" not in sys.modules
    assert "moto.moto_proxy" not in sys.modules


@pytest.mark.parametrize("service", ["sqs", "cloudwatch", "iam", "s3", "ec2", "kms", "logs", "lambda", "guardduty"])
def test_models_are_moto_s_own(service: str) -> None:
    """The loader that is shared here gives what moto's gives, its additions to botocore's models among them."""
    theirs = create_loader().load_service_model(service, "service-2")
    assert wire.model(service).metadata == theirs["metadata"]
    assert set(wire.model(service).operation_names) == set(theirs["operations"])


def test_an_account_s_policies_are_listed_in_the_order_they_were_made() -> None:
    """moto lists them out of a set: in another order in every process, which a replay took for another answer."""
    iam = new_lab_in_process().client("iam")
    names = [f"policy-{number}" for number in range(12)]
    for name in names:
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW))
    told = iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])["Policies"]
    assert [policy["Arn"].rpartition("/")[2] for policy in told] == names


def test_what_is_tested_runs_on_botocore_itself() -> None:
    """awscli, once imported, puts its own copy in botocore's place: nothing that tests import may import it."""
    assert "awscli" not in sys.modules
    assert "awscli" not in Path(botocore.__file__).parts


def test_names_and_moments_are_worked_out_once(owner: InProcess) -> None:
    """SQS asks for the name of every attribute at every look, and S3 has every object's time read again from its text."""
    queue = owner.client("sqs").create_queue(QueueName="named")["QueueUrl"]
    owner.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    worked_out = moto.sqs.models.camelcase_to_underscores.cache_info().misses
    owner.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    assert moto.sqs.models.camelcase_to_underscores.cache_info().misses == worked_out
    one, same = (moto.core.serialize.parse_to_aware_datetime("2026-11-22T17:33:22.000Z") for _ in range(2))
    assert one is same
    assert moto.core.serialize.parse_to_aware_datetime(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
