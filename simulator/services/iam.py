"""IAM beyond what moto keeps of it: AWS's words, trust policies that are looked at, boundaries of users, the policy simulator.

What is here is put into moto's classes when their modules come in (`moto`); moto goes on keeping the state.

- A caller who is a role's session has no user of its own: what asks for "my user" is refused, as AWS does.
- A trust policy is checked where a role is made, not only where it is changed.
- What is in use is not deleted: a user that has keys, a group that has users, a policy that is attached.
- The simulator asks the engine that authorises every call of the lab (`simulator.policy`), so the two never differ.

Faces: a trainee's policies, which are refused before they are kept where they are none.
"""

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.serialize import never_return, return_if_not_empty

from simulator import policy
from simulator.errors import AwsError

if TYPE_CHECKING:
    from simulator.service import Context

Caller = Callable[[], "Context | None"]
Named = tuple[str, policy.Document]
"""A policy's id, as the simulator shows it, and its document."""

WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"Role (\S+) not found", r"The role with name \1 cannot be found."),
        (r"Group (\S+) not found", r"The group with name \1 cannot be found."),
        (r"User (\S+) not found", r"The user with name \1 cannot be found."),
        (r"Policy (arn:\S+) not found", r"Policy \1 was not found."),
        (r"Policy Document (\S+) not attached to role \S+", r"The role policy with name \1 cannot be found."),
        (r"Instance profile (\S+) not found", r"Instance Profile \1 cannot be found."),
        (r"Login profile for (\S+) not found", r"Login Profile for User \1 cannot be found."),
        (r"(The Access Key with id \S+ cannot be found)", r"\1."),
        (r"(User|Group) (\S+) already exists", r"\1 with name \2 already exists."),
        (r"User (\S+) already has password", r"Login Profile for user \1 already exists."),
    )
)
"""moto's texts for what is not there, or is there already, and AWS's."""

OF_THE_CALLER = ("get_user", "list_access_keys", "create_access_key", "update_access_key", "delete_access_key")
"""Operations that mean the calling user where they name none."""


def patch_models(module: ModuleType) -> None:
    """Change moto.iam.models."""
    backend = module.IAMBackend
    for error in (module.NotFoundException, module.EntityAlreadyExists):
        _say_it_in_aws_words(error)
    for name in ("create_policy_version", "get_policy_version", "list_policy_versions", "delete_policy_version"):
        setattr(backend, name, _of_a_policy(getattr(backend, name)))
    for name in ("attach_role_policy", "attach_user_policy", "attach_group_policy"):
        setattr(backend, name, _with_an_arn(getattr(backend, name)))
    for cls, kind in ((module.Group, "group"), (module.User, "user")):
        for name in ("get_policy", "delete_policy"):
            setattr(cls, name, _of_an_inline_policy(getattr(cls, name), kind))
    trust, identity = module.IAMTrustPolicyDocumentValidator, module.IAMPolicyDocumentValidator
    trust.validate, identity.validate = _of_trust(trust.validate), _of_identity(identity.validate)
    backend.create_role = _checked(backend.create_role, trust)
    backend.put_role_permissions_boundary = _within_a_policy(backend.put_role_permissions_boundary)
    for name, uses in (("policy", _uses_of_policy), ("user", _uses_of_user), ("group", _uses_of_group)):
        setattr(backend, f"delete_{name}", _unused(getattr(backend, f"delete_{name}"), uses))
    module.ManagedPolicy.attach_to = _once(module.ManagedPolicy.attach_to)
    module.ManagedPolicy.permissions_boundary_usage_count = property(_times_a_boundary)
    module.User.permissions_boundary_arn = None
    module.User.permissions_boundary = module.Role.permissions_boundary = property(_boundary)


def patch_responses(module: ModuleType, caller: Caller) -> None:
    """Change moto.iam.responses. `caller` returns the context of the call that is served."""
    cls = module.IamResponse
    for name in OF_THE_CALLER:
        setattr(cls, name, _of_the_caller(getattr(cls, name), caller))
    cls.create_user = _with_a_boundary(cls.create_user)
    cls.put_user_permissions_boundary = _put_user_boundary
    cls.delete_user_permissions_boundary = _delete_user_boundary
    cls.simulate_principal_policy = _simulate_principal
    cls.simulate_custom_policy = _simulate_custom
    cls.RESPONSE_KEY_PATH_TO_TRANSFORMER |= {
        "CreateRoleResponse.Role.MaxSessionDuration": never_return,
        "CreateRoleResponse.Role.RoleLastUsed": never_return,
        "CreateUserResponse.User.PermissionsBoundary": return_if_not_empty,
        "GetUserResponse.User.PermissionsBoundary": return_if_not_empty,
        "ListUsersResponse.Users.User.PermissionsBoundary": never_return,
    }


# --- words --------------------------------------------------------------------------------------------------------


