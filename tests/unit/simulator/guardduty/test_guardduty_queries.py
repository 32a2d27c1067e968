"""Listing, filtering, sorting and paging of findings."""

from __future__ import annotations

from typing import Any

import pytest

IP = "198.51.100.7"
INVALID = "The request is rejected because an invalid or out-of-range value is specified as an input parameter."


@pytest.fixture
def many(listed: Any) -> Any:
    """Return a world with one real finding, a sample of each kind of subject, and an archived one."""
    listed.flow()
    listed.wait(minutes=20)
    types = [
        "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
        "Discovery:S3/AnomalousBehavior",
        "Backdoor:EC2/C&CActivity.B",
        "Recon:EC2/PortProbeUnprotectedPort",
    ]
    for each in types:
        listed.call("CreateSampleFindings", FindingTypes=[each])
        listed.wait(minutes=1)
    (archived,) = listed.findings(type={"Equals": ["Discovery:S3/AnomalousBehavior"]})
    listed.call("ArchiveFindings", FindingIds=[archived["Id"]])
    return listed


def types(world: Any, **criterion: Any) -> set[str]:
    """Return the types of the findings that meet criteria, without their purpose."""
    found = world.findings(**{name.replace("__", "."): each for name, each in criterion.items()})
    return {each["Type"].partition(":")[2] for each in found}


LAMBDA = {"Lambda/MaliciousIPCaller.Custom"}
EC2 = {"EC2/C&CActivity.B", "EC2/PortProbeUnprotectedPort"}
IAM = {"IAMUser/MaliciousIPCaller.Custom"}
S3 = {"S3/AnomalousBehavior"}


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({}, LAMBDA | EC2 | IAM | S3),
        ({"resource.resourceType": {"Equals": ["Lambda"]}}, LAMBDA),
        ({"resource.resourceType": {"Eq": ["Lambda"]}}, LAMBDA),
        ({"resource.resourceType": {"Neq": ["Lambda", "Instance"]}}, IAM | S3),
        ({"resource.resourceType": {"NotEquals": ["Lambda"]}, "severity": {"Gte": 5}}, {"EC2/C&CActivity.B"} | IAM),
        ({"resource.lambdaDetails.functionName": {"Equals": ["traffic-simulation", "other"]}}, LAMBDA),
        ({"resource.lambdaDetails.functionName": {"Equals": ["traffic-simulatio"]}}, set()),
        ({"resource.lambdaDetails.tags.key": {"Equals": ["team"]}}, LAMBDA),
        ({"resource.lambdaDetails.tags.value": {"Equals": ["payments"]}}, LAMBDA),
        ({"resource.instanceDetails.instanceId": {"Equals": ["i-99999999"]}}, EC2),
        ({"resource.instanceDetails.networkInterfaces.securityGroups.groupId": {"Equals": ["x"]}}, set()),
        ({"resource.s3BucketDetails.name": {"Equals": ["amzn-s3-demo-bucket"]}}, S3),
        ({"severity": {"GreaterThanOrEqual": 4}}, LAMBDA | IAM | {"EC2/C&CActivity.B"}),
        ({"severity": {"GreaterThan": 5}}, {"EC2/C&CActivity.B"}),
        ({"severity": {"Gt": 4, "Lt": 6}}, LAMBDA | IAM),
        ({"severity": {"LessThanOrEqual": 2}}, S3 | {"EC2/PortProbeUnprotectedPort"}),
        ({"severity": {"Equals": ["4", "5", "6"]}}, LAMBDA | IAM),
        ({"severity": {"Equals": ["5.0"]}}, LAMBDA | IAM),
        ({"severity": {"NotEquals": ["2", "8"]}}, LAMBDA | IAM),
        ({"service.archived": {"Equals": ["false"]}}, LAMBDA | EC2 | IAM),
        ({"service.archived": {"Eq": ["true"]}}, S3),
        ({"service.action.networkConnectionAction.blocked": {"Equals": ["false"]}}, LAMBDA | {"EC2/C&CActivity.B"}),
        ({"service.action.networkConnectionAction.remotePortDetails.port": {"Equals": ["443"]}}, LAMBDA),
        ({"service.action.networkConnectionAction.remotePortDetails.port": {"GreaterThan": 80}}, LAMBDA),
        ({"service.action.networkConnectionAction.remoteIpDetails.ipAddressV4": {"Equals": [IP]}}, LAMBDA),
        ({"service.action.awsApiCallAction.remoteIpDetails.organization.asn": {"Equals": ["-1"]}}, IAM | S3),
        ({"service.additionalInfo.threatListName": {"Equals": ["S3BadIpAddressList"]}}, LAMBDA),
        ({"service.resourceRole": {"Equals": ["ACTOR"]}}, {"EC2/C&CActivity.B"}),
        ({"accountId": {"Equals": ["486547846362"]}, "region": {"Equals": ["us-east-1"]}}, LAMBDA | EC2 | IAM | S3),
        ({"confidence": {"GreaterThanOrEqual": 0}}, set()),
        ({"severity": {}}, LAMBDA | EC2 | IAM | S3),
        ({"type": {"Equals": []}}, set()),
    ],
)
def test_criteria(many: Any, criterion: dict[str, Any], expected: set[str]) -> None:
    """Fields AND, values OR, old operators as new ones (checklist 8 to 14)."""
    assert types(many, **criterion) == expected


