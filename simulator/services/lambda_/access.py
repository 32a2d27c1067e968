"""Resource policies: who may invoke a function, and function URLs.

Source: AWS Lambda developer guide, Viewing resource-based IAM policies in Lambda; API reference, AddPermission.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from simulator import policy
from simulator.errors import AwsError
from simulator.identity import Principal as Caller
from simulator.service import Context
from simulator.services.lambda_ import names
from simulator.services.lambda_.configure import NOT_ASSUMABLE, assumable
from simulator.services.lambda_.names import LATEST
from simulator.services.lambda_.shapes import policy_text
from simulator.services.lambda_.state import Function, Shape, Version
from simulator.services.lambda_.versions import Versions

POLICY_LIMIT = 20_480
"""Bytes of a function's policy (Lambda quotas: 20 KB)."""

POLICY_STALE = "GetPolicy"


class Access(Versions):
    """Operations on resource policies."""

    def add_permission(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        StatementId: str,
        Action: str,
        Principal: str,
        Qualifier: str | None = None,
        RevisionId: str | None = None,
        **conditions: Any,
    ) -> Shape:
        """Add a statement to the policy of a function, version or alias; return it as JSON text."""
        function, _, qualifier = self.located(ctx, "AddPermission", FunctionName, Qualifier, absent=names.no_alias)
        if qualifier == LATEST:
            raise names.invalid("We currently do not support adding policies for $LATEST.")
        self._check_policy_revision(ctx, function, qualifier, RevisionId)
        if conditions.get("FunctionUrlAuthType") and Action != "lambda:InvokeFunctionUrl":
            raise names.invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
        statements = function.policies.get(qualifier or LATEST, [])
        if any(statement["Sid"] == StatementId for statement in statements):
            raise names.conflict(
                f"The statement id ({StatementId}) provided already exists. Please provide a new statement id, "
                "or remove the existing statement."
            )
        statement = _statement(StatementId, Action, Principal, function.arn(qualifier), conditions)
        size = len(policy_text([*statements, statement]))
        if size > POLICY_LIMIT:
            raise AwsError(
                "PolicyLengthExceededException",
                f"The final policy size ({size}) is bigger than the limit ({POLICY_LIMIT}).",
                Type="User",
            )
        function.policies[qualifier or LATEST] = [*statements, statement]
        self._new_revision(ctx, function, qualifier)
        return {"Statement": json.dumps(statement, separators=(",", ":"))}

    def remove_permission(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        StatementId: str,
        Qualifier: str | None = None,
        RevisionId: str | None = None,
    ) -> Shape:
        """Remove a statement from the policy of a function, version or alias."""
        function, _, qualifier = self.located(ctx, "RemovePermission", FunctionName, Qualifier, absent=_no_policy)
        statements = function.policies.get(qualifier or LATEST)
        if not statements:
            raise names.missing("No policy is associated with the given resource.")
        left = [statement for statement in statements if statement["Sid"] != StatementId]
        if len(left) == len(statements):
            raise names.missing(f"Statement {StatementId} is not found in resource policy.")
        self._check_policy_revision(ctx, function, qualifier, RevisionId)
        function.policies[qualifier or LATEST] = left
        self._new_revision(ctx, function, qualifier)
        return {}

    def get_policy(self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None) -> Shape:
        """Return the policy of a function, version or alias as JSON text, with its revision."""
        function, _, qualifier = self.located(ctx, "GetPolicy", FunctionName, Qualifier, absent=names.no_resource)
        statements = function.policies.get(qualifier or LATEST)
        if not statements:
            raise names.missing("The resource you requested does not exist.")
        return {"Policy": policy_text(statements), "RevisionId": self._revision(ctx, function, qualifier)}

    def would_run(self, function_arn: str, source_service: str, source_arn: str) -> tuple[bool, str]:
        """Return whether an event of this source would make the function run now, and a clause on why.

        `source_service` is a service principal such as `events.amazonaws.com`. The scheduler calls with a role of
        its own, so no policy of the function is asked.
        """
        found = self.at(function_arn)
        if found is None:
            return False, f"the function {function_arn} does not exist"
        function, version, qualifier = found
        if not self.may_invoke(function, qualifier, source_service, source_arn):
            return False, f"the policy of {function.arn(qualifier)} does not let {source_service} invoke it"
        if function.reserved == 0:
            return False, f"the reserved concurrency of {function.name} is 0"
        if self.role_problem(self.reading(function.region), version):
            return False, f"Lambda cannot assume {version.config.role}"
        return True, f"{function.name} exists and may be invoked"

    def role_problem(self, ctx: Context, version: Version) -> str:
        """Return why Lambda cannot assume a version's role now; "" where it can.

        It has none to assume once the role is deleted or trusts it no longer. On AWS a warm environment may go on for
        a while with the session that it has; here the next run fails.
        """
        name = version.config.role.rsplit("/", 1)[-1]
        if name not in self.trusted:
            self.trusted[name] = assumable(ctx, name)
        return "" if self.trusted[name] else NOT_ASSUMABLE

    def may_invoke(self, function: Function, qualifier: str | None, source_service: str, source_arn: str) -> bool:
        """Return whether the policy of a function, version or alias lets a service invoke it for this source."""
        if source_service == "scheduler.amazonaws.com":
            return True
        statements = function.policies.get(qualifier or LATEST, [])
        return any(_allows(statement, source_service, source_arn, self.lab.account_id) for statement in statements)

    @staticmethod
    def _revision(ctx: Context, function: Function, qualifier: str | None) -> str:
        """Return the revision of a policy; before there is one, of what would have it."""
        if (known := function.policy_revisions.get(qualifier or LATEST)) is not None:
            return known
        alias = function.aliases.get(qualifier or "")
        if alias:
            return alias.revision_id
        return (function.version(qualifier) or function.latest).revision(ctx.now)

    def _new_revision(self, ctx: Context, function: Function, qualifier: str | None) -> None:
        """Give the policy and what has it the same new revision."""
        holder = function.aliases.get(qualifier or "") or function.version(qualifier) or function.latest
        holder.revision_id = ctx.ids.uuid4()
        function.policy_revisions.pop(qualifier or LATEST, None)
        if function.policies[qualifier or LATEST]:
            function.policy_revisions[qualifier or LATEST] = self._revision(ctx, function, qualifier)

    def _check_policy_revision(
        self, ctx: Context, function: Function, qualifier: str | None, revision_id: str | None
    ) -> None:
        if revision_id is not None and revision_id != self._revision(ctx, function, qualifier):
            raise names.stale(POLICY_STALE)


