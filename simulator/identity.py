"""Who calls: ids that decode to their account, as AWS's do, and the principals that carry them.

Every identifier of a lab comes from an `Ids`, a generator seeded with the lab's seed and the number of the change
that draws it: the same seed and the same changes give the same ids, whatever was read in between.
"""

import base64
import functools
import hashlib
import random
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from simulator.clock import milliseconds, moment

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Ids(random.Random):
    """Deterministic identifiers in AWS's shapes. `Ids("a", 1)` always draws the same ones."""

    @classmethod
    def of(cls, *parts: object) -> Self:
        """Return a generator seeded with the text of `parts`."""
        digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
        return cls(int.from_bytes(digest, "big"))

    def uuid4(self) -> str:
        """Return a version 4 UUID, as event, request and revision ids are."""
        return str(uuid.UUID(int=self.getrandbits(128), version=4))

    def uuid1(self, at: datetime) -> str:
        """Return a version 1 UUID whose clock says `at`, as the ids in stack ARNs are (aws-facts, part 10)."""
        ticks = int((at - datetime(1582, 10, 15, tzinfo=UTC)).total_seconds() * 10**7) + self.randrange(10**4)
        low, mid, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
        sequence = self.getrandbits(14)
        return str(
            uuid.UUID(
                fields=(
                    low,
                    mid,
                    high | 0x1000,
                    (sequence >> 8) | 0x80,
                    sequence & 0xFF,
                    self.getrandbits(48) | 1,
                )
            )
        )

    def hex(self, length: int) -> str:
        """Return `length` random lower-case hexadecimal digits."""
        return f"{self.getrandbits(4 * length):0{length}x}"

    def text(self, length: int, alphabet: str = ALPHABET) -> str:
        """Return `length` characters of `alphabet`."""
        return "".join(self.choices(alphabet, k=length))

    def unique_id(self, prefix: str, account_id: str, length: int = 21) -> str:
        """Return an id such as AROA…, AIDA… (21 characters) or ASIA…, AKIA… (20) that decodes to `account_id`.

        Characters 5 to 20 in base32, masked and shifted, are the account's number (aws-facts, part 10, number 2).
        """
        number = int(account_id)
        head = base64.b32encode((number // 2 + 2**39).to_bytes(5, "big")).decode()
        middle = self.choice(ALPHABET[16:] if number % 2 else ALPHABET[:16])
        return prefix + head + middle + self.text(length - len(prefix) - 9)

    def timed_hex(self, at: datetime) -> str:
        """Return 32 hexadecimal digits that encode `at`, as finding, list and detector ids do (aws-facts, 1.2)."""
        return f"{self.getrandbits(7) << 1:02x}{(milliseconds(at) << 7) | self.getrandbits(7):012x}{self.hex(18)}"


@functools.lru_cache(maxsize=1024)
def account_of(unique_id: str) -> str | None:
    """Return the account that an id such as ASIA… or AROA… decodes to; None where it is not such an id."""
    try:
        raw = base64.b32decode(unique_id[4:20])
    except ValueError:
        return None
    if len(raw) != 10:
        return None
    number = (int.from_bytes(raw[:6], "big") & 0x7FFFFFFFFF80) >> 7
    return f"{number:012d}" if 0 < number < 10**12 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who makes a call, as CloudTrail's userIdentity tells it.

    `type` is AssumedRole, IAMUser, Root or AWSService. For an assumed role `arn` is the session's
    (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`), `principal_id` is `AROA…:SESSION`, and `issuer_arn`,
    `issuer_id` (AROA…) and `issuer_name` are the role's. For a user `issuer_*` are empty and `name` is the user's name.
    For an AWS service `name` is its principal, such as `events.amazonaws.com`.
    """

    type: Literal["AssumedRole", "IAMUser", "Root", "AWSService"]
    account_id: str
    arn: str = ""
    principal_id: str = ""
    name: str = ""
    access_key_id: str = ""
    issuer_arn: str = ""
    issuer_id: str = ""
    issuer_name: str = ""
    session_created: datetime | None = None

    @classmethod
    def session(
        cls,
        *,
        account_id: str,
        role_name: str,
        role_id: str,
        session_name: str,
        access_key_id: str,
        created: datetime,
        path: str = "/",
    ) -> Self:
        """Return the principal of a role's session."""
        return cls(
            type="AssumedRole",
            account_id=account_id,
            arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}",
            principal_id=f"{role_id}:{session_name}",
            name=session_name,
            access_key_id=access_key_id,
            issuer_arn=f"arn:aws:iam::{account_id}:role{path}{role_name}",
            issuer_id=role_id,
            issuer_name=role_name,
            session_created=created,
        )

    @classmethod
    def service(cls, name: str, account_id: str) -> Self:
        """Return an AWS service acting for the account, such as `events.amazonaws.com`."""
        return cls(type="AWSService", account_id=account_id, name=name)

    def to_json(self) -> dict[str, Any]:
        """Return the principal as the journal keeps it; `from_json` is the way back."""
        body = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        if self.session_created:
            body["session_created"] = milliseconds(self.session_created)
        return body

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the principal that `to_json` wrote."""
        created = body.get("session_created")
        opened = moment(created) if created is not None else None
        return replace(cls(**{**body, "session_created": None}), session_created=opened)
