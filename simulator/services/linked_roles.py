"""Service-linked roles on moto's IAM, which asks no service about them: their names and policies, and that one in use stays.

A role is deleted in a task that tells how it ended. Source: IAM user guide, Create a service-linked role; IAM API reference,
DeleteServiceLinkedRole and GetServiceLinkedRoleDeletionStatus.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random

from simulator.errors import AwsError
from simulator.permissions import LINKED_ROLES

Uses = Callable[[str], Mapping[str, list[str]]]
"""What of a service, by its principal, needs its role: ARNs by Region."""

POLICIES = {
    "AWSServiceRoleForAmazonGuardDuty": "arn:aws:iam::aws:policy/aws-service-role/AmazonGuardDutyServiceRolePolicy",
    "AWSServiceRoleForConfig": "arn:aws:iam::aws:policy/aws-service-role/AWSConfigServiceRolePolicy",
}


def patch_models(module: ModuleType, uses: Uses) -> None:
    """Give moto's IAM AWS's names, and its roles a protection: only their service, by a task, deletes them."""
    for principal, name in LINKED_ROLES.items():
        module.SERVICE_NAME_CONVERSION[principal.partition(".")[0]] = name.removeprefix("AWSServiceRoleFor")
    iam = module.IAMBackend
    make, delete = iam.create_service_linked_role, iam.delete_role

    def create_service_linked_role(backend: Any, service_name: str, description: str, suffix: str) -> Any:
        try:
            role = make(backend, service_name, description, suffix)
        except module.EntityAlreadyExists as there:
            ending = f"_{suffix}" if suffix else ""
            own = [role.name for role in backend.roles.values() if role._linked_service == service_name]
            taken = next((name for name in own if name.endswith(ending)), service_name)
            text = f"Service role name {taken} has been taken in this account, please try a different suffix."
            raise AwsError("InvalidInput", text) from there
        if policy := POLICIES.get(role.name):
            backend.attach_role_policy(policy, role.name)
        return role

    def delete_role(backend: Any, role_name: str) -> None:
        if backend.get_role(role_name)._linked_service:
            text = f"Cannot perform the operation on the protected role '{role_name}' - this role is only modifiable by AWS"
            raise AwsError("UnmodifiableEntity", text)
        delete(backend, role_name)

    def delete_service_linked_role(backend: Any, role_name: str) -> str:
        role = backend.get_role(role_name)
        if not role._linked_service:
            raise AwsError("InvalidInput", f"Role {role_name} is not a service-linked role.")
        task = f"task{role.path}{role_name}/{mock_random.uuid4()}"
        if used := uses(role._linked_service):
            usage = [{"Region": region, "Resources": arns} for region, arns in used.items()]
            reason = "The role is in use. Delete the resources that need it, then delete the role."
            vars(backend).setdefault("refused_deletions", {})[task] = {"Reason": reason, "RoleUsageList": usage}
            return task
        for policy in list(role.managed_policies):
            backend.detach_role_policy(policy, role_name)
        delete(backend, role_name)
        return task

    iam.create_service_linked_role = create_service_linked_role
    iam.delete_role = delete_role
    iam.delete_service_linked_role = delete_service_linked_role


def patch_responses(module: ModuleType) -> None:
    """Have a task tell why it did not delete its role."""

    def get_service_linked_role_deletion_status(response: Any) -> ActionResult:
        refused = vars(response.backend).get("refused_deletions", {}).get(response._get_param("DeletionTaskId"))
        return ActionResult({"Status": "FAILED", "Reason": refused} if refused else {"Status": "SUCCEEDED"})

    module.IamResponse.get_service_linked_role_deletion_status = get_service_linked_role_deletion_status
