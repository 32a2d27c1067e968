"""What is said to somebody whose credentials, profile or Region is wrong."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ReadTimeoutError,
)

from templates.reach import region_set, unreached


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no."}}, "GetCallerIdentity")


@pytest.mark.parametrize(
    ("target", "error", "advice"),
    [
        ("aws", NoCredentialsError(), "Sign in"),
        ("aws", ProfileNotFound(profile="x"), "list-profiles"),
        ("aws", NoRegionError(), "AWS_REGION"),
        ("aws", EndpointConnectionError(endpoint_url="https://sts.mars-1.amazonaws.com"), "Region's name"),
        ("aws", ReadTimeoutError(endpoint_url="https://sts.amazonaws.com"), "internet"),
        ("aws", _client_error("ExpiredToken"), "session is over"),
        ("aws", _client_error("InvalidClientTokenId"), "Check credentials"),
        ("localstack", EndpointConnectionError(endpoint_url="http://localhost:4566"), "LOCALSTACK_HOST"),
        ("localstack", ProfileNotFound(profile="x"), "list-profiles"),
        ("localstack", _client_error("InternalFailure"), "own log"),
    ],
)
def test_the_advice_fits_what_is_wrong(target: str, error: BotoCoreError | ClientError, advice: str) -> None:
    """And the message names the target and what happened."""
    told = unreached(target, error)
    assert told.exit_code == 3
    assert told.tried.startswith(f"asking {target}")
    assert advice in told.try_next
    assert not told.happened.endswith(".")


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({}, None),
        ({"AWS_DEFAULT_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_REGION": "ap-southeast-1", "AWS_DEFAULT_REGION": "eu-central-1"}, "ap-southeast-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-central-1"}, "eu-central-1"),
    ],
)
def test_the_region_is_read_as_the_aws_cli_reads_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str | None
) -> None:
    """AWS_REGION wins; boto3 alone would not read it at all."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert region_set() == region
