"""The `aws` command that makes the same call as a page did, in a form that sh, PowerShell and cmd take as printed.

That rules out quotes inside quotes and anything a shell would fill in. What cannot be said so goes into a file, which is shown
beside the command (`file://`, `fileb://`). Source: AWS CLI user guide, "Using shorthand syntax" and "Loading a parameter from a file".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.session import Session

NAMES = {"config": "configservice", "s3": "s3api"}
"""Services that the CLI calls otherwise than botocore."""
PAGING = frozenset(
    {
        "MaxResults",
        "NextToken",
        "nextToken",
        "Marker",
        "MaxItems",
        "Limit",
        "limit",
        "PageSize",
        "ContinuationToken",
        "MaxKeys",
    }
)
"""Parameters that turn pages: the CLI turns them itself."""
OUTPUT_FILES = {"GetObject": "object.bin", "Invoke": "answer.json"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:+-]+")
_QUOTABLE = re.compile(r"[^\"$`\\!%\r\n\t\x00-\x1f']*")
_LEAF = re.compile(r"[A-Za-z0-9_./:@+*#?&;()| -]*")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and the files that it reads: name and content."""

    text: str
    files: tuple[tuple[str, str], ...] = ()


def command(service: str, operation: str, params: Mapping[str, Any]) -> Command:
    """Return the command for an API call. Pages are left to the CLI to turn."""
    words = ["aws", NAMES.get(service, service), xform_name(operation, "-")]
    files: list[tuple[str, str]] = []
    members = _members(service, operation)
    for name, value in params.items():
        if name in PAGING:
            continue
        option = f"--{xform_name(name, '-')}"
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-", 1))
            continue
        words.append(option)
        words += _said(value, members.get(name, ""), xform_name(name, "-"), files)
    if operation in OUTPUT_FILES:
        words.append(OUTPUT_FILES[operation])
    return Command(" ".join(words), tuple(files))


def _said(value: Any, kind: str, name: str, files: list[tuple[str, str]]) -> list[str]:
    """Return the words for a value; what no word can say is put into `files`."""
    if kind == "blob":
        files.append((f"{name}.bin", "…"))
        return [f"fileb://{name}.bin"]
    if isinstance(value, list | tuple) and all(isinstance(each, str | int) for each in value):
        texts = [str(each) for each in value]
        if all(_QUOTABLE.fullmatch(text) and text for text in texts) and texts:
            return [_quoted(text) for text in texts]
    elif isinstance(value, list | tuple):
        said = [_shorthand(each, outermost=True) for each in value]
        if said and None not in said:
            return [_quoted(str(each)) for each in said]
    elif isinstance(value, Mapping):
        text = _shorthand(value, outermost=True)
        if text is not None:
            return [_quoted(text)]
    else:
        text = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)
        if _QUOTABLE.fullmatch(text):
            return [_quoted(text)]
        files.append((f"{name}.json" if text.lstrip().startswith(("{", "[")) else f"{name}.txt", text))
        return [f"file://{files[-1][0]}"]
    files.append((f"{name}.json", json.dumps(value, indent=2, ensure_ascii=False, default=str)))
    return [f"file://{name}.json"]


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


def _shorthand(value: Any, *, outermost: bool = False) -> str | None:
    """Return a value in the CLI's shorthand; None where it cannot say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return value if value and value == value.strip() and _LEAF.fullmatch(value) else None
    if isinstance(value, Mapping):
        parts = []
        for key, each in value.items():
            said = _shorthand(each)
            if said is None or not re.fullmatch(r"[A-Za-z0-9_.:/-]+", str(key)):
                return None
            parts.append(f"{key}={said}")
        text = ",".join(parts)
        return text if outermost and text else f"{{{text}}}"
    if isinstance(value, list | tuple):
        said_all = [_shorthand(each) for each in value]
        return None if None in said_all else f"[{','.join(str(each) for each in said_all)}]"
    return None


@cache
def _members(service: str, operation: str) -> dict[str, str]:
    """Return the kind (`string`, `blob`, …) of an operation's parameters, from botocore's model."""
    shape = _model(service).operation_model(operation).input_shape
    return {} if shape is None else {name: member.type_name for name, member in shape.members.items()}


@cache
def _model(service: str) -> Any:
    return _session().get_service_model(service)


@cache
def _session() -> Session:
    return Session()
