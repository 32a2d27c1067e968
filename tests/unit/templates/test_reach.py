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

from templates.reach import unreached


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
        ("localstack", _client_error("InternalFailure"), "own log"),
    ],
)
def test_the_advice_fits_what_is_wrong(target: str, error: BotoCoreError | ClientError, advice: str) -> None:
    """And the message names the target and what happened."""
    told = unreached(target, error)
    assert told.exit_code == 3
    assert told.tried == f"asking {target} who you are"
    assert advice in told.try_next
    assert not told.happened.endswith(".")
