"""GuardDuty's findings: the list with its filter, a finding's panel, archiving, feedback, suppression rules."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from simulator.console import blocks, filters
from simulator.console import findings as panel
from simulator.console.aws import ApiError
from simulator.console.filters import Filter
from simulator.console.texts import t
from simulator.console.web import api, argument, done, posted, render, show

pages = Blueprint("findings", __name__)
PAGE = 50
"""Findings on a page: the most that the API gives at once."""


def detector() -> str:
    """Return the Region's detector. Raises ApiError where there is none."""
    found = api().call("guardduty", "ListDetectors")["DetectorIds"]
    if not found:
        raise ApiError("", t("GuardDuty is not enabled: there is no detector in this Region."))
    return str(found[0])


@pages.get("/console/guardduty/findings")
def findings() -> Response:
    """Show the findings that the filter lets through, and the panel of one."""
    chosen = filters.read(request.args.to_dict(flat=False))
    which = detector()
    order = {"AttributeName": chosen.sort, "OrderBy": chosen.order}
    more = {"NextToken": argument("next")} if argument("next") else {}
    criteria = chosen.criteria()
    listed = api().call(
        "guardduty", "ListFindings", DetectorId=which, FindingCriteria=criteria, SortCriteria=order, MaxResults=PAGE, **more
    )  # fmt: skip
    ids = listed["FindingIds"]
    opened = argument("fId")
    wanted = list(dict.fromkeys([*ids, *([opened] if opened else [])]))
    found = _get(which, wanted)
    rows = [found[each] for each in ids if each in found]
    return render(
        "findings.html",
        title=t("Findings"),
        chosen=chosen,
        conditions=[(each, filters.LABELS[each.field]) for each in chosen.chosen],
        findings=[_row(each, chosen) for each in rows],
        severities=_severities(which, chosen),
        finding=found.get(opened),
        missing=opened if opened and opened not in found else "",
        sections=panel.sections(found[opened], chosen) if opened in found else (),
        source=blocks.json_text([found[opened]]) if opened in found else "",
        attributes=filters.ATTRIBUTES,
        facet=_facet(argument("add"), which, rows, chosen),
        next=chosen.address(next=listed["NextToken"]) if listed.get("NextToken") else None,
        first=chosen.address() if argument("next") else None,
    )


