"""The seam to the world a lab runs in: `lab.py` hands an implementation to `checker.cli`, the checker asks only this.

Everything about AWS is asked through boto3 clients. Two questions AWS has no API for have a Protocol each: what would
happen next (`Foresight`) and what the trainee said and did in earlier checks (`Memory`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


def user_agent() -> str:
    """Return the checker's own user agent: calls that carry it are never counted as the trainee's."""
    from importlib.metadata import PackageNotFoundError, version  # costs more than the rest of this room's core

    try:
        return f"{AGENT}/{version('guardduty-lab')}"
    except PackageNotFoundError:
        return f"{AGENT}/0"


AGENT = "guardduty-lab-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextConnection:
    """A connection that would be attempted, were nothing changed.

    `permitted` says whether it would get through (route, security group, ACL, NAT); `source` names what would invoke
    the function, such as a rule's ARN.
    """

    at: datetime
    function_arn: str
    ip: str
    port: int = 443
    protocol: str = "TCP"
    permitted: bool = True
    source: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What would happen next, were nothing changed, from now until `until`.

    `determinable` is False where that cannot be told, with the reasons in `why`; `ask_again` is then the moment from
    which it can, where there is one.
    """

    until: datetime
    connections: tuple[NextConnection, ...] = ()
    determinable: bool = True
    why: tuple[str, ...] = ()
    invocations: int = 0
    ask_again: datetime | None = None


class Foresight(Protocol):
    """Tells what would happen next without changing anything."""

    def look_ahead(self, hours: float, known: Collection[str]) -> Outlook:
        """Return the outlook for at least `hours` lab-hours and the next run of every schedule.

        `known` are the addresses and ranges that the account's own evidence ties to a list. Of other addresses the
        outlook may say nothing ("" for the address): no answer is to be had from here that AWS has not told.
        """
        ...


class Memory(Protocol):
    """What earlier checks left behind: answers, hints, attempts."""

    def answers(self) -> Mapping[str, str]:
        """Return the remembered answers, task id to the exact text given."""
        ...

    def remember(self, task: str, text: str) -> None:
        """Keep an answer in place of an earlier one of the same task."""
        ...

    def attempts(self) -> Sequence[Mapping[str, Any]]:
        """Return the checks so far, oldest first, each as `record` was given it."""
        ...

    def record(self, attempt: Mapping[str, Any]) -> None:
        """Keep a finished check: `{"at", "answers", "statuses", "points", "score", "passed"}`, JSON types only."""
        ...

    def hints_taken(self, task: str) -> int:
        """Return how many hints of a task were shown."""
        ...

    def take_hint(self, task: str) -> int:
        """Count one more hint of a task and return how many that makes."""
        ...

    def key_used_at(self) -> str | None:
        """Return when the instructor's key of this lab was first printed, as AWS writes a moment; None where it never was."""
        ...


class World(Protocol):
    """One lab, wherever it runs."""

    @property
    def target(self) -> str:
        """`simulator`, `localstack` or `aws`."""
        ...

    @property
    def lab_id(self) -> str:
        """What identifies this lab in reports."""
        ...

    @property
    def trainee(self) -> str:
        """The name under which CloudTrail lists the trainee's calls: a role session's or a user's name."""
        ...

    @property
    def foresight(self) -> Foresight:
        """What would happen next."""
        ...

    @property
    def memory(self) -> Memory:
        """What earlier checks left behind."""
        ...

    def client(self, service: str) -> Any:
        """Return a boto3 client that signs as the checker's own session, with `user_agent()` in its agent."""
        ...

    def now(self) -> datetime:
        """Return the lab's time, aware, UTC."""
        ...