def _say_it_in_aws_words(error: Any) -> None:
    made = error.__init__

    def init(self: Any, text: str) -> None:
        for pattern, words in WORDS:
            text = pattern.sub(words, text)
        made(self, text)

    error.__init__ = init


def _missing(text: str) -> AwsError:
    return AwsError("NoSuchEntity", text, status=404)


def _of_a_policy(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
        if policy_arn not in self.managed_policies:
            raise _missing(f"Policy {policy_arn} was not found.")
        return method(self, policy_arn, *args, **kwargs)

    return call


def _with_an_arn(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
        if not policy_arn.startswith("arn:"):
            raise AwsError("ValidationError", "Invalid ARN:  Could not be parsed!")
        return method(self, policy_arn, *args, **kwargs)

    return call


def _of_an_inline_policy(method: Callable[..., Any], kind: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, policy_name: str) -> Any:
        if policy_name not in self.policies:
            raise _missing(f"The {kind} policy with name {policy_name} cannot be found.")
        return method(self, policy_name)

    return call


def _of_the_caller(method: Callable[..., Any], caller: Caller) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any) -> Any:
        ctx = caller()
        if ctx is not None and not self._get_param("UserName"):
            if ctx.principal.type == "AssumedRole":
                raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials")
            if ctx.principal.type == "IAMUser":  # whose key may be a session's, which moto does not know
                self.params["UserName"] = ctx.principal.name
        return method(self)

    return call


# --- documents ----------------------------------------------------------------------------------------------------


def _malformed(text: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", text)


def _of_trust(validate: Callable[[Any], None]) -> Callable[[Any], None]:
    def check(self: Any) -> None:
        try:
            json.loads(self._policy_document)
        except (ValueError, RecursionError) as bad:
            raise _malformed("This policy contains invalid Json") from bad
        self._validate_version = lambda: None  # a trust policy may be of 2008, or say no version
        validate(self)
        if any("Principal" not in each and "NotPrincipal" not in each for each in self._statements):
            raise _malformed("Missing required field Principal")

    return check


def _of_identity(validate: Callable[[Any], None]) -> Callable[[Any], None]:
    def check(self: Any) -> None:
        statements = policy.statements_of(policy.document_of(self._policy_document))
        if any("Principal" in each or "NotPrincipal" in each for each in statements):
            raise _malformed("Policy document should not specify a principal.")
        validate(self)

    return check


def _checked(create_role: Callable[..., Any], validator: Any) -> Callable[..., Any]:
    @functools.wraps(create_role)
    def create(
        self: Any,
        role_name: str,
        assume_role_policy_document: str,
        path: str,
        permissions_boundary: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        validator(assume_role_policy_document).validate()
        _check_boundary(self, permissions_boundary)
        return create_role(self, role_name, assume_role_policy_document, path, permissions_boundary, *args, **kwargs)

    return create


# --- attachments and boundaries -----------------------------------------------------------------------------------


def _once(attach_to: Callable[..., None]) -> Callable[..., None]:
    def attach(self: Any, holder: Any) -> None:
        if self.arn not in holder.managed_policies:
            attach_to(self, holder)

    return attach


def _holders(backend: Any) -> Iterable[Any]:
    return (*backend.roles.values(), *backend.users.values())


def _times_a_boundary(managed: Any) -> int:
    return sum(holder.permissions_boundary_arn == managed.arn for holder in _holders(managed.backend))


def _boundary(holder: Any) -> dict[str, str] | None:
    arn = holder.permissions_boundary_arn
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def _check_boundary(backend: Any, arn: str | None) -> None:
    if arn and arn not in backend.managed_policies:
        raise _missing(f"Scope ARN: {arn} does not exist or is not attachable.")


def _within_a_policy(put: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(put)
    def put_boundary(self: Any, role_name: str, permissions_boundary: str) -> None:
        _check_boundary(self, permissions_boundary)
        put(self, role_name, permissions_boundary)

    return put_boundary


def _with_a_boundary(create_user: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create_user)
    def create(self: Any) -> Any:
        arn = self._get_param("PermissionsBoundary")
        _check_boundary(self.backend, arn)
        made = create_user(self)
        made.result["User"].permissions_boundary_arn = arn
        return made

    return create


def _put_user_boundary(self: Any) -> Any:
    arn = self._get_param("PermissionsBoundary")
    user = self.backend.get_user(self._get_param("UserName"))
    _check_boundary(self.backend, arn)
    user.permissions_boundary_arn = arn
    return EmptyResult()


def _delete_user_boundary(self: Any) -> Any:
    self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = None
    return EmptyResult()


# --- deletion -----------------------------------------------------------------------------------------------------


def _unused(delete: Callable[..., None], uses: Callable[[Any, str], Iterable[str]]) -> Callable[..., None]:
    @functools.wraps(delete)
    def delete_unused(self: Any, key: str) -> None:
        for use in uses(self, key):
            raise AwsError("DeleteConflict", use, status=409)
        delete(self, key)

    return delete_unused


def _uses_of_policy(backend: Any, arn: str) -> Iterable[str]:
    managed = backend.managed_policies.get(arn)
    if managed is None:
        return
    if managed.attachment_count or managed.permissions_boundary_usage_count:
        yield "Cannot delete a policy attached to entities."
    if len(managed.versions) > 1:
        yield (
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )


def _uses_of_user(backend: Any, name: str) -> Iterable[str]:
    user = backend.get_user(name)
    if any(user in group.users for group in backend.groups.values()):
        yield "Cannot delete entity, must remove users from group first."
    for held, what in (
        (user.password, "login profile"), (user.access_keys, "access keys"), (user.mfa_devices, "MFA device"),
    ):  # fmt: skip
        if held:
            yield f"Cannot delete entity, must delete {what} first."


def _uses_of_group(backend: Any, name: str) -> Iterable[str]:
    group = backend.get_group(name)
    if group.users:
        yield "Cannot delete entity, must remove users from group first."
    if group.managed_policies:
        yield "Cannot delete entity, must detach all policies first."
    if group.policies:
        yield "Cannot delete entity, must delete policies first."


# --- the policy simulator -----------------------------------------------------------------------------------------


def _simulate_principal(self: Any) -> Any:
    """Say what the policies of a user, group or role decide. Source: IAM API reference, SimulatePrincipalPolicy."""
    backend, source = self.backend, self._get_param("PolicySourceArn")
    found = re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:(user|group|role)/(?:\S*/)?([\w+=,.@-]+)", source)
    if found is None:
        raise AwsError("InvalidInput", f"Invalid Entity Arn: {source}")
    kind, name = found.groups()
    holder = getattr(backend, f"get_{kind}")(name)
    holders = [(kind, holder)]
    if kind == "user":
        holders += [("group", group) for group in backend.groups.values() if holder in group.users]
    named = [
        *(
            (f"{of}_{one.name}_{each}", policy.document_of(text))
            for of, one in holders
            for each, text in one.policies.items()
        ),
        *((each.name, policy.managed_document(each)) for _, one in holders for each in one.managed_policies.values()),
        *_given(self, "PolicyInputList"),
    ]
    limit = backend.managed_policies.get(getattr(holder, "permissions_boundary_arn", None))
    return _simulated(self, named, policy.managed_document(limit) if limit else None)


def _simulate_custom(self: Any) -> Any:
    """Say what given policies decide. Source: IAM API reference, SimulateCustomPolicy."""
    return _simulated(self, _given(self, "PolicyInputList"), None)


def _given(self: Any, member: str) -> list[Named]:
    named = []
    for number, text in enumerate(self._get_param(member, []), start=1):
        document = policy.document_of(text)
        if not document:
            raise AwsError("InvalidInput", f"Failed to parse the policy {member}.{number}.")
        named.append((f"{member}.{number}", document))
    return named


def _simulated(self: Any, named: Sequence[Named], boundary: policy.Document | None) -> Any:
    given = _given(self, "PermissionsBoundaryPolicyInputList")
    boundary = given[0][1] if given else boundary
    context = {
        str(entry["ContextKeyName"]).lower(): list(map(str, entry.get("ContextKeyValues", [])))
        for entry in self._get_param("ContextEntries", [])
    }
    asked: Mapping[str, str | list[str]] = {
        key: values[0] if len(values) == 1 else values for key, values in context.items()
    }
    resources = self._get_param("ResourceArns") or []
    results = [
        _result(policy.Request(action=action, resource=resource, context=asked), named, boundary)
        for action in self._get_param("ActionNames", [])
        for resource in resources or ["*"]
    ]
    for result in results if resources else ():
        result["ResourceSpecificResults"] = [
            {
                "EvalResourceName": result["EvalResourceName"],
                "EvalResourceDecision": result["EvalDecision"],
                "MatchedStatements": result["MatchedStatements"],
                "MissingContextValues": result["MissingContextValues"],
            }
        ]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _result(request: policy.Request, named: Sequence[Named], boundary: policy.Document | None) -> dict[str, Any]:
    documents = [document for _, document in named]
    decision = policy.evaluate(documents, request, boundary)
    words = {policy.Decision.ALLOW: "allowed", policy.Decision.EXPLICIT_DENY: "explicitDeny"}
    decided = words.get(decision, "implicitDeny")
    effect = {"allowed": "Allow", "explicitDeny": "Deny"}.get(decided)
    matched = [
        {"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"}
        for name, document in named
        for statement in policy.statements_of(document)
        if statement.get("Effect") == effect and policy.applies(statement, request)
    ]
    missing = sorted({key for each in documents for key in policy.keys_of(each) if key.lower() not in request.context})
    result = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": decided,
        "EvalDecisionDetails": {},
        "MatchedStatements": matched,
        "MissingContextValues": missing,
        "OrganizationsDecisionDetail": {"AllowedByOrganizations": True},
    }
    if boundary is not None:
        allowed = policy.evaluate((boundary,), request) is policy.Decision.ALLOW
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return result
