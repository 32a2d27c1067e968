"""Fixed cases: what made-up calls once found, and what hostile bodies are made of. Each is an error with a code, and the lab lives on."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab_in_process

ACCOUNT = "486547846362"
URL = "http://127.0.0.1:4566"
JSON11 = "application/x-amz-json-1.1"
TRAIL = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"


@pytest.fixture(scope="module")
def owner() -> Iterator[InProcess]:
    """Return the owner's clients of a lab with a detector and a log group."""
    process = new_lab_in_process(ACCOUNT)
    process.client("guardduty").create_detector(Enable=True)
    process.client("logs").create_log_group(logGroupName="group")
    yield process
    assert process.client("sts").get_caller_identity()["Account"] == ACCOUNT
    process.gateway.labs[ACCOUNT].close()


def _sent(
    owner: InProcess, method: str, path: str, service: str, body: bytes, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    scope = f"Credential={owner.access_key}/20260101/us-east-1/{service}/aws4_request"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"}
    return owner.send(
        method, URL + path, {**signed, **{name.replace("_", "-"): value for name, value in headers.items()}}, body
    )


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"null", b'"text"', b"1", b"\xff\xfe", b"{]", b"<xml/>", b'{"MaxResults": NaN}', b'{"MaxResults": 1e999}', DEEP, b"[" * 100_000,
        b'{"NextToken": "\\ud800"}', b'{"StartTime": "no time"}', b'{"StartTime": 1e300}', b'{"StartTime": {"a": 1}}',
        b'{"LookupAttributes": {"a": 1}}', b'{"LookupAttributes": [1, null]}', b'{"LookupAttributes": "text"}', b'{"MaxResults": "5"}',
        b'{"MaxResults": 99999999999999999999999999}', b'{"MaxResults": true}', b'{"MaxResults": [5]}', b'{"NextToken": {"a": "b"}}',
    ],
)  # fmt: skip
def test_json_that_makes_no_sense_is_refused(owner: InProcess, body: bytes) -> None:
    """In the service's own format, with a code."""
    status, headers, answer = _sent(
        owner, "POST", "/", "cloudtrail", body, X_Amz_Target=f"{TRAIL}.LookupEvents", Content_Type=JSON11
    )
    assert status == 400, answer
    assert headers["Content-Type"] == JSON11
    assert json.loads(answer)["__type"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/detector/x/findings", b"{"), ("POST", "/detector/x/findings", b"[]"), ("POST", "/detector/x/findings", b"\xff"),
        ("POST", "/detector/x/findings", b'{"maxResults": "many"}'), ("POST", "/detector/x/findings", b'{"findingCriteria": []}'),
        ("POST", "/detector/x/findings/get", b'{"findingIds": {"a": 1}}'), ("GET", "/detector?maxResults=many", b""),
        ("GET", "/detector?maxResults=0", b""), ("GET", "/detector/%00", b""), ("GET", "/detector/%ff%fe", b""), ("GET", "/detector/..%2f..", b""),
        ("PATCH", "/detector/x", b""), ("GET", "/detectors", b""), ("GET", "/detector/" + "x" * 5000, b""), ("DELETE", "/detector/", b""),
    ],
)  # fmt: skip
def test_rest_requests_that_make_no_sense_are_refused(owner: InProcess, method: str, path: str, body: bytes) -> None:
    """In JSON, with a code."""
    status, headers, answer = _sent(owner, method, path, "guardduty", body, Content_Type="application/json")
    assert 400 <= status < 500, answer
    assert "json" in headers["Content-Type"]
    assert json.loads(answer)["__type"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"Action=", b"Action=Nothing&Version=2011-06-15", b"Version=2011-06-15", b"\xff\xfe=1", b"Action=AssumeRole&Version=2011-06-15",
        b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=many&RoleArn=a&RoleSessionName=b",
        b"Action=AssumeRole&Version=2011-06-15&Tags=&RoleArn=a&RoleSessionName=b", b"&&&==&=&Action", b"Action=GetAccessKeyInfo&AccessKeyId=%ff",
    ],
)  # fmt: skip
def test_forms_that_make_no_sense_are_refused(owner: InProcess, body: bytes) -> None:
    """In XML, with a code."""
    status, headers, answer = _sent(owner, "POST", "/", "sts", body, Content_Type="application/x-www-form-urlencoded")
    assert 400 <= status < 500, answer
    assert headers["Content-Type"] == "text/xml"
    assert b"<Code>" in answer


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"\x9f\x01", b"\xbf\x61a", b"\x81" * 3000, b"\xa1\x01\x02", b"\x7b" + b"\xff" * 8, b"{}"]
)
def test_cbor_that_makes_no_sense_is_refused(owner: InProcess, body: bytes) -> None:
    """In CBOR; an empty body is one without parameters."""
    path = "/service/GraniteServiceVersion20100801/operation/GetMetricStatistics"
    status, headers, answer = _sent(
        owner, "POST", path, "monitoring", body, Smithy_Protocol="rpc-v2-cbor", Content_Type="application/cbor"
    )
    assert status == 400, answer
    assert headers["Content-Type"] == "application/cbor"
    assert b"__type" in answer


@pytest.mark.parametrize(
    ("service", "target", "content"),
    [
        ("cloudtrail", f"{TRAIL}.NoSuchOperation", JSON11), ("cloudtrail", "Nothing.At.All", JSON11), ("nothing", "", JSON11),
        ("config", "StarlingDoveService.", JSON11), ("events", "AWSEvents.PutRule.PutRule", JSON11), ("", "", "text/plain"),
    ],
)  # fmt: skip
def test_what_no_model_knows_is_refused(owner: InProcess, service: str, target: str, content: str) -> None:
    """An unknown service, operation or target is told as such."""
    status, _, answer = _sent(owner, "POST", "/", service, b"{}", X_Amz_Target=target, Content_Type=content)
    assert 400 <= status < 500, answer
    assert b"<html" not in answer.lower()


