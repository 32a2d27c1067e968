"""Functions through their life: created, changed, listed, deleted, in AWS's shapes and words."""

import base64
import hashlib
import io
import re
import zipfile
from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:486547846362:function:traffic"
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def zipped(text: str) -> bytes:
    """Return a package with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), text)
    return packed.getvalue()


def test_create_answers_what_the_trail_of_a_real_create_shows(lab: Any) -> None:
    """Members, their order and their values are those of docs/aws-facts.md, part 5."""
    shape = lab.create(Description="Function to simulate malicious IP calls", Environment={"Variables": {"A1": "b"}})
    assert list(shape) == [
        "FunctionName", "FunctionArn", "Runtime", "Role", "Handler", "CodeSize", "Description", "Timeout", "MemorySize",
        "LastModified", "CodeSha256", "Version", "Environment", "TracingConfig", "RevisionId", "State", "StateReason",
        "StateReasonCode", "PackageType", "Architectures", "EphemeralStorage", "SnapStart", "RuntimeVersionConfig",
        "LoggingConfig",
    ]  # fmt: skip
    data = lab.aws.objects["code", "app.zip"]
    assert shape["CodeSha256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert shape["LastModified"] == "2026-11-22T17:33:22.123+0000"
    assert (shape["State"], shape["StateReason"]) == ("Pending", "The function is being created.")
    assert (shape["Timeout"], shape["MemorySize"], shape["Version"]) == (3, 128, "$LATEST")
    assert shape["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/traffic"}
    assert UUID4.fullmatch(shape["RevisionId"])
    assert "LastUpdateStatus" not in shape


def test_a_new_function_becomes_active_by_time_alone(lab: Any) -> None:
    """No call is needed for Pending to end."""
    lab.create()
    assert lab.do("GetFunctionConfiguration", FunctionName="traffic")["State"] == "Pending"
    lab.pass_time(seconds=5)
    shape = lab.do("GetFunctionConfiguration", FunctionName="traffic")
    assert (shape["State"], shape["LastUpdateStatus"]) == ("Active", "Successful")
    assert "StateReason" not in shape


def test_other_services_see_a_settled_function_whatever_the_clock_says(lab: Any) -> None:
    """Views take it in a replay too, when the clock stands elsewhere."""
    lab.create(Tags={"team": "web"})
    lab.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=5)
    state = lab.aws_lambda.function_state("traffic")
    assert (state["State"], state["ReservedConcurrentExecutions"], state["Tags"]) == ("Active", 5, {"team": "web"})
    assert lab.aws_lambda.function_state(ARN + ":7") is None


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"Code": {"ZipFile": b"not a zip"}}, "InvalidParameterValueException", "Could not unzip uploaded file."),
        ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code."),
        ({"Code": {"S3Bucket": "code", "S3Key": "none"}}, "InvalidParameterValueException", "S3 Error Code: NoSuchKey."),
        ({"Role": "arn:aws:iam::486547846362:role/none"}, "InvalidParameterValueException", "cannot be assumed by Lambda."),
        ({"Role": "arn:aws:iam::111111111111:role/traffic-role"}, "AccessDeniedException", "Cross-account pass role"),
        ({"Runtime": None}, "InvalidParameterValueException", "Runtime and Handler are mandatory parameters"),
        ({"Runtime": "python3.6"}, "InvalidParameterValueException", "The runtime parameter of python3.6 is no longer"),
        ({"Timeout": 901}, "ValidationException", "Value '901' at 'timeout' failed to satisfy constraint"),
        ({"MemorySize": 10_241}, "ValidationException", "Value '10241' at 'memorySize'"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "reserved keys"),
        ({"Environment": {"Variables": {"LONG": "x" * 4100}}}, "InvalidParameterValueException", "exceeded the 4KB limit"),
        ({"Layers": [ARN.replace("function", "layer") + ":1"]}, "InvalidParameterValueException", "does not exist"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::b"}}, "InvalidParameterValueException", "is invalid"),
    ],
)  # fmt: skip
def test_create_refuses_what_aws_refuses(lab: Any, params: dict[str, Any], code: str, message: str) -> None:
    """Each has AWS's code and words, and leaves nothing behind."""
    given = {"Runtime": "python3.12", "Role": "arn:aws:iam::486547846362:role/traffic-role", "Handler": "i.h"}
    given |= {"Code": {"S3Bucket": "code", "S3Key": "app.zip"}} | params
    answered = lab.refused("CreateFunction", FunctionName="traffic", **given)
    assert answered[0] == code
    assert message in answered[1]
    assert lab.aws_lambda.functions() == []


