"""Who may invoke a function, its versions and aliases, its settings, and what it does not have."""

import json
from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:486547846362:function:traffic"
RULE = "arn:aws:events:us-east-1:486547846362:rule/every-ten-minutes"
QUEUE = "arn:aws:sqs:us-east-1:486547846362:jobs"


def test_a_permission_is_a_statement_as_lambda_writes_it(traffic: Any) -> None:
    """Conditions under AWS's keys, the policy with its revision."""
    policy = traffic.do("GetPolicy", FunctionName="traffic")
    document = json.loads(policy["Policy"])
    assert (document["Version"], document["Id"]) == ("2012-10-17", "default")
    assert document["Statement"] == [
        {
            "Sid": "rule",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": ARN,
            "Condition": {"ArnLike": {"AWS:SourceArn": RULE}},
        }
    ]


@pytest.mark.parametrize(
    ("principal", "written"),
    [
        ("111111111111", {"AWS": "arn:aws:iam::111111111111:root"}),
        ("arn:aws:iam::111111111111:role/x", {"AWS": "arn:aws:iam::111111111111:role/x"}),
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
        ("*", "*"),
    ],
)
def test_a_principal_is_an_account_an_identity_a_service_or_everyone(
    traffic: Any, principal: str, written: Any
) -> None:
    """An account's number becomes its root."""
    answer = traffic.allow_rule(StatementId="other", Principal=principal)
    assert json.loads(answer["Statement"])["Principal"] == written


def test_statements_have_ids_of_their_own(traffic: Any) -> None:
    """A second one with the same id, and a missing one, in AWS's words."""
    with pytest.raises(Exception, match=r"The statement id \(rule\) provided already exists"):
        traffic.allow_rule()
    refused = traffic.refused("RemovePermission", FunctionName="traffic", StatementId="none")
    assert refused == ("ResourceNotFoundException", "Statement none is not found in resource policy.")
    with pytest.raises(Exception, match="The provided principal was invalid"):
        traffic.allow_rule(StatementId="x", Principal="nobody")
    with pytest.raises(Exception, match="FunctionUrlAuthType is only supported"):
        traffic.allow_rule(StatementId="x", FunctionUrlAuthType="NONE")
    with pytest.raises(Exception, match="The Revision Id provided does not match"):
        traffic.allow_rule(StatementId="x", RevisionId="old")
    traffic.do("RemovePermission", FunctionName="traffic", StatementId="rule")
    assert traffic.refused("GetPolicy", FunctionName="traffic")[1] == "The resource you requested does not exist."


def test_a_policy_has_a_limit(traffic: Any) -> None:
    """20 KB, and nothing is added beyond."""
    with pytest.raises(Exception, match="is bigger than the limit"):
        for number in range(200):
            traffic.allow_rule(StatementId=f"statement-{number}", SourceArn=f"arn:aws:events:us-east-1::{'x' * 200}")
    assert len(traffic.do("GetPolicy", FunctionName="traffic")["Policy"]) <= 20_480


def test_a_source_account_or_pattern_narrows_a_permission(traffic: Any) -> None:
    """Conditions decide who may invoke."""
    may = traffic.aws_lambda.would_run
    traffic.do("RemovePermission", FunctionName="traffic", StatementId="rule")
    traffic.allow_rule(SourceArn="arn:aws:events:us-east-1:486547846362:rule/*", SourceAccount="486547846362")
    assert may(ARN, "events.amazonaws.com", RULE)[0]
    assert not may(ARN, "events.amazonaws.com", "arn:aws:events:us-east-1:486547846362:archive/x")[0]
    traffic.do("RemovePermission", FunctionName="traffic", StatementId="rule")
    traffic.allow_rule(SourceAccount="111111111111")
    assert not may(ARN, "events.amazonaws.com", RULE)[0]
    traffic.allow_rule(StatementId="token", EventSourceToken="secret")
    assert not may(ARN, "events.amazonaws.com", RULE)[0]
    traffic.allow_rule(StatementId="read", Action="lambda:GetFunction")
    assert not may(ARN, "events.amazonaws.com", RULE)[0]


