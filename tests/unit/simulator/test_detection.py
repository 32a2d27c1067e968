"""Detection: list formats, matching, and what a growing finding shows when."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.detection import (
    MAX_LIST_BYTES,
    ActiveList,
    Lags,
    ListTooLargeError,
    Networks,
    address_number,
    match,
    networks,
    parse_list,
    port_name,
    seen,
)

LAGS = Lags(created=368_000, updated=250_000)
MINUTE = 60_000

STIX = b"""<?xml version="1.0" encoding="UTF-8"?>
<stix:STIX_Package xmlns:AddressObj="http://cybox.mitre.org/objects#AddressObject-2">
  <cybox:Properties xsi:type="AddressObj:AddressObjectType" category="ipv4-addr">
    <AddressObj:Address_Value condition="Equals">198.51.100.5##comma##203.0.113.7</AddressObj:Address_Value>
  </cybox:Properties>
  <AddressObj:Address_Value>192.0.2.0/24</AddressObj:Address_Value>
</stix:STIX_Package>"""
OTX = b"""Indicator type, Indicator, Description
CIDR, 192.0.2.0/24, example
IPv4, 198.51.100.5, example
domain, 203.0.113.7, "not an address, whatever it looks like"
"""
ALIEN_VAULT = b"""198.51.100.5#4#2#Malicious Host#US##0.0,0.0#3
192.0.2.0/24#4#2#Malicious Host#US##0.0,0.0#3
"""
PROOF_POINT = b"""ip, category, score, first_seen, last_seen, ports (|)
198.51.100.5, 1, 100, 2000-01-01, 2000-01-01,
192.0.2.0/24, 1, 100, 2000-01-01, 2000-01-01, 80|443
"""
FIRE_EYE = b"""reportId, title, asn, cidr, domain, networkIdentifier, ip, port
01-00000001, Example, , 192.0.2.0/24, , Attacker, , 443
01-00000002, "Example, too", , , a.example.com, Attacker, 198.51.100.5, 80
"""


def holds(list_: Networks, ip: str) -> bool:
    """Tell whether a list holds an address."""
    number = address_number(ip)
    assert number is not None
    return list_.holds(number)


def active(text: str, name: str = "bad") -> ActiveList:
    """Return a list in force."""
    return ActiveList(id=name, name=name, networks=networks(text.encode()))


@pytest.mark.parametrize(
    ("format", "body"),
    [
        ("TXT", b"198.51.100.5\n192.0.2.0/24\n"),
        ("STIX", STIX),
        ("OTX_CSV", OTX),
        ("ALIEN_VAULT", ALIEN_VAULT),
        ("PROOF_POINT", PROOF_POINT),
        ("FIRE_EYE", FIRE_EYE),
    ],
)
def test_every_format_gives_its_addresses_and_ranges(format: str, body: bytes) -> None:
    """One address and one range are read out of each of AWS's six formats."""
    found = parse_list(body, format)
    assert holds(found, "198.51.100.5")
    assert holds(found, "192.0.2.0")
    assert holds(found, "192.0.2.255")
    assert not holds(found, "192.0.3.0")
    assert not holds(found, "198.51.100.6")


def test_a_stix_value_may_hold_several_addresses() -> None:
    """The standard's ##comma## separates them."""
    assert holds(parse_list(STIX, "STIX"), "203.0.113.7")


def test_an_otx_row_of_another_type_does_not_count() -> None:
    """Only the indicator types IPv4 and CIDR are addresses."""
    assert not holds(parse_list(OTX, "OTX_CSV"), "203.0.113.7")


def test_a_list_in_another_format_than_said_is_empty() -> None:
    """A STIX file declared as text has no line that is an address."""
    assert parse_list(STIX, "TXT").entries == 0


def test_lines_that_are_no_address_are_passed_over() -> None:
    """Comments, IPv6, names, numbers out of range and prefixes out of range cost nothing but themselves."""
    body = b"\xef\xbb\xbf198.51.100.5\r\n# bad\n2001:db8::1\nevil.example.com\n300.1.1.1\n1.2.3.4/33\n\n  192.0.2.9  \n"
    found = parse_list(body, "TXT")
    assert found.entries == 2
    assert holds(found, "198.51.100.5")
    assert holds(found, "192.0.2.9")


def test_a_range_counts_from_its_first_address_even_if_host_bits_are_set() -> None:
    """203.0.113.77/24 means the whole /24."""
    found = parse_list(b"203.0.113.77/24", "TXT")
    assert holds(found, "203.0.113.0")
    assert holds(found, "203.0.113.255")


def test_overlapping_ranges_are_merged() -> None:
    """Ranges end up disjoint and sorted, whatever the list repeats."""
    found = networks(b"203.0.113.0/24\n203.0.113.7\n203.0.113.128/25\n203.0.114.0/24\n1.1.1.1\n1.1.1.1")
    assert found.entries == 6
    assert list(zip(found.starts, found.ends, strict=True)) == [
        (address_number("1.1.1.1"), address_number("1.1.1.1")),
        (address_number("203.0.113.0"), address_number("203.0.114.255")),
    ]


def test_too_many_entries_are_refused() -> None:
    """The limit counts entries of the file, not merged ranges."""
    with pytest.raises(ListTooLargeError):
        parse_list(b"198.51.100.5\n" * 3, "TXT", limit=2)


def test_too_many_bytes_are_refused() -> None:
    """35 MB are taken, one byte more is not."""
    assert parse_list(b" " * MAX_LIST_BYTES, "TXT").entries == 0
    with pytest.raises(ListTooLargeError):
        parse_list(b" " * (MAX_LIST_BYTES + 1), "TXT")


