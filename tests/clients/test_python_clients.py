"""The AWS CLI, awslocal, boto3 and localstack_client walk the lab, each as its users call it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import FUNCTION, RunningLab

BIN = Path(sys.executable).parent
CLIENTS = {"aws": ["aws"], "awslocal": ["awslocal"]}


FAILED = (254, 255)
"""How versions 2 and 1 of the AWS CLI end at an error that the service told."""


def _run(lab: RunningLab, command: list[str], *, fails: bool = False, **environ: str) -> str:
    """Run a command with the lab's variables and return what it printed: on stderr where it must fail."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOCALSTACK"))}
    env = {**kept, **lab.environment, **environ, "PATH": f"{BIN}{os.pathsep}{kept['PATH']}"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode in (FAILED if fails else (0,)), (command, done.stdout, done.stderr)
    return done.stderr if fails else done.stdout


def _json(lab: RunningLab, client: str, *arguments: str, **environ: str) -> Any:
    return json.loads(_run(lab, [*CLIENTS[client], *arguments, "--output", "json"], **environ))


@pytest.mark.parametrize("client", CLIENTS)
def test_command_lines_find_the_finding_and_its_creator(running: RunningLab, client: str) -> None:
    """From the detector to the function, its log, its creation and its schedule."""
    (detector,) = _json(running, client, "guardduty", "list-detectors")["DetectorIds"]
    criteria = json.dumps({"Criterion": {"resource.resourceType": {"Eq": ["Lambda"]}}})
    ids = _json(
        running, client, "guardduty", "list-findings", "--detector-id", detector, "--finding-criteria", criteria
    )["FindingIds"]
    found = _json(running, client, "guardduty", "get-findings", "--detector-id", detector, "--finding-ids", *ids)[
        "Findings"
    ]
    assert [each["Resource"]["LambdaDetails"]["FunctionName"] for each in found] == [FUNCTION]
    which = f"AttributeKey=ResourceName,AttributeValue={FUNCTION}"
    events = _json(running, client, "cloudtrail", "lookup-events", "--lookup-attributes", which)["Events"]
    assert events[-1]["EventName"] == "CreateFunction20150331"
    arn = _json(running, client, "lambda", "get-function", "--function-name", FUNCTION)["Configuration"]["FunctionArn"]
    rules = _json(running, client, "events", "list-rule-names-by-target", "--target-arn", arn)["RuleNames"]
    assert len(rules) == 1
    group = f"/aws/lambda/{FUNCTION}"
    assert _json(running, client, "logs", "filter-log-events", "--log-group-name", group, "--limit", "3")["events"]


@pytest.mark.parametrize("client", CLIENTS)
def test_command_lines_copy_objects(running: RunningLab, client: str, tmp_path: Path) -> None:
    """The high-level S3 commands: a bucket, a tree of files, a file in parts, back again, and away."""
    tree = tmp_path / "tree"
    (tree / "below").mkdir(parents=True)
    (tree / "empty").touch()
    (tree / "below" / "name with ünïcode.txt").write_text("text")
    (tree / "large.bin").write_bytes(b"0123456789" * 1_000_000)
    bucket = f"s3://copied-by-{client}"
    _run(running, [*CLIENTS[client], "s3", "mb", bucket])
    _run(running, [*CLIENTS[client], "s3", "sync", str(tree), f"{bucket}/tree"])
    back = tmp_path / "back"
    _run(running, [*CLIENTS[client], "s3", "sync", f"{bucket}/tree", str(back)])
    assert {str(path.relative_to(back)): path.read_bytes() for path in back.rglob("*") if path.is_file()} == {
        str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()
    }
    url = _run(running, [*CLIENTS[client], "s3", "presign", f"{bucket}/tree/below/name with ünïcode.txt"]).strip()
    assert url.startswith("http://")
    _run(running, [*CLIENTS[client], "s3", "rb", bucket, "--force"])


def test_errors_reach_the_command_line_in_aws_s_words(running: RunningLab) -> None:
    """Code and text, and the exit code of an error that the service told."""
    told = _run(running, ["aws", "guardduty", "get-detector", "--detector-id", "0" * 32], fails=True)
    assert "(BadRequestException)" in told
    assert "the input detectorId is not owned by the current account." in told
    told = _run(
        running,
        [
            "aws",
            "guardduty",
            "get-coverage-statistics",
            "--detector-id",
            "0" * 32,
            "--statistics-type",
            "COUNT_BY_COVERAGE_STATUS",
        ],
        fails=True,
    )
    assert "An error occurred (" in told


def test_awslocal_needs_no_keys(running: RunningLab) -> None:
    """With its own made-up keys it is the trainee, in a lab that one person has."""
    environ = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": ""}
    told = _json(running, "awslocal", "sts", "get-caller-identity", **environ)
    assert told["Arn"].endswith("assumed-role/WSParticipantRole/Participant")


def test_localstack_client_reaches_the_lab(running: RunningLab) -> None:
    """`localstack_client.session.Session()` as its documentation shows it."""
    program = (
        "import json, localstack_client.session as s\n"
        "session = s.Session()\n"
        "print(json.dumps([session.client('sts').get_caller_identity()['Account'],\n"
        "  [each['FunctionName'] for each in session.client('lambda').list_functions()['Functions']],\n"
        "  session.client('cloudtrail').lookup_events(MaxResults=1)['Events'][0]['EventSource'],\n"
        "  [bucket.name for bucket in session.resource('s3').buckets.all()]]))\n"
    )
    account, functions, source, buckets = json.loads(_run(running, [sys.executable, "-c", program]))
    assert account == running.told["account_id"]
    assert FUNCTION in functions
    assert source.endswith(".amazonaws.com")
    assert len(buckets) > 1


def test_boto3_s_resources_and_waiters_work(running: RunningLab) -> None:
    """Waiters end, paginators page, resources read."""
    s3 = running.client("s3")
    s3.create_bucket(Bucket="waited-for")
    s3.get_waiter("bucket_exists").wait(Bucket="waited-for")
    for number in range(5):
        s3.put_object(Bucket="waited-for", Key=f"{number}", Body=b"x")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="waited-for", PaginationConfig={"PageSize": 2}))
    assert [len(page["Contents"]) for page in pages] == [2, 2, 1]
    running.client("lambda").get_waiter("function_active_v2").wait(FunctionName=FUNCTION)
    roles = running.client("iam").get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 3})
    assert "WSSystemRole" in {role["RoleName"] for page in roles for role in page["Roles"]}
    running.client("cloudformation").get_waiter("stack_create_complete").wait(StackName="guardduty-labs-workload")
