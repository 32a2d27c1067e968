"""Detection, pure: flow records against address lists, and what a growing finding shows at a moment.

Values in, values out: no clock, no network, no service. The GuardDuty service keeps the state and asks here.

What AWS does not tell, and what is chosen here (docs/aws-facts.md, part 3):

- A line of a list that is no IPv4 address or range is passed over; the rest of the list counts.
- Private and otherwise unroutable destinations never match, whatever a list says. The documentation and benchmarking
  ranges (RFC 5737, RFC 2544) do match, since the labs' addresses come from them: a declared divergence.
- An address on several threat lists belongs to the list that was created first.
"""

from __future__ import annotations

import csv
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_LIST_BYTES = 35 * 1024 * 1024
MAX_LINES = 1_000_000
MAX_LINE_CHARACTERS = 65_536
"""Ours, not AWS's: a hostile file of newlines or commas alone would take half a minute to read."""
MAX_THREAT_ENTRIES = 250_000
MAX_TRUSTED_ENTRIES = 2_000
MAX_ENTITY_ENTRIES = 1_000


class ListFormat(StrEnum):
    """The formats of address lists, named as AWS names them."""

    TXT = "TXT"
    STIX = "STIX"
    OTX_CSV = "OTX_CSV"
    ALIEN_VAULT = "ALIEN_VAULT"
    PROOF_POINT = "PROOF_POINT"
    FIRE_EYE = "FIRE_EYE"


class ListTooLargeError(ValueError):
    """A list with more bytes or entries than AWS takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """IPv4 addresses and ranges as sorted, disjoint number pairs: 250,000 take 2 MB and a look-up microseconds.

    `entries` is how many the list had before they were merged.
    """

    starts: array[int]
    ends: array[int]
    entries: int

    def holds(self, number: int) -> bool:
        """Tell whether the address `number` is in one of the ranges."""
        place = bisect_right(self.starts, number) - 1
        return place >= 0 and number <= self.ends[place]


_LINE = re.compile(rb"^[ \t]*(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2}))?[ \t]*\r?$", re.MULTILINE)

_OCTETS = {b"%d" % number: number for number in range(256)}  # a look-up is faster than int() and a comparison


def _ranges(lines: bytes) -> Iterable[tuple[int, int]]:
    octets = _OCTETS
    for a, b, c, d, prefix in _LINE.findall(lines):
        try:
            number = octets[a] << 24 | octets[b] << 16 | octets[c] << 8 | octets[d]
        except KeyError:
            continue
        if not prefix:
            yield number, number
        elif (bits := int(prefix)) <= 32:
            host = (1 << (32 - bits)) - 1
            yield number & ~host, number | host


def networks(lines: bytes) -> Networks:
    """Return the networks of a text with an IPv4 address or CIDR range a line; other lines are passed over."""
    ranges = sorted(_ranges(lines))
    starts, ends = array("I"), array("I")
    last = -1
    for start, end in ranges:
        if starts and start <= last + 1:
            if end > last:
                ends[-1] = last = end
            continue
        starts.append(start)
        ends.append(end)
        last = end
    return Networks(starts=starts, ends=ends, entries=len(ranges))


def parse_list(body: bytes, format: str, *, limit: int = MAX_THREAT_ENTRIES) -> Networks:
    """Return the networks of a list file in one of AWS's formats.

    Raises ListTooLargeError for more than 35 MB, a million lines or `limit` entries. Source: Amazon GuardDuty user guide, Customizing
    threat detection with entity lists and IP address lists, "Understanding list formats".
    """
    if len(body) > MAX_LIST_BYTES:
        raise ListTooLargeError(f"{len(body)} bytes")
    if body.count(b"\n") > MAX_LINES:
        raise ListTooLargeError("more than a million lines")
    found = networks(_LINES[ListFormat(format)](body.removeprefix(b"\xef\xbb\xbf")))
    if found.entries > limit:
        raise ListTooLargeError(f"{found.entries} entries")
    return found


_STIX_VALUE = re.compile(rb"<(?:[\w-]+:)?Address_Value\b[^<>]*>([^<]*)<")


def _stix(body: bytes) -> bytes:
    """Address_Value elements of STIX 1; one may hold several values with the standard's `##comma##` between."""
    return b"\n".join(_STIX_VALUE.findall(body)).replace(b"##comma##", b"\n").replace(b",", b"\n")


def _alien_vault(body: bytes) -> bytes:
    """`address#reliability#risk#type#country#…`."""
    return b"\n".join(line.split(b"#", 1)[0] for line in body.splitlines())


