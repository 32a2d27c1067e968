"""The console's pages in a lab that is full (10,000 events, 1,000 findings, a list of 250,000 lines) against an empty one."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from simulator.console.app import make_app
from simulator.console.aws import Session
from simulator.console.inside import Send, through
from simulator.control import Control
from simulator.functions import Environments
from simulator.gateway import Gateway
from simulator.home import Home, Running
from simulator.identity import Ids, Principal
from simulator.service import Context
from simulator.services.moto import Moto
from simulator.world import Lab
from tests.bench.extra_labs import make
from tests.bench.measure import Row, paired
from tests.contract.labs import owner_of

EVENTS, FINDINGS, LINES = 10_000, 1_000, 250_000
PAGES = {
    "findings": "/console/guardduty/findings",
    "findings, types to choose from": "/console/guardduty/findings?add=type",
    "lists": "/console/guardduty/lists",
    "object": "/console/s3/object?bucket={bucket}&key=list.txt",
    "event history": "/console/cloudtrail/events?key=ReadOnly&value=true",
    "events of a resource": "/console/cloudtrail/events?key=ResourceName&value=traffic-simulation",
    "timeline": "/console/config/timeline?resourceId=traffic-simulation&resourceName=traffic-simulation",
    "function": "/console/lambda/functions/traffic-simulation",
    "lab": "/console/lab",
}


class Console:
    """A lab with its gateway and console in this process."""

    def __init__(self, seed: str, moto: Moto, environments: Environments, folder: Path) -> None:
        self.bucket = f"bench-lists-{seed}"
        self.lab: Lab = make(seed, moto, environments)
        control = Control(lab=self.lab, token="bench", stop=lambda: None)
        self.gateway = Gateway(labs={self.lab.account_id: self.lab}, control=control)
        owner_of(self.gateway, self.lab, "secret")
        key = self.lab.meta["trainee_key"]
        self.running = Running(
            pid=1, endpoint_url="http://127.0.0.1:4566", token="bench", lab_id=self.lab.lab_id, seed=seed,
            scenario="lambda-malicious-ip", account_id=self.lab.account_id, region=self.lab.region, access_key_id=key,
            secret_access_key="secret", session_token="t", check_access_key_id=key, check_secret_access_key="secret",
            check_session_token="t", owner_access_key_id=key, owner_secret_access_key="secret", owner_session_token="t",
        )  # fmt: skip
        folder.mkdir()
        self.send: Send = through(self.gateway)
        self.aws = Session(self.running, self.send, lambda: "bench")
        self.client = make_app(self.running, Home(folder), self.send).test_client()
        self.client.get("/console/lab")
        self.aws.call("s3", "CreateBucket", {"Bucket": self.bucket})
        self.aws.call("s3", "PutObject", {"Bucket": self.bucket, "Key": "list.txt", "Body": b"198.18.0.1\n"})

    def page(self, path: str) -> None:
        """Ask for a page."""
        answer = self.client.get(path.format(bucket=self.bucket))
        assert answer.status_code == 200, (path, answer.get_data(as_text=True))

    def fill(self) -> None:
        """Fill the lab with events, findings and a long list."""
        name = self.aws.call("lambda", "GetFunctionConfiguration", {"FunctionName": "traffic-simulation"})[
            "FunctionArn"
        ]

        def read(_: int) -> None:
            self.aws.call("lambda", "ListTags", {"Resource": name})

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(read, range(EVENTS)))
        detector = self.aws.call("guardduty", "ListDetectors", {})["DetectorIds"][0]
        lines = "\n".join(f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(LINES))
        self.aws.call("s3", "PutObject", {"Bucket": self.bucket, "Key": "list.txt", "Body": lines.encode()})
        made = {
            "DetectorId": detector,
            "Name": "long",
            "Format": "TXT",
            "Location": f"s3://{self.bucket}/list.txt",
            "Activate": True,
        }
        self.aws.call("guardduty", "CreateThreatIntelSet", made)
        for number in range(FINDINGS):
            self._scenery(number)

    def _scenery(self, number: int) -> None:
        lab, user = self.lab, f"user-{number}"
        ctx = Context(
            lab=lab, principal=Principal.service("guardduty.amazonaws.com", lab.account_id), now=lab.clock.now(),
            ids=Ids.of("bench", str(number)),
        )  # fmt: skip
        at = f"{lab.clock.now() - timedelta(minutes=number + 5):%Y-%m-%dT%H:%M:%S.000Z}"
        finding: dict[str, Any] = {
            "Type": "Recon:IAMUser/MaliciousIPCaller.Custom", "Severity": 5, "CreatedAt": at, "UpdatedAt": at, "Title": user,
            "Description": user, "Resource": {"ResourceType": "AccessKey", "AccessKeyDetails": {"UserName": user}},
            "Service": {"Count": 1, "EventFirstSeen": at, "EventLastSeen": at, "ResourceRole": "TARGET", "Action": {"ActionType": "AWS_API_CALL"}},
        }  # fmt: skip
        with lab.lock:
            lab.record(ctx, "guardduty", "scenery", {"finding": finding})


def console() -> list[Row]:
    """Each page, in the full lab against the empty one."""
    environments = Environments()
    with tempfile.TemporaryDirectory(prefix="console-bench-") as folder:
        try:
            moto = Moto()
            full = Console("full", moto, environments, Path(folder) / "full")
            empty = Console("empty", moto, environments, Path(folder) / "empty")
            full.fill()
            rows = []
            for what, path in PAGES.items():
                mine, other = paired(_page(full, path), _page(empty, path), runs=5)
                rows.append(
                    Row(what=f"console: {what}", against="the same page of an empty lab", mine=mine, other=other)
                )
            return rows
        finally:
            environments.close()


def _page(of: Console, path: str) -> Callable[[], None]:
    return lambda: of.page(path)


MEASURES = (console,)
