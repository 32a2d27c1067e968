"""Signatures of incoming requests, verified where a lab is started for more than one person.

The signature is made again with the secret that the lab gave out, over what arrived; the two must agree. Version 4 in
headers, in presigned URLs and over chunked bodies; version 2 of S3, which some clients still presign with. What is not signed
does not count: every `x-amz-` header must be, and a body must be the one whose hash was signed.
Sources: AWS General Reference, Signature Version 4 signing process; S3 API reference, Authenticating requests.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote

from botocore.auth import HmacV1QueryAuth
from botocore.utils import normalize_url_path

from simulator.errors import AwsError
from simulator.wire import HttpRequest, credential, signed_for

SKEW_SECONDS = 900
LONGEST_SECONDS = 604_800
XML_SERVICES = frozenset({"iam", "sts", "cloudformation", "sns", "elb", "elbv2", "rds", "autoscaling"})
"""The services that speak the query protocol: their errors' names have no `Exception` at the end."""

_HASH = re.compile(r"[0-9a-f]{64}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a version 4 signature says of itself. `expires` is seconds, None for one in headers."""

    signature: str
    headers: tuple[str, ...]
    stamp: str
    scope: str
    expires: int | None


def token_of(request: HttpRequest) -> str:
    """Return the session token that came with the request, in a header or in a presigned URL; empty where none did."""
    if token := request.header("x-amz-security-token"):
        return token
    query = dict(parse_qsl(request.query))
    return query.get("X-Amz-Security-Token") or query.get("x-amz-security-token") or ""


def verify(request: HttpRequest, secret: str, service: str, now: float, path: str = "") -> None:
    """Raise AwsError where the request's signature is not the one made with `secret`, is too old or has expired.

    `request` is as it arrived, its host and path unchanged. `now` is the wall clock in seconds: signatures follow it, not lab
    time. `service` is who will answer: a signature made for another service is refused. `path` is the path with the bucket in
    front, which version 2 signs whatever the host.
    """
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if service == "s3" and ("AWSAccessKeyId" in query or request.header("authorization").startswith("AWS ")):
        _verify_version_2(request, secret, query, now, path or request.path)
        return
    signed = _from_query(query, service) if "X-Amz-Signature" in query else _from_headers(request, service)
    _, region, name = credential(request)
    if not signed_for(name, service):
        raise _mismatch(service, f"Credential should be scoped to correct service: '{service}'.")
    _check_time(signed, service, now)
    _check_coverage(request, signed, service)
    key = _key(secret, signed.stamp[:8], region, name)
    hashed = _body_hash(request, query, signed, service)
    canonical = _canonical(request, signed, hashed, service)
    expected = _sign(
        key, f"AWS4-HMAC-SHA256\n{signed.stamp}\n{signed.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    )
    if not hmac.compare_digest(expected, signed.signature):
        raise _mismatch(service)
    if hashed.startswith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
        _verify_chunks(request.body, key, signed, service)


def refusal(service: str, kind: str, message: str, status: int = 403) -> AwsError:
    """Return the error that a service gives when it cannot authenticate: JSON services end its name in `Exception`."""
    plain = service in ("s3", "ec2") or service in XML_SERVICES
    return AwsError(kind if plain else f"{kind}Exception", message, status=status)


# --- version 4 ----------------------------------------------------------------------------------------------------


def _from_query(query: dict[str, str], service: str) -> Signed:
    expires = query.get("X-Amz-Expires", "")
    if not expires.isdigit() or not 0 < int(expires) <= LONGEST_SECONDS:
        kind = "AuthorizationQueryParametersError" if service == "s3" else "IncompleteSignature"
        raise AwsError(kind, "X-Amz-Expires must be a number of seconds between 1 and 604800.", status=400)
    return Signed(
        signature=query["X-Amz-Signature"],
        headers=tuple(query.get("X-Amz-SignedHeaders", "").lower().split(";")),
        stamp=query.get("X-Amz-Date", ""),
        scope=query.get("X-Amz-Credential", "").partition("/")[2],
        expires=int(expires),
    )


def _from_headers(request: HttpRequest, service: str) -> Signed:
    authorization = request.header("authorization")
    signature = re.search(r"Signature=([0-9a-f]{64})\b", authorization)
    headers = re.search(r"SignedHeaders=([^,\s]+)", authorization)
    scope = re.search(r"Credential=[^/,\s]+/([^,\s]+)", authorization)
    if not authorization.startswith("AWS4-HMAC-SHA256") or not (signature and headers and scope):
        text = "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' of AWS4-HMAC-SHA256."
        raise refusal(service, "IncompleteSignature", text, 400)
    stamp = request.header("x-amz-date")
    return Signed(
        signature=signature[1], headers=tuple(headers[1].lower().split(";")), stamp=stamp, scope=scope[1], expires=None
    )


def _check_time(signed: Signed, service: str, now: float) -> None:
    try:
        made = datetime.strptime(signed.stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as bad:
        raise refusal(service, "IncompleteSignature", "The request has no valid X-Amz-Date.", 400) from bad
    if not signed.scope.startswith(f"{signed.stamp[:8]}/"):
        raise _mismatch(service, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.")
    age = now - made.timestamp()
    if -SKEW_SECONDS <= age <= (SKEW_SECONDS if signed.expires is None else signed.expires):
        return
    if service == "s3":
        if signed.expires is not None and age > 0:
            raise AwsError("AccessDenied", "Request has expired", status=403)
        text = "The difference between the request time and the current time is too large."
        raise AwsError("RequestTimeTooSkewed", text, status=403)
    raise _mismatch(service, f"Signature expired: {signed.stamp} is not within 15 minutes of the service's time.")


def _check_coverage(request: HttpRequest, signed: Signed, service: str) -> None:
    """Refuse what could have been changed on the way: the host, and headers that AWS's services act on."""
    acted_on = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    if signed.expires is None:
        acted_on.add("x-amz-date")
    # The hash is part of what is signed, whether or not its header is.
    unsigned = acted_on - {"x-amz-content-sha256"} - set(signed.headers)
    if unsigned:
        text = "There were headers present in the request which were not signed: " + ", ".join(sorted(unsigned))
        raise AwsError("AccessDenied", text, status=403) if service == "s3" else _mismatch(service, text)


def _body_hash(request: HttpRequest, query: dict[str, str], signed: Signed, service: str) -> str:
    """Return the body's hash as it was signed. Raises AwsError where the body is another one."""
    told = request.header("x-amz-content-sha256") or query.get("X-Amz-Content-Sha256", "")
    if service == "s3":
        if not told and signed.expires is not None:
            return "UNSIGNED-PAYLOAD"
        if told == "UNSIGNED-PAYLOAD" or told.startswith("STREAMING-"):
            return told
    actual = hashlib.sha256(request.body).hexdigest()
    if told and told != actual:
        text = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise AwsError("XAmzContentSHA256Mismatch", text, status=400) if service == "s3" else _mismatch(service)
    return actual


def _canonical(request: HttpRequest, signed: Signed, body_hash: str, service: str) -> str:
    def header(name: str) -> str:
        return " ".join((request.host if name == "host" else request.header(name)).split())

    if service == "s3":
        path = quote(unquote(request.path), safe="/~")
    else:
        path = quote(normalize_url_path(request.path), safe="/~")
    return "\n".join(
        [
            request.method.upper(),
            path,
            _canonical_query(request.query),
            "".join(f"{name}:{header(name)}\n" for name in signed.headers),
            ";".join(signed.headers),
            body_hash,
        ]
    )


def _canonical_query(query: str) -> str:
    pairs = []
    for part in query.split("&") if query else []:
        key, _, value = part.partition("=")
        if part and key != "X-Amz-Signature":
            pairs.append((quote(unquote(key), safe="~"), quote(unquote(value), safe="~")))
    return "&".join(f"{key}={value}" for key, value in sorted(pairs))


def _key(secret: str, day: str, region: str, name: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, name, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _verify_chunks(body: bytes, key: bytes, signed: Signed, service: str) -> None:
    """Check the signature of every chunk: each is made over the one before. Source: S3 API, Signature calculation for chunks."""
    previous, at = signed.signature, 0
    while True:
        head = _CHUNK.match(body, at)
        if head is None or head[2] is None:
            raise _mismatch(service)
        start, size = head.end(), int(head[1], 16)
        data = body[start : start + size]
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{signed.stamp}\n{signed.scope}\n{previous}\n{_EMPTY}\n{hashlib.sha256(data).hexdigest()}"
        expected = _sign(key, text)
        if len(data) != size or not hmac.compare_digest(expected, head[2].decode()):
            raise _mismatch(service)
        previous, at = expected, start + size + (2 if size else 0)
        if size == 0:
            _verify_trailer(body[at:], key, signed, previous, service)
            return


def _verify_trailer(trailer: bytes, key: bytes, signed: Signed, previous: str, service: str) -> None:
    lines = [line for line in trailer.decode("latin-1").split("\r\n") if line]
    if not lines:
        return
    told = next((line.partition(":")[2].strip() for line in lines if line.startswith("x-amz-trailer-signature:")), "")
    covered = "".join(f"{line.strip()}\n" for line in lines if not line.startswith("x-amz-trailer-signature:"))
    hashed = hashlib.sha256(covered.encode()).hexdigest()
    expected = _sign(key, f"AWS4-HMAC-SHA256-TRAILER\n{signed.stamp}\n{signed.scope}\n{previous}\n{hashed}")
    if not hmac.compare_digest(expected, told):
        raise _mismatch(service)


# --- version 2, of S3 ---------------------------------------------------------------------------------------------


def _verify_version_2(request: HttpRequest, secret: str, query: dict[str, str], now: float, path: str) -> None:
    """Check a URL presigned in the old way. Source: S3 user guide, Signing and authenticating REST requests, query string."""
    if "AWSAccessKeyId" not in query:
        text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        raise AwsError("InvalidRequest", text, status=400)
    expires = query.get("Expires", "")
    if not expires.isdigit() or int(expires) < now:
        raise AwsError("AccessDenied", "Request has expired", status=403)
    amz = {
        name.lower(): value
        for name, value in [*query.items(), *request.headers.items()]
        if name.lower().startswith("x-amz-")
    }
    parts = sorted(part for part in request.query.split("&") if part.partition("=")[0] in HmacV1QueryAuth.QSAOfInterest)
    resource = path + (f"?{unquote('&'.join(parts))}" if parts else "")
    text = "\n".join(
        [
            request.method.upper(),
            request.header("content-md5") or query.get("Content-MD5", ""),
            request.header("content-type") or query.get("Content-Type", ""),
            expires,
            *(f"{name}:{value.strip()}" for name, value in sorted(amz.items())),
            resource,
        ]
    )
    expected = b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
    if not hmac.compare_digest(expected.encode(), query.get("Signature", "").encode()):
        raise _mismatch("s3")


def _mismatch(service: str, text: str = "") -> AwsError:
    told = text or (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
        "signing method. Consult the service documentation for details."
    )
    if service in ("s3", "sns") or service in XML_SERVICES:
        return AwsError("SignatureDoesNotMatch", told, status=403)
    if service == "ec2":
        return AwsError("AuthFailure", told, status=401)
    return AwsError("InvalidSignatureException", told, status=403)
