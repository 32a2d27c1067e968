"""Lambda and its words, over botocore: revisions, versions, and what each operation says of something that is not there.

Source: answers of the service, as its clients meet them.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.control import Control
from simulator.gateway import Gateway
from simulator.services.moto import Moto
from tests.contract.labs import new_lab, owner_of, trust, zipped

ACCOUNT = "486547846362"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
NO_RESOURCE = "The resource you requested does not exist."
QUALIFIED = {"FunctionName": "traffic", "Qualifier": "none"}
ABSENT = {"FunctionName": "absent"}


class Account:
    """A lab with a function and a version 1 of it, its owner's clients, and its time."""

    def __init__(self, account_id: str) -> None:
        self.lab = new_lab(account_id, Moto())
        self.arn = f"arn:aws:lambda:us-east-1:{account_id}:function:traffic"
        control = Control(lab=self.lab, token="control", stop=lambda: None)
        process = owner_of(Gateway(labs={account_id: self.lab}, control=control), self.lab, "secret")
        self.aws_lambda, self.sqs = process.client("lambda"), process.client("sqs")
        role = process.client("iam").create_role(
            RoleName="runs", AssumeRolePolicyDocument=trust("lambda.amazonaws.com")
        )
        self.role = role["Role"]["Arn"]

    def create(self, name: str = "traffic", **given: Any) -> dict[str, Any]:
        """Create a function and return the answer."""
        wanted = {"Runtime": "python3.12", "Handler": "index.handler", "Code": {"ZipFile": zipped()}, **given}
        made: dict[str, Any] = self.aws_lambda.create_function(FunctionName=name, Role=self.role, **wanted)
        return made

    def settle(self) -> None:
        """Let creations and updates be done."""
        self.lab.advance(timedelta(seconds=30))

    def revision(self, **named: str) -> str:
        """Return the RevisionId that is shown now."""
        shown = self.aws_lambda.get_function_configuration(**{"FunctionName": "traffic", **named})
        return str(shown["RevisionId"])

    def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """Make a call that is refused; return code and message."""
        with pytest.raises(ClientError) as refused:
            getattr(self.aws_lambda, operation)(**params)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture
def account() -> Iterator[Account]:
    """An account with nothing but a role."""
    account = Account("486547846363")
    yield account
    account.lab.moto.forget(account.lab.account_id)


@pytest.fixture(scope="module")
def settled() -> Iterator[Account]:
    """An account with a function, its version 1 and an alias, of which nothing is changed."""
    account = Account(ACCOUNT)
    account.create()
    account.settle()
    account.aws_lambda.publish_version(FunctionName="traffic")
    account.aws_lambda.create_alias(FunctionName="traffic", Name="live", FunctionVersion="1")
    yield account
    account.lab.moto.forget(ACCOUNT)


def test_a_revision_follows_the_state(account: Account) -> None:
    """What a creation answers with is stale once the function is active; so it is with an update."""
    seen = [account.create()["RevisionId"]]
    assert account.revision() == seen[0]
    account.settle()
    seen.append(account.revision())
    stale = account.refused("update_function_configuration", FunctionName="traffic", RevisionId=seen[0])
    assert stale[0] == "PreconditionFailedException"
    updated = account.aws_lambda.update_function_configuration(FunctionName="traffic", RevisionId=seen[1], Timeout=9)
    seen.append(updated["RevisionId"])
    account.settle()
    seen.append(account.revision())
    published = account.aws_lambda.publish_version(FunctionName="traffic", RevisionId=seen[-1])
    seen += [published["RevisionId"], account.revision()]
    assert account.revision(Qualifier="1") == published["RevisionId"]
    account.aws_lambda.tag_resource(Resource=account.arn, Tags={"k": "v"})
    seen.append(account.revision())
    account.aws_lambda.untag_resource(Resource=account.arn, TagKeys=["k"])
    seen.append(account.revision())
    assert len(set(seen)) == len(seen)


