"""Archiving, feedback, filters and suppression: what people do with findings, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

LAMBDA = {"Criterion": {"resource.lambdaDetails.functionName": {"Equals": ["traffic-simulation"]}}}


def runs(world: Any, count: int) -> None:
    """Have the function connect every ten minutes."""
    for _ in range(count):
        world.flow()
        world.wait(minutes=10)


def archived(world: Any) -> bool:
    """Tell whether the finding counts as archived."""
    found: bool = world.finding()["Service"]["Archived"]
    return found


def test_an_archived_finding_becomes_current_when_it_occurs_again(listed: Any) -> None:
    """Archiving hides what is, not what comes (checklist 32)."""
    runs(listed, 2)
    ids = [listed.finding()["Id"]]
    listed.call("ArchiveFindings", FindingIds=ids)
    assert archived(listed)
    listed.flow()
    listed.wait(minutes=3)
    assert archived(listed)
    listed.wait(minutes=3)
    assert not archived(listed)
    assert listed.finding()["Id"] == ids[0]


def test_an_archived_finding_stays_so_when_the_traffic_is_stopped(listed: Any) -> None:
    """Good closure after containment."""
    runs(listed, 2)
    ids = [listed.finding()["Id"]]
    listed.call("ArchiveFindings", FindingIds=ids)
    listed.wait(days=3)
    assert archived(listed)
    listed.call("UnarchiveFindings", FindingIds=ids)
    assert not archived(listed)


def test_archiving_is_all_or_nothing(listed: Any) -> None:
    """An unknown id among them refuses the call."""
    runs(listed, 1)
    error = listed.error("ArchiveFindings", FindingIds=[listed.finding()["Id"], "f" * 32])
    assert error.code == "BadRequestException"
    assert not archived(listed)


def test_feedback_shows(listed: Any) -> None:
    """UserFeedback appears and can change (checklist 35)."""
    runs(listed, 1)
    ids = [listed.finding()["Id"]]
    assert listed.call("UpdateFindingsFeedback", FindingIds=ids, Feedback="USEFUL", Comments="yes") == {}
    assert listed.finding()["Service"]["UserFeedback"] == "USEFUL"
    listed.call("UpdateFindingsFeedback", FindingIds=ids, Feedback="NOT_USEFUL")
    assert listed.finding()["Service"]["UserFeedback"] == "NOT_USEFUL"


def test_a_suppression_filter_archives_on_arrival(listed: Any) -> None:
    """And tells EventBridge nothing (checklist 33)."""
    listed.call("CreateFilter", Name="quiet", Action="ARCHIVE", FindingCriteria=LAMBDA)
    runs(listed, 40)
    assert archived(listed)
    assert listed.finding()["Service"]["Count"] == 40
    assert listed.lab.bus.events == []


def test_a_filter_leaves_alone_what_has_arrived(listed: Any) -> None:
    """Until it occurs again."""
    runs(listed, 2)
    listed.call("CreateFilter", Name="quiet", Action="ARCHIVE", FindingCriteria=LAMBDA)
    assert not archived(listed)
    runs(listed, 1)
    assert archived(listed)


def test_a_finding_returns_when_its_filter_is_gone(listed: Any) -> None:
    """With the next occurrence, and EventBridge is told."""
    listed.call("CreateFilter", Name="quiet", Action="ARCHIVE", FindingCriteria=LAMBDA)
    runs(listed, 2)
    listed.call("DeleteFilter", FilterName="quiet")
    assert archived(listed)
    runs(listed, 1)
    assert not archived(listed)
    runs(listed, 40)
    assert len(listed.lab.bus.events) == 1


def test_unarchiving_a_suppressed_finding_holds_until_it_occurs_again(listed: Any) -> None:
    """The hand counts until the filter does again."""
    listed.call("CreateFilter", Name="quiet", Action="ARCHIVE", FindingCriteria=LAMBDA)
    runs(listed, 2)
    listed.call("UnarchiveFindings", FindingIds=[listed.finding()["Id"]])
    assert not archived(listed)
    runs(listed, 1)
    assert archived(listed)


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"resource.lambdaDetails.functionVersion": {"Equals": ["$LATEST"]}}, True),
        ({"service.count": {"GreaterThan": 5}}, False),
        ({"type": {"Matches": ["UnauthorizedAccess:Lambda/*"]}}, True),
        ({"type": {"Matches": ["*EC2*", "*Caller.Custo?"]}}, True),
        ({"type": {"NotMatches": ["*Lambda*"]}}, False),
        ({"resource.lambdaDetails.description": {"Matches": ["[malicious]*"]}}, False),
        ({"service.additionalInfo.threatName": {"Equals": ["Customer Threat Intel"]}}, True),
        ({"service.archived": {"Equals": ["false"]}}, True),
        ({"severity": {"GreaterThan": 5}}, False),
        ({"resource.lambdaDetails.lastModifiedAt": {"LessThan": 1795368802124}}, True),
        ({"resource.lambdaDetails.lastModifiedAt": {"LessThan": 1795368802123}}, False),
        ({"service.additionalInfo.type": {"Equals": ["default"]}}, True),
        ({"service.evidence.threatIntelligenceDetails.threatNames": {"Equals": ["Customer Threat Intel"]}}, True),
    ],
)
def test_filters_may_name_any_field(listed: Any, criterion: dict[str, Any], expected: bool) -> None:
    """Also those that queries may not, and with wildcards."""
    listed.call("CreateFilter", Name="quiet", Action="ARCHIVE", FindingCriteria={"Criterion": criterion})
    runs(listed, 1)
    assert archived(listed) is expected


def test_a_filter_of_fields_that_no_finding_has_is_refused(world: Any) -> None:
    """Whatever begins otherwise than a finding's members."""
    for field in ("nothing", "resource", "resource.", "service..count", "detail.type"):
        criteria = {"Criterion": {field: {"Equals": ["x"]}}}
        assert world.error("CreateFilter", Name="quiet", FindingCriteria=criteria).code == "BadRequestException"
    assert world.call("ListFilters")["FilterNames"] == []


