"""GuardDuty's lists (threat and trusted, addresses and entities), protection plans, and usage."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.blocks import Actions, Field, Form, Notice, Table, facts, link
from simulator.console.texts import t
from simulator.console.views.findings import detector
from simulator.console.web import api, confirmed, done, not_confirmed, posted, shared, show

pages = Blueprint("lists", __name__)
FORMATS = ("TXT", "STIX", "OTX_CSV", "ALIEN_VAULT", "PROOF_POINT", "FIRE_EYE")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of list: how the API's operations and members name it."""

    title: str
    operation: str
    member: str
    ids: str


KINDS = {
    "threat": Kind("Threat IP lists", "ThreatIntelSet", "ThreatIntelSetId", "ThreatIntelSetIds"),
    "trusted": Kind("Trusted IP lists", "IPSet", "IpSetId", "IpSetIds"),
    "threat-entity": Kind("Threat entity lists", "ThreatEntitySet", "ThreatEntitySetId", "ThreatEntitySetIds"),
    "trusted-entity": Kind("Trusted entity lists", "TrustedEntitySet", "TrustedEntitySetId", "TrustedEntitySetIds"),
}


@pages.get("/console/guardduty/lists")
def lists() -> Response:
    """Show all lists, and forms to add one and to change each."""
    which = detector()
    tables = [_table(which, name, kind) for name, kind in KINDS.items()]
    return show(
        t("Lists"),
        Notice(
            text=t("GuardDuty reports what is on a threat list and ignores what is on a trusted one. Neither stops any traffic.")
        ),
        *tables,
        Form(
            action="/console/guardduty/lists/add",
            title=t("Add a list"),
            submit=t("Add list"),
            fields=(
                Field(
                    name="kind", label=t("Kind"), kind="select", value="threat",
                    options=tuple((name, t(kind.title)) for name, kind in KINDS.items()),
                ),
                Field(name="name", label=t("List name"), required=True),
                Field(name="location", label=t("Location"), required=True, help=t("Such as s3://bucket/key")),
                Field(name="format", label=t("Format"), kind="select", value="TXT", options=tuple((f, f) for f in FORMATS)),
                Field(name="activate", label=t("Activate it"), kind="checkbox", value="yes"),
            ),
        ),
    )  # fmt: skip


def _table(which: str, name: str, kind: Kind) -> Table:
    ids = api().pages("guardduty", f"List{kind.operation}s", kind.ids, "NextToken", DetectorId=which)
    rows = []
    for each in ids:
        found = api().call("guardduty", f"Get{kind.operation}", DetectorId=which, **{kind.member: each})
        rows.append(_row(name, each, found))
    return Table(
        title=t(kind.title),
        columns=(t("List name"), t("List ID"), t("Format"), t("Location"), t("Status"), t("Actions")),
        rows=tuple(rows),
        empty=t("There is no list of this kind."),
    )


def _row(name: str, list_id: str, found: dict[str, Any]) -> tuple[Any, ...]:
    status = str(found["Status"])
    location = str(found["Location"])
    buttons = [_button(name, list_id, "deactivate" if status == "ACTIVE" else "activate")]
    leave = Actions(
        forms=tuple(buttons), links=(link(t("Delete"), f"/console/guardduty/lists/{name}/{list_id}/delete"),)
    )
    return (
        found["Name"], blocks.code(list_id), found["Format"], link(location, _object(location)), blocks.state(status), leave,
    )  # fmt: skip


def _button(name: str, list_id: str, what: str) -> Form:
    label = t("Activate") if what == "activate" else t("Deactivate")
    return Form(action=f"/console/guardduty/lists/{name}/{list_id}/{what}", submit=label)


def _object(location: str) -> str | None:
    """Return the page of the object that a location names, in any of the forms that GuardDuty takes."""
    scheme, _, rest = location.partition("://")
    host, _, path = rest.partition("/")
    if scheme == "s3":
        return links.stored_object(host, path)
    if host.startswith(("s3.", "s3-")):
        bucket, _, key = path.partition("/")
        return links.stored_object(bucket, key)
    return links.stored_object(host.split(".s3", 1)[0], path) if ".s3" in host else None


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise NotFound
    return KINDS[name]


@pages.post("/console/guardduty/lists/add")
def add() -> Response:
    """Add a list."""
    kind = _kind(posted("kind"))
    api().call(
        "guardduty", f"Create{kind.operation}", DetectorId=detector(), Name=posted("name").strip(), Format=posted("format"),
        Location=posted("location").strip(), Activate=posted("activate") == "yes",
    )  # fmt: skip
    return done("/console/guardduty/lists", t("The list was added. Its activation takes some minutes."))


@pages.post("/console/guardduty/lists/<name>/<list_id>/<any(activate, deactivate):what>")
def switch(name: str, list_id: str, what: str) -> Response:
    """Activate or deactivate a list."""
    kind = _kind(name)
    api().call(
        "guardduty",
        f"Update{kind.operation}",
        DetectorId=detector(),
        Activate=what == "activate",
        **{kind.member: list_id},
    )
    return done("/console/guardduty/lists", t("The list is being changed. It takes some minutes."))