def test_a_policy_has_a_revision_that_only_its_own_changes_move(account: Account) -> None:
    """The function takes it over when the policy changes; what changes the function later does not move it back."""
    account.create()
    account.settle()
    permission = {"FunctionName": "traffic", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    add, get = account.aws_lambda.add_permission, account.aws_lambda.get_policy
    add(**permission, StatementId="one", RevisionId=account.revision())
    first = get(FunctionName="traffic")["RevisionId"]
    assert first == account.revision()
    account.aws_lambda.publish_version(FunctionName="traffic")
    assert get(FunctionName="traffic")["RevisionId"] == first != account.revision()
    add(**permission, StatementId="of-version", Qualifier="1")
    assert get(FunctionName="traffic", Qualifier="1")["RevisionId"] == account.revision(Qualifier="1")
    add(**permission, StatementId="two", RevisionId=first)
    stale = account.refused("remove_permission", FunctionName="traffic", StatementId="two", RevisionId=first)
    assert stale[0] == "PreconditionFailedException"
    for sid in ("one", "two"):
        account.aws_lambda.remove_permission(FunctionName="traffic", StatementId=sid)
    add(**permission, StatementId="new", RevisionId=account.revision())


def test_publishing_again_changes_no_revision(account: Account) -> None:
    """The last version comes back as it was."""
    account.create(Publish=True)
    account.settle()
    before = account.revision(), account.revision(Qualifier="1")
    assert account.aws_lambda.publish_version(FunctionName="traffic")["RevisionId"] == before[1]
    assert (account.revision(), account.revision(Qualifier="1")) == before


def test_a_version_is_published_when_only_the_description_changed(account: Account) -> None:
    """The version's own description does not count, that of $LATEST does."""
    account.create(Description="first")
    account.settle()
    assert account.aws_lambda.publish_version(FunctionName="traffic", Description="mine")["Description"] == "mine"
    assert account.aws_lambda.publish_version(FunctionName="traffic")["Version"] == "1"
    account.aws_lambda.update_function_configuration(FunctionName="traffic", Description="second")
    published = account.aws_lambda.publish_version(FunctionName="traffic", Description="not heard")
    assert (published["Version"], published["Description"]) == ("2", "not heard")


def test_a_function_made_with_a_version_answers_with_its_own_arn(account: Account) -> None:
    """An update of the code with a version answers with the version's, which is pending for a moment."""
    made = account.create(Publish=True)
    assert (made["FunctionArn"], made["Version"], made["State"]) == (account.arn, "1", "Pending")
    account.settle()
    code = zipped("def handler(event, context):\n    return 2\n")
    updated = account.aws_lambda.update_function_code(FunctionName="traffic", ZipFile=code, Publish=True)
    assert (updated["FunctionArn"], updated["State"]) == (f"{account.arn}:2", "Pending")
    account.settle()
    shown = account.aws_lambda.get_function_configuration(FunctionName="traffic:2")
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")


def test_an_environment_without_variables_shows_where_it_was_given(account: Account) -> None:
    """One that was never given does not show."""
    assert account.create(Environment={"Variables": {}})["Environment"] == {"Variables": {}}
    assert "Environment" not in account.create("other")


@pytest.mark.parametrize("runtime", ["python3.8", "nodejs16.x", "dotnet6"])
def test_a_deprecated_runtime_can_be_used_until_its_creation_is_blocked(account: Account, runtime: str) -> None:
    """These are blocked in 2027 (Lambda developer guide, Lambda runtimes)."""
    assert account.create(Runtime=runtime)["Runtime"] == runtime


@pytest.mark.parametrize(
    ("operation", "params", "refused"),
    [
        ("invoke", ABSENT, ("ResourceNotFoundException", f"Function not found: {ARN}:absent:$LATEST")),
        ("get_function", ABSENT, ("ResourceNotFoundException", f"Function not found: {ARN}:absent")),
        ("get_policy", ABSENT, ("ResourceNotFoundException", NO_RESOURCE)),
        ("get_policy", {"FunctionName": "traffic", "Qualifier": "77"}, ("ResourceNotFoundException", NO_RESOURCE)),
        (
            "add_permission",
            {**QUALIFIED, "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"},
            ("ResourceNotFoundException", f"Cannot find alias arn: {ARN}:traffic:none"),
        ),
        (
            "remove_permission",
            {**ABSENT, "StatementId": "s"},
            ("ResourceNotFoundException", f"No policy found for: {ARN}:absent"),
        ),
        (
            "remove_permission",
            {**QUALIFIED, "StatementId": "s"},
            ("ResourceNotFoundException", f"Cannot find alias arn: {ARN}:traffic:none"),
        ),
        ("delete_function", QUALIFIED, ("InvalidParameterValueException", "Deletion of aliases is not currently supported.")),
        (
            "delete_function",
            {**ABSENT, "Qualifier": "$LATEST"},
            ("InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function."),
        ),
        (
            "delete_function",
            {**ABSENT, "Qualifier": "7"},
            ("ResourceNotFoundException", f"Function not found: {ARN}:absent"),
        ),
        (
            "create_alias",
            {**ABSENT, "Name": "a", "FunctionVersion": "1"},
            ("ResourceNotFoundException", f"Function not found: {ARN}:absent:1"),
        ),
        (
            "update_alias",
            {"FunctionName": "traffic", "Name": "none"},
            ("ResourceNotFoundException", f"Alias not found: {ARN}:traffic:none"),
        ),
        (
            "put_function_concurrency",
            {**ABSENT, "ReservedConcurrentExecutions": 0},
            ("ResourceNotFoundException", f"Function not found: {ARN}:absent:$LATEST"),
        ),
        (
            "put_function_event_invoke_config",
            {**ABSENT, "MaximumRetryAttempts": 1},
            ("ResourceNotFoundException", "The function doesn't exist."),
        ),
        (
            "put_function_event_invoke_config",
            ABSENT,
            (
                "InvalidParameterValueException",
                "You must specify at least one of error handling or destination setting.",
            ),
        ),
        (
            "get_function_event_invoke_config",
            ABSENT,
            ("ResourceNotFoundException", f"The function {ARN}:absent:$LATEST doesn't have an EventInvokeConfig"),
        ),
        (
            "delete_function_event_invoke_config",
            QUALIFIED,
            ("ResourceNotFoundException", f"The function {ARN}:traffic:none doesn't have an EventInvokeConfig"),
        ),
        (
            "put_function_event_invoke_config",
            {"FunctionName": "traffic", "DestinationConfig": {"OnFailure": {"Destination": f"{ARN}:absent"}}},
            ("InvalidParameterValueException", f"The destination ARN {ARN}:absent is invalid."),
        ),
        (
            "put_function_event_invoke_config",
            {"FunctionName": "traffic", "DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:iam::111111111111:x"}}},
            (
                "InvalidParameterValueException",
                "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam::111111111111:x), "
                "onFailure=null) is invalid.",
            ),
        ),
        ("get_function_url_config", ABSENT, ("ResourceNotFoundException", NO_RESOURCE)),
        ("create_function_url_config", {**ABSENT, "AuthType": "NONE"}, ("ResourceNotFoundException", "Function does not exist")),
        ("list_function_url_configs", ABSENT, ("ResourceNotFoundException", "Function does not exist")),
        (
            "get_provisioned_concurrency_config",
            QUALIFIED,
            ("ResourceNotFoundException", f"Cannot find alias arn: {ARN}:traffic:none"),
        ),
        (
            "delete_provisioned_concurrency_config",
            {"FunctionName": "traffic", "Qualifier": "$LATEST"},
            ("InvalidParameterValueException", "The function resource provided must be an alias or a published version."),
        ),
        (
            "put_provisioned_concurrency_config",
            {"FunctionName": "traffic", "Qualifier": "1", "ProvisionedConcurrentExecutions": 1001},
            (
                "InvalidParameterValueException",
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
            ),
        ),
        (
            "put_provisioned_concurrency_config",
            {"FunctionName": "traffic", "Qualifier": "1", "ProvisionedConcurrentExecutions": 901},
            (
                "InvalidParameterValueException",
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
                "minimum value of [100].",
            ),
        ),
        ("create_event_source_mapping", ABSENT, ("InvalidParameterValueException", "Unrecognized event source.")),
        (
            "create_event_source_mapping",
            {**ABSENT, "EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"},
            ("InvalidParameterValueException", "Function does not exist"),
        ),
        (
            "create_event_source_mapping",
            {
                **ABSENT,
                "EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q",
                "DestinationConfig": {"OnSuccess": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:o"}},
            },
            (
                "InvalidParameterValueException",
                "Unsupported DestinationConfig parameter for given event source mapping type.",
            ),
        ),
        (
            "tag_resource",
            {"Resource": f"{ARN}:traffic:none", "Tags": {"a": "b"}},
            (
                "InvalidParameterValueException",
                "Tags on function aliases and versions are not supported. Please specify a function ARN.",
            ),
        ),
        (
            "tag_resource",
            {"Resource": f"{ARN}:traffic", "Tags": {}},
            ("InvalidParameterValueException", "An error occurred and the request cannot be processed."),
        ),
        (
            "list_tags",
            {"Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:{'0' * 8}-1111-1111-1111-{'2' * 12}"},
            (
                "ResourceNotFoundException",
                f"Event source mapping not found: arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:"
                "00000000-1111-1111-1111-222222222222",
            ),
        ),
    ],
)  # fmt: skip
def test_each_operation_has_its_own_words(
    settled: Account, operation: str, params: dict[str, Any], refused: tuple[str, str]
) -> None:
    """For a function, an alias or a setting that is not there, and for what cannot be."""
    assert settled.refused(operation, **params) == refused


