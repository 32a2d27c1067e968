"""The records that a scenario is made of. Plain frozen data: no I/O, no clock, no chance.

Strings may hold `{placeholders}`, which `steps.render` fills from `Variant.values` and from what earlier calls saved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

Rung = Literal["where", "call", "example"]
RUNGS: tuple[Rung, ...] = ("where", "call", "example")
"""A task's three hints in the order they are given: where to look, which call, an example on another seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One hint. `rung` says how much it gives away."""

    rung: Rung
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of a task's points that is earned on its own."""

    id: str
    title: str
    max_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to find out or to do.

    `answered` is true where the trainee types an answer, false where only the account is looked at. `parts` split
    `max_score` and are empty where it is earned at once. `key` is the instructor's answer, with placeholders.
    """

    id: str
    title: str
    question: str
    max_score: int
    answered: bool
    hints: tuple[Hint, ...]
    key: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A place in a public framework that the scenario exercises, such as ATT&CK T1071.001."""

    framework: str
    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An API call: botocore's names of service and operation, parameters under the model's names.

    In `params` a mapping with the one key `$json` becomes JSON text, with `$zip` the zip archive of that folder of the
    scenario (see `steps.render`). `save` keeps parts of the result for later placeholders: name to dotted path, such
    as `DetectorIds.0` (text on the way is read as JSON: `Policy.Statement.0.Sid`). `fails` is the error code that the call is expected to get.
    """

    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    fails: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Lab time that passes between two calls."""

    advance: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A way to stop the traffic that the grader must accept.

    `score` is what the remediation task must come to where the author pins it, None where only passing matters.
    """

    id: str
    title: str
    why: str
    steps: tuple[Call | Wait, ...]
    score: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemptingWrongFix:
    """Something that looks like a fix and that the grader must refuse. `why` is what the trainee should learn."""

    id: str
    title: str
    why: str
    steps: tuple[Call | Wait, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A principal that the background needs: a role (with the principals it trusts) or a user.

    `trusts` are service principals or account ids; empty for a user. `statements` is its inline policy.
    """

    name: str
    kind: Literal["role", "user"]
    trusts: tuple[str, ...] = ()
    statements: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Do it `times` times in all, `every` so often."""

    every: timedelta
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Calls that one principal makes in one sitting, `gap` apart, beginning `at` after the history's start.

    `by` is `Role/Session` or `user:NAME`. The seed moves the whole episode by up to `spread`, so that two labs' times
    differ but the order of an episode's calls never does.
    """

    id: str
    at: timedelta
    by: str
    calls: tuple[Call, ...]
    source_ip: str
    user_agent: str
    spread: timedelta = timedelta(0)
    gap: timedelta = timedelta(seconds=2)
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneryFinding:
    """A finding of the account's background: loaded once, never growing, and no part of the task.

    `finding` has GetFindings' shape without what the simulator knows: ids, ARN, account, Region, times, and whose a
    remote address is.
    The times are offsets from the history's start.
    """

    id: str
    first_seen: timedelta
    last_seen: timedelta
    created: timedelta
    updated: timedelta
    finding: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Everything else that goes on in the account.

    `span` is the history that the offsets are written for. Up to `settled` they hold whatever the history's length:
    by then the workload is deployed. `actors` are created by `provisioner`, `provisioned` after the start.
    """

    span: timedelta
    settled: timedelta
    provisioner: str
    provisioned: timedelta
    actors: tuple[Actor, ...]
    episodes: tuple[Episode, ...]
    findings: tuple[SceneryFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One lab. `background`, `fixes` and `tempting_wrong_fixes` are empty in a scenario loaded for reading tasks only."""

    id: str
    title: str
    finding_type: str
    assignment: str
    tasks: tuple[Task, ...]
    references: tuple[Reference, ...]
    background: Background
    fixes: tuple[Fix, ...]
    tempting_wrong_fixes: tuple[TemptingWrongFix, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of the background at its time: an episode laid out flat. Placeholders are not yet filled.

    `turn` counts an episode's repetitions from 1 and is the placeholder `{turn}` of its parameters.
    """

    at: timedelta
    by: str
    service: str
    operation: str
    params: Mapping[str, Any]
    save: Mapping[str, str]
    fails: str | None
    source_ip: str
    user_agent: str
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One trainee's values, all of them determined by the seed (and `--ip`).

    `list_entries` are the lines of the threat list in their order: addresses and ranges, `malicious_ip` and
    `second_ip` among them. `partner_ip` (whom another function calls), `office_ip` (colleagues), `stranger_ip`
    (attackers) and `runner_ip` (jobs in the cloud) are on no list. `suffix` makes names
    unique that are shared by all of AWS, such as buckets'; `tokens` are 16 hexadecimal digits each, for ids of
    resources that are no more. `history` is how far in the past the lab begins.
    """

    seed: str
    account_id: str
    region: str
    malicious_ip: str
    second_ip: str
    partner_ip: str
    office_ip: str
    stranger_ip: str
    runner_ip: str
    list_entries: tuple[str, ...]
    suffix: str
    tokens: tuple[str, ...]
    history: timedelta

    @property
    def values(self) -> dict[str, str]:
        """Return the placeholders that this variant fills, by name."""
        return {
            "account_id": self.account_id,
            "region": self.region,
            "malicious_ip": self.malicious_ip,
            "second_ip": self.second_ip,
            "partner_ip": self.partner_ip,
            "office_ip": self.office_ip,
            "stranger_ip": self.stranger_ip,
            "runner_ip": self.runner_ip,
            "list_entries": "\n".join(self.list_entries),
            "suffix": self.suffix,
            **{f"token_{number}": token for number, token in enumerate(self.tokens, start=1)},
        }
