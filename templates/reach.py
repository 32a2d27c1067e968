"""What to tell somebody whose world does not answer, or answers that it does not know them. Light: no SDK beyond errors."""

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
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
SIGN_IN = "Sign in (aws sso login, aws configure) or choose the profile with AWS_PROFILE, then try again."
START = "Start the emulator, or say where it is: LOCALSTACK_HOST=HOST:PORT."


def unreached(target: str, error: BotoCoreError | ClientError) -> LabError:
    """Return what happened when `target` was asked who one is, as an error of the environment with what to do."""
    return LabError(f"asking {target} who you are", str(error).rstrip("."), _advice(target, error))


def _advice(target: str, error: Exception) -> str:
    if target == "localstack":
        return START if isinstance(error, UNANSWERED) else "See the emulator's own log."
    if isinstance(error, ProfileNotFound):
        return "Choose one of those that aws configure list-profiles shows, with AWS_PROFILE."
    if isinstance(error, NoRegionError):
        return "Choose one with AWS_REGION."
    if isinstance(error, UNANSWERED):
        return "Check the Region's name (AWS_REGION) and the way to the internet, then try again."
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in EXPIRED:
        return "Your session is over: sign in again, then try again."
    if isinstance(error, NoCredentialsError):
        return SIGN_IN
    return f"Check credentials and Region. {SIGN_IN}"
