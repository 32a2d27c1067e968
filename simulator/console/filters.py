"""The findings page's filter: what the address says, as the API's criteria, and the addresses that change it.

Fields and their meaning: GuardDuty user guide, "Filtering findings"; archived and current are one field of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.console import links

PAGE = "/console/guardduty/findings"
SEVERITIES = {"Low": ("1", "2", "3"), "Medium": ("4", "5", "6"), "High": ("7", "8"), "Critical": ("9", "10")}
"""GuardDuty's names of severities and the numbers that stand for them."""
RESOURCE_TYPES = (
    "AccessKey", "Container", "ECSCluster", "EKSCluster", "Instance", "KubernetesCluster", "Lambda", "RDSDBInstance", "S3Bucket",
)  # fmt: skip
_NETWORK = "service.action.networkConnectionAction."
ATTRIBUTES: tuple[tuple[str, str], ...] = (
    ("resource.resourceType", "Resource type"),
    ("type", "Finding type"),
    ("severity", "Severity"),
    ("id", "Finding ID"),
    ("accountId", "Account ID"),
    ("region", "Region"),
    ("resource.lambdaDetails.functionName", "Lambda function name"),
    ("resource.lambdaDetails.functionArn", "Lambda function ARN"),
    ("resource.lambdaDetails.tags.key", "Lambda function tag key"),
    ("resource.lambdaDetails.tags.value", "Lambda function tag value"),
    ("resource.instanceDetails.instanceId", "Instance ID"),
    ("resource.accessKeyDetails.userName", "User name"),
    ("resource.accessKeyDetails.accessKeyId", "Access key ID"),
    ("resource.accessKeyDetails.principalId", "Principal ID"),
    ("resource.accessKeyDetails.userType", "User type"),
    ("resource.s3BucketDetails.name", "S3 bucket name"),
    ("service.action.actionType", "Action type"),
    (f"{_NETWORK}remoteIpDetails.ipAddressV4", "Remote IPv4 address"),
    (f"{_NETWORK}remoteIpDetails.country.countryName", "Remote country"),
    (f"{_NETWORK}remoteIpDetails.organization.asn", "Remote ASN ID"),
    (f"{_NETWORK}remoteIpDetails.organization.asnOrg", "Remote ASN name"),
    (f"{_NETWORK}remotePortDetails.port", "Remote port"),
    (f"{_NETWORK}protocol", "Network protocol"),
    (f"{_NETWORK}connectionDirection", "Connection direction"),
    (f"{_NETWORK}blocked", "Action blocked"),
    ("service.action.awsApiCallAction.api", "API call"),
    ("service.action.awsApiCallAction.remoteIpDetails.ipAddressV4", "API caller IPv4 address"),
    ("service.action.awsApiCallAction.remoteIpDetails.country.countryName", "API caller country"),
    ("service.action.awsApiCallAction.remoteIpDetails.organization.asn", "API caller ASN ID"),
    ("service.action.dnsRequestAction.domain", "DNS request domain"),
    ("service.additionalInfo.threatListName", "Threat list name"),
    ("service.resourceRole", "Resource role"),
)  # fmt: skip
"""The attributes that the page offers: the API's field and the page's label."""
LABELS = dict(ATTRIBUTES)
STATES = {"current": ("false",), "archived": ("true",), "all": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One condition: a field and a value, which findings must have or, with `excluded`, must not."""

    field: str
    value: str
    excluded: bool = False

    @property
    def text(self) -> str:
        """Return the condition as the address holds it."""
        return f"{self.field}|{'ne' if self.excluded else 'eq'}|{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the findings page shows: state (`macros`, as the AWS console's address calls it), conditions, order."""

    state: str = "current"
    chosen: tuple[Chosen, ...] = ()
    sort: str = "updatedAt"
    order: str = "DESC"

    def criteria(self) -> dict[str, Any]:
        """Return the API's FindingCriteria."""
        criterion: dict[str, dict[str, list[str]]] = {}
        for each in self.chosen:
            values = SEVERITIES.get(each.value, (each.value,)) if each.field == "severity" else (each.value,)
            condition = criterion.setdefault(each.field, {})
            condition.setdefault("NotEquals" if each.excluded else "Equals", []).extend(values)
        if STATES[self.state]:
            criterion["service.archived"] = {"Equals": list(STATES[self.state])}
        return {"Criterion": criterion}

    def address(self, **more: str) -> str:
        """Return the address of the page with this filter; `more` is added to its query."""
        query: dict[str, Any] = {
            "macros": self.state,
            "f": [each.text for each in self.chosen],
            "sort": "" if self.sort == "updatedAt" else self.sort,
            "order": "" if self.order == "DESC" else self.order,
        }
        return links.with_query(PAGE, {**query, **more})

    def within(self, field: str, value: str, *, excluded: bool = False) -> "Filter":
        """Return this filter with one more condition."""
        added = Chosen(field=field, value=value, excluded=excluded)
        return self if added in self.chosen else replace(self, chosen=(*self.chosen, added))

    def without(self, condition: Chosen) -> "Filter":
        """Return this filter with one condition less."""
        return replace(self, chosen=tuple(each for each in self.chosen if each != condition))

    def sorted_by(self, field: str) -> "Filter":
        """Return this filter ordered by a field, the other way round where it is ordered by it already."""
        descends = self.sort == field and self.order == "DESC"
        return replace(self, sort=field, order="ASC" if descends else "DESC")


def read(query: Mapping[str, list[str]]) -> Filter:
    """Return the filter that an address's query holds. What makes no sense in it is left out."""
    last = {key: values[-1] for key, values in query.items() if values}
    chosen = []
    for text in query.get("f", []):
        field, _, rest = text.partition("|")
        how, _, value = rest.partition("|")
        if field in LABELS and how in ("eq", "ne") and value:
            chosen.append(Chosen(field=field, value=value, excluded=how == "ne"))
    state = last.get("macros", "current")
    return Filter(
        state=state if state in STATES else "current",
        chosen=tuple(chosen),
        sort=last.get("sort", "updatedAt"),
        order="ASC" if last.get("order") == "ASC" else "DESC",
    )


def of_criteria(criteria: Mapping[str, Any]) -> str:
    """Return a saved filter's criteria in a line to read."""
    said = []
    for field, condition in criteria.get("Criterion", {}).items():
        for how, values in condition.items():
            sign = {"Equals": "=", "Eq": "=", "NotEquals": "≠", "Neq": "≠"}.get(how, how)
            told = ", ".join(map(str, values)) if isinstance(values, list) else str(values)
            said.append(f"{field} {sign} {told}")
    return "; ".join(said)