@pages.get("/console/guardduty/lists/<name>/<list_id>/delete")
def ask_to_delete(name: str, list_id: str) -> Response:
    """Ask whether to delete a list."""
    kind = _kind(name)
    found = api().call("guardduty", f"Get{kind.operation}", DetectorId=detector(), **{kind.member: list_id})
    return show(
        t("Delete {name}", name=found["Name"]),
        Form(
            action=f"/console/guardduty/lists/{name}/{list_id}/delete",
            title=t("Delete the list {name}?", name=found["Name"]),
            submit=t("Delete"),
            danger=True,
            cancel="/console/guardduty/lists",
            fields=(Field(name="confirm", label=t("To confirm deletion, type delete in the field."), required=True),),
        ),
        crumbs=((t("Lists"), "/console/guardduty/lists"),),
    )


@pages.post("/console/guardduty/lists/<name>/<list_id>/delete")
def delete(name: str, list_id: str) -> Response:
    """Delete a list, once the word was typed."""
    if not confirmed("delete"):
        return not_confirmed("delete")
    kind = _kind(name)
    api().call("guardduty", f"Delete{kind.operation}", DetectorId=detector(), **{kind.member: list_id})
    return done("/console/guardduty/lists", t("The list was deleted."))


@pages.get("/console/guardduty/protection")
def protection() -> Response:
    """Show the detector and its protection plans."""
    which = detector()
    found = api().call("guardduty", "GetDetector", DetectorId=which)
    rows = tuple(
        (
            each["Name"],
            blocks.state(each["Status"]),
            blocks.time(each.get("UpdatedAt")),
            _toggle(each["Name"], each["Status"]),
        )
        for each in found.get("Features", [])
    )
    frequency = found.get("FindingPublishingFrequency", "")
    return show(
        t("Protection plans"),
        facts(
            t("Detector"),
            (t("Detector ID"), blocks.code(which)),
            (t("Status"), blocks.state(found["Status"])),
            (t("Service role"), blocks.code(found.get("ServiceRole", ""))),
            (t("Created at"), blocks.time(found.get("CreatedAt"))),
        ),
        Table(
            title=t("Protection plans"),
            columns=(t("Feature"), t("Status"), t("Updated at"), t("Actions")),
            rows=rows,
            empty=t("The detector has no features."),
            intro=t("LAMBDA_NETWORK_LOGS is Lambda Protection: the network activity of every function in the account."),
        ),
        Form(
            action="/console/guardduty/protection/frequency",
            title=t("Export of findings"),
            submit=t("Save"),
            fields=(
                Field(
                    name="frequency", label=t("Frequency for updated findings"), kind="select", value=frequency,
                    options=tuple((each, each) for each in ("FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS")),
                ),
            ),
        ),
    )  # fmt: skip


def _toggle(name: str, status: str) -> Form | None:
    if name in ("FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS"):
        return None  # foundational sources cannot be turned off
    turned = "DISABLED" if status == "ENABLED" else "ENABLED"
    return Form(
        action="/console/guardduty/protection/feature",
        submit=t("Disable") if turned == "DISABLED" else t("Enable"),
        fields=(
            Field(name="name", label="", kind="hidden", value=name),
            Field(name="status", label="", kind="hidden", value=turned),
        ),
    )


@pages.post("/console/guardduty/protection/feature")
def set_feature() -> Response:
    """Turn a protection plan on or off."""
    feature = {"Name": posted("name"), "Status": posted("status")}
    api().call("guardduty", "UpdateDetector", DetectorId=detector(), Features=[feature])
    return done("/console/guardduty/protection", t("The protection plan was changed."))


@pages.post("/console/guardduty/protection/frequency")
def set_frequency() -> Response:
    """Set how often updated findings are published."""
    api().call("guardduty", "UpdateDetector", DetectorId=detector(), FindingPublishingFrequency=posted("frequency"))
    return done("/console/guardduty/protection", t("The frequency was saved."))


@pages.get("/console/guardduty/usage")
def usage() -> Response:
    """Show what GuardDuty would cost, by feature."""
    answer = api().call(
        "guardduty",
        "GetUsageStatistics",
        DetectorId=detector(),
        UsageStatisticType="SUM_BY_FEATURES",
        UsageCriteria={"AccountIds": [shared().running.account_id]},
    )
    rows = tuple(
        (each.get("Feature"), f"{each['Total'].get('Amount', '0')} {each['Total'].get('Unit', 'USD')}")
        for each in answer.get("UsageStatistics", {}).get("SumByFeature", [])
    )
    return show(
        t("Usage"),
        Table(
            title=t("Estimated daily average, by feature"),
            columns=(t("Feature"), t("Cost")),
            rows=rows,
            empty=t("There is no usage yet."),
            intro=t("As on AWS. In this lab nothing is billed."),
        ),
    )