def test_mappings_of_a_function_that_is_not_there_are_none(settled: Account) -> None:
    """The filter need not exist."""
    assert settled.aws_lambda.list_event_source_mappings(FunctionName="absent")["EventSourceMappings"] == []


def test_a_name_too_long_is_refused_when_a_function_is_made_and_not_found_otherwise(settled: Account) -> None:
    """A full ARN lets one come through the model's own limit."""
    name = "x" * 65
    assert settled.refused("get_function", FunctionName=name)[0] == "ResourceNotFoundException"
    with pytest.raises(
        ClientError, match=r"Value 'x+' at 'functionName' failed .* less than or equal to 64"
    ) as refused:
        settled.create(name)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_runtime_that_is_none_is_refused_with_those_that_are(settled: Account) -> None:
    """In Lambda's own words, not in those of its model."""
    with pytest.raises(ClientError) as refused:
        settled.create("other", Runtime="python")
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    assert error["Message"].startswith(
        "Value python at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
    )
    assert error["Message"].endswith("] or be a valid ARN")
    assert "python3.13" in error["Message"]


def test_a_list_or_map_that_holds_a_bad_value_is_told_as_a_whole(settled: Account) -> None:
    """With all that its members must satisfy."""
    told = settled.refused(
        "update_function_configuration", FunctionName="traffic", VpcConfig={"SubnetIds": ["wrong", "subnet-1"]}
    )
    assert told[1].startswith(
        "1 validation error detected: Value '[wrong, subnet-1]' at 'vpcConfig.subnetIds' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 1024, "
    )
    weights = {"AdditionalVersionWeights": {"$LATEST": 0.5}}
    told = settled.refused("update_alias", FunctionName="traffic", Name="live", RoutingConfig=weights)
    assert "Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights'" in told[1]
    assert "Map keys must satisfy constraint: [" in told[1]
    weights = {"AdditionalVersionWeights": {"1": 2.0}}
    told = settled.refused("update_alias", FunctionName="traffic", Name="live", RoutingConfig=weights)
    assert "Map value must satisfy constraint: [Member must have value less than or equal to 1.0" in told[1]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"\xb5\xeb-", "Unexpected character ((CTRL-CHAR, code 181)): expected a valid value"),
        (b"n\x87", "Invalid UTF-8 start byte 0x87"),
    ],
)
def test_a_payload_that_is_no_text_is_told_in_lambda_s_words(settled: Account, payload: bytes, said: str) -> None:
    """The command line makes such a payload of plain text unless it is told the format."""
    code, message = settled.refused("invoke", FunctionName="traffic", Payload=payload)
    assert code == "InvalidRequestContentException"
    assert message.startswith(f"Could not parse request body into json: Could not parse payload into json: {said}")


