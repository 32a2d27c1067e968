"""AWS Signature Version 4 and 2 of incoming requests, verified where a lab is started for more than one person.

botocore signs the same canonical request again with the secret that the lab gave out; the signatures must agree.
Source: AWS General Reference, Signature Version 4 signing process.
"""

import hmac
import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simulator.errors import AwsError
from simulator.wire import HttpRequest, credential

SKEW_SECONDS = 900


def verify(request: HttpRequest, secret: str, service: str, now: float) -> None:
    """Raise AwsError where the request's signature is not the one made with `secret`, is too old or has expired.

    `now` is the wall clock in seconds: signatures follow it, not lab time.
    """
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    presigned = "X-Amz-Signature" in query
    given, signed_headers, stamp = _presigned_parts(query) if presigned else _header_parts(request)
    made = _moment(stamp)
    lifetime = (
        int(query.get("X-Amz-Expires", "0"))
        if presigned and query.get("X-Amz-Expires", "0").isdigit()
        else SKEW_SECONDS
    )
    age = now - made.timestamp()
    if age < -SKEW_SECONDS or age > max(lifetime, SKEW_SECONDS if not presigned else 0):
        raise AwsError(
            "RequestExpired" if presigned else "SignatureDoesNotMatch", f"Signature expired: {stamp}", status=403
        )
    if not hmac.compare_digest(_expected(request, secret, signed_headers, stamp, query, presigned), given):
        raise _mismatch(service)


def _presigned_parts(query: dict[str, str]) -> tuple[str, list[str], str]:
    return query["X-Amz-Signature"], query.get("X-Amz-SignedHeaders", "host").split(";"), query.get("X-Amz-Date", "")


def _header_parts(request: HttpRequest) -> tuple[str, list[str], str]:
    authorization = request.header("authorization")
    signature = re.search(r"Signature=([0-9a-f]{64})", authorization)
    headers = re.search(r"SignedHeaders=([^,\s]+)", authorization)
    if not authorization.startswith("AWS4-HMAC-SHA256") or not signature or not headers:
        raise AwsError(
            "IncompleteSignature", "The request's Authorization header is not a complete signature.", status=403
        )
    return signature.group(1), headers.group(1).split(";"), request.header("x-amz-date")


def _moment(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as bad:
        raise AwsError("IncompleteSignature", "The request has no valid X-Amz-Date.", status=403) from bad


def _expected(
    request: HttpRequest, secret: str, signed_headers: list[str], stamp: str, query: dict[str, str], presigned: bool
) -> str:
    access_key, region, name = credential(request)
    auth_class = S3SigV4Auth if name == "s3" else SigV4Auth
    auth = auth_class(Credentials(access_key, secret), name, region)
    kept = "&".join(part for part in request.query.split("&") if part and not part.startswith("X-Amz-Signature="))
    aws_request = AWSRequest(method=request.method, url=f"http://{request.host}{request.path}", data=request.body)
    aws_request.params = None
    for header in signed_headers:
        aws_request.headers[header] = request.host if header == "host" else request.header(header)
    aws_request.context["timestamp"] = stamp
    body_hash = "UNSIGNED-PAYLOAD" if presigned else request.header("x-amz-content-sha256") or auth.payload(aws_request)
    canonical = "\n".join(
        [
            request.method.upper(),
            _canonical_path(request.path, name),
            _canonical_query(kept),
            "".join(f"{header}:{' '.join(aws_request.headers[header].split())}\n" for header in signed_headers),
            ";".join(signed_headers),
            body_hash,
        ]
    )
    return str(auth.signature(auth.string_to_sign(aws_request, canonical), aws_request))


def _canonical_path(path: str, name: str) -> str:
    if name == "s3":
        return quote(unquote(path), safe="/~")
    return quote(path, safe="/~")


def _canonical_query(query: str) -> str:
    pairs = []
    for part in query.split("&") if query else []:
        key, _, value = part.partition("=")
        pairs.append((quote(unquote(key), safe="~"), quote(unquote(value), safe="~")))
    return "&".join(f"{key}={value}" for key, value in sorted(pairs))


def _mismatch(service: str) -> AwsError:
    code = (
        "InvalidSignatureException"
        if service not in ("s3", "iam", "sts", "ec2", "cloudformation", "sns")
        else "SignatureDoesNotMatch"
    )
    return AwsError(
        code,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
        "signing method. Consult the service documentation for details.",
        status=403,
    )
