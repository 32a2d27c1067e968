"""The one exception that a user of the kit sees: what was tried, what happened, what to try next."""


class LabError(Exception):
    """A broken environment, told to a person. A learner's miss is never an exception but a value.

    `tried` and `happened` are clauses without a full stop; `try_next` is a whole sentence that a user can act on.
    `exit_code` is the process's: 3 for an environment that is broken or unreachable, 2 for bad usage.
    """

    def __init__(self, tried: str, happened: str, try_next: str, *, exit_code: int = 3) -> None:
        super().__init__(f"{tried}: {happened}. {try_next}")
        self.tried = tried
        self.happened = happened
        self.try_next = try_next
        self.exit_code = exit_code
