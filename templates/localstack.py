"""LocalStack and what answers like it: how it is reached, and what it does not have.

The address is localstack-client's: `AWS_ENDPOINT_URL`, else `LOCALSTACK_HOST` (and `USE_SSL`), else
http://localhost:4566. Emulators differ in what they emulate, so each is asked, and never by its name.
"""

from collections.abc import Callable
from typing import Any

import boto3.session
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from scenario.errors import LabError
from templates.deploy import Credentials, Session
from templates.reach import REFUSED, region_set

KEY = "test"
"""What LocalStack's documentation and awslocal sign with: key and secret. Nothing of the user's own goes there."""

UNREAL_DETECTOR = "0" * 32
"""An id of no detector: whoever has threat lists says so, whoever has none fails otherwise."""


class LocalStackSession(boto3.session.Session):  # type: ignore[misc]  # boto3 has no types
    """A boto3 session of which every client asks LocalStack, whatever services localstack-client has ports for."""

    def client(self, service_name: str, /, *, config: Config | None = None) -> Any:
        """Return a client of the service. Buckets go into the path: their host names seldom resolve."""
        address = _address()
        if address.startswith("https:"):  # LocalStack signs its own certificate: a warning at each call helps nobody
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        here = Config(s3={"addressing_style": "path"}, proxies={}, retries={"total_max_attempts": 2})
        return super().client(
            service_name,
            endpoint_url=address,
            verify=False,  # as localstack-client does
            config=config.merge(here) if config else here,
        )


def _address() -> str:
    """Return LocalStack's address. Raises LabError where what is set is none."""
    from localstack_client.config import get_service_endpoint

    try:
        return str(get_service_endpoint("sts"))
    except RuntimeError as error:
        raise LabError("reaching LocalStack", str(error), "Set LOCALSTACK_HOST to HOST:PORT.", exit_code=2) from error


def connect(credentials: Credentials | None) -> Session:
    """Return a session with the credentials of a role, or with LocalStack's usual ones for None."""
    session: Session = LocalStackSession(
        aws_access_key_id=credentials.access_key_id if credentials else KEY,
        aws_secret_access_key=credentials.secret_access_key if credentials else KEY,
        aws_session_token=credentials.session_token if credentials else None,
        region_name=region_set() or "us-east-1",
    )
    return session


def absent(session: Session) -> tuple[str, ...]:
    """Return which of guardduty, config and cloudtrail this emulator does not have; reads only.

    Threat lists count as GuardDuty: some emulators have detectors, and call a stack with a list complete that they
    never made. Raises botocore's errors where nothing answers.
    """
    looks: tuple[tuple[str, Callable[[Any], object]], ...] = (
        ("guardduty", lambda client: client.list_detectors()),
        ("guardduty", lambda client: client.list_threat_intel_sets(DetectorId=UNREAL_DETECTOR)),
        ("config", lambda client: client.describe_configuration_recorders()),
        ("cloudtrail", lambda client: client.describe_trails()),
    )
    return tuple(dict.fromkeys(service for service, look in looks if _fails(look, session.client(service))))


def _fails(look: Callable[[Any], object], client: Any) -> bool:
    try:
        look(client)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("BadRequestException", *REFUSED)
    return False