def test_a_version_is_provisioned_itself_or_through_one_alias(account: Account) -> None:
    """Not both, and a reservation is no less than what is provisioned."""
    account.create(Publish=True)
    account.aws_lambda.create_alias(FunctionName="traffic", Name="live", FunctionVersion="1")
    provision = {"FunctionName": "traffic", "ProvisionedConcurrentExecutions": 2}
    account.aws_lambda.put_provisioned_concurrency_config(Qualifier="1", **provision)
    told = account.refused("put_provisioned_concurrency_config", Qualifier="live", **provision)
    assert told[0] == "ResourceConflictException"
    assert told[1].startswith("Alias can't be used for Provisioned Concurrency configuration")
    low = account.refused("put_function_concurrency", FunctionName="traffic", ReservedConcurrentExecutions=1)
    assert low[1].endswith("should not be lower than function's total provisioned concurrency [2].")
    account.aws_lambda.delete_provisioned_concurrency_config(FunctionName="traffic", Qualifier="1")
    account.aws_lambda.put_provisioned_concurrency_config(Qualifier="live", **provision)
    told = account.refused("put_provisioned_concurrency_config", Qualifier="1", **provision)
    assert told == ("ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")


def test_a_url_s_mode_shows_in_reads_and_where_it_was_given(account: Account) -> None:
    """BUFFERED is the default."""
    account.create()
    made = account.aws_lambda.create_function_url_config(FunctionName="traffic", AuthType="NONE")
    assert "InvokeMode" not in made
    assert account.aws_lambda.get_function_url_config(FunctionName="traffic")["InvokeMode"] == "BUFFERED"
    listed = account.aws_lambda.list_function_url_configs(FunctionName="traffic")["FunctionUrlConfigs"]
    assert [each["InvokeMode"] for each in listed] == ["BUFFERED"]
    changed = account.aws_lambda.update_function_url_config(FunctionName="traffic", InvokeMode="RESPONSE_STREAM")
    assert changed["InvokeMode"] == "RESPONSE_STREAM"


def test_a_mapping_shows_that_it_has_no_response_types(account: Account) -> None:
    """An empty list, where none was given."""
    account.create()
    account.sqs.create_queue(QueueName="jobs")
    made = account.aws_lambda.create_event_source_mapping(
        FunctionName="traffic",
        EventSourceArn=account.arn.replace(":lambda:", ":sqs:").replace(":function:traffic", ":jobs"),
    )
    assert made["FunctionResponseTypes"] == []


def test_destinations_are_shown_on_both_sides(account: Account) -> None:
    """A side that was not given is empty."""
    account.create()
    account.create("other")
    other = {"Destination": account.arn.replace("traffic", "other")}
    put = account.aws_lambda.put_function_event_invoke_config
    made = put(FunctionName="traffic", DestinationConfig={"OnFailure": other})
    assert made["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": other}
    assert put(FunctionName="traffic", MaximumRetryAttempts=0)["DestinationConfig"] == {
        "OnSuccess": {},
        "OnFailure": {},
    }
