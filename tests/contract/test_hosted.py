"""A hosted lab believes nobody: a request must prove its key, its token and every byte that matters, and what it may do is IAM's to say."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from simulator import sigv4
from simulator.control import Control
from simulator.gateway import Gateway
from simulator.services.moto import Moto
from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab, owner_of

ACCOUNT = "486547846362"
HOST = "127.0.0.1:4566"


@pytest.fixture
def owner() -> Iterator[InProcess]:
    """Return the owner's clients of a hosted lab."""
    lab = new_lab(ACCOUNT, Moto())
    gateway = Gateway(labs={ACCOUNT: lab}, control=Control(lab=lab, token="control", stop=lambda: None), hosted=True)
    yield owner_of(gateway, lab, "the secret", "the token")
    lab.close()


def _code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def _with(process: InProcess, credentials: Mapping[str, Any]) -> InProcess:
    """Return clients with other credentials, in the shape of STS's answers."""
    return InProcess(
        process.gateway, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials.get("SessionToken")
    )


def _signed(
    process: InProcess, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> AWSRequest:
    """Return a request signed in its headers, for S3."""
    request = AWSRequest(method=method, url=f"http://{HOST}{path}", data=body, headers=dict(headers or {}))
    S3SigV4Auth(Credentials(process.access_key, process.secret, process.token), "s3", "us-east-1").add_auth(request)
    return request


def _send(process: InProcess, request: Any, **changes: Any) -> tuple[int, bytes]:
    sent = {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": request.data or b"",
        **changes,
    }
    status, _, body = process.send(sent["method"], sent["url"], sent["headers"], sent["body"])
    return status, body


# --- who is let in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "service",
    ["sts", "s3", "guardduty", "lambda", "cloudtrail", "events", "cloudformation", "ec2", "sqs", "iam", "scheduler"],
)
def test_the_right_key_is_let_in_and_a_wrong_secret_or_token_is_not(owner: InProcess, service: str) -> None:
    """For every protocol: the same call with the right key works, with a wrong secret, token or key it does not."""
    calls = {
        "sts": "get_caller_identity", "s3": "list_buckets", "guardduty": "list_detectors", "lambda": "list_functions",
        "cloudtrail": "describe_trails", "events": "list_rules", "cloudformation": "list_stacks", "ec2": "describe_vpcs",
        "sqs": "list_queues", "iam": "list_roles", "scheduler": "list_schedules",
    }  # fmt: skip
    assert getattr(owner.client(service), calls[service])()
    signature = {"s3": "SignatureDoesNotMatch", "ec2": "AuthFailure"}
    xml = ("sts", "iam", "cloudformation")
    wrong_secret = InProcess(owner.gateway, owner.access_key, "another", owner.token)
    told = _code(getattr(wrong_secret.client(service), calls[service]))
    assert told == signature.get(service, "SignatureDoesNotMatch" if service in xml else "InvalidSignatureException")
    for token in ("another", None):
        wrong_token = InProcess(owner.gateway, owner.access_key, owner.secret, token)
        told = _code(getattr(wrong_token.client(service), calls[service]))
        invalid = "InvalidClientTokenId" if service in xml else "UnrecognizedClientException"
        assert told == {"s3": "InvalidToken", "ec2": "AuthFailure"}.get(service, invalid)
    unknown = InProcess(owner.gateway, "ASIAAAAAAAAAAAAAAAAA", owner.secret, owner.token)
    assert _code(getattr(unknown.client(service), calls[service])) in (
        "InvalidAccessKeyId", "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException",
    )  # fmt: skip


def test_localstack_s_key_is_not_let_in(owner: InProcess) -> None:
    """`test`/`test`, which a lab of one's own takes for the trainee, opens nothing here."""
    anybody = InProcess(owner.gateway, "test", "test")
    assert _code(anybody.client("sts").get_caller_identity) == "InvalidClientTokenId"
    assert _code(anybody.client("s3").list_buckets) == "InvalidAccessKeyId"


def test_an_unsigned_request_is_not_let_in(owner: InProcess) -> None:
    """Without a signature nobody is anybody."""
    assert owner.send("GET", f"http://{HOST}/detector", {}, b"")[0] == 403
    assert owner.send("GET", f"http://{HOST}/bucket/key", {}, b"")[0] == 403


def test_control_and_console_are_closed(owner: InProcess) -> None:
    """The control API needs its token; a hosted lab shows no console."""
    owner.gateway.console = lambda _environ, _start: [b"console"]
    assert owner.send("GET", f"http://{HOST}/_lab/status", {}, b"")[0] == 403
    assert owner.send("POST", f"http://{HOST}/_lab/advance", {"X-Lab-Token": "guess"}, b'{"seconds": 60}')[0] == 403
    for path in ("/", "/guardduty/home", "/console/login", "/static/lab.css"):
        assert owner.send("GET", f"http://{HOST}{path}", {}, b"")[0] == 403
    assert owner.send("GET", f"http://{HOST}/_lab/status", {"X-Lab-Token": "control"}, b"")[0] == 200