def test_updated_at_compares_milliseconds(many: Any) -> None:
    """Epoch milliseconds, as AWS asks for (checklist 12)."""
    (finding,) = many.findings(**{"resource.resourceType": {"Equals": ["Lambda"]}})
    from datetime import datetime

    at = round(datetime.fromisoformat(finding["UpdatedAt"]).timestamp() * 1000)
    assert types(many, updatedAt={"LessThanOrEqual": at}) == LAMBDA
    assert types(many, updatedAt={"LessThan": at}) == set()
    assert types(many, updatedAt={"GreaterThan": at}) == EC2 | IAM | S3
    assert types(many, updatedAt={"Equals": [str(at)]}) == LAMBDA
    assert types(many, updatedAt={"Equals": [finding["UpdatedAt"]]}) == LAMBDA


@pytest.mark.parametrize(
    "field", ["nothing", "", "service.count", "resource.lambdaDetails.role", "service.eventLastSeen", "Type"]
)
def test_a_field_that_queries_do_not_know_is_refused(many: Any, field: str) -> None:
    """What only filters may name is refused here; AWS's own text is unknown."""
    error = many.error("ListFindings", FindingCriteria={"Criterion": {field: {"Equals": ["x"]}}})
    assert (error.code, error.message) == ("BadRequestException", INVALID)


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("resource.lambdaDetails.role", True),
        ("service.additionalInfo.threatName", True),
        ("resource.accessKeyDetails.userIdentity.sessionContext.sessionIssuer.userName", True),
        ("resource.lambdaDetail.functionName", False),
        ("resource.lambdaDetails.functionname", False),
        ("service.additionalInfo.nothing", False),
    ],
)
def test_a_filter_over_a_field_that_no_finding_has_is_refused(many: Any, field: str, known: bool) -> None:
    """A slip of the pen would suppress nothing, and say nothing; the fields are those that the API reference lists."""
    criteria = {"Criterion": {field: {"Equals": ["x"]}}}
    if known:
        assert many.call("CreateFilter", Name="own", FindingCriteria=criteria) == {"Name": "own"}
    else:
        assert many.error("CreateFilter", Name="own", FindingCriteria=criteria).message == INVALID


def test_matches_is_for_filters_only(many: Any) -> None:
    """So the model says."""
    assert many.error("ListFindings", FindingCriteria={"Criterion": {"type": {"Matches": ["*"]}}}).message == INVALID


def test_at_most_50_fields_and_values(many: Any) -> None:
    """One more of either is refused."""
    values = [str(number) for number in range(51)]
    assert many.error("ListFindings", FindingCriteria={"Criterion": {"id": {"Equals": values}}}).message == INVALID
    many.call("ListFindings", FindingCriteria={"Criterion": {"id": {"Equals": values[:50]}}})


def test_the_newest_update_comes_first(many: Any) -> None:
    """Our default order; AWS's is unknown."""
    updated = [each["UpdatedAt"] for each in many.findings()]
    assert updated == sorted(updated, reverse=True)


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ["severity", "type", "createdAt", "service.count", "accountId"])
def test_findings_sort_by_any_field(many: Any, field: str, order: str) -> None:
    """Both ways, in the listing and in the reading."""
    sort = {"AttributeName": field, "OrderBy": order}
    ids = many.call("ListFindings", SortCriteria=sort)["FindingIds"]
    found = many.call("GetFindings", FindingIds=list(reversed(ids)), SortCriteria=sort)["Findings"]
    keys = {
        "severity": lambda each: each["Severity"],
        "type": lambda each: each["Type"],
        "createdAt": lambda each: each["CreatedAt"],
        "service.count": lambda each: each["Service"]["Count"],
        "accountId": lambda each: each["AccountId"],
    }
    values = [keys[field](each) for each in found]
    assert values == sorted(values, reverse=order == "DESC")
    assert sorted(ids) == sorted(each["Id"] for each in found)