def _code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def test_a_live_tail_does_not_break_the_lab(owner: InProcess) -> None:
    """Its answer is a stream of events, which only its caller can read."""
    told = owner.client("logs").start_live_tail(logGroupIdentifiers=["group"])
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_empty_versioning_configuration_has_a_code(owner: InProcess) -> None:
    """It came back as 404 without a word."""
    s3 = owner.client("s3")
    s3.create_bucket(Bucket="versions")
    assert _code(s3.put_bucket_versioning, Bucket="versions", VersioningConfiguration={}) == "InvalidRequest"


def test_a_layer_version_without_its_arn_is_no_list_of_layers(owner: InProcess) -> None:
    """Both are `GET /layers`; the query tells them apart."""
    status, _, answer = _sent(owner, "GET", "/2018-10-31/layers?find=LayerVersion", "lambda", b"")
    assert status == 400, answer
    assert _sent(owner, "GET", "/2018-10-31/layers", "lambda", b"")[0] == 200


def test_directory_buckets_are_no_list_of_all_buckets(owner: InProcess) -> None:
    """Their signatures have a name of their own, `s3express`; moto would list every bucket."""
    assert _code(owner.client("s3").list_directory_buckets) == "NotImplemented"


def test_what_nobody_implements_is_recorded(owner: InProcess) -> None:
    """An honest gap answers in its protocol and stands in the trail with its code."""
    assert _code(
        owner.client("guardduty").get_coverage_statistics,
        DetectorId="0" * 32,
        StatisticsType=["COUNT_BY_COVERAGE_STATUS"],
    )
    assert _code(owner.client("bedrock").list_guardrails) == "NotImplemented"
    owner.gateway.labs[ACCOUNT].advance(timedelta(minutes=10))
    asked = [{"AttributeKey": "EventName", "AttributeValue": "ListGuardrails"}]
    (event,) = owner.client("cloudtrail").lookup_events(LookupAttributes=asked)["Events"]
    assert json.loads(event["CloudTrailEvent"])["errorCode"] == "NotImplemented"


@pytest.fixture(scope="module")
def queue(owner: InProcess) -> str:
    """Return the URL of a queue whose polls wait for a second where they do not say how long."""
    attributes = {"ReceiveMessageWaitTimeSeconds": "1"}
    url: str = owner.client("sqs").create_queue(QueueName="polled", Attributes=attributes)["QueueUrl"]
    return url


def test_queues_have_their_urls_on_this_endpoint(owner: InProcess, queue: str) -> None:
    """Some SDKs send what they have for a queue to its URL: it must not lead out of the lab."""
    sqs = owner.client("sqs")
    assert queue == f"{URL}/{ACCOUNT}/polled"
    assert sqs.get_queue_url(QueueName="polled")["QueueUrl"] == queue
    assert queue in sqs.list_queues()["QueueUrls"]
    aws = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/polled"
    assert sqs.get_queue_attributes(QueueUrl=aws, AttributeNames=["QueueArn"])["Attributes"]


@pytest.mark.parametrize("seconds", [21, -1, True, "abc", 1.5, [1]])
def test_a_poll_waits_for_no_nonsense(owner: InProcess, queue: str, seconds: Any) -> None:
    """It is refused, where it once waited for ever or broke."""
    assert _code(owner.client("sqs").receive_message, QueueUrl=queue, WaitTimeSeconds=seconds)


def test_a_queue_s_own_waiting_holds_nobody_up(owner: InProcess, queue: str) -> None:
    """A poll waits outside the lab's lock, also where only the queue says for how long."""
    sqs = owner.client("sqs")
    started = time.monotonic()
    poll = threading.Thread(target=lambda: sqs.receive_message(QueueUrl=queue))
    poll.start()
    owner.client("sts").get_caller_identity()
    assert poll.is_alive()
    poll.join()
    assert time.monotonic() - started >= 1
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "x"


def test_the_old_protocol_of_sqs_polls_too(owner: InProcess, queue: str) -> None:
    """A form, to the endpoint or to the queue's own path."""
    owner.client("sqs").send_message(QueueUrl=queue, MessageBody="in a form")
    form = b"Action=ReceiveMessage&Version=2012-11-05&WaitTimeSeconds=2"
    content = "application/x-www-form-urlencoded; charset=utf-8"
    status, _, answer = _sent(owner, "POST", f"/{ACCOUNT}/polled", "sqs", form, Content_Type=content)
    assert status == 200, answer
    assert b"<Body>in a form</Body>" in answer
    status, headers, answer = _sent(owner, "POST", "/", "sqs", form, Content_Type=content)
    assert (status, headers["Content-Type"]) == (400, "text/xml"), answer


def test_an_empty_map_of_tags_is_no_tags(owner: InProcess) -> None:
    """As tools send it, the model's least of one tag notwithstanding."""
    client = owner.client("guardduty")
    detector = client.list_detectors()["DetectorIds"][0]
    client.create_filter(DetectorId=detector, Name="untagged", FindingCriteria={"Criterion": {}}, Tags={})
    assert client.get_filter(DetectorId=detector, FilterName="untagged")["Tags"] == {}


def test_an_error_of_moto_s_in_another_protocol_is_made_one_of_the_client_s(owner: InProcess) -> None:
    """Its RDS tells of a token that is none in JSON, to a client that reads XML."""
    with pytest.raises(ClientError, match="NotImplemented"):
        owner.client("rds").describe_db_parameter_groups(Marker="x")