def test_a_permission_of_an_alias_is_the_aliass_alone(traffic: Any) -> None:
    """The function's own policy does not change."""
    traffic.do("PublishVersion", FunctionName="traffic")
    traffic.do("CreateAlias", FunctionName="traffic", Name="live", FunctionVersion="1")
    traffic.do("RemovePermission", FunctionName="traffic", StatementId="rule")
    traffic.allow_rule(Qualifier="live")
    assert traffic.deliver("traffic:live") is None
    assert traffic.deliver("traffic") == "AccessDeniedException"
    assert traffic.environments.runs[0][0].version == "1"


def test_publishing_twice_without_a_change_gives_one_version(traffic: Any) -> None:
    """Code and configuration are frozen; the next change makes the next version."""
    first = traffic.do("PublishVersion", FunctionName="traffic", Description="first")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", ARN + ":1", "first")
    assert traffic.do("PublishVersion", FunctionName="traffic")["Version"] == "1"
    traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", Timeout=8)
    assert traffic.do("PublishVersion", FunctionName="traffic")["Version"] == "2"
    versions = traffic.do("ListVersionsByFunction", FunctionName="traffic")["Versions"]
    assert [(each["Version"], each["Timeout"]) for each in versions] == [("$LATEST", 8), ("1", 3), ("2", 8)]
    refused = traffic.refused("PublishVersion", FunctionName="traffic", CodeSha256="x")
    assert refused[1].startswith("CodeSHA256 (x) is different from current CodeSHA256 in $LATEST")


def test_aliases_live_and_are_refused_in_aws_words(traffic: Any) -> None:
    """Create, read, change, list, delete."""
    traffic.do("PublishVersion", FunctionName="traffic")
    alias = traffic.do("CreateAlias", FunctionName="traffic", Name="live", FunctionVersion="1")
    assert alias["AliasArn"] == ARN + ":live"
    taken = traffic.refused("CreateAlias", FunctionName="traffic", Name="live", FunctionVersion="1")
    assert taken == ("ResourceConflictException", f"Alias already exists: {ARN}:live")
    missing = traffic.refused("CreateAlias", FunctionName="traffic", Name="x", FunctionVersion="7")
    assert missing == ("ResourceNotFoundException", f"Function not found: {ARN}:7")
    changed = traffic.do("UpdateAlias", FunctionName="traffic", Name="live", FunctionVersion="$LATEST")
    assert changed["RevisionId"] != alias["RevisionId"]
    stale = traffic.refused("UpdateAlias", FunctionName="traffic", Name="live", RevisionId=alias["RevisionId"])
    assert stale[0] == "PreconditionFailedException"
    assert traffic.do("GetFunction", FunctionName="traffic:live")["Configuration"]["FunctionArn"] == ARN + ":live"
    assert [each["Name"] for each in traffic.do("ListAliases", FunctionName="traffic")["Aliases"]] == ["live"]
    assert traffic.do("ListAliases", FunctionName="traffic", FunctionVersion="1")["Aliases"] == []
    traffic.do("DeleteAlias", FunctionName="traffic", Name="live")
    gone = traffic.refused("GetAlias", FunctionName="traffic", Name="live")
    assert gone == ("ResourceNotFoundException", f"Cannot find alias arn: {ARN}:live")


