"""`make bench`: the cost budget of the lab, each line a ratio measured side by side in this run. No line fails the build.

A machine that does other things at the same time shows in both columns; read the ratios, not the milliseconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench import peers
from tests.bench.measure import Row, paired, table

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
CRITERIA = {"Criterion": {"resource.resourceType": {"Equals": ["Lambda"]}}}
TYPER = "import typer\napp = typer.Typer()\n@app.command()\ndef one(): ...\n@app.command()\ndef two(): ...\napp()"


def main() -> None:
    """Measure everything and print the table."""
    rows: list[Row] = []
    for measure in (help_text, start, check, reads, memory, *_others()):
        print(f"measuring {measure.__name__} ...", file=sys.stderr)
        rows += measure()
        print(table(rows[-1:]), file=sys.stderr)
    print(table(rows))


def _others() -> tuple[Callable[[], list[Row]], ...]:
    from tests.bench import check_scale, journal

    return (*journal.MEASURES, *check_scale.MEASURES)


def help_text() -> list[Row]:
    """`lab --help` against a bare typer program."""
    mine, other = paired(
        lambda: _run([str(BIN / "lab"), "--help"]), lambda: _run([sys.executable, "-c", TYPER, "--help"]), runs=7
    )
    return [Row(what="lab --help", against="a bare typer program's --help", mine=mine, other=other, budget=1.5)]


def start() -> list[Row]:
    """`lab start` with 40 hours of history to a finding seen through boto3, against bare moto that makes the same stack."""
    template = _run([str(BIN / "lab"), "template", "workload", "--format", "json"]).stdout

    def mine() -> None:
        with _lab() as told:
            guardduty = peers.client("guardduty", told["endpoint_url"])
            detector = guardduty.list_detectors()["DetectorIds"][0]
            assert guardduty.list_findings(DetectorId=detector, FindingCriteria=CRITERIA)["FindingIds"]

    def other() -> None:
        with peers.moto() as endpoint:
            s3 = peers.client("s3", endpoint)
            s3.create_bucket(Bucket="assets")
            s3.put_object(Bucket="assets", Key="code.zip", Body=_zip())
            parameters = [
                {"ParameterKey": "AssetsBucketName", "ParameterValue": "assets"},
                {"ParameterKey": "CodeKey", "ParameterValue": "code.zip"},
            ]
            peers.client("cloudformation", endpoint).create_stack(
                StackName="workload",
                TemplateBody=template,
                Parameters=parameters,
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
            assert peers.client("lambda", endpoint).list_functions()["Functions"]

    taken = paired(mine, other, runs=3)
    return [
        Row(
            what="lab start (40 h) to the finding in boto3",
            against="bare moto: start, same stack, first read",
            mine=taken[0],
            other=taken[1],
            budget=1.0,
        )
    ]


def check() -> list[Row]:
    """`lab check` against a script that makes the same calls."""
    with _lab() as told:
        env = {**os.environ, "LAB_HOME": told["home"]}
        arguments = [str(BIN / "lab"), "check", "--no-input", "--function-name", "traffic-simulation"]
        script = ROOT / "tests" / "bench" / "same_calls.py"
        taken = paired(
            lambda: _run(arguments, env=env, code=1),
            lambda: _run([sys.executable, str(script), json.dumps(told)], env=env),
            runs=5,
        )
    return [
        Row(
            what="lab check",
            against="a boto3 script that makes the same calls",
            mine=taken[0],
            other=taken[1],
            budget=1.5,
        )
    ]


def reads() -> list[Row]:
    """Reads through boto3 against MiniStack's, both recording."""
    rows = []
    with _lab() as told, peers.ministack() as endpoint:
        for service, operation, arguments, theirs in (
            ("guardduty", "list_detectors", {}, ("guardduty", "list_detectors", {})),
            ("cloudtrail", "lookup_events", {"MaxResults": 10}, ("cloudtrail", "lookup_events", {"MaxResults": 10})),
            ("config", "describe_configuration_recorders", {}, ("lambda", "list_functions", {})),
            ("lambda", "list_functions", {}, ("lambda", "list_functions", {})),
            ("events", "list_rules", {}, ("events", "list_rules", {})),
        ):
            ours = getattr(peers.client(service, told["endpoint_url"]), operation)
            peer = getattr(peers.client(theirs[0], endpoint), theirs[1])
            taken = paired(_times(20, ours, arguments), _times(20, peer, theirs[2]), runs=7)
            rows.append(
                Row(
                    what=f"{service}.{operation}",
                    against=f"MiniStack's {theirs[0]}.{theirs[1]}",
                    mine=taken[0] / 20,
                    other=taken[1] / 20,
                    budget=1.0,
                )
            )
    return rows


def memory() -> list[Row]:
    """What another lab in the same process costs, function processes apart."""
    done = _run([sys.executable, str(ROOT / "tests" / "bench" / "extra_labs.py")])
    return [
        Row(
            what="memory of one more lab in a process",
            against="2 MB",
            mine=float(done.stdout),
            other=2.0,
            budget=1.0,
            unit="MB",
        )
    ]


def _times(count: int, call: Callable[..., object], arguments: Mapping[str, object]) -> Callable[[], None]:
    def work() -> None:
        for _ in range(count):
            call(**arguments)

    return work


def _zip() -> bytes:
    import io
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("index.py", "def handler(event, context):\n    return None\n")
    return archive.getvalue()


@contextmanager
def _lab() -> Iterator[dict[str, str]]:
    """Start a lab of its own and give what `lab start --json` tells."""
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as home:
        env = {**os.environ, "LAB_HOME": home}
        told = json.loads(_run([str(BIN / "lab"), "start", "--port", "0", "--seed", "bench", "--json"], env=env).stdout)
        try:
            yield {**told, "home": home}
        finally:
            _run([str(BIN / "lab"), "stop"], env=env)
            time.sleep(0.05)


def _run(command: list[str], *, env: dict[str, str] | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != code:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


if __name__ == "__main__":
    main()