def test_a_role_that_trusts_another_service_cannot_be_assumed(lab: Any) -> None:
    """Trust is read from IAM, whatever form the document has."""
    lab.aws.roles["other"] = (
        '{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    )
    lab.aws.roles["encoded"] = (
        "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A"
        "%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D"
    )
    given = {"Runtime": "python3.12", "Handler": "i.h", "Code": {"S3Bucket": "code", "S3Key": "app.zip"}}
    role = "arn:aws:iam::486547846362:role/"
    refused = lab.refused("CreateFunction", FunctionName="a", Role=role + "other", **given)
    assert refused[1] == "The role defined for the function cannot be assumed by Lambda."
    assert lab.do("CreateFunction", FunctionName="b", Role=role + "encoded", **given)["FunctionName"] == "b"


def test_a_name_can_be_taken_once(traffic: Any) -> None:
    """The second create is a conflict in AWS's words."""
    refused = traffic.refused(
        "CreateFunction",
        FunctionName=ARN,
        Role="arn:aws:iam::486547846362:role/traffic-role",
        Runtime="python3.12",
        Handler="i.h",
        Code={"S3Bucket": "code", "S3Key": "app.zip"},
    )
    assert refused == ("ResourceConflictException", "Function already exist: traffic")


@pytest.mark.parametrize(
    "name", ["traffic", ARN, "486547846362:function:traffic", "486547846362:traffic", ARN + ":$LATEST"]
)
def test_every_form_of_a_name_finds_the_function(traffic: Any, name: str) -> None:
    """Name, partial ARN and full ARN, with or without a qualifier."""
    assert traffic.do("GetFunctionConfiguration", FunctionName=name)["FunctionName"] == "traffic"


@pytest.mark.parametrize(
    ("name", "qualifier", "code", "message"),
    [
        ("none", None, "ResourceNotFoundException", f"Function not found: {ARN[:-7]}none"),
        ("traffic", "7", "ResourceNotFoundException", f"Function not found: {ARN}:7"),
        (ARN + ":7", "8", "InvalidParameterValueException", "The derived qualifier from the function name does not match"),
        (ARN.replace("486547846362", "111111111111"), None, "AccessDeniedException", "is not authorized to perform"),
        (ARN.replace("us-east-1", "eu-west-1"), None, "ResourceNotFoundException", "not reachable in this region"),
        ("x" * 65, None, "ResourceNotFoundException", f"Function not found: {ARN[:-7]}{'x' * 65}"),
    ],
)  # fmt: skip
def test_a_function_that_is_not_there_is_refused(
    traffic: Any, name: str, qualifier: str | None, code: str, message: str
) -> None:
    """Missing, elsewhere or misnamed: each in its own words."""
    answered = traffic.refused("GetFunction", FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
    assert answered[0] == code
    assert message in answered[1]


def test_the_link_to_the_code_gives_the_bytes_until_it_expires(traffic: Any) -> None:
    """GetFunction's Location is signed; a changed one gives nothing."""
    location = traffic.do("GetFunction", FunctionName="traffic")["Code"]["Location"]
    assert location.startswith("http://127.0.0.1:4566/_lambda/code/486547846362-")
    token = location.rpartition("/")[2]
    assert traffic.aws_lambda.code_for(token) == traffic.aws.objects["code", "app.zip"]
    for wrong in ("", "x", token[:-1], token.replace("486547846362", "486547846363"), "é-1-2"):
        assert traffic.aws_lambda.code_for(wrong) is None
    later = traffic.clock._wall() + 601
    traffic.clock._wall = lambda: later
    assert traffic.aws_lambda.code_for(token) is None


def test_an_update_of_the_code_moves_digest_revision_and_date(traffic: Any) -> None:
    """LastModified of an update has whole seconds (docs/aws-facts.md, part 5)."""
    before = traffic.do("GetFunctionConfiguration", FunctionName="traffic")
    after = traffic.do("UpdateFunctionCode", FunctionName="traffic", ZipFile=zipped("x = 1\n"))
    assert after["CodeSha256"] != before["CodeSha256"]
    assert after["RevisionId"] != before["RevisionId"]
    assert after["LastModified"] == "2026-11-22T17:34:22.000+0000"
    assert after["LastUpdateStatus"] == "InProgress"
    traffic.pass_time(seconds=2)
    assert traffic.do("GetFunctionConfiguration", FunctionName="traffic")["LastUpdateStatus"] == "Successful"


def test_a_dry_run_changes_nothing(traffic: Any) -> None:
    """moto applies it."""
    before = traffic.do("GetFunctionConfiguration", FunctionName="traffic")
    traffic.do("UpdateFunctionCode", FunctionName="traffic", ZipFile=zipped("x = 1\n"), DryRun=True)
    refused = traffic.refused("UpdateFunctionCode", FunctionName="traffic", ZipFile=b"no zip", DryRun=True)
    assert refused[1].startswith("Could not unzip uploaded file.")
    assert traffic.do("GetFunctionConfiguration", FunctionName="traffic") == before


def test_an_old_revision_is_refused(traffic: Any) -> None:
    """Whoever names a revision changes that one or nothing."""
    revision = traffic.do("GetFunctionConfiguration", FunctionName="traffic")["RevisionId"]
    traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", RevisionId=revision, Timeout=9)
    refused = traffic.refused("UpdateFunctionConfiguration", FunctionName="traffic", RevisionId=revision, Timeout=10)
    assert refused[0] == "PreconditionFailedException"
    assert traffic.do("GetFunctionConfiguration", FunctionName="traffic")["Timeout"] == 9


def test_an_update_of_the_configuration_leaves_the_rest_as_it_was(traffic: Any) -> None:
    """What is not given stays."""
    before = traffic.do("GetFunctionConfiguration", FunctionName="traffic")
    after = traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", MemorySize=256, Description="bigger")
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"MemorySize", "Description", "RevisionId", "LastModified", "LastUpdateStatus"}


def test_deleting_takes_everything_and_a_new_function_counts_versions_on(traffic: Any) -> None:
    """Version numbers are never used twice."""
    traffic.do("PublishVersion", FunctionName="traffic")
    assert traffic.do("DeleteFunction", FunctionName="traffic") == {"StatusCode": 204}
    refused = traffic.refused("GetFunction", FunctionName="traffic")
    assert refused == ("ResourceNotFoundException", f"Function not found: {ARN}")
    traffic.create()
    assert traffic.refused("GetPolicy", FunctionName="traffic")[0] == "ResourceNotFoundException"
    assert traffic.do("PublishVersion", FunctionName="traffic")["Version"] == "2"


def test_lists_come_in_pages_of_fifty_without_states(lab: Any) -> None:
    """ListFunctions leaves State and LastUpdateStatus out (API reference)."""
    for number in range(53):
        lab.create(f"function-{number:02}")
    first = lab.do("ListFunctions", MaxItems=1000)
    second = lab.do("ListFunctions", Marker=first["NextMarker"])
    names = [each["FunctionName"] for each in first["Functions"] + second["Functions"]]
    assert names == [f"function-{number:02}" for number in range(53)]
    assert len(first["Functions"]) == 50
    assert "NextMarker" not in second
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & set(first["Functions"][0])
    assert lab.refused("ListFunctions", Marker="nonsense")[0] == "InvalidParameterValueException"


def test_every_version_is_listed_where_it_is_asked_for(traffic: Any) -> None:
    """FunctionVersion ALL qualifies the ARNs."""
    traffic.do("PublishVersion", FunctionName="traffic")
    listed = traffic.do("ListFunctions", FunctionVersion="ALL")["Functions"]
    assert [each["FunctionArn"] for each in listed] == [f"{ARN}:$LATEST", f"{ARN}:1"]


def test_a_list_shows_every_change(traffic: Any) -> None:
    """What was listed before is shown anew when the function, or how it is asked for, is another."""
    assert [each["Timeout"] for each in traffic.do("ListFunctions")["Functions"]] == [3]
    traffic.do("PublishVersion", FunctionName="traffic")
    traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", Timeout=7)
    shown = traffic.do("ListFunctions")["Functions"]
    assert [(each["FunctionArn"], each["Timeout"]) for each in shown] == [(ARN, 7)]
    traffic.do("UpdateFunctionCode", FunctionName="traffic", ZipFile=zipped("x = 2\n"))
    versions = traffic.do("ListVersionsByFunction", FunctionName="traffic")["Versions"]
    assert [(each["FunctionArn"], each["Timeout"]) for each in versions] == [(f"{ARN}:$LATEST", 7), (f"{ARN}:1", 3)]
    assert versions[0]["CodeSha256"] == traffic.do("GetFunctionConfiguration", FunctionName="traffic")["CodeSha256"]
    assert [each["FunctionArn"] for each in traffic.do("ListFunctions")["Functions"]] == [ARN]


def test_environments_are_warmed_and_forgotten(traffic: Any) -> None:
    """At creation, at every change, and when the function goes."""
    key = "abcdefgh/us-east-1/traffic/$LATEST"
    assert traffic.environments.prepared == [key]
    traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", Timeout=7)
    assert traffic.environments.prepared == [key, key]
    traffic.do("DeleteFunction", FunctionName="traffic")
    assert traffic.environments.forgotten == [key]


def test_a_replay_gives_the_same_functions(traffic: Any) -> None:
    """Ids, dates and digests come from the journal alone."""
    traffic.do("UpdateFunctionCode", FunctionName="traffic", ZipFile=zipped("x = 2\n"), Publish=True)
    traffic.pass_time(hours=1)
    assert traffic.replayed().aws_lambda.by_name == traffic.aws_lambda.by_name
