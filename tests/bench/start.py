"""What it takes to begin: help, a start with forty hours of history, another lab in the same process."""

import io
import sys
import time
import zipfile

from tests.bench import peers
from tests.bench.labs import LAB, ROOT, lab, run
from tests.bench.measure import Row, in_turn, paired, since

CRITERIA = {"Criterion": {"resource.resourceType": {"Equals": ["Lambda"]}}}
TYPER = "import typer\napp = typer.Typer()\n@app.command()\ndef one(): ...\n@app.command()\ndef two(): ...\napp()"


def help_text() -> list[Row]:
    """`lab --help` against a bare typer program."""
    mine, other = paired(lambda: run([LAB, "--help"]), lambda: run([sys.executable, "-c", TYPER, "--help"]), runs=7)
    return [Row(what="lab --help", against="a bare typer program's --help", mine=mine, other=other, budget=1.5)]


def start() -> list[Row]:
    """`lab start` with 40 hours of history to a finding seen through boto3, against bare moto that makes the same stack."""
    template = run([LAB, "template", "workload", "--format", "json"])
    mine, other = in_turn(_first_finding, lambda: _first_function(template), runs=3)
    against = "bare moto: start, same stack, first read (hoped for: half)"
    return [Row(what="lab start (40 h) to the finding in boto3", against=against, mine=mine, other=other, budget=1.0)]


def _first_finding() -> float:
    began = time.perf_counter()
    with lab() as told:
        keys = (told["access_key_id"], told["secret_access_key"], told["session_token"])
        guardduty = peers.client("guardduty", told["endpoint_url"], *keys)
        detector = guardduty.list_detectors()["DetectorIds"][0]
        assert guardduty.list_findings(DetectorId=detector, FindingCriteria=CRITERIA)["FindingIds"]
        return since(began)


def _first_function(template: str) -> float:
    began = time.perf_counter()
    with peers.moto() as endpoint:
        s3 = peers.client("s3", endpoint)
        s3.create_bucket(Bucket="assets")
        s3.put_object(Bucket="assets", Key="code.zip", Body=_zip())
        given = {"AssetsBucketName": "assets", "CodeKey": "code.zip"}
        peers.client("cloudformation", endpoint).create_stack(
            StackName="workload",
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        assert peers.client("lambda", endpoint).list_functions()["Functions"]
        return since(began)


def _zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("index.py", "def handler(event, context):\n    return None\n")
    return archive.getvalue()


def memory() -> list[Row]:
    """What another lab in the same process costs, function processes apart."""
    grown = float(run([sys.executable, str(ROOT / "tests" / "bench" / "extra_labs.py")]))
    what = "memory of one more lab in a process"
    return [Row(what=what, against="2 MB", mine=grown, other=2.0, budget=1.0, unit="MB")]


MEASURES = (help_text, start, memory)