def test_moto_s_own_paths_and_account_header_open_nothing(owner: InProcess) -> None:
    """`/moto-api` is no way in, and the account is the key's, whatever a header says."""
    assert owner.send("POST", f"http://{HOST}/moto-api/reset", {}, b"")[0] == 403
    owner.client("s3").create_bucket(Bucket="mine")
    request = _signed(owner, "GET", "/", headers={"x-moto-account-id": "123456789012"})
    assert b"<Name>mine</Name>" in _send(owner, request)[1]


# --- what is signed -----------------------------------------------------------------------------------------------


@pytest.fixture
def bucket(owner: InProcess) -> str:
    """Return a bucket with an object `key`."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"content")
    return "bucket"


def test_an_altered_body_is_refused(owner: InProcess, bucket: str) -> None:
    """The hash that was signed is not that of the body which came; one that hides the hash is refused as well."""
    request = _signed(owner, "PUT", "/bucket/new", b"what was meant")
    assert _send(owner, request, body=b"what came")[0] == 400
    headers = {**request.headers, "X-Amz-Content-SHA256": hashlib.sha256(b"what came").hexdigest()}
    assert _send(owner, request, body=b"what came", headers=headers)[0] == 403
    assert _code(owner.client("s3").get_object, Bucket="bucket", Key="new") == "NoSuchKey"
    assert _send(owner, request)[0] == 200


def test_an_altered_path_query_method_or_header_is_refused(owner: InProcess, bucket: str) -> None:
    """Everything that decides what a request does is signed."""
    request = _signed(owner, "PUT", "/bucket/new", b"text", {"x-amz-meta-colour": "blue"})
    url = f"http://{HOST}/bucket"
    assert _send(owner, request, url=f"{url}/key")[0] == 403
    assert _send(owner, request, url=f"{url}/new?acl")[0] == 403
    assert _send(owner, request, method="DELETE")[0] == 403
    headers = dict(request.headers)
    assert _send(owner, request, headers={**headers, "x-amz-meta-colour": "red"})[0] == 403
    assert _send(owner, request, headers={**headers, "x-amz-acl": "public-read"})[0] == 403
    assert (
        _send(owner, request, headers={**headers, "Host": "localhost:4566"}, url="http://localhost:4566/bucket/new")[0]
        == 403
    )
    assert _send(owner, request)[0] == 200


def test_a_signature_for_one_service_opens_no_other(owner: InProcess) -> None:
    """A signature for S3, sent to CloudTrail's target, is refused."""
    headers = {"X-Amz-Target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails"}
    request = _signed(owner, "POST", "/", b"{}", {**headers, "Content-Type": "application/x-amz-json-1.1"})
    status, body = _send(owner, request)
    assert status == 403
    assert b"InvalidSignatureException" in body


def test_old_signatures_are_refused(owner: InProcess, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen minutes either way."""
    request = _signed(owner, "GET", "/bucket/key")
    now = datetime.now(UTC).timestamp()
    for drift, status in ((16 * 60, 403), (-16 * 60, 403), (14 * 60, 200)):
        monkeypatch.setattr("simulator.gateway.time.time", lambda drift=drift: now + drift)
        assert _send(owner, request)[0] == status


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_work_until_they_expire(
    owner: InProcess, bucket: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For this object, this method, this long; the token in the URL counts."""
    client = owner.client("s3", signature_version=version)
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"}, ExpiresIn=60)
    assert owner.send("GET", url, {}, b"")[::2] == (200, b"content")
    assert owner.send("PUT", url, {}, b"other")[0] == 403
    assert owner.send("GET", url.replace("/bucket/key", "/bucket/other"), {}, b"")[0] == 403
    assert owner.send("GET", url.replace("the%20token", "a%20token"), {}, b"")[0] in (400, 403)
    assert owner.send("GET", url.replace("Expires=", "Expires=9"), {}, b"")[0] == 403
    later = datetime.now(UTC).timestamp() + 61
    monkeypatch.setattr("simulator.gateway.time.time", lambda: later)
    status, _, body = owner.send("GET", url, {}, b"")
    assert status == 403
    assert b"Request has expired" in body


def test_a_presigned_upload_takes_any_body_and_one_of_sts_only_its_own(owner: InProcess, bucket: str) -> None:
    """S3's presigned URLs leave the body open, those of other services do not."""
    put = owner.client("s3", signature_version="s3v4").generate_presigned_url(
        "put_object", Params={"Bucket": "bucket", "Key": "up"}
    )
    assert owner.send("PUT", put, {}, b"anything")[0] == 200
    assert owner.client("s3").get_object(Bucket="bucket", Key="up")["Body"].read() == b"anything"
    request = AWSRequest(method="GET", url=f"http://{HOST}/?Action=GetCallerIdentity&Version=2011-06-15")
    credentials = Credentials(owner.access_key, owner.secret, owner.token)
    SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60).add_auth(request)
    assert owner.send("GET", request.url, {}, b"")[0] == 200
    assert owner.send("GET", request.url, {}, b"Action=AssumeRole")[0] == 403


