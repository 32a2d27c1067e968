"""AWS::IAM::*: roles, users, groups, their policies and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.errors import AwsError
from simulator.services.cloudformation.resources.base import (
    Handler,
    HandlerError,
    Properties,
    Work,
    as_document,
    as_json,
    gone,
    pick,
    tag_list,
    tag_map,
)


def _documents(policies: Any) -> dict[str, str]:
    return {str(policy["PolicyName"]): as_json(policy["PolicyDocument"]) for policy in policies or ()}


def _set_policies(work: Work, kind: str, name: str, old: Properties, new: Properties) -> None:
    """Bring inline and attached policies of a Role, User or Group from `old` to `new`."""
    who = {f"{kind}Name": name}
    before, after = _documents(old.get("Policies")), _documents(new.get("Policies"))
    for policy, document in after.items():
        if before.get(policy) != document:
            work.call("iam", f"Put{kind}Policy", **who, PolicyName=policy, PolicyDocument=document)
    for policy in before:
        if policy not in after:
            work.call("iam", f"Delete{kind}Policy", **who, PolicyName=policy)
    attached, wanted = list(old.get("ManagedPolicyArns", ())), list(new.get("ManagedPolicyArns", ()))
    for arn in wanted:
        if arn not in attached:
            work.call("iam", f"Attach{kind}Policy", **who, PolicyArn=arn)
    for arn in attached:
        if arn not in wanted:
            work.call("iam", f"Detach{kind}Policy", **who, PolicyArn=arn)


def _set_tags(work: Work, kind: str, name: str, old: Properties, new: Properties) -> None:
    before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
    lost = [key for key in before if key not in after]
    if after:
        work.call("iam", f"Tag{kind}", **{f"{kind}Name": name}, Tags=tag_list(after))
    if lost:
        work.call("iam", f"Untag{kind}", **{f"{kind}Name": name}, TagKeys=lost)


def _set_boundary(work: Work, kind: str, name: str, old: Properties, new: Properties) -> None:
    before, after = old.get("PermissionsBoundary"), new.get("PermissionsBoundary")
    if after and after != before:
        work.call("iam", f"Put{kind}PermissionsBoundary", **{f"{kind}Name": name}, PermissionsBoundary=after)
    elif before and not after:
        work.call("iam", f"Delete{kind}PermissionsBoundary", **{f"{kind}Name": name})


def _read_policies(work: Work, kind: str, name: str) -> dict[str, Any]:
    who = {f"{kind}Name": name}
    inline = work.read("iam", f"List{kind}Policies", **who)["PolicyNames"]
    attached = work.read("iam", f"ListAttached{kind}Policies", **who)["AttachedPolicies"]
    return {
        "Policies": [
            {
                "PolicyName": policy,
                "PolicyDocument": as_document(
                    work.read("iam", f"Get{kind}Policy", **who, PolicyName=policy)["PolicyDocument"]
                ),
            }
            for policy in inline
        ],
        "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
    }


class Role(Handler):
    """AWS::IAM::Role."""

    type = "AWS::IAM::Role"
    custom_name = "RoleName"

    def create(self, work: Work, props: Properties) -> str:
        """Create the role, then put and attach its policies."""
        name = props.get("RoleName") or work.name()
        work.call(
            "iam",
            "CreateRole",
            RoleName=name,
            AssumeRolePolicyDocument=as_json(props["AssumeRolePolicyDocument"]),
            Tags=work.tags(props.get("Tags")) or None,
            **pick(props, "Description MaxSessionDuration Path PermissionsBoundary"),
        )
        work.made(name)
        _set_policies(work, "Role", name, {}, props)
        return str(name)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change trust, description, session length, policies, boundary and tags."""
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            document = as_json(new["AssumeRolePolicyDocument"])
            work.call("iam", "UpdateAssumeRolePolicy", RoleName=physical_id, PolicyDocument=document)
        settings = "Description MaxSessionDuration"
        if pick(old, settings) != pick(new, settings):
            defaults = {"Description": "", "MaxSessionDuration": 3600}
            work.call("iam", "UpdateRole", RoleName=physical_id, **(defaults | pick(new, settings)))
        _set_policies(work, "Role", physical_id, old, new)
        _set_boundary(work, "Role", physical_id, old, new)
        _set_tags(work, "Role", physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Take the declared policies off and delete the role; others that were added make it fail, as on AWS."""
        _strip(work, "Role", physical_id, props)
        work.call("iam", "DeleteRole", RoleName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn and RoleId."""
        role = work.read("iam", "GetRole", RoleName=physical_id)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return trust, description, path, session length and policies."""
        role = work.read("iam", "GetRole", RoleName=physical_id)["Role"]
        trust = {"AssumeRolePolicyDocument": as_document(role["AssumeRolePolicyDocument"])}
        plain = pick(role, "Description MaxSessionDuration Path RoleName")
        return trust | plain | _read_policies(work, "Role", physical_id)


def _strip(work: Work, kind: str, name: str, props: Properties) -> None:
    """Remove the declared policies; those that somebody removed already are no failure."""
    who = {f"{kind}Name": name}
    for arn in props.get("ManagedPolicyArns", ()):
        _if_there(work, f"Detach{kind}Policy", who | {"PolicyArn": arn})
    for policy in _documents(props.get("Policies")):
        _if_there(work, f"Delete{kind}Policy", who | {"PolicyName": policy})


def _if_there(work: Work, operation: str, params: Mapping[str, Any]) -> None:
    try:
        work.call("iam", operation, **params)
    except AwsError as error:
        if not gone(error):
            raise


class Policy(Handler):
    """AWS::IAM::Policy: one inline policy on roles, users and groups."""

    type = "AWS::IAM::Policy"
    _holders: ClassVar = (("Roles", "Role"), ("Users", "User"), ("Groups", "Group"))

    def create(self, work: Work, props: Properties) -> str:
        """Put the policy on every holder."""
        physical_id = work.made(work.name(32))
        self._check_holders(props)
        self._put(work, props, {})
        return physical_id

    def _check_holders(self, props: Properties) -> None:
        """Raise HandlerError for a policy on nobody: AWS can neither make it nor, once it failed, delete it."""
        if not any(props.get(member) for member, _ in self._holders):
            raise HandlerError("At least one of [Groups,Roles,Users] must be non-empty.")

    def _put(self, work: Work, props: Properties, old: Properties) -> None:
        same = (
            as_json(old.get("PolicyDocument")) == as_json(props["PolicyDocument"])
            and old.get("PolicyName") == props["PolicyName"]
        )
        for member, kind in self._holders:
            for name in props.get(member, ()):
                if not same or name not in old.get(member, ()):
                    document = as_json(props["PolicyDocument"])
                    params = {f"{kind}Name": name, "PolicyName": props["PolicyName"], "PolicyDocument": document}
                    work.call("iam", f"Put{kind}Policy", **params)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put it anew and take it from holders that lost it."""
        self._check_holders(new)
        self._put(work, new, old)
        renamed = old["PolicyName"] != new["PolicyName"]
        for member, kind in self._holders:
            for name in old.get(member, ()):
                if renamed or name not in new.get(member, ()):
                    _if_there(work, f"Delete{kind}Policy", {f"{kind}Name": name, "PolicyName": old["PolicyName"]})

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Take the policy from every holder."""
        self._check_holders(props)
        for member, kind in self._holders:
            for name in props.get(member, ()):
                _if_there(work, f"Delete{kind}Policy", {f"{kind}Name": name, "PolicyName": props["PolicyName"]})

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class ManagedPolicy(Handler):
    """AWS::IAM::ManagedPolicy; Ref is its ARN."""

    type = "AWS::IAM::ManagedPolicy"
    custom_name = "ManagedPolicyName"
    _holders: ClassVar = (("Roles", "Role"), ("Users", "User"), ("Groups", "Group"))

    def create(self, work: Work, props: Properties) -> str:
        """Create the policy and attach it."""
        made = work.call(
            "iam",
            "CreatePolicy",
            PolicyName=props.get("ManagedPolicyName") or work.name(128),
            PolicyDocument=as_json(props["PolicyDocument"]),
            **pick(props, "Description Path"),
        )
        arn = work.made(made["Policy"]["Arn"])
        self._attach(work, arn, {}, props)
        return arn

    def _attach(self, work: Work, arn: str, old: Properties, new: Properties) -> None:
        for member, kind in self._holders:
            before, after = old.get(member, ()), new.get(member, ())
            for name in after:
                if name not in before:
                    work.call("iam", f"Attach{kind}Policy", **{f"{kind}Name": name}, PolicyArn=arn)
            for name in before:
                if name not in after:
                    _if_there(work, f"Detach{kind}Policy", {f"{kind}Name": name, "PolicyArn": arn})

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Make a new default version and delete the one before it."""
        if old["PolicyDocument"] != new["PolicyDocument"]:
            before = work.read("iam", "GetPolicy", PolicyArn=physical_id)["Policy"]["DefaultVersionId"]
            document = as_json(new["PolicyDocument"])
            work.call("iam", "CreatePolicyVersion", PolicyArn=physical_id, PolicyDocument=document, SetAsDefault=True)
            work.call("iam", "DeletePolicyVersion", PolicyArn=physical_id, VersionId=before)
        self._attach(work, physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Detach from the declared holders and delete."""
        self._attach(work, physical_id, props, {})
        work.call("iam", "DeletePolicy", PolicyArn=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return PolicyArn and what GetPolicy says of counts and versions."""
        policy = work.read("iam", "GetPolicy", PolicyArn=physical_id)["Policy"]
        return {"PolicyArn": physical_id} | pick(
            policy, "PolicyId DefaultVersionId AttachmentCount IsAttachable PermissionsBoundaryUsageCount"
        )

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return the document of the default version."""
        policy = work.read("iam", "GetPolicy", PolicyArn=physical_id)["Policy"]
        version = work.read("iam", "GetPolicyVersion", PolicyArn=physical_id, VersionId=policy["DefaultVersionId"])
        return {"PolicyDocument": as_document(version["PolicyVersion"]["Document"]), "Path": policy["Path"]}


class User(Handler):
    """AWS::IAM::User."""

    type = "AWS::IAM::User"
    custom_name = "UserName"

    def create(self, work: Work, props: Properties) -> str:
        """Create the user with groups, console password, policies."""
        name = props.get("UserName") or work.name()
        work.call(
            "iam",
            "CreateUser",
            UserName=name,
            Tags=work.tags(props.get("Tags")) or None,
            **pick(props, "Path PermissionsBoundary"),
        )
        work.made(name)
        if "LoginProfile" in props:
            work.call("iam", "CreateLoginProfile", UserName=name, **props["LoginProfile"])
        self._join(work, name, {}, props)
        _set_policies(work, "User", name, {}, props)
        return str(name)

    def _join(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Groups", ()), new.get("Groups", ())
        for group in after:
            if group not in before:
                work.call("iam", "AddUserToGroup", GroupName=group, UserName=name)
        for group in before:
            if group not in after:
                _if_there(work, "RemoveUserFromGroup", {"GroupName": group, "UserName": name})

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change groups, policies, boundary, password and tags."""
        if old.get("Path", "/") != new.get("Path", "/"):
            work.call("iam", "UpdateUser", UserName=physical_id, NewPath=new.get("Path", "/"))
        before, after = old.get("LoginProfile"), new.get("LoginProfile")
        if after and after != before:
            operation = "UpdateLoginProfile" if before else "CreateLoginProfile"
            work.call("iam", operation, UserName=physical_id, **after)
        elif before and not after:
            _if_there(work, "DeleteLoginProfile", {"UserName": physical_id})
        self._join(work, physical_id, old, new)
        _set_policies(work, "User", physical_id, old, new)
        _set_boundary(work, "User", physical_id, old, new)
        _set_tags(work, "User", physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Undo what create did and delete the user; keys made by others make it fail, as on AWS."""
        _strip(work, "User", physical_id, props)
        self._join(work, physical_id, props, {})
        if "LoginProfile" in props:
            _if_there(work, "DeleteLoginProfile", {"UserName": physical_id})
        work.call("iam", "DeleteUser", UserName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        return {"Arn": work.read("iam", "GetUser", UserName=physical_id)["User"]["Arn"]}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return path and policies."""
        user = work.read("iam", "GetUser", UserName=physical_id)["User"]
        return pick(user, "Path UserName") | _read_policies(work, "User", physical_id)


class Group(Handler):
    """AWS::IAM::Group."""

    type = "AWS::IAM::Group"
    custom_name = "GroupName"

    def create(self, work: Work, props: Properties) -> str:
        """Create the group and its policies."""
        name = props.get("GroupName") or work.name(128)
        work.call("iam", "CreateGroup", GroupName=name, **pick(props, "Path"))
        work.made(name)
        _set_policies(work, "Group", name, {}, props)
        return str(name)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change path and policies."""
        if old.get("Path", "/") != new.get("Path", "/"):
            work.call("iam", "UpdateGroup", GroupName=physical_id, NewPath=new.get("Path", "/"))
        _set_policies(work, "Group", physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Take the declared policies off and delete the group."""
        _strip(work, "Group", physical_id, props)
        work.call("iam", "DeleteGroup", GroupName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        return {"Arn": work.read("iam", "GetGroup", GroupName=physical_id)["Group"]["Arn"]}


class UserToGroupAddition(Handler):
    """AWS::IAM::UserToGroupAddition."""

    type = "AWS::IAM::UserToGroupAddition"

    def create(self, work: Work, props: Properties) -> str:
        """Add every user to the group."""
        physical_id = work.made(work.name(64))
        for user in props["Users"]:
            work.call("iam", "AddUserToGroup", GroupName=props["GroupName"], UserName=user)
        return physical_id

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Add who is new, remove who is not named any more."""
        moved = old["GroupName"] != new["GroupName"]
        for user in new["Users"]:
            if moved or user not in old["Users"]:
                work.call("iam", "AddUserToGroup", GroupName=new["GroupName"], UserName=user)
        for user in old["Users"]:
            if moved or user not in new["Users"]:
                _if_there(work, "RemoveUserFromGroup", {"GroupName": old["GroupName"], "UserName": user})

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Remove every user from the group."""
        for user in props["Users"]:
            _if_there(work, "RemoveUserFromGroup", {"GroupName": props["GroupName"], "UserName": user})

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class InstanceProfile(Handler):
    """AWS::IAM::InstanceProfile."""

    type = "AWS::IAM::InstanceProfile"
    custom_name = "InstanceProfileName"

    def create(self, work: Work, props: Properties) -> str:
        """Create the profile and put its role in."""
        name = props.get("InstanceProfileName") or work.name(128)
        work.call("iam", "CreateInstanceProfile", InstanceProfileName=name, **pick(props, "Path"))
        work.made(name)
        for role in props["Roles"]:
            work.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=role)
        return str(name)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change the role."""
        for role in old["Roles"]:
            if role not in new["Roles"]:
                params = {"InstanceProfileName": physical_id, "RoleName": role}
                _if_there(work, "RemoveRoleFromInstanceProfile", params)
        for role in new["Roles"]:
            if role not in old["Roles"]:
                work.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=physical_id, RoleName=role)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Take the role out and delete the profile."""
        for role in props["Roles"]:
            _if_there(work, "RemoveRoleFromInstanceProfile", {"InstanceProfileName": physical_id, "RoleName": role})
        work.call("iam", "DeleteInstanceProfile", InstanceProfileName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        profile = work.read("iam", "GetInstanceProfile", InstanceProfileName=physical_id)
        return {"Arn": profile["InstanceProfile"]["Arn"]}


class AccessKey(Handler):
    """AWS::IAM::AccessKey; Ref is the key's id, the secret an attribute. A new Serial makes a new key."""

    type = "AWS::IAM::AccessKey"

    def create(self, work: Work, props: Properties) -> str:
        """Create the key, set its status and keep the secret, which is told once, for `attributes`."""
        key = work.call("iam", "CreateAccessKey", UserName=props["UserName"])["AccessKey"]
        work.secrets["SecretAccessKey"] = key["SecretAccessKey"]
        physical_id = work.made(key["AccessKeyId"])
        if props.get("Status", "Active") != "Active":
            self.update(work, physical_id, {}, props)
        return physical_id

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change the status."""
        status = new.get("Status", "Active")
        work.call("iam", "UpdateAccessKey", UserName=new["UserName"], AccessKeyId=physical_id, Status=status)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the key."""
        work.call("iam", "DeleteAccessKey", UserName=props["UserName"], AccessKeyId=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id, and the secret when it was just made."""
        return {"Id": physical_id, **work.secrets}
