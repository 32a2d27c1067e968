"""IAM: roles with their trust, their policies, and when they were last used."""

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.blocks import Source, Table, facts, link
from simulator.console.texts import t
from simulator.console.web import api, argument, show

pages = Blueprint("roles", __name__)
ROLES = "/console/iam/roles"


@pages.get(ROLES)
def roles() -> Response:
    """Show the roles of the account."""
    more = {"Marker": argument("next")} if argument("next") else {}
    answer = api().call("iam", "ListRoles", MaxItems=100, **more)
    following = answer.get("Marker") if answer.get("IsTruncated") else None
    return show(
        t("IAM roles"),
        Table(
            title=t("Roles"),
            columns=(t("Role name"), t("Trusted entities"), t("Created at"), t("Description")),
            rows=tuple(
                (
                    link(each["RoleName"], links.role(each["RoleName"])),
                    _trusted(each.get("AssumeRolePolicyDocument") or {}),
                    blocks.time(each.get("CreateDate")),
                    each.get("Description"),
                )
                for each in answer["Roles"]
            ),
            empty=t("There are no roles."),
            more=links.with_query(ROLES, {"next": following}) if following else None,
            first=ROLES if argument("next") else None,
        ),
    )


def _trusted(document: dict[str, Any]) -> str:
    """Return who may assume a role, in a line."""
    statements = document.get("Statement", [])
    found = []
    for each in statements if isinstance(statements, list) else [statements]:
        principal = each.get("Principal", {})
        for kind, names in principal.items() if isinstance(principal, dict) else [("", principal)]:
            found += [f"{kind}: {name}".lstrip(": ") for name in (names if isinstance(names, list) else [names])]
    return ", ".join(dict.fromkeys(found))


@pages.get(f"{ROLES}/<name>")
def role(name: str) -> Response:
    """Show a role."""
    found = api().call("iam", "GetRole", RoleName=name)["Role"]
    used = found.get("RoleLastUsed") or {}
    attached = api().pages("iam", "ListAttachedRolePolicies", "AttachedPolicies", "Marker", RoleName=name)
    inline = api().pages("iam", "ListRolePolicies", "PolicyNames", "Marker", RoleName=name)
    documents = []
    for each in inline:
        policy = api().call("iam", "GetRolePolicy", RoleName=name, PolicyName=each)
        documents.append(
            Source(title=t("Inline policy {name}", name=each), text=blocks.json_text(policy["PolicyDocument"]))
        )
    return show(
        name,
        facts(
            t("Summary"),
            ("ARN", blocks.code(found["Arn"])),
            (t("Role ID"), blocks.code(found["RoleId"])),
            (t("Created at"), blocks.time(found.get("CreateDate"))),
            (
                t("Last used"),
                blocks.time(used["LastUsedDate"]) if used.get("LastUsedDate") else t("Not in the tracking period"),
            ),
            (t("Used in Region"), used.get("Region")),
            (t("Description"), found.get("Description")),
            (t("Maximum session duration"), t("{count} seconds", count=found.get("MaxSessionDuration", 3600))),
        ),
        Source(title=t("Trust relationships"), text=blocks.json_text(found.get("AssumeRolePolicyDocument", {}))),
        Table(
            title=t("Attached policies"),
            columns=(t("Policy name"), "ARN"),
            rows=tuple((each["PolicyName"], blocks.code(each["PolicyArn"])) for each in attached),
            empty=t("No managed policy is attached."),
        ),
        *documents,
        blocks.tags(found.get("Tags", [])),
        crumbs=((t("IAM roles"), ROLES),),
    )