def _chunked(process: InProcess, pieces: list[bytes]) -> AWSRequest:
    """Return an upload whose chunks are signed one by one."""
    credentials = Credentials(process.access_key, process.secret, process.token)
    request = AWSRequest(
        method="PUT",
        url=f"http://{HOST}/bucket/chunked",
        headers={
            "X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": str(sum(map(len, pieces))),
        },
    )

    class Streaming(SigV4Auth):  # type: ignore[misc]  # botocore has no types
        def payload(self, request: Any) -> str:
            return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"

    Streaming(credentials, "s3", "us-east-1").add_auth(request)
    stamp = request.context["timestamp"]
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    previous = request.headers["Authorization"].rpartition("Signature=")[2]
    key = sigv4._key(process.secret, stamp[:8], "us-east-1", "s3")
    body = b""
    for piece in [*pieces, b""]:
        hashes = f"{hashlib.sha256(b'').hexdigest()}\n{hashlib.sha256(piece).hexdigest()}"
        previous = sigv4._sign(key, f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{previous}\n{hashes}")
        body += f"{len(piece):x};chunk-signature={previous}\r\n".encode() + piece + b"\r\n"
    request.data = body
    return request


def test_signed_chunks_are_verified(owner: InProcess, bucket: str) -> None:
    """Each chunk is signed over the one before: a changed, missing or swapped one is refused, the right ones are stored."""
    pieces = [b"first" * 20, b"other" * 20, b"last"]
    request = _chunked(owner, pieces)
    body = bytes(request.data)
    for bad in (
        body.replace(b"other", b"0ther", 1),
        body[: body.index(b"other") + 100],
        body.replace(pieces[0], b"#").replace(pieces[1], pieces[0]).replace(b"#", pieces[1]),
    ):
        assert _send(owner, request, body=bad)[0] == 403
    assert _send(owner, request)[0] == 200
    assert owner.client("s3").get_object(Bucket="bucket", Key="chunked")["Body"].read() == b"".join(pieces)


def test_virtual_host_requests_are_verified_as_they_came(owner: InProcess, bucket: str) -> None:
    """The bucket in the host name is part of what was signed."""
    credentials = Credentials(owner.access_key, owner.secret, owner.token)
    request = AWSRequest(method="GET", url="http://bucket.s3.localhost.localstack.cloud:4566/key")
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    assert _send(owner, request) == (200, b"content")
    other = request.url.replace("bucket.", "other.")
    assert _send(owner, request, url=other)[0] == 403


# --- what one may do ----------------------------------------------------------------------------------------------


def _document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _user(owner: InProcess, name: str, *statements: Mapping[str, Any]) -> InProcess:
    iam = owner.client("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=_document(*statements))
    return _with(owner, iam.create_access_key(UserName=name)["AccessKey"])


def _role(owner: InProcess, name: str, principal: str, *statements: Mapping[str, Any]) -> str:
    iam = owner.client("iam")
    trust = _document({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
    return str(arn)


def test_iam_users_are_let_in_with_their_keys_and_no_further(owner: InProcess) -> None:
    """A user's own key, until it is made inactive or deleted; what no policy allows is denied."""
    user = _user(owner, "ana", {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    assert user.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ana"
    assert user.client("s3").list_buckets()["Buckets"] == []
    assert _code(user.client("s3").create_bucket, Bucket="mine") == "AccessDenied"
    wrong = InProcess(owner.gateway, user.access_key, "wrong")
    assert _code(wrong.client("s3").list_buckets) == "SignatureDoesNotMatch"
    iam = owner.client("iam")
    iam.update_access_key(UserName="ana", AccessKeyId=user.access_key, Status="Inactive")
    assert _code(user.client("sts").get_caller_identity) == "InvalidClientTokenId"
    iam.update_access_key(UserName="ana", AccessKeyId=user.access_key, Status="Active")
    assert user.client("sts").get_caller_identity()
    iam.delete_access_key(UserName="ana", AccessKeyId=user.access_key)
    assert _code(user.client("sts").get_caller_identity) == "InvalidClientTokenId"


def test_sessions_of_roles_need_their_token_and_expire(owner: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """AssumeRole's credentials work with their token, until their time by the wall clock is over."""
    arn = _role(owner, "reader", f"arn:aws:iam::{ACCOUNT}:root", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    user = _user(owner, "ana", ANYTHING)
    given = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", DurationSeconds=900)["Credentials"]
    session = _with(owner, given)
    assert session.client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work"
    assert session.client("s3").list_buckets()["Buckets"] == []
    assert _code(session.client("iam").list_users) == "AccessDenied"
    assert _code(_with(owner, {**given, "SessionToken": "another"}).client("s3").list_buckets) == "InvalidToken"
    lab = owner.gateway.labs[ACCOUNT]
    over = int((given["Expiration"] + timedelta(seconds=1)).timestamp() * 1000)
    monkeypatch.setattr(type(lab.clock), "wall_ms", lambda _self: over)
    assert _code(session.client("s3").list_buckets) == "ExpiredToken"
    assert _code(session.client("sts").get_caller_identity) == "ExpiredToken"
    assert _code(session.client("lambda").list_functions) == "ExpiredTokenException"


def test_session_policies_limit_a_session(owner: InProcess) -> None:
    """What AssumeRole was given limits the role's own permissions, and adds nothing to them."""
    arn = _role(
        owner, "wide", f"arn:aws:iam::{ACCOUNT}:root", {"Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*"}
    )
    sts = _user(owner, "ana", ANYTHING).client("sts")
    inline = _document({"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"})
    limited = _with(owner, sts.assume_role(RoleArn=arn, RoleSessionName="inline", Policy=inline)["Credentials"])
    assert limited.client("s3").list_buckets()["Buckets"] == []
    with pytest.raises(ClientError, match="because no session policy allows the sqs:ListQueues action"):
        limited.client("sqs").list_queues()
    assert _code(limited.client("iam").list_users) == "AccessDenied"
    managed = [{"arn": "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"}]
    reader = _with(owner, sts.assume_role(RoleArn=arn, RoleSessionName="managed", PolicyArns=managed)["Credentials"])
    assert reader.client("sqs").list_queues()
    assert _code(reader.client("sqs").create_queue, QueueName="new") == "AccessDenied"
    denying = _document(ANYTHING, {"Effect": "Deny", "Action": "s3:CreateBucket", "Resource": "*"})
    denied = _with(owner, sts.assume_role(RoleArn=arn, RoleSessionName="deny", Policy=denying)["Credentials"])
    with pytest.raises(ClientError, match="with an explicit deny in a session policy"):
        denied.client("s3").create_bucket(Bucket="new")


def test_a_trust_policy_that_names_the_caller_suffices(owner: InProcess) -> None:
    """Named by its own ARN the caller needs no policy of its own; its account named, it does."""
    bare = _user(owner, "bare")
    allowed = _user(owner, "allowed", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    named = _role(owner, "named", f"arn:aws:iam::{ACCOUNT}:user/bare", ANYTHING)
    account = _role(owner, "account", f"arn:aws:iam::{ACCOUNT}:root", ANYTHING)

    def assume(user: InProcess, arn: str) -> Any:
        return user.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")

    assert assume(bare, named)["AssumedRoleUser"]["Arn"].endswith("assumed-role/named/work")
    assert _code(bare.client("sts").assume_role, RoleArn=account, RoleSessionName="work") == "AccessDenied"
    assert _code(allowed.client("sts").assume_role, RoleArn=named, RoleSessionName="work") == "AccessDenied"
    assert assume(allowed, account)["AssumedRoleUser"]


def test_an_explicit_deny_outweighs_the_trust(owner: InProcess) -> None:
    """A caller whose own policies deny AssumeRole is denied, whoever names it."""
    user = _user(owner, "ana", {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"})
    arn = _role(owner, "named", f"arn:aws:iam::{ACCOUNT}:user/ana", ANYTHING)
    assert _code(user.client("sts").assume_role, RoleArn=arn, RoleSessionName="work") == "AccessDenied"


def test_a_lab_of_one_s_own_takes_test_for_the_trainee_and_refuses_keys_that_are_off(owner: InProcess) -> None:
    """Not hosted: unknown keys are the trainee's, as awslocal needs; a key that was made inactive is refused all the same."""
    owner.gateway.hosted = False
    anybody = InProcess(owner.gateway, "test", "test")
    assert anybody.client("sts").get_caller_identity()["Account"] == ACCOUNT
    user = _user(owner, "ana", ANYTHING)
    owner.client("iam").update_access_key(UserName="ana", AccessKeyId=user.access_key, Status="Inactive")
    assert _code(user.client("s3").list_buckets) == "InvalidAccessKeyId"
