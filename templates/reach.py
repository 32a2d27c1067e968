"""What to tell somebody whose world does not answer, or answers that it does not know them. Light: no SDK beyond errors."""

import os

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from scenario.errors import LabError

UNANSWERED = (EndpointConnectionError, HTTPClientError)
REFUSED = frozenset({"AccessDenied", "AccessDeniedException"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
SIGN_IN = "Sign in (aws sso login, aws configure) or choose the profile with AWS_PROFILE, then try again."
START = "Start the emulator, or say where it is: LOCALSTACK_HOST=HOST:PORT."


def region_set() -> str | None:
    """Return the Region that the environment names. boto3 itself reads AWS_DEFAULT_REGION alone, other SDKs AWS_REGION."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def unreached(target: str, error: BotoCoreError | ClientError) -> LabError:
    """Return why `target` could not be asked, as an error of the environment with what to do."""
    asked = f"asking {target} ({error.operation_name})" if isinstance(error, ClientError) else f"asking {target}"
    return LabError(asked, str(error).rstrip("."), _advice(target, error))


def _advice(target: str, error: Exception) -> str:
    if isinstance(error, ProfileNotFound):
        return "Choose one of those that aws configure list-profiles shows, with AWS_PROFILE."
    if target == "localstack":
        return START if isinstance(error, UNANSWERED) else "See the emulator's own log."
    if isinstance(error, NoRegionError):
        return "Choose one with AWS_REGION."
    if isinstance(error, UNANSWERED):
        return "Check the Region's name (AWS_REGION) and the way to the internet, then try again."
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in EXPIRED:
        return "Your session is over: sign in again, then try again."
    if isinstance(error, NoCredentialsError):
        return SIGN_IN
    return f"Check credentials and Region. {SIGN_IN}"
