"""Rules, packs and aggregators: the account has none, and says so. Making one is not part of the lab."""

from collections.abc import Sequence
from typing import Any, NoReturn

from simulator.errors import AwsError
from simulator.service import Context


class Rules:
    """What Config answers in an account without rules. Mixed into the service."""

    def describe_config_rules(
        self, ctx: Context, *, ConfigRuleNames: Sequence[str] = (), **_paging: Any
    ) -> dict[str, Any]:
        """Return no rules."""
        _refuse_rules(ConfigRuleNames)
        return {"ConfigRules": []}

    def describe_config_rule_evaluation_status(
        self, ctx: Context, *, ConfigRuleNames: Sequence[str] = (), **_paging: Any
    ) -> dict[str, Any]:
        """Return no evaluations."""
        _refuse_rules(ConfigRuleNames)
        return {"ConfigRulesEvaluationStatus": []}

    def describe_compliance_by_config_rule(
        self, ctx: Context, *, ConfigRuleNames: Sequence[str] = (), **_paging: Any
    ) -> dict[str, Any]:
        """Return nothing: there is no rule to comply with."""
        _refuse_rules(ConfigRuleNames)
        return {"ComplianceByConfigRules": []}

    def describe_compliance_by_resource(self, ctx: Context, **_asked: Any) -> dict[str, Any]:
        """Return nothing: without rules nothing is judged."""
        return {"ComplianceByResources": []}

    def get_compliance_details_by_config_rule(self, ctx: Context, *, ConfigRuleName: str, **_asked: Any) -> NoReturn:
        """Refuse: there is no such rule."""
        _refuse_rule(ConfigRuleName)

    def get_compliance_details_by_resource(self, ctx: Context, **_asked: Any) -> dict[str, Any]:
        """Return no evaluations."""
        return {"EvaluationResults": []}

    def get_compliance_summary_by_config_rule(self, ctx: Context) -> dict[str, Any]:
        """Return a summary of nothing."""
        return {"ComplianceSummary": _summary(ctx)}

    def get_compliance_summary_by_resource_type(self, ctx: Context, **_asked: Any) -> dict[str, Any]:
        """Return a summary of nothing."""
        return {"ComplianceSummariesByResourceType": []}

    def describe_remediation_configurations(self, ctx: Context, **_asked: Any) -> dict[str, Any]:
        """Return no remediations."""
        return {"RemediationConfigurations": []}

    def describe_conformance_packs(
        self, ctx: Context, *, ConformancePackNames: Sequence[str] = (), **_paging: Any
    ) -> dict[str, Any]:
        """Return no packs."""
        for name in ConformancePackNames:
            text = f"Cannot find the specified conformance pack(s): '{name}'."
            raise AwsError("NoSuchConformancePackException", text)
        return {"ConformancePackDetails": []}

    def describe_configuration_aggregators(
        self, ctx: Context, *, ConfigurationAggregatorNames: Sequence[str] = (), **_paging: Any
    ) -> dict[str, Any]:
        """Return no aggregators."""
        for name in ConfigurationAggregatorNames:
            text = f"The configuration aggregator does not exist: {name}."
            raise AwsError("NoSuchConfigurationAggregatorException", text)
        return {"ConfigurationAggregators": []}

    def describe_aggregation_authorizations(self, ctx: Context, **_paging: Any) -> dict[str, Any]:
        """Return no authorizations."""
        return {"AggregationAuthorizations": []}

    def describe_retention_configurations(
        self, ctx: Context, *, RetentionConfigurationNames: Sequence[str] = (), NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return no retention: items are kept for seven years, the default."""
        for name in RetentionConfigurationNames:
            text = f"Cannot find retention configuration with the specified name '{name}'."
            raise AwsError("NoSuchRetentionConfigurationException", text)
        return {"RetentionConfigurations": []}

    def list_stored_queries(self, ctx: Context, **_paging: Any) -> dict[str, Any]:
        """Return no queries."""
        return {"StoredQueryMetadata": []}


def _summary(ctx: Context) -> dict[str, Any]:
    none = {"CappedCount": 0, "CapExceeded": False}
    return {"CompliantResourceCount": none, "NonCompliantResourceCount": none, "ComplianceSummaryTimestamp": ctx.now}


def _refuse_rules(names: Sequence[str]) -> None:
    for name in names:
        _refuse_rule(name)


def _refuse_rule(name: str) -> NoReturn:
    raise AwsError("NoSuchConfigRuleException", f"The ConfigRule '{name}' provided in the request is invalid.")
