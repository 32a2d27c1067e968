"""What S3 clients send, byte by byte over a socket: every kind of body, of host and of path."""

import base64
import http.client
import socket
import zlib
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.contract.conftest import RunningLab

BUCKET = "uploads"


@pytest.fixture(scope="module")
def lab(running: RunningLab) -> RunningLab:
    """Return the lab with a bucket."""
    running.client("s3").create_bucket(Bucket=BUCKET)
    return running


def _headers(lab: RunningLab, method: str, path: str, host: str, **more: str) -> dict[str, str]:
    """Return signed headers for a request whose body is not signed."""
    env = lab.environment
    credentials = Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"])
    request = AWSRequest(
        method=method, url=f"http://{host}{path}", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD", **more}
    )
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    return {**dict(request.headers), **more, "Host": host}


def _host(lab: RunningLab) -> str:
    return urlsplit(lab.environment["AWS_ENDPOINT_URL"]).netloc


def _exchange(
    lab: RunningLab, method: str, path: str, body: object = None, host: str = "", **more: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(_host(lab), timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    headers = _headers(lab, method, path, host or _host(lab), **more)
    if isinstance(body, bytes):
        headers["Content-Length"] = str(len(body))
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body, encode_chunked=more.get("Transfer-Encoding") == "chunked")
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def _stored(lab: RunningLab, key: str) -> bytes:
    body: bytes = lab.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def test_a_body_of_unknown_length_is_stored(lab: RunningLab) -> None:
    """`Transfer-Encoding: chunked`, in pieces."""
    pieces = [b"one ", b"two ", b"three" * 10_000]
    assert _exchange(lab, "PUT", f"/{BUCKET}/chunked", iter(pieces), **{"Transfer-Encoding": "chunked"})[0] == 200
    assert _stored(lab, "chunked") == b"".join(pieces)


def test_aws_chunks_with_a_trailing_checksum_are_stored_without_them(lab: RunningLab) -> None:
    """`aws-chunked` with an unsigned trailer, as today's SDKs upload streams."""
    data = b"content" * 1000
    checksum = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    body = f"{len(data):x}\r\n".encode() + data + f"\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n".encode()
    told = _exchange(
        lab, "PUT", f"/{BUCKET}/trailer", body,
        **{
            "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": str(len(data)), "X-Amz-Trailer": "x-amz-checksum-crc32",
        },
    )  # fmt: skip
    assert told[0] == 200, told
    assert _stored(lab, "trailer") == data
    head = lab.client("s3").head_object(Bucket=BUCKET, Key="trailer")
    assert head["ContentLength"] == len(data)
    assert head.get("ContentEncoding") in (None, "")


@pytest.mark.parametrize("body", [b"", b"short", b"x" * 200_000])
def test_expect_100_continue_is_answered(lab: RunningLab, body: bytes) -> None:
    """The client waits for the server's word before it sends; with nothing to send it must not wait for ever."""
    path = f"/{BUCKET}/expected"
    headers = _headers(lab, "PUT", path, _host(lab), Expect="100-continue")
    lines = [
        f"PUT {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    host, port = _host(lab).split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        first = connection.recv(4096)
        if first.startswith(b"HTTP/1.1 100"):
            connection.sendall(body)
            first = first.partition(b"\r\n\r\n")[2] or connection.recv(4096)
        assert first.startswith(b"HTTP/1.1 200"), first
    assert _stored(lab, "expected") == body


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("plain", "plain"), ("folder/", "folder/"), ("a/b/c", "a/b/c"), ("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("with%20space", "with space"),
        ("plus+plus", "plus+plus"), ("plus%2Bplus", "plus+plus"), ("%C3%BCn%C3%AF", "ünï"), ("%E2%98%83", "☃"), ("a//b", "a//b"), ("a=b&c", "a=b&c"),
        ("semi;colon", "semi;colon"), ("star*", "star*"), ("%5Bbrackets%5D", "[brackets]"), ("100%25", "100%"), ("quote'", "quote'"),
    ],
)  # fmt: skip
def test_keys_are_kept_as_they_are(lab: RunningLab, path: str, key: str) -> None:
    """However a client encodes a key, it is the same object for boto3."""
    assert _exchange(lab, "PUT", f"/{BUCKET}/{path}", path.encode())[0] == 200
    assert _stored(lab, key) == path.encode()
    assert _exchange(lab, "GET", f"/{BUCKET}/{path}") == (200, path.encode())


@pytest.mark.parametrize(
    "host",
    [
        "{bucket}.localhost:{port}",
        "{bucket}.s3.localhost.localstack.cloud:{port}",
        "{bucket}.s3.us-east-1.localhost.localstack.cloud:{port}",
    ],
)
def test_buckets_in_the_host_name_are_found(lab: RunningLab, host: str) -> None:
    """Virtual-host style, under the names that clients of local endpoints use."""
    name = host.format(bucket=BUCKET, port=_host(lab).partition(":")[2])
    assert _exchange(lab, "PUT", "/by/host name".replace(" ", "%20"), b"by host", host=name)[0] == 200
    assert _stored(lab, "by/host name") == b"by host"
    status, body = _exchange(lab, "GET", "/?list-type=2", host=name)
    assert status == 200
    assert b"<Name>uploads</Name>" in body


def test_head_answers_without_a_body(lab: RunningLab) -> None:
    """Length and type of the object, and no bytes; on the same connection the next request is answered."""
    lab.client("s3").put_object(Bucket=BUCKET, Key="head", Body=b"12345", ContentType="text/plain")
    connection = http.client.HTTPConnection(_host(lab), timeout=20)
    for method, body in (("HEAD", b""), ("GET", b"12345")):
        connection.request(method, f"/{BUCKET}/head", headers=_headers(lab, method, f"/{BUCKET}/head", _host(lab)))
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Length"], answer.headers["Content-Type"]) == (
            200,
            "5",
            "text/plain",
        )
        assert answer.read() == body
    connection.close()


def test_answers_carry_s3_s_own_request_ids(lab: RunningLab) -> None:
    """`x-amz-request-id` and `x-amz-id-2`, once, and nothing that a framework adds."""
    told = lab.client("s3").list_buckets()["ResponseMetadata"]
    assert len(told["RequestId"]) == 16
    assert told["HostId"]
    assert "x-amzn-requestid" not in told["HTTPHeaders"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "169.254.169.254"])
def test_other_hosts_are_refused(lab: RunningLab, host: str) -> None:
    """A name that somebody made point here is no way in."""
    assert _exchange(lab, "GET", "/", host=host)[0] == 403
