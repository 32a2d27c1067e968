"""From an event to what a target is handed: the event itself, constant text, a part of it, or a template. Pure.

Source: EventBridge user guide, Amazon EventBridge input transformation.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_STEP = re.compile(r"\.([A-Za-z0-9_$-]+)|\[([0-9]{1,6})\]|\['([^'\]]+)'\]")
_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
_MISSING = object()

RESERVED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The rule an event was matched by, as templates may name it."""

    rule_arn: str
    rule_name: str
    ingested: datetime


def payload(target: Mapping[str, Any], event: dict[str, Any], source: Source) -> str:
    """Return the text that `target` (in the shape of PutTargets) is handed for `event`."""
    if (constant := target.get("Input")) is not None:
        return str(constant)
    if (path := target.get("InputPath")) is not None:
        found = part(event, path)
        return compact(None if found is _MISSING else found)
    if (transformer := target.get("InputTransformer")) is not None:
        return _fill(transformer, event, source)
    return compact(event)


def compact(value: Any) -> str:
    """Return `value` as JSON without spaces, as EventBridge delivers it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def part(event: Any, path: str) -> Any:
    """Return what JSON path `path` (dots, brackets) finds in `event`; a private mark where it finds nothing."""
    if not is_path(path):
        return _MISSING
    found = event
    for name, index, quoted in _STEP.findall(path[1:]):
        if index:
            found = found[int(index)] if isinstance(found, list) and int(index) < len(found) else _MISSING
        else:
            found = found.get(name or quoted, _MISSING) if isinstance(found, dict) else _MISSING
    return found


def is_path(path: str) -> bool:
    """Return whether `path` is a JSON path such as EventBridge accepts."""
    return path.startswith("$") and _STEP.sub("", path[1:]) == ""


def unknown_placeholder(transformer: Mapping[str, Any]) -> str | None:
    """Return the first placeholder of a template that neither its map nor EventBridge defines."""
    known = {*transformer.get("InputPathsMap", {}), *RESERVED}
    names = _PLACEHOLDER.findall(transformer["InputTemplate"])
    return next((name for name in names if name not in known), None)


def _fill(transformer: Mapping[str, Any], event: dict[str, Any], source: Source) -> str:
    paths = transformer.get("InputPathsMap", {})
    values: dict[str, Any] = {name: part(event, path) for name, path in paths.items()}
    values |= {
        "aws.events.rule-arn": source.rule_arn,
        "aws.events.rule-name": source.rule_name,
        "aws.events.event.ingestion-time": f"{source.ingested:%Y-%m-%dT%H:%M:%SZ}",
        "aws.events.event": _without_detail(event),
        "aws.events.event.json": event,
    }
    template = transformer["InputTemplate"]
    raw = _is_json(template)
    filled: list[str] = []
    quoted, at = False, 0
    for match in _PLACEHOLDER.finditer(template):
        between = template[at : match.start()]
        # a placeholder between quotes becomes text, one outside becomes a JSON value
        quoted ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        filled += [between, _value(values.get(match[1], match[0]), quoted=quoted, raw=raw)]
        at = match.end()
    return "".join([*filled, template[at:]])


def _without_detail(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `<aws.events.event>` stands for: all but the detail, whose type has a name of its own there."""
    names = ("id", "account", "detail-type", "time", "source", "region", "resources", "version")
    return {{"detail-type": "detailType"}.get(name, name): event[name] for name in names}


def _value(value: Any, *, quoted: bool, raw: bool) -> str:
    if value is _MISSING:
        return "" if quoted else '""'
    if not quoted:
        return compact(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)[1:-1]
    return compact(value) if raw else compact(value).replace('"', "")


def _is_json(template: str) -> bool:
    """Say whether a template is to become a JSON object; the others are lines of text."""
    return template.lstrip().startswith("{")


def is_spoiled(target: Mapping[str, Any], filled: str) -> bool:
    """Say whether what a target's template became is not the JSON it was to be, so that nothing is delivered.

    An object or list between quotes does that. Source: EventBridge user guide, Common issues with transforming input.
    """
    transformer = target.get("InputTransformer")
    if transformer is None or not _is_json(transformer["InputTemplate"]):
        return False
    try:
        json.loads(filled)
    except (ValueError, RecursionError):
        return True
    return False
