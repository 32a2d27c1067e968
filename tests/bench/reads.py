"""Reads against MiniStack's, the fastest of the peers: the same things in both, the same calls, each written down by both.

Over bare HTTP: a client library's own work, several times a server's, would bring every ratio near to one.
"""

import http.client
import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest

from tests.bench import peers
from tests.bench.labs import lab
from tests.bench.measure import Row, in_turn, since
from tests.contract.labs import trust, zipped

TIMES = 20
"""How many calls are one measurement: their median counts."""

OURS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("cloudtrail", "lookup_events", {"MaxResults": 1}),
    ("cloudtrail", "lookup_events", {"MaxResults": 50}),
    ("config", "describe_configuration_recorders", {}),
    ("lambda", "list_functions", {}),
    ("lambda", "get_function_configuration", {"FunctionName": "bench-0"}),
    ("events", "list_rules", {}),
    ("sts", "get_caller_identity", {}),
    ("cloudformation", "list_stacks", {}),
)
"""Reads of services that are the lab's own. MiniStack has no GuardDuty to hold its reads against."""

MOTOS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("s3", "list_buckets", {}),
    ("s3", "list_objects_v2", {"Bucket": "bench-bucket"}),
    ("s3", "get_object", {"Bucket": "bench-bucket", "Key": "key-1"}),
    ("iam", "list_roles", {}),
    ("iam", "get_role", {"RoleName": "bench-0"}),
    ("sqs", "list_queues", {}),
    ("sqs", "get_queue_attributes", {"QueueUrl": "", "AttributeNames": ["All"]}),
)
"""Reads of services that moto serves: asked again while nothing changed, and asked first after a change."""


class Server:
    """One of the two: clients to fill it with, and a connection to ask it over."""

    def __init__(self, endpoint: str, *keys: str) -> None:
        self._of, self._clients = (endpoint, *keys), dict[str, Any]()
        self._connection = http.client.HTTPConnection(endpoint.partition("//")[2])
        self.queue = self.client("sqs").create_queue(QueueName="bench")["QueueUrl"]

    def client(self, service: str) -> Any:
        """Return a boto3 client of a service."""
        if service not in self._clients:
            self._clients[service] = peers.client(service, *self._of)
        return self._clients[service]

    def change(self) -> None:
        """Change something."""
        self.client("sqs").tag_queue(QueueUrl=self.queue, Tags={"at": str(time.monotonic())})

    def asking(
        self, service: str, operation: str, params: dict[str, Any], *, afresh: bool = False
    ) -> Callable[[], float]:
        """Return what makes a call `TIMES` times, after a change each where it is `afresh`, and tells its milliseconds."""
        given = {**params, "QueueUrl": self.queue} if "QueueUrl" in params else params
        request = _prepared(self.client(service), operation, given)
        url = urlsplit(request.url)
        path = url.path + (f"?{url.query}" if url.query else "")
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }

        def ask() -> float:
            taken = []
            for _ in range(TIMES):
                if afresh:
                    self.change()
                began = time.perf_counter()
                self._connection.request(request.method, path, request.body, headers)
                answer = self._connection.getresponse()
                answer.read()
                taken.append(since(began))
                assert answer.status == 200, (service, operation, answer.status)
            return statistics.median(taken)

        return ask


def _prepared(client: Any, operation: str, params: dict[str, Any]) -> AWSPreparedRequest:
    """Return the signed request of a call, which is not sent."""
    caught: list[AWSPreparedRequest] = []

    class Caught(Exception):
        pass

    def catch(request: AWSPreparedRequest, **_: Any) -> None:
        caught.append(request)
        raise Caught

    client.meta.events.register("before-send", catch)
    try:
        getattr(client, operation)(**params)
    except Caught:
        pass
    finally:
        client.meta.events.unregister("before-send", catch)
    return caught[0]


def reads() -> list[Row]:
    """The reads that an investigation makes."""
    rows = []
    with lab() as told, peers.ministack() as endpoint:
        mine = Server(told["endpoint_url"], told["access_key_id"], told["secret_access_key"], told["session_token"])
        other = Server(endpoint)
        _fill(mine)
        _fill(other)
        _even_out(other, _counts(mine))
        rows += [_row(call, mine, other) for call in OURS]
        rows += [_row(call, mine, other, afresh=afresh) for call in MOTOS for afresh in (False, True)]
    return rows


def _row(call: tuple[str, str, dict[str, Any]], mine: Server, other: Server, *, afresh: bool = False) -> Row:
    service, operation, params = call
    one, two = in_turn(mine.asking(*call, afresh=afresh), other.asking(*call, afresh=afresh), runs=7)
    many = f" of {params['MaxResults']}" if "MaxResults" in params else ""
    what = f"{service}.{operation}{many}{', after a change' if afresh else ''}"
    return Row(what=what, against="MiniStack's", mine=one, other=two, budget=None if afresh else 1.0)


def _fill(server: Server) -> None:
    """Make the same things in both."""
    iam, s3 = server.client("iam"), server.client("s3")
    iam.create_role(RoleName="bench-0", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    s3.create_bucket(Bucket="bench-bucket")
    for number in range(20):
        s3.put_object(Bucket="bench-bucket", Key=f"key-{number}", Body=b"x" * 1000)
    for number in range(3):
        _rule(server, number)
        _function(server, number)
    if not server.client("config").describe_configuration_recorders()["ConfigurationRecorders"]:
        recorder = {"name": "default", "roleARN": _role(server)}
        server.client("config").put_configuration_recorder(ConfigurationRecorder=recorder)
    for _ in range(50):  # so that there are fifty events to look up
        server.client("lambda").list_functions()


def _counts(server: Server) -> dict[str, int]:
    """Return how many there are of each kind of thing that is listed."""
    return {
        "roles": len(server.client("iam").list_roles()["Roles"]),
        "buckets": len(server.client("s3").list_buckets()["Buckets"]),
        "functions": len(server.client("lambda").list_functions()["Functions"]),
        "rules": len(server.client("events").list_rules()["Rules"]),
        "stacks": len(server.client("cloudformation").list_stacks()["StackSummaries"]),
    }


def _even_out(server: Server, counts: Mapping[str, int]) -> None:
    """Make more until there are as many of each kind: a lab has a background of its own, and a longer list costs more."""
    document, template = trust("lambda.amazonaws.com"), {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    makers: Mapping[str, Callable[[int], Any]] = {
        "roles": lambda number: server.client("iam").create_role(
            RoleName=f"bench-{number}", AssumeRolePolicyDocument=document
        ),
        "buckets": lambda number: server.client("s3").create_bucket(Bucket=f"bench-{number}"),
        "functions": lambda number: _function(server, number),
        "rules": lambda number: _rule(server, number),
        "stacks": lambda number: server.client("cloudformation").create_stack(
            StackName=f"bench-{number}", TemplateBody=json.dumps(template)
        ),
    }
    for kind, make in makers.items():
        for number in range(_counts(server)[kind], counts[kind]):
            make(number)
    assert _counts(server) == counts


def _role(server: Server) -> str:
    return str(server.client("iam").get_role(RoleName="bench-0")["Role"]["Arn"])


def _rule(server: Server, number: int) -> None:
    server.client("events").put_rule(Name=f"bench-{number}", ScheduleExpression="rate(1 day)")


def _function(server: Server, number: int) -> None:
    server.client("lambda").create_function(
        FunctionName=f"bench-{number}", Runtime="python3.11", Handler="index.handler", Role=_role(server),
        Code={"ZipFile": zipped()},
    )  # fmt: skip


MEASURES = (reads,)