def _get(which: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return findings by id; those that are not there are left out."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), 50):
        part = api().call("guardduty", "GetFindings", DetectorId=which, FindingIds=ids[start : start + 50])
        found |= {each["Id"]: each for each in part["Findings"]}
    return found


def _row(finding: Mapping[str, Any], chosen: Filter) -> dict[str, Any]:
    name, tone = panel.severity(finding["Severity"])
    return {
        "id": finding["Id"],
        "type": finding["Type"],
        "href": chosen.address(fId=finding["Id"]),
        "severity": name,
        "tone": tone,
        "resource": panel.resource(finding),
        "seen": blocks.time(finding["Service"].get("EventLastSeen")),
        "count": finding["Service"].get("Count"),
        "account": finding["AccountId"],
        "archived": finding["Service"].get("Archived"),
    }


def _severities(which: str, chosen: Filter) -> list[tuple[str, str, int, str]]:
    """Return name, tone, count and address by severity, of the findings that the filter lets through."""
    counted = api().call(
        "guardduty", "GetFindingsStatistics", DetectorId=which, FindingStatisticTypes=["COUNT_BY_SEVERITY"],
        FindingCriteria=chosen.criteria(),
    )  # fmt: skip
    counts = {"Critical": 0, "High": 0, "Medium": 0, "Low": 0}
    for number, count in counted.get("FindingStatistics", {}).get("CountBySeverity", {}).items():
        counts[panel.severity(float(number))[0]] += count
    if not counts["Critical"]:
        del counts["Critical"]
    return [
        (name, panel.severity(float(filters.SEVERITIES[name][0]))[1], count, chosen.within("severity", name).address())
        for name, count in counts.items()
    ]


def _facet(field: str, which: str, rows: list[dict[str, Any]], chosen: Filter) -> dict[str, Any] | None:
    """Return an attribute's values to choose from: all that there can be, or those that the API or the page's findings show."""
    if field not in filters.LABELS:
        return None
    values: dict[str, int | None] = {}
    if field == "resource.resourceType":
        values = dict.fromkeys(filters.RESOURCE_TYPES)
    elif field == "severity":
        values = dict.fromkeys(filters.SEVERITIES)
    elif field == "type":
        told = api().call(
            "guardduty", "GetFindingsStatistics", DetectorId=which, GroupBy="FINDING_TYPE", MaxResults=100,
            FindingCriteria=chosen.criteria(),
        )  # fmt: skip
        groups = told["FindingStatistics"].get("GroupedByFindingType", [])
        values = {each["FindingType"]: each["TotalFindings"] for each in groups}
    else:
        for each in rows:
            for text in _values(each, field.split(".")):
                values[text] = (values.get(text) or 0) + 1
    options = [(text, count, chosen.within(field, text).address()) for text, count in sorted(values.items())]
    return {"field": field, "label": filters.LABELS[field], "options": options}


def _values(value: Any, path: list[str]) -> list[str]:
    """Return the texts at a path of the API's lower-case names in an answer."""
    if isinstance(value, list):
        return [text for each in value for text in _values(each, path)]
    if not path:
        return [] if isinstance(value, dict) else [str(value).lower() if isinstance(value, bool) else str(value)]
    if not isinstance(value, dict):
        return []
    return _values(value.get(path[0][:1].upper() + path[0][1:]), path[1:]) if value else []


@pages.get("/console/guardduty/findings/add")
def add_condition() -> Response:
    """Go back to the list with one more condition, from a value that was typed."""
    chosen = filters.read(request.args.to_dict(flat=False))
    field, value = argument("field"), argument("value").strip()
    if field in filters.LABELS and value:
        chosen = chosen.within(field, value, excluded=argument("how") == "ne")
    return redirect(chosen.address())


def _back() -> str:
    """Return the list's address that a form of the page gave."""
    back = posted("back")
    return back if back.startswith(filters.PAGE) else filters.PAGE


@pages.post("/console/guardduty/findings/archive")
def archive() -> Response:
    """Archive, or take back, the findings that were selected."""
    ids = request.form.getlist("id")
    if not ids:
        return done(_back(), t("No finding is selected, so nothing was done."), commands=())
    back = posted("do") == "unarchive"
    operation = "UnarchiveFindings" if back else "ArchiveFindings"
    api().call("guardduty", operation, DetectorId=detector(), FindingIds=ids)
    said = t("{count} taken back from the archive.", count=len(ids)) if back else t("{count} archived.", count=len(ids))
    return done(_back(), said)


@pages.post("/console/guardduty/findings/feedback")
def feedback() -> Response:
    """Say whether a finding was useful."""
    useful = "USEFUL" if posted("do") == "useful" else "NOT_USEFUL"
    api().call("guardduty", "UpdateFindingsFeedback", DetectorId=detector(), FindingIds=[posted("id")], Feedback=useful)
    return done(_back(), t("Thank you for the feedback."))


@pages.get("/console/guardduty/rules")
def rules() -> Response:
    """Show saved filters: those that archive are suppression rules."""
    which = detector()
    names = api().pages("guardduty", "ListFilters", "FilterNames", "NextToken", DetectorId=which)
    rows = []
    for name in names:
        saved = api().call("guardduty", "GetFilter", DetectorId=which, FilterName=name)
        drop = blocks.Form(
            action="/console/guardduty/rules/delete",
            submit=t("Delete"),
            fields=(blocks.Field(name="name", label="", kind="hidden", value=name),),
            danger=True,
        )
        rows.append(
            (name, saved.get("Description"), saved["Action"], filters.of_criteria(saved["FindingCriteria"]), drop)
        )
    return show(
        t("Suppression rules"),
        blocks.Table(
            title=t("Saved filters"),
            columns=(t("Name"), t("Description"), t("Action"), t("Criteria"), ""),
            rows=tuple(rows),
            empty=t("There is no saved filter. Filter the findings and save the filter there."),
            intro=t("A filter whose action is ARCHIVE archives findings on arrival. The traffic behind them goes on."),
        ),
    )


@pages.post("/console/guardduty/rules/create")
def create_rule() -> Response:
    """Save the list's filter as a suppression rule."""
    chosen = filters.read({key: request.form.getlist(key) for key in ("f", "macros")})
    criterion = chosen.criteria()["Criterion"]
    criterion.pop("service.archived", None)
    description = {"Description": posted("description")} if posted("description") else {}
    api().call(
        "guardduty", "CreateFilter", DetectorId=detector(), Name=posted("name").strip(), Action="ARCHIVE", Rank=1,
        FindingCriteria={"Criterion": criterion}, **description,
    )  # fmt: skip
    return done("/console/guardduty/rules", t("The suppression rule was saved."))


@pages.post("/console/guardduty/rules/delete")
def delete_rule() -> Response:
    """Delete a saved filter."""
    api().call("guardduty", "DeleteFilter", DetectorId=detector(), FilterName=posted("name"))
    return done("/console/guardduty/rules", t("The suppression rule was deleted."))
