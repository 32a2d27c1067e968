"""boto3 as a trainee has it who pasted what `lab env` prints."""

from collections.abc import Mapping
from functools import cache
from typing import Any


def client(env: Mapping[str, str], service: str, **settings: Any) -> Any:
    """Return a client with what `lab env --shell json` told: no proxy, no second try. `settings` are botocore's.

    Sessions read much and are kept; clients are not.
    """
    from botocore.config import Config

    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")
    config = Config(proxies={}, retries={"total_max_attempts": 1}, **settings)
    return _session(*(env[name] for name in names)).client(service, endpoint_url=env["AWS_ENDPOINT_URL"], config=config)


@cache
def _session(key: str, secret: str, token: str, region: str) -> Any:
    import boto3

    return boto3.session.Session(
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token, region_name=region
    )