def test_findings_without_the_field_come_last(many: Any) -> None:
    """Whichever way."""
    for order in ("ASC", "DESC"):
        sort = {"AttributeName": "resource.lambdaDetails.functionName", "OrderBy": order}
        (first,) = many.call("GetFindings", FindingIds=many.call("ListFindings", SortCriteria=sort)["FindingIds"][:1])[
            "Findings"
        ]
        assert first["Resource"]["ResourceType"] == "Lambda"


def test_a_sort_field_that_is_none_is_refused(many: Any) -> None:
    """With AWS's text for bad values."""
    assert many.error("ListFindings", SortCriteria={"AttributeName": "no such", "OrderBy": "ASC"}).message == INVALID


def test_pages_end_with_an_empty_token(many: Any) -> None:
    """Five findings in pages of two: all of them, once each (checklist 16)."""
    ids, token, tokens = [], None, []
    while token != "":
        page = many.call("ListFindings", MaxResults=2, **({"NextToken": token} if token else {}))
        ids += page["FindingIds"]
        token = page["NextToken"]
        tokens.append(token)
    assert len(ids) == len(set(ids)) == 5
    assert [bool(each) for each in tokens] == [True, True, False]


def test_no_ids_give_no_findings(many: Any) -> None:
    """GetFindings takes an empty list (checklist 17)."""
    assert many.call("GetFindings", FindingIds=[]) == {"Findings": []}


def test_unknown_and_repeated_ids_are_passed_over(many: Any) -> None:
    """Each known finding once, in the order asked for."""
    ids = many.call("ListFindings")["FindingIds"]
    found = many.call("GetFindings", FindingIds=[ids[2], "f" * 32, ids[0], ids[2]])["Findings"]
    assert [each["Id"] for each in found] == [ids[2], ids[0]]


def test_findings_are_counted_by_severity(many: Any) -> None:
    """Keys are strings such as "5.0"."""
    counted = many.call("GetFindingsStatistics", FindingStatisticTypes=["COUNT_BY_SEVERITY"])
    assert counted == {"FindingStatistics": {"CountBySeverity": {"5.0": 2, "2.0": 2, "8.0": 1}}}


@pytest.mark.parametrize(
    ("group", "member", "expected"),
    [
        ("ACCOUNT", "GroupedByAccount", [({"AccountId": "486547846362"}, 5)]),
        ("SEVERITY", "GroupedBySeverity", [({"Severity": 5.0}, 2), ({"Severity": 2.0}, 2), ({"Severity": 8.0}, 1)]),
    ],
)
def test_findings_are_grouped(many: Any, group: str, member: str, expected: list[tuple[dict[str, Any], int]]) -> None:
    """The largest group comes first."""
    groups = many.call("GetFindingsStatistics", GroupBy=group)["FindingStatistics"][member]
    assert [
        ({name: each[name] for name in key}, each["TotalFindings"])
        for each, (key, _) in zip(groups, expected, strict=True)
    ] == expected
    assert all(each["LastGeneratedAt"] <= many.now for each in groups)


def test_findings_are_grouped_by_resource_type_and_date(many: Any) -> None:
    """Each grouping has the model's member and counts every finding once."""
    statistics = {
        group: many.call("GetFindingsStatistics", GroupBy=group)["FindingStatistics"]
        for group in ("RESOURCE", "FINDING_TYPE", "DATE")
    }
    resources = statistics["RESOURCE"]["GroupedByResource"]
    assert ("i-99999999", "Instance", 2) in [
        (each["ResourceId"], each["ResourceType"], each["TotalFindings"]) for each in resources
    ]
    assert len(statistics["FINDING_TYPE"]["GroupedByFindingType"]) == 5
    assert sum(each["TotalFindings"] for each in statistics["DATE"]["GroupedByDate"]) == 5


def test_groups_can_be_turned_round_and_cut(many: Any) -> None:
    """OrderBy and MaxResults."""
    groups = many.call("GetFindingsStatistics", GroupBy="SEVERITY", OrderBy="ASC", MaxResults=1)["FindingStatistics"]
    assert [(each["Severity"], each["TotalFindings"]) for each in groups["GroupedBySeverity"]] == [(8.0, 1)]


def test_statistics_are_asked_for_in_one_way(many: Any) -> None:
    """Both ways or neither are refused."""
    assert many.error("GetFindingsStatistics").message == INVALID
    both = {"GroupBy": "ACCOUNT", "FindingStatisticTypes": ["COUNT_BY_SEVERITY"]}
    assert many.error("GetFindingsStatistics", **both).message == INVALID
