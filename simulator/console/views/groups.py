"""VPC: security groups; create one, and edit what it lets out."""

import re
from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.aws import ApiError
from simulator.console.blocks import Actions, Field, Form, Notice, Table, facts, link
from simulator.console.texts import t
from simulator.console.web import api, argument, done, posted, show

pages = Blueprint("groups", __name__)
GROUPS = "/console/vpc/security-groups"


@pages.get(GROUPS)
def groups() -> Response:
    """Show the security groups, and a form to create one."""
    more = {"NextToken": argument("next")} if argument("next") else {}
    answer = api().call("ec2", "DescribeSecurityGroups", MaxResults=200, **more)
    vpcs = api().call("ec2", "DescribeVpcs")["Vpcs"]
    following = answer.get("NextToken")
    return show(
        t("VPC security groups"),
        Table(
            title=t("Security groups"),
            columns=(t("Security group ID"), t("Name"), t("VPC ID"), t("Description")),
            rows=tuple(
                (
                    link(each["GroupId"], links.security_group(each["GroupId"])),
                    each["GroupName"],
                    each.get("VpcId"),
                    each.get("Description"),
                )
                for each in answer["SecurityGroups"]
            ),
            empty=t("There are no security groups."),
            more=links.with_query(GROUPS, {"next": following}) if following else None,
            first=GROUPS if argument("next") else None,
        ),
        Form(
            action=GROUPS,
            title=t("Create security group"),
            submit=t("Create security group"),
            intro=t("A new group lets everything out, and filters nothing until something is attached to it."),
            fields=(
                Field(name="name", label=t("Security group name"), required=True),
                Field(name="description", label=t("Description"), required=True),
                Field(
                    name="vpc", label="VPC", kind="select", value="",
                    options=tuple((each["VpcId"], f"{each['VpcId']} ({each['CidrBlock']})") for each in vpcs),
                ),
            ),
        ),
    )  # fmt: skip


@pages.post(GROUPS)
def create() -> Response:
    """Create a security group."""
    made = api().call(
        "ec2",
        "CreateSecurityGroup",
        GroupName=posted("name").strip(),
        Description=posted("description"),
        VpcId=posted("vpc"),
    )
    return done(links.security_group(made["GroupId"]), t("The security group was created."))


@pages.get(f"{GROUPS}/<group_id>")
def group(group_id: str) -> Response:
    """Show a security group's rules, and forms to edit those for outbound traffic."""
    found = api().call("ec2", "DescribeSecurityGroups", GroupIds=[group_id])["SecurityGroups"][0]
    here = links.security_group(group_id)
    leaving = found.get("IpPermissionsEgress", [])
    return show(
        found["GroupName"],
        Actions(forms=(Form(action=f"{here}/delete", submit=t("Delete"), danger=True),)),
        facts(
            t("Details"),
            (t("Security group ID"), blocks.code(group_id)),
            (t("VPC ID"), found.get("VpcId")),
            (t("Description"), found.get("Description")),
        ),
        Table(
            title=t("Outbound rules"),
            columns=(t("Protocol"), t("Port range"), t("Destination"), t("Description"), ""),
            rows=tuple(
                (*rule, _drop(here, number, part))
                for number, permission in enumerate(leaving)
                for part, rule in enumerate(_rules(permission))
            ),
            empty=t("There are no outbound rules: nothing gets out."),
        ),
        Form(
            action=f"{here}/egress",
            title=t("Add an outbound rule"),
            submit=t("Save"),
            fields=(
                Field(
                    name="protocol", label=t("Protocol"), kind="select", value="tcp",
                    options=(("tcp", "TCP"), ("udp", "UDP"), ("-1", t("All traffic"))),
                ),
                Field(name="from", label=t("From port"), kind="number", value="443"),
                Field(name="to", label=t("To port"), kind="number", value="443"),
                Field(name="cidr", label=t("Destination (CIDR)"), value="0.0.0.0/0", required=True),
            ),
        ),
        Table(
            title=t("Inbound rules"),
            columns=(t("Protocol"), t("Port range"), t("Source"), t("Description")),
            rows=tuple(rule for permission in found.get("IpPermissions", []) for rule in _rules(permission)),
            empty=t("There are no inbound rules."),
        ),
        Notice(text=t("A group works where it is attached. A function outside a VPC has none.")),
        crumbs=((t("VPC security groups"), GROUPS),),
    )  # fmt: skip


def _rules(permission: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return a row for every peer of a permission: protocol, ports, peer, description."""
    protocol = {"-1": t("All traffic")}.get(permission["IpProtocol"], permission["IpProtocol"].upper())
    start, end = permission.get("FromPort"), permission.get("ToPort")
    ports = t("All") if start in (None, -1) else (str(start) if start == end else f"{start}–{end}")
    return [(protocol, ports, peer, each.get("Description")) for peer, each, _, _ in _peers(permission)]


_PEERS = (
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId"),
)


def _peers(permission: dict[str, Any]) -> list[tuple[str, dict[str, Any], str, str]]:
    return [(each.get(name, ""), each, member, name) for member, name in _PEERS for each in permission.get(member, [])]


def _drop(here: str, number: int, part: int) -> Form:
    return Form(
        action=f"{here}/egress/delete",
        submit=t("Remove"),
        danger=True,
        fields=(
            Field(name="rule", label="", kind="hidden", value=str(number)),
            Field(name="part", label="", kind="hidden", value=str(part)),
        ),
    )


@pages.post(f"{GROUPS}/<group_id>/egress")
def allow(group_id: str) -> Response:
    """Add an outbound rule."""
    permission: dict[str, Any] = {"IpProtocol": posted("protocol"), "IpRanges": [{"CidrIp": posted("cidr").strip()}]}
    if posted("protocol") != "-1":
        for name, text in (("FromPort", posted("from")), ("ToPort", posted("to"))):
            if not re.fullmatch(r"\d{1,5}", text):
                raise ApiError("", t("{text} is no whole number.", text=text or "…"))
            permission[name] = int(text)
    api().call("ec2", "AuthorizeSecurityGroupEgress", GroupId=group_id, IpPermissions=[permission])
    return done(links.security_group(group_id), t("The outbound rule was added."))


@pages.post(f"{GROUPS}/<group_id>/egress/delete")
def revoke(group_id: str) -> Response:
    """Remove an outbound rule: the peer of the permission that the form counted to."""
    found = api().call("ec2", "DescribeSecurityGroups", GroupIds=[group_id])["SecurityGroups"][0]
    try:
        permission = found["IpPermissionsEgress"][int(posted("rule"))]
        peer, _, member, name = _peers(permission)[int(posted("part"))]
    except (IndexError, ValueError) as gone:
        raise ApiError("", t("That rule is not there any more.")) from gone
    ports = {key: permission[key] for key in ("FromPort", "ToPort") if permission.get(key) is not None}
    revoked = {"IpProtocol": permission["IpProtocol"], **ports, member: [{name: peer}]}
    api().call("ec2", "RevokeSecurityGroupEgress", GroupId=group_id, IpPermissions=[revoked])
    return done(links.security_group(group_id), t("The outbound rule was removed."))


@pages.post(f"{GROUPS}/<group_id>/delete")
def delete(group_id: str) -> Response:
    """Delete a security group. AWS refuses while it is in use."""
    api().call("ec2", "DeleteSecurityGroup", GroupId=group_id)
    return done(GROUPS, t("The security group was deleted."))
