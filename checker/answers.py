"""Answers as people type them: forgiving in form. What is meant by the form is for the rules to judge, strictly."""

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from checker.messages import Message, say

QUOTES = "\"'`´‘’“”«»"
_SEVERAL = re.compile(r"\s+(?:or|and|hoặc|và)\s+|\s*[,;|\n]\s*|\s+/\s+", re.IGNORECASE)
_LABEL = re.compile(
    r"^(?:the )?(?:iam |lambda |malicious )?"
    r"(?:role|user ?name|user|function(?: ?name)?|ip(?: ?address)?|address)(?: ?[:=] ?| )(?=\S)"
    r"|(?<=\S) (?:role|function)$",
    re.IGNORECASE,
)
_FUNCTION_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":function:(?P<name>[\w-]+)(?::(?P<qualifier>[$\w-]+))?",
    re.IGNORECASE,
)
_FUNCTION_NAME = re.compile(
    r"(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[\w-]+)(?::(?P<qualifier>[$\w-]+))?", re.IGNORECASE
)
_ROLE_ARN = re.compile(
    r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):(?P<kind>role|user)/(?:[^/]+/)*(?P<name>[\w+=,.@-]+)", re.IGNORECASE
)
_SESSION_ARN = re.compile(
    r"arn:aws[a-z-]*:sts::(?P<account>\d{12}):assumed-role/(?P<name>[\w+=,.@-]+)/(?P<session>[\w+=,.@-]+)",
    re.IGNORECASE,
)
_ROLE_PATH = re.compile(
    r"(?:(?:assumed-)?role/|user/)?(?P<name>[\w+=,.@-]+)(?:/(?P<session>[\w+=,.@-]+))?", re.IGNORECASE
)


def clean(text: str) -> str:
    """Return an answer without what people type around it: spaces, quotes, brackets, a closing full stop."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    previous = ""
    while text != previous:
        previous = text
        text = text.strip().strip(QUOTES).strip("<>[](){}").rstrip(".;,").strip()
    return text


def several(text: str) -> tuple[str, ...]:
    """Return the answers in one text that offers more than one ("A or B"); a single one comes back alone.

    Words that only repeat the question ("role: A", "the function A") are left away.
    """
    lines = unicodedata.normalize("NFKC", text).strip().replace("\r", "")
    pieces = (clean(_LABEL.sub("", clean(piece))) for piece in _SEVERAL.split(lines))
    return tuple(piece for piece in pieces if piece)


def same(left: str, right: str) -> bool:
    """Tell whether two names are the same but for case."""
    return left.casefold() == right.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName:
    """A function as answered: its name, and the region, account and qualifier where they were given."""

    name: str
    region: str = ""
    account: str = ""
    qualifier: str = ""


def function_name(text: str) -> FunctionName | None:
    """Read a function's name, partial ARN or ARN, with or without qualifier; None where it is none of these."""
    match = _FUNCTION_ARN.fullmatch(text) or _FUNCTION_NAME.fullmatch(text)
    return FunctionName(**{key: value or "" for key, value in match.groupdict().items()}) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A role or user as answered: its name, and the session and account where they were given."""

    name: str
    session: str = ""
    account: str = ""


def identity(text: str) -> Identity | None:
    """Read a role's or user's name or ARN, a session's ARN, or `ROLE/SESSION`; None where it is none of these."""
    match = _SESSION_ARN.fullmatch(text) or _ROLE_ARN.fullmatch(text) or _ROLE_PATH.fullmatch(text)
    if not match:
        return None
    found = match.groupdict()
    return Identity(name=found["name"], session=found.get("session") or "", account=found.get("account") or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address or range as answered, with its port where one was given."""

    network: IPv4Network | IPv6Network
    port: int | None = None

    @property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """The one address it names; None for a range."""
        return self.network.network_address if self.network.num_addresses == 1 else None


def address(text: str) -> Address | None:
    """Read an address, `IP:PORT`, `[IPv6]:PORT`, `IP/32`, a range or a URL with an address; None for all else."""
    text = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\s+(?:port\s+)?(?=\d+$)", ":", text, flags=re.IGNORECASE)
    match = re.fullmatch(r"\[?(?P<host>[0-9a-f:.]+?)\]?(?:(?<=[\]\d]):(?P<port>\d{1,5}))?/?", text, re.IGNORECASE)
    try:
        if match and match["host"].count(":") != 1 and (match["port"] is None or "." in match["host"] or "]" in text):
            found = ip_address(match["host"])
            mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
            return Address(network=ip_network(mapped or found), port=int(match["port"]) if match["port"] else None)
        return Address(network=ip_network(text, strict=False))
    except ValueError:
        return None


def unreadable_address(text: str) -> Message | None:
    """Return, in a clause, why a text cannot answer what asks for an address; None where it can be graded."""
    if not clean(text):
        return say("the answer is empty")
    if not any(address(part) for part in several(text)):
        return say("{text} is not an IP address", text=repr(clean(text)[:80]))
    return None
