"""Errors that a client of the simulated AWS sees."""

from typing import Any


class AwsError(Exception):
    """An error in AWS's words, raised by any operation and serialised in the caller's protocol by `wire`.

    `code` is the model's error shape or code (`ResourceNotFoundException`); `status` is taken from the model where it
    is not given (400 when the model does not say); `fields` are further members of the error's shape
    (`Type="User"`, `RetryAfterSeconds="1"`).
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields
