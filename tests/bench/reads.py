"""Reads through boto3 against MiniStack's, the fastest of the peers. Both write down every call."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.bench import peers
from tests.bench.labs import lab
from tests.bench.measure import Row, paired

TIMES = 20
"""How many calls are one measurement."""

LIST: tuple[str, str, dict[str, Any]] = ("lambda", "list_functions", {})
READS: tuple[tuple[tuple[str, str, dict[str, Any]], tuple[str, str, dict[str, Any]]], ...] = (
    (("guardduty", "list_detectors", {}), LIST),
    (("cloudtrail", "lookup_events", {"MaxResults": 10}), ("cloudtrail", "lookup_events", {"MaxResults": 10})),
    (("config", "describe_configuration_recorders", {}), LIST),
    (LIST, LIST),
    (("events", "list_rules", {}), ("events", "list_rules", {})),
)
"""Ours and what it is held against: the same call, or a list that MiniStack gives quickly where it lacks the service."""


def reads() -> list[Row]:
    """The reads that an investigation makes."""
    rows = []
    with lab() as told, peers.ministack() as endpoint:
        keys = (told["access_key_id"], told["secret_access_key"], told["session_token"])
        for (service, operation, arguments), (their_service, their_operation, their_arguments) in READS:
            ours = getattr(peers.client(service, told["endpoint_url"], *keys), operation)
            theirs = getattr(peers.client(their_service, endpoint), their_operation)
            mine, other = paired(_times(ours, arguments), _times(theirs, their_arguments), runs=7)
            what, against = f"{service}.{operation}", f"MiniStack's {their_service}.{their_operation}"
            rows.append(Row(what=what, against=against, mine=mine / TIMES, other=other / TIMES, budget=1.0))
    return rows


def _times(call: Callable[..., object], arguments: Mapping[str, object]) -> Callable[[], None]:
    def work() -> None:
        for _ in range(TIMES):
            call(**arguments)

    return work


MEASURES = (reads,)