def _no_policy(named: names.Reference) -> AwsError:
    return names.no_alias(named) if named.qualifier else names.missing(f"No policy found for: {named.arn}")


def _statement(sid: str, action: str, principal: str, resource: str, given: Mapping[str, Any]) -> Shape:
    """Return a policy statement as Lambda writes it. Raises AwsError for a principal that is none."""
    statement: Shape = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": _principal(principal),
        "Action": action,
        "Resource": resource,
    }
    conditions: dict[str, dict[str, str]] = {}
    for member, operator, key in (
        ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("SourceArn", "ArnLike", "AWS:SourceArn"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ):
        if given.get(member):
            conditions.setdefault(operator, {})[key] = given[member]
    if given.get("InvokedViaFunctionUrl"):
        conditions.setdefault("Bool", {})["lambda:InvokedViaFunctionUrl"] = "true"
    if conditions:
        statement["Condition"] = conditions
    return statement


def _principal(text: str) -> Shape | str:
    if text == "*":
        return "*"
    if re.fullmatch(r"\d{12}", text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if re.fullmatch(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:\S+", text):
        return {"AWS": text}
    if re.fullmatch(r"[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com)", text):
        return {"Service": text}
    raise names.invalid("The provided principal was invalid. Please check the principal and try again.")


def _allows(statement: Shape, service: str, source_arn: str, account_id: str) -> bool:
    """Return whether a statement lets a service invoke the function for this source."""
    request = policy.Request(
        action="lambda:InvokeFunction",
        resource=statement["Resource"],
        context={"aws:sourcearn": source_arn, "aws:sourceaccount": account_id},
    )
    return policy.names(statement, Caller.service(service, account_id)) and policy.applies(statement, request)