def test_a_filter_can_get_other_criteria(listed: Any) -> None:
    """What arrived under the old ones stays archived until it occurs again."""
    listed.call("CreateFilter", Name="quiet", Action="ARCHIVE", FindingCriteria=LAMBDA)
    runs(listed, 1)
    other = {"Criterion": {"type": {"Equals": ["Recon:EC2/Portscan"]}}}
    listed.call("UpdateFilter", FilterName="quiet", FindingCriteria=other, Description="narrower")
    assert archived(listed)
    runs(listed, 1)
    assert not archived(listed)
    shown = listed.call("GetFilter", FilterName="quiet")
    assert (shown["FindingCriteria"], shown["Description"], shown["Version"]) == (other, "narrower", 2)


def test_a_filter_without_action_does_nothing(listed: Any) -> None:
    """NOOP is the default, and an update can make it suppress."""
    listed.call("CreateFilter", Name="quiet", FindingCriteria=LAMBDA)
    runs(listed, 1)
    assert not archived(listed)
    assert listed.call("UpdateFilter", FilterName="quiet", Action="ARCHIVE") == {"Name": "quiet"}
    runs(listed, 1)
    assert archived(listed)


def test_a_filter_is_shown_as_it_was_made(world: Any) -> None:
    """Criteria come back as the client wrote them."""
    world.call("CreateFilter", Name="mine", Description="d", Rank=3, FindingCriteria=LAMBDA, Tags={"a": "b"})
    shown = world.call("GetFilter", FilterName="mine")
    assert shown["FindingCriteria"] == LAMBDA
    assert (shown["Action"], shown["Rank"], shown["Description"], shown["Tags"]) == ("NOOP", 3, "d", {"a": "b"})
    assert shown["Version"] == 1


def test_filters_are_listed_by_rank(world: Any) -> None:
    """A taken rank moves the others down."""
    for name in ("first", "second", "third"):
        world.call("CreateFilter", Name=name, FindingCriteria=LAMBDA)
    assert world.call("ListFilters")["FilterNames"] == ["third", "second", "first"]
    world.call("UpdateFilter", FilterName="third", Rank=3)
    assert world.call("GetFilter", FilterName="first")["Rank"] == 4
    assert world.call("ListFilters")["FilterNames"] == ["second", "third", "first"]


def test_filter_names_are_checked_and_unique(world: Any) -> None:
    """Letters, digits, dot, dash and underscore."""
    world.call("CreateFilter", Name="a.b-c_d", FindingCriteria=LAMBDA)
    assert "already exists" in world.error("CreateFilter", Name="a.b-c_d", FindingCriteria=LAMBDA).message
    assert world.error("CreateFilter", Name="with space", FindingCriteria=LAMBDA).code == "BadRequestException"


def test_there_are_at_most_100_filters(world: Any) -> None:
    """The 101st is refused."""
    for number in range(100):
        world.call("CreateFilter", Name=f"filter-{number}", FindingCriteria=LAMBDA)
    assert "limit" in world.error("CreateFilter", Name="more", FindingCriteria=LAMBDA).message


def test_an_unknown_filter_is_no_such_resource(world: Any) -> None:
    """For reading, changing and deleting."""
    for operation in ("GetFilter", "UpdateFilter", "DeleteFilter"):
        error = world.error(operation, FilterName="nobody")
        assert error.message == "The request is rejected since no such resource found."
