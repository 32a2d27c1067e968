"""Deployment packages: where they come from, whether they can be unpacked, and how they are handed out again."""

import base64
import hashlib
import hmac
import io
import zipfile
from typing import Any

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.lambda_.names import invalid
from simulator.services.lambda_.state import Code

ZIPPED = 52_428_800
"""Largest package that can be uploaded with the call (Lambda quotas: 50 MB)."""

UNZIPPED = 262_144_000
"""Largest package once unpacked (Lambda quotas: 250 MB)."""

VALID_SECONDS = 600
"""How long GetFunction's Code.Location works (API reference, GetFunction: 10 minutes)."""

BROKEN_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
NO_SOURCE = "Please provide a source for function code."
TWO_SOURCES = "Please do not provide other FunctionCode parameters when providing a ZipFile."


def fetch(ctx: Context, source: dict[str, Any]) -> Code:
    """Return the package that a FunctionCode (or UpdateFunctionCode's parameters) names, read from S3 where it says so.

    Raises AwsError where it cannot be had or is no zip.
    """
    if source.get("ImageUri"):
        raise invalid(f"Source image {source['ImageUri']} does not exist. Provide a valid source image.")
    zipped = source.get("ZipFile")
    bucket, key = source.get("S3Bucket"), source.get("S3Key")
    if zipped is not None:
        if bucket or key or source.get("S3ObjectVersion"):
            raise invalid(TWO_SOURCES)
        if len(zipped) > ZIPPED:
            raise AwsError(
                "RequestEntityTooLargeException",
                f"Zipped size must be smaller than {ZIPPED} bytes",
                status=413,
            )
        return package(zipped)
    if not bucket or not key:
        raise invalid(NO_SOURCE)
    return package(read_object(ctx, bucket, key, source.get("S3ObjectVersion")), origin=f"s3://{bucket}/{key}")


def read_object(ctx: Context, bucket: str, key: str, version: str | None) -> bytes:
    """Return the bytes of an S3 object. Raises AwsError with S3's code and message in Lambda's words."""
    params = {"Bucket": bucket, "Key": key}
    if version:
        params["VersionId"] = version
    try:
        body = ctx.read("s3", "GetObject", **params)["Body"]
    except AwsError as error:
        if error.code in {"AccessDenied", "AllAccessDisabled"}:
            raise AwsError(
                "AccessDeniedException",
                "Your access has been denied by S3, please make sure your request credentials have permission to "
                f"GetObject for {bucket}/{key}. S3 Error Code: {error.code}. S3 Error Message: {error.message}",
                status=403,
            ) from error
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from error
    return bytes(body)


def package(data: bytes, origin: str = "zip") -> Code:
    """Return the package made of `data`. Raises AwsError where it is no zip, is empty or unpacks to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise invalid(BROKEN_ZIP) from error
    if not entries:
        raise invalid("Uploaded file must be a non-empty zip")
    if sum(entry.file_size for entry in entries) > UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {UNZIPPED} bytes")
    return Code(zip=data, sha256=base64.b64encode(hashlib.sha256(data).digest()).decode(), origin=origin)


def token(account_id: str, secret: str, sha256: str, expires: int) -> str:
    """Return the last part of a Code.Location: account, digest, expiry (seconds of the wall clock), signature."""
    text = f"{account_id}-{base64.b64decode(sha256).hex()}-{expires}"
    return f"{text}-{_signature(secret, text)}"


def opened(text: str, secret: str, now: int) -> str | None:
    """Return the CodeSha256 that a token stands for; None where it is not ours, or has expired by `now`."""
    body, _, signature = text.rpartition("-")
    if not hmac.compare_digest(signature.encode(), _signature(secret, body).encode()):
        return None
    _, digest, expires = body.split("-")
    return base64.b64encode(bytes.fromhex(digest)).decode() if now <= int(expires) else None


def _signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
