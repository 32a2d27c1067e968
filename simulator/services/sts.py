"""STS: who one is, and the sessions of roles.

A role of another account is never assumed, whatever its trust policy says, and a role of this one only by whom its
trust policy names. Sessions are kept by access key, so that the gateway knows who calls. Their credentials follow the
wall clock, as the clients that hold them do; nothing else here depends on it.

Faces: the trainee, on a hosted lab one who guesses ids of other labs.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote

from simulator import policy
from simulator.clock import moment
from simulator.errors import AwsError
from simulator.identity import Ids, Principal, account_of
from simulator.service import Context, Service

if TYPE_CHECKING:
    from simulator.world import Lab

HOUR = 3600
TOKEN_START = b"!\n\torigin_ec"
"""How the session tokens of AWS begin, which makes them begin with IQoJb3JpZ2luX2Vj."""

_ROLE_ARN = re.compile(r"arn:aws:iam::([0-9]{12}):role/(?:[!-~]*/)?([\w+=,.@-]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Temporary credentials that were given out. `expires` is wall time; `policies` restrict what the session may do."""

    principal: Principal
    secret: str
    token: str
    expires: datetime
    policies: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


class Sts(Service):
    """STS of one lab."""

    name = "sts"
    validation_error = ("ValidationError", None)

    def __init__(self, lab: "Lab") -> None:
        super().__init__(lab)
        self._sessions: dict[str, Session] = {}

    # What the gateway and authorisation ask

    def principal_of(self, access_key_id: str) -> Principal | None:
        """Return who holds a temporary access key; None for a key that was not given out."""
        session = self._sessions.get(access_key_id)
        return session.principal if session else None

    def secret_of(self, access_key_id: str) -> str | None:
        """Return the secret of a temporary access key; None for a key that was not given out."""
        session = self._sessions.get(access_key_id)
        return session.secret if session else None

    def session_of(self, access_key_id: str) -> Session | None:
        """Return the session of a temporary access key; None for a key that was not given out."""
        return self._sessions.get(access_key_id)

    def has_expired(self, access_key_id: str) -> bool:
        """Return whether a temporary access key was given out and its time is over, by the wall clock."""
        session = self._sessions.get(access_key_id)
        return session is not None and session.expires <= moment(self.lab.clock.wall_ms())

    def open_session(self, ctx: Context, role_name: str, session_name: str, at: datetime) -> Principal:
        """Return a session of a role that somebody outside the account opened at `at`: the same for the same role,
        session name and moment. Raises AwsError where there is no such role.
        """
        role = ctx.read("iam", "GetRole", RoleName=role_name)["Role"]
        ids = Ids.of(self.lab.seed, "session", role["RoleId"], session_name, at.isoformat())
        return self._principal(role, session_name, ids.unique_id("ASIA", ctx.account_id, 20), at)

    # Operations

    def get_caller_identity(self, ctx: Context) -> dict[str, Any]:
        """Return who calls. Source: STS API, GetCallerIdentity."""
        caller = ctx.principal
        if caller.type == "Root":
            return {"UserId": caller.account_id, "Account": caller.account_id, "Arn": _arn_of(caller)}
        return {"UserId": caller.principal_id, "Account": caller.account_id, "Arn": _arn_of(caller)}

    def assume_role(
        self,
        ctx: Context,
        *,
        RoleArn: str,
        RoleSessionName: str,
        DurationSeconds: int = HOUR,
        Policy: str | None = None,
        PolicyArns: Sequence[Mapping[str, str]] = (),
        Tags: Sequence[Mapping[str, str]] = (),
        TransitiveTagKeys: Sequence[str] = (),
        ExternalId: str | None = None,
        SourceIdentity: str | None = None,
        SerialNumber: str | None = None,
        TokenCode: str | None = None,
        ProvidedContexts: Sequence[Mapping[str, str]] = (),
        MinimumSessionTokenSize: int | None = None,
    ) -> dict[str, Any]:
        """Open a session of a role of this account that trusts the caller. Source: STS API, AssumeRole."""
        tags = _session_tags(Tags, TransitiveTagKeys)
        if Policy is not None:
            _check_policy(Policy)
        role = self._role(ctx, RoleArn)
        wanted = {
            "sts:AssumeRole",
            *(["sts:TagSession"] if Tags else []),
            *(["sts:SetSourceIdentity"] if SourceIdentity else []),
        }
        given = {"sts:externalid": ExternalId, "sts:sourceidentity": SourceIdentity}
        facts = {**policy.request_context(ctx), "sts:rolesessionname": RoleSessionName}
        facts |= {key: value for key, value in given.items() if value is not None}
        document = trust_policy(role)
        for action in sorted(wanted):
            if not trusts(document, ctx.principal, action, facts):
                _denied(ctx.principal, action, RoleArn)
        _check_duration(ctx.principal, DurationSeconds, role.get("MaxSessionDuration", HOUR))
        access_key = ctx.ids.unique_id("ASIA", ctx.account_id, 20)
        principal = self._principal(role, RoleSessionName, access_key, ctx.now)
        policies = (*(entry["arn"] for entry in PolicyArns if entry.get("arn")), *([Policy] if Policy else []))
        answer: dict[str, Any] = {
            "Credentials": self._open(ctx, principal, DurationSeconds, policies=policies, tags=tags),
            "AssumedRoleUser": {"AssumedRoleId": principal.principal_id, "Arn": principal.arn},
        }
        if policies or tags:
            answer["PackedPolicySize"] = min(100, 1 + sum(map(len, policies)) // 41)
        if SourceIdentity is not None:
            answer["SourceIdentity"] = SourceIdentity
        return answer

    def get_session_token(
        self,
        ctx: Context,
        *,
        DurationSeconds: int = 12 * HOUR,
        SerialNumber: str | None = None,
        TokenCode: str | None = None,
        MinimumSessionTokenSize: int | None = None,
    ) -> dict[str, Any]:
        """Return temporary credentials of a user. Source: STS API, GetSessionToken."""
        self._only_long_term(ctx, "GetSessionToken")
        access_key = ctx.ids.unique_id("ASIA", ctx.account_id, 20)
        principal = replace(ctx.principal, access_key_id=access_key, session_created=ctx.now)
        return {"Credentials": self._open(ctx, principal, DurationSeconds)}

    def get_federation_token(self, ctx: Context, *, Name: str, **_: Any) -> dict[str, Any]:
        """Refuse, as AWS does to sessions; federated users are not part of the lab."""
        self._only_long_term(ctx, "GetFederationToken")
        raise AwsError("NotImplemented", f"This lab has no federated users, so none called {Name}.", status=501)

    def get_access_key_info(self, ctx: Context, *, AccessKeyId: str) -> dict[str, Any]:
        """Return the account that an access key belongs to, which the key itself tells."""
        account = account_of(AccessKeyId)
        if account is None:
            raise AwsError("ValidationError", f"Invalid Access Key Id {AccessKeyId}")
        return {"Account": account}

    def decode_authorization_message(self, ctx: Context, *, EncodedMessage: str) -> NoReturn:
        """Refuse: nothing in the lab encodes such messages."""
        raise AwsError("InvalidAuthorizationMessageException", "Message is not valid")

    def _only_long_term(self, ctx: Context, operation: str) -> None:
        if ctx.principal.type == "AssumedRole" or ctx.principal.access_key_id.startswith("ASIA"):
            raise AwsError("AccessDenied", f"Cannot call {operation} with session credentials", status=403)

    def _role(self, ctx: Context, arn: str) -> dict[str, Any]:
        """Return the role at `arn`; one that is not there is denied in the words for one that does not trust."""
        match = _ROLE_ARN.fullmatch(arn)
        if match is None:
            raise AwsError("ValidationError", f"{arn} is invalid")
        if ctx.principal.type == "Root":
            raise AwsError("AccessDenied", "Roles may not be assumed by root accounts.", status=403)
        if match[1] != ctx.account_id:
            _denied(ctx.principal, "sts:AssumeRole", arn)
        try:
            role: dict[str, Any] = ctx.read("iam", "GetRole", RoleName=match[2])["Role"]
        except AwsError:
            _denied(ctx.principal, "sts:AssumeRole", arn)
        if role["Arn"] != arn:
            _denied(ctx.principal, "sts:AssumeRole", arn)
        return role

    def _principal(self, role: Mapping[str, Any], session_name: str, access_key: str, at: datetime) -> Principal:
        return Principal.session(
            account_id=self.lab.account_id,
            role_name=role["RoleName"],
            role_id=role["RoleId"],
            session_name=session_name,
            access_key_id=access_key,
            created=at,
            path=role.get("Path", "/"),
        )

    def _open(
        self,
        ctx: Context,
        principal: Principal,
        duration: int,
        *,
        policies: tuple[str, ...] = (),
        tags: tuple[tuple[str, str], ...] = (),
    ) -> dict[str, Any]:
        expires = moment(self.lab.clock.wall_ms() // 1000 * 1000 + duration * 1000)
        session = Session(
            principal=principal,
            secret=base64.b64encode(ctx.ids.randbytes(30)).decode(),
            token=base64.b64encode(TOKEN_START + ctx.ids.randbytes(570)).decode(),
            expires=expires,
            policies=policies,
            tags=tags,
        )
        self._sessions[principal.access_key_id] = session
        return {
            "AccessKeyId": principal.access_key_id,
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": expires,
        }


def trusts(
    document: Mapping[str, Any], caller: Principal, action: str, context: Mapping[str, str | list[str]] | None = None
) -> bool:
    """Return whether a role's trust policy lets `caller` do `action` (such as `sts:AssumeRole`).

    `context` holds what conditions may ask about, with keys in lower case; the account of a calling service is always
    known. An explicit Deny wins. Source: IAM user guide, Policy evaluation logic.
    """
    known = {"aws:sourceaccount": caller.account_id} if caller.type == "AWSService" else {}
    request = policy.Request(action=action, resource="*", context={**known, **(context or {})})
    effects = {str(statement.get("Effect")) for statement in policy.speaking(document, caller, request)}
    return "Allow" in effects and "Deny" not in effects


def trust_policy(role: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the trust policy of a role in the shape of GetRole, which has it as text, quoted or not, or as an object."""
    document = role.get("AssumeRolePolicyDocument")
    if isinstance(document, str):
        try:
            document = json.loads(document if document.lstrip().startswith("{") else unquote(document))
        except ValueError:
            return {}
    return document if isinstance(document, Mapping) else {}


def _arn_of(caller: Principal) -> str:
    return caller.arn or f"arn:aws:iam::{caller.account_id}:root"


def _denied(caller: Principal, action: str, resource: str) -> NoReturn:
    who = f"User: {_arn_of(caller)}" if caller.type != "AWSService" else f"Service: {caller.name}"
    raise AwsError("AccessDenied", f"{who} is not authorized to perform: {action} on resource: {resource}", status=403)


def _check_duration(caller: Principal, duration: int, longest: int) -> None:
    if duration > longest:
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    if caller.type == "AssumedRole" and duration > HOUR:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )


def _check_policy(text: str) -> None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.")
    if len(text) > 2048:
        raise AwsError("PackedPolicyTooLarge", f"Packed policy consumes {len(text) * 100 // 2048}% of allotted space")


def _session_tags(tags: Sequence[Mapping[str, str]], transitive: Sequence[str]) -> tuple[tuple[str, str], ...]:
    keys = [tag["Key"].lower() for tag in tags]
    if len(keys) != len(set(keys)):
        raise AwsError(
            "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if not {key.lower() for key in transitive} <= set(keys):
        raise AwsError(
            "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."
        )
    return tuple((tag["Key"], tag["Value"]) for tag in tags)