def _rows(body: bytes) -> Iterable[list[str]]:
    text = body.decode("utf-8", "replace").replace("\0", "")
    lines = (line for line in text.splitlines() if 0 < len(line) <= MAX_LINE_CHARACTERS)
    try:
        yield from csv.reader(lines, skipinitialspace=True)
    except csv.Error:  # one field of more than 128 KiB: what came before it counts
        return


def _joined(cells: Iterable[str]) -> bytes:
    return "\n".join(cells).encode()


def _otx(body: bytes) -> bytes:
    """`Indicator type, Indicator, Description`, of which the types IPv4 and CIDR count."""
    return _joined(row[1] for row in _rows(body) if len(row) > 1 and row[0].strip().upper() in {"IPV4", "CIDR"})


def _proof_point(body: bytes) -> bytes:
    """`ip, category, score, first_seen, last_seen, ports`."""
    return _joined(row[0] for row in _rows(body) if row)


def _fire_eye(body: bytes) -> bytes:
    """A table whose first row names its columns, of which `ip` and `cidr` count."""
    rows = iter(_rows(body))
    header = [name.strip().lower() for name in next(rows, [])]
    columns = [place for place, name in enumerate(header) if name in {"ip", "cidr"}]
    return _joined(row[place] for row in rows for place in columns if place < len(row))


_LINES: dict[ListFormat, Callable[[bytes], bytes]] = {
    ListFormat.TXT: bytes,
    ListFormat.STIX: _stix,
    ListFormat.OTX_CSV: _otx,
    ListFormat.ALIEN_VAULT: _alien_vault,
    ListFormat.PROOF_POINT: _proof_point,
    ListFormat.FIRE_EYE: _fire_eye,
}

# IANA IPv4 Special-Purpose Address Registry, without the ranges of RFC 5737 and RFC 2544.
_UNROUTABLE = networks(
    b"0.0.0.0/8\n10.0.0.0/8\n100.64.0.0/10\n127.0.0.0/8\n169.254.0.0/16\n172.16.0.0/12\n192.0.0.0/24\n"
    b"192.168.0.0/16\n224.0.0.0/4\n240.0.0.0/4"
)


def address_number(ip: str) -> int | None:
    """Return an IPv4 address as a number; None for anything else, IPv6 included."""
    parts = ip.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        return None
    numbers = [int(part) for part in parts]
    if max(numbers) > 255:
        return None
    return numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveList:
    """A threat list in force: what findings call it, and its addresses."""

    id: str
    name: str
    networks: Networks


def match(ip: str, threats: Sequence[ActiveList], trusted: Sequence[Networks]) -> ActiveList | None:
    """Return the threat list that makes a connection to `ip` a finding; None where nothing does.

    `threats` come in the order of their creation, and the first that holds the address is returned. A trusted list
    beats them all. Source: docs/aws-facts.md, part 3.
    """
    number = address_number(ip)
    if number is None or _UNROUTABLE.holds(number):
        return None
    hit = next((threat for threat in threats if threat.networks.holds(number)), None)
    if hit is None or any(list_.holds(number) for list_ in trusted):
        return None
    return hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """How late findings show, in milliseconds: `created` after the first occurrence, `updated` after each later one.

    Observed: 6 min 08 s and 4 min 10 s (docs/aws-facts.md, part 0).
    """

    created: int
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What of a finding is visible at a moment; times in milliseconds since 1970.

    `first` and `last` are occurrences; `created` never changes; `updated` is when the last visible one showed.
    """

    count: int
    first: int
    last: int
    created: int
    updated: int


def seen(times: Sequence[int], lags: Lags, now: int) -> Seen | None:
    """Return what is visible at `now` of a finding with occurrences at `times` (ascending); None before it shows.

    An occurrence counts once its lag is over, so Count and UpdatedAt trail what happened by minutes, as on AWS.
    """
    created = times[0] + lags.created
    if now < created:
        return None
    count = max(bisect_right(times, now - lags.updated), 1)
    last = times[count - 1]
    return Seen(count=count, first=times[0], last=last, created=created, updated=max(created, last + lags.updated))


_PORTS = {
    20: "FTP", 21: "FTP", 22: "SSH", 23: "Telnet", 25: "SMTP", 53: "DNS", 80: "HTTP", 110: "POP3", 123: "NTP",
    143: "IMAP", 389: "LDAP", 443: "HTTPS", 445: "SMB", 465: "SMTPS", 587: "SMTP", 636: "LDAPS", 993: "IMAPS",
    995: "POP3S", 1433: "MSSQL", 3306: "MySQL", 3389: "RDP", 5432: "PostgreSQL", 6379: "Redis", 8080: "HTTP",
}  # fmt: skip


def port_name(port: int) -> str:
    """Return the name that a finding gives a port: `HTTPS` for 443, `Unknown` where it has none."""
    return _PORTS.get(port, "Unknown")