def test_an_alias_made_again_has_nothing_of_the_old_ones_policy(traffic: Any) -> None:
    """Its revision is its own: a permission may be added to it as it stands."""
    traffic.do("PublishVersion", FunctionName="traffic")
    made = {"FunctionName": "traffic", "Name": "live", "FunctionVersion": "1"}
    traffic.do("CreateAlias", **made)
    permission = {"FunctionName": "traffic", "Qualifier": "live", "Action": "lambda:InvokeFunction", "Principal": "*"}
    traffic.do("AddPermission", **permission, StatementId="a")
    traffic.do("DeleteAlias", FunctionName="traffic", Name="live")
    again = traffic.do("CreateAlias", **made)
    traffic.do("AddPermission", **permission, StatementId="b", RevisionId=again["RevisionId"])
    policy = json.loads(traffic.do("GetPolicy", FunctionName="traffic", Qualifier="live")["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == ["b"]


def test_a_version_in_use_by_an_alias_stays(traffic: Any) -> None:
    """$LATEST cannot be deleted alone either."""
    traffic.do("PublishVersion", FunctionName="traffic")
    traffic.do("CreateAlias", FunctionName="traffic", Name="live", FunctionVersion="1")
    assert traffic.refused("DeleteFunction", FunctionName="traffic", Qualifier="1")[0] == "ResourceConflictException"
    latest = traffic.refused("DeleteFunction", FunctionName="traffic", Qualifier="$LATEST")
    assert latest == (
        "InvalidParameterValueException",
        "$LATEST version cannot be deleted without deleting the function.",
    )
    traffic.do("DeleteAlias", FunctionName="traffic", Name="live")
    traffic.do("DeleteFunction", FunctionName="traffic:1")
    assert traffic.aws_lambda.functions() == ["traffic"]


def test_reserved_concurrency_leaves_a_hundred_for_the_others(traffic: Any) -> None:
    """moto accepts 5000."""
    refused = traffic.refused("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=901)
    assert refused == (
        "InvalidParameterValueException",
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100].",
    )
    assert traffic.do("GetFunctionConcurrency", FunctionName="traffic") == {}
    traffic.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=900)
    assert traffic.do("GetFunctionConcurrency", FunctionName="traffic") == {"ReservedConcurrentExecutions": 900}
    limits = traffic.do("GetAccountSettings")["AccountLimit"]
    assert (limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]) == (1000, 100)
    assert traffic.do("GetFunction", FunctionName="traffic")["Concurrency"] == {"ReservedConcurrentExecutions": 900}
    traffic.create("other")
    assert traffic.refused("PutFunctionConcurrency", FunctionName="other", ReservedConcurrentExecutions=1)
    assert traffic.do("PutFunctionConcurrency", FunctionName="other", ReservedConcurrentExecutions=0)


def test_event_invoke_config_is_put_changed_and_deleted(traffic: Any) -> None:
    """Deleting it stops nothing."""
    missing = traffic.refused("GetFunctionEventInvokeConfig", FunctionName="traffic")
    assert missing == (
        "ResourceNotFoundException",
        f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig",
    )
    assert (
        traffic.refused("PutFunctionEventInvokeConfig", FunctionName="traffic")[0] == "InvalidParameterValueException"
    )
    traffic.do("PutFunctionEventInvokeConfig", FunctionName="traffic", MaximumRetryAttempts=1)
    traffic.do("UpdateFunctionEventInvokeConfig", FunctionName="traffic", MaximumEventAgeInSeconds=60)
    config = traffic.do("GetFunctionEventInvokeConfig", FunctionName="traffic")
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (1, 60)
    assert config["FunctionArn"] == ARN + ":$LATEST"
    traffic.do("DeleteFunctionEventInvokeConfig", FunctionName="traffic")
    assert traffic.do("ListFunctionEventInvokeConfigs", FunctionName="traffic") == {"FunctionEventInvokeConfigs": []}
    assert traffic.deliver() is None
    assert len(traffic.environments.runs) == 1


def test_tags_are_added_removed_and_guarded(traffic: Any) -> None:
    """AWS's own prefix is CloudFormation's alone."""
    traffic.do("TagResource", Resource=ARN, Tags={"a": "1", "b": "2"})
    traffic.do("UntagResource", Resource=ARN, TagKeys=["a", "none"])
    assert traffic.do("ListTags", Resource=ARN) == {"Tags": {"b": "2"}}
    assert traffic.do("GetFunction", FunctionName="traffic")["Tags"] == {"b": "2"}
    assert traffic.refused("TagResource", Resource=ARN, Tags={"aws:x": "1"})[0] == "InvalidParameterValueException"
    assert traffic.refused("TagResource", Resource=ARN + ":1", Tags={"x": "1"})[0] == "InvalidParameterValueException"
    assert traffic.refused("ListTags", Resource=ARN + "x")[0] == "ResourceNotFoundException"
    many = {str(number): "" for number in range(51)}
    assert "exceeds resource tag limit" in traffic.refused("TagResource", Resource=ARN, Tags=many)[1]