def test_a_file_of_lines_alone_is_refused() -> None:
    """More than a million of them, whatever stands on them."""
    with pytest.raises(ListTooLargeError):
        parse_list(b"\n" * 1_000_001, "TXT")


def test_a_field_too_large_for_a_table_ends_it() -> None:
    """A quote that is never closed swallows the rest; what came before it counts."""
    body = PROOF_POINT + b'"' + b"x,\n" * 60_000
    found = parse_list(body, "PROOF_POINT")
    assert holds(found, "198.51.100.5")
    assert found.entries == 2


def test_a_line_too_long_for_a_table_is_passed_over() -> None:
    """And the rest of the table counts."""
    body = PROOF_POINT + b"," * 70_000 + b"\n203.0.113.7, 1, 100\n"
    assert holds(parse_list(body, "PROOF_POINT"), "203.0.113.7")


@pytest.mark.parametrize("format", ["TXT", "STIX", "OTX_CSV", "ALIEN_VAULT", "PROOF_POINT", "FIRE_EYE"])
@given(body=st.binary(max_size=400) | st.text(alphabet='0123456789./,"#\n ip<>', max_size=200).map(str.encode))
def test_any_bytes_are_a_list(format: str, body: bytes) -> None:
    """A list file is hostile input: nothing in it may raise."""
    assert parse_list(body, format).entries >= 0


NETWORKS = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda each: ipaddress.IPv4Network(each, strict=False)
)


@given(listed=st.lists(NETWORKS, max_size=20), number=st.integers(0, 2**32 - 1))
def test_membership_agrees_with_the_standard_library(listed: list[ipaddress.IPv4Network], number: int) -> None:
    """Sorted, disjoint ranges hold exactly the addresses that any listed network holds."""
    found = networks("\n".join(str(each) for each in listed).encode())
    probes = {
        number,
        *(int(each.network_address) for each in listed),
        *(int(each.broadcast_address) for each in listed),
    }
    for probe in probes:
        address = ipaddress.IPv4Address(probe)
        assert found.holds(probe) == any(address in each for each in listed)
    assert all(end + 1 < start for end, start in zip(found.ends, list(found.starts)[1:], strict=False))


@pytest.mark.parametrize(
    "ip",
    ["10.1.2.3", "172.16.0.9", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"],
)
def test_private_destinations_never_match(ip: str) -> None:
    """Only publicly routable destinations count, even where a list holds everything (checklist 39)."""
    assert match(ip, [active("0.0.0.0/0")], []) is None


@pytest.mark.parametrize("ip", ["192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "1.1.1.1"])
def test_documentation_and_benchmarking_addresses_match(ip: str) -> None:
    """The labs' addresses come from them: a declared divergence."""
    assert match(ip, [active("0.0.0.0/0")], []) is not None


def test_an_address_on_two_lists_belongs_to_the_first() -> None:
    """Lists come oldest first."""
    hit = match(
        "198.51.100.5",
        [active("203.0.113.1", "one"), active("198.51.100.5", "two"), active("198.51.100.0/24", "three")],
        [],
    )
    assert hit is not None
    assert hit.name == "two"


def test_a_trusted_address_never_matches() -> None:
    """Trusted beats threat (checklist 40)."""
    assert match("198.51.100.5", [active("198.51.100.5")], [networks(b"198.51.100.0/24")]) is None


@pytest.mark.parametrize("ip", ["2001:db8::1", "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "a.b.c.d", "1.2.3.٤", "-1.2.3.4"])
def test_what_is_no_ipv4_address_never_matches(ip: str) -> None:
    """Lists know IPv4 only."""
    assert match(ip, [active("0.0.0.0/0")], []) is None


def test_a_finding_shows_only_after_its_lag() -> None:
    """Nothing is visible before first seen + the creation lag."""
    assert seen([0], LAGS, LAGS.created - 1) is None
    visible = seen([0], LAGS, LAGS.created)
    assert visible is not None
    assert (visible.count, visible.created, visible.updated) == (1, LAGS.created, LAGS.created)


def test_occurrences_count_once_their_lag_is_over() -> None:
    """Count, last seen and UpdatedAt trail by the update lag; CreatedAt stays."""
    times = [number * 10 * MINUTE for number in range(238)]
    before = seen(times, LAGS, times[-1] + LAGS.updated - 1)
    after = seen(times, LAGS, times[-1] + LAGS.updated)
    assert before is not None
    assert after is not None
    assert (before.count, before.last) == (237, times[-2])
    assert (after.count, after.last, after.updated) == (238, times[-1], times[-1] + LAGS.updated)
    assert before.created == after.created == LAGS.created


def test_occurrences_past_their_lag_are_in_the_first_sight_of_a_finding() -> None:
    """A function that connects every minute has a Count above one when the finding shows."""
    visible = seen([0, MINUTE, 2 * MINUTE], LAGS, LAGS.created)
    assert visible is not None
    assert (visible.count, visible.updated) == (2, LAGS.created)


@given(
    gaps=st.lists(st.integers(0, 10**7), min_size=1, max_size=30),
    moments=st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
)
def test_what_is_visible_only_grows(gaps: list[int], moments: tuple[int, int]) -> None:
    """With time Count, last seen and UpdatedAt never go back, and nothing is visible before it happened."""
    times = [sum(gaps[: place + 1]) for place in range(len(gaps))]
    early, late = (seen(times, LAGS, at) for at in sorted(moments))
    if early is None:
        return
    assert late is not None
    assert (early.count, early.last, early.updated) <= (late.count, late.last, late.updated)
    assert early.created == late.created
    assert late.updated <= max(moments)


def test_ports_have_names() -> None:
    """443 is HTTPS; a port that has no name is Unknown."""
    assert (port_name(443), port_name(8009)) == ("HTTPS", "Unknown")
