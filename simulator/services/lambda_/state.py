"""What Lambda remembers of a lab: functions with their versions, aliases and settings, and the queue of events.

Everything here is rebuilt by a replay: operations and `apply_*` alone change it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from simulator.services.lambda_.names import LATEST, function_arn

Shape = dict[str, Any]

CREATING = timedelta(seconds=2)
"""How long a new function is Pending. AWS: a few seconds (Lambda developer guide, Lambda function states)."""

CREATING_IN_VPC = timedelta(seconds=12)
"""How long it takes where network interfaces are made. AWS: up to about a minute (docs/aws-facts.md, part 7).

It is what clients are shown: calls and runs meet the new configuration at once, where AWS refuses another update for so
long and runs the old one.
"""

UPDATING = timedelta(seconds=1)
"""How long LastUpdateStatus is InProgress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A deployment package. `sha256` is the digest in base64, as CodeSha256 shows it."""

    zip: bytes
    sha256: str
    origin: str = "zip"

    @property
    def size(self) -> int:
        """Bytes of the package."""
        return len(self.zip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """Where a function is attached. Empty after it was detached."""

    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    ipv6: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A function's configuration: what a published version freezes together with its code."""

    role: str
    runtime: str
    handler: str
    description: str = ""
    timeout: int = 3
    memory: int = 128
    environment: Mapping[str, str] | None = None
    """None where it was never given, which shows otherwise than one without variables."""
    vpc: Vpc | None = None
    dead_letter: str = ""
    kms_key: str = ""
    tracing: str = "PassThrough"
    architecture: str = "x86_64"
    storage: int = 512
    snap_start: str = "None"
    logging: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Version:
    """`$LATEST` or a published version of a function.

    `revision_id` is the one it got with its last change; `source` is the configuration of `$LATEST` that it was made of.
    """

    number: str
    config: Config
    code: Code
    revision_id: str
    last_modified: str
    active_from: datetime
    updated_at: datetime | None = None
    update_failed: str = ""
    source: Config | None = None
    listed: tuple[tuple[str, str | None], Shape] | None = field(default=None, compare=False)
    """How lists showed it last, after the revision and the qualifier they showed."""

    def pending(self, at: datetime | None) -> bool:
        """Return whether the function is still being created at that moment; never where `at` is None."""
        return at is not None and at < self.active_from

    def updating(self, at: datetime | None) -> bool:
        """Return whether the last update is still in progress at that moment; never where `at` is None."""
        return at is not None and self.updated_at is not None and at < self.updated_at

    def revision(self, at: datetime | None) -> str:
        """Return the RevisionId as it stands at that moment (settled where None).

        A creation or an update that is done gives another one (Lambda developer guide, Lambda function states).
        """
        if self.pending(at) or self.updating(at):
            return self.revision_id
        return str(UUID(bytes=hashlib.sha256(self.revision_id.encode()).digest()[:16], version=4))


@dataclass(slots=True, kw_only=True)
class Alias:
    """A name for a version, or for two with weights. `weights` maps the other version to its share."""

    name: str
    version: str
    description: str
    revision_id: str
    weights: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface that Lambda made for a function."""

    id: str
    subnet_id: str


@dataclass(slots=True, kw_only=True)
class Function:
    """A function. Settings that belong to a version or alias are kept under its qualifier, `$LATEST` by default.

    `lifted_at` is when a reserved concurrency of 0 was last lifted; `streams` maps a version to the log
    stream of the environment that ran it last.
    """

    name: str
    region: str
    account_id: str
    latest: Version
    tags: dict[str, str] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    reserved: int | None = None
    lifted_at: datetime | None = None
    policies: dict[str, list[Shape]] = field(default_factory=dict)
    policy_revisions: dict[str, str] = field(default_factory=dict)
    event_configs: dict[str, Shape] = field(default_factory=dict)
    urls: dict[str, Shape] = field(default_factory=dict)
    provisioned: dict[str, Shape] = field(default_factory=dict)
    runtime_updates: dict[str, Shape] = field(default_factory=dict)
    recursion: str = "Terminate"
    interfaces: tuple[Interface, ...] = ()
    streams: dict[str, str] = field(default_factory=dict)

    def arn(self, qualifier: str | None = None) -> str:
        """Return the function's ARN, qualified where `qualifier` is given."""
        return function_arn(self.region, self.account_id, self.name, qualifier)

    def version(self, qualifier: str | None) -> Version | None:
        """Return the version that a qualifier means (for an alias its main one); None where there is none."""
        if qualifier is None or qualifier == LATEST:
            return self.latest
        alias = self.aliases.get(qualifier)
        number = alias.version if alias else qualifier
        return self.latest if number == LATEST else self.versions.get(number)

    def all_versions(self) -> list[Version]:
        """Return `$LATEST` and then the published versions, oldest first."""
        return [self.latest, *sorted(self.versions.values(), key=lambda version: int(version.number))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An asynchronous event.

    `queued_at` counts its age; `attempt` is the number of runs it has had; `hops` is how many runs set each other off
    before it.
    """

    id: str
    function: str
    region: str
    qualifier: str | None
    payload: bytes
    source: str
    source_arn: str
    queued_at: datetime
    attempt: int = 0
    hops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event in the queue: `due` at the earliest; `throttled` where it waits for concurrency."""

    event: Event
    due: datetime
    throttled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """When a mapping's queue is looked at.

    `failed` is the event whose run failed and that comes again, else empty; `failures` counts the runs that failed in a row.
    """

    due: datetime
    failed: bytes = b""
    failures: int = 0
