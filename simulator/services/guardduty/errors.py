"""GuardDuty's errors: one code, a fixed prefix, and the subtype in the field `Type`, which goes over the wire as `__type` (docs/aws-facts.md, part 4)."""

from simulator.errors import AwsError

INVALID_VALUE = "The request is rejected because an invalid or out-of-range value is specified as an input parameter."


def rejected(reason: str, type: str = "InvalidInputException") -> AwsError:
    """Return the error that refuses a request for `reason`, a clause with its full stop."""
    return AwsError("BadRequestException", f"The request is rejected because {reason}", Type=type)


def invalid_value() -> AwsError:
    """Return the error for a value that the service does not take."""
    return AwsError("BadRequestException", INVALID_VALUE, Type="InvalidInputException")


def no_such_resource() -> AwsError:
    """Return the error for a set, filter or other part of a detector that does not exist."""
    return AwsError(
        "BadRequestException",
        "The request is rejected since no such resource found.",
        Type="NoSuchEntityException",
    )


def not_owned() -> AwsError:
    """Return the error for an unknown detector, whatever the operation."""
    return rejected("the input detectorId is not owned by the current account.")