def test_a_function_url_is_shown_once_per_function_and_alias(traffic: Any) -> None:
    """CRUD, with AWS's conflict."""
    made = traffic.do("CreateFunctionUrlConfig", FunctionName="traffic", AuthType="NONE")
    assert made["FunctionUrl"].endswith(".lambda-url.us-east-1.on.aws/")
    conflict = traffic.refused("CreateFunctionUrlConfig", FunctionName="traffic", AuthType="NONE")
    assert conflict[0] == "ResourceConflictException"
    changed = traffic.do("UpdateFunctionUrlConfig", FunctionName="traffic", AuthType="AWS_IAM")
    assert changed["AuthType"] == "AWS_IAM"
    assert len(traffic.do("ListFunctionUrlConfigs", FunctionName="traffic")["FunctionUrlConfigs"]) == 1
    traffic.do("DeleteFunctionUrlConfig", FunctionName="traffic")
    assert traffic.refused("GetFunctionUrlConfig", FunctionName="traffic")[0] == "ResourceNotFoundException"


def test_provisioned_concurrency_becomes_ready(traffic: Any) -> None:
    """For versions and aliases only."""
    refused = traffic.refused(
        "PutProvisionedConcurrencyConfig",
        FunctionName="traffic",
        Qualifier="$LATEST",
        ProvisionedConcurrentExecutions=1,
    )
    assert refused[0] == "InvalidParameterValueException"
    traffic.do("PublishVersion", FunctionName="traffic")
    named = {"FunctionName": "traffic", "Qualifier": "1"}
    traffic.do("PutProvisionedConcurrencyConfig", ProvisionedConcurrentExecutions=2, **named)
    assert traffic.do("GetProvisionedConcurrencyConfig", **named)["Status"] == "IN_PROGRESS"
    traffic.pass_time(minutes=2)
    assert traffic.do("GetProvisionedConcurrencyConfig", **named)["Status"] == "READY"
    assert len(traffic.do("ListProvisionedConcurrencyConfigs", FunctionName="traffic")["ProvisionedConcurrencyConfigs"])
    traffic.do("DeleteProvisionedConcurrencyConfig", **named)
    missing = traffic.refused("GetProvisionedConcurrencyConfig", **named)
    assert missing[0] == "ProvisionedConcurrencyConfigNotFoundException"


def test_what_a_lab_has_none_of_says_so(traffic: Any) -> None:
    """Empty lists and AWS's not-found, never an invented thing."""
    assert traffic.do("ListLayers") == {"Layers": []}
    assert traffic.do("ListCodeSigningConfigs") == {"CodeSigningConfigs": []}
    assert traffic.do("GetFunctionCodeSigningConfig", FunctionName="traffic") == {}
    assert traffic.do("GetRuntimeManagementConfig", FunctionName="traffic")["UpdateRuntimeOn"] == "Auto"
    assert traffic.do("GetFunctionRecursionConfig", FunctionName="traffic") == {"RecursiveLoop": "Terminate"}
    image = {"PackageType": "Image", "Code": {"ImageUri": "486547846362.dkr.ecr/x"}, "Runtime": None, "Handler": None}
    with pytest.raises(Exception, match=r"Source image \S+ does not exist"):
        traffic.create("image", **image)
    with pytest.raises(Exception, match="not supported in this lab"):
        traffic.do(
            "CreateEventSourceMapping",
            FunctionName="traffic",
            EventSourceArn="arn:aws:kinesis:us-east-1:486547846362:stream/x",
        )
