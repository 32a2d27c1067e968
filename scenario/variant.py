"""Seed -> this trainee's values. Pure: the same scenario, seed and address give the same variant everywhere."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import TypeVar

from scenario.errors import LabError
from scenario.model import Background, Call, Episode, Scenario, SceneryFinding, Step, Variant
from scenario.steps import provisioning

Item = TypeVar("Item")

HISTORY = timedelta(hours=40)
TOKENS = 8

BENCHMARK = IPv4Network("198.18.0.0/15")
"""RFC 2544. With 131,072 addresses a class of 500 seldom shares one; RFC 5737 has 762."""

DOCUMENTATION = (IPv4Network("192.0.2.0/24"), IPv4Network("198.51.100.0/24"), IPv4Network("203.0.113.0/24"))
"""RFC 5737."""

WELL_KNOWN_ACCOUNTS = frozenset({"123456789012", "111122223333", "444455556666", "210987654321"})
"""The numbers of AWS's own examples: in a trail they would look made up."""


def variant(scenario: Scenario, seed: str, ip: str | None = None, history: timedelta = HISTORY) -> Variant:
    """Return the values of the lab that `seed` makes of `scenario`.

    `ip` is the address that the function calls, where an instructor chooses it. Raises LabError (bad usage) where
    `ip` is no public IPv4 address.
    """
    draw = Draw(f"{scenario.id}\n{seed}")
    malicious = _public(ip) if ip is not None else _host(draw, "malicious-ip", BENCHMARK)
    near, other, far = _shuffled(draw, "documentation", DOCUMENTATION)
    second = _host(draw, "second-ip", near, malicious)
    office = _host(draw, "office-ip", other, malicious)
    third = _host(draw, "third-ip", BENCHMARK, malicious)
    partner = _host(draw, "partner-ip", BENCHMARK, malicious, third)
    stranger = _host(draw, "stranger-ip", BENCHMARK, malicious, third, partner)
    runner = _host(draw, "runner-ip", BENCHMARK, malicious, third, partner, stranger)
    block = _block(draw, far, but=malicious)
    return Variant(
        seed=seed,
        account_id=_account(draw),
        region="us-east-1",
        malicious_ip=str(malicious),
        second_ip=str(second),
        partner_ip=str(partner),
        office_ip=str(office),
        stranger_ip=str(stranger),
        runner_ip=str(runner),
        list_entries=tuple(_shuffled(draw, "list", (str(malicious), str(second), str(third), str(block)))),
        suffix=draw.text("suffix", 12, "abcdefghijklmnopqrstuvwxyz0123456789"),
        tokens=tuple(draw.text(f"token-{number}", 16, "0123456789abcdef") for number in range(1, TOKENS + 1)),
        history=history,
    )


def timeline(scenario: Scenario, variant: Variant) -> tuple[Step, ...]:
    """Return the background's calls in the order they happen, the creation of its actors first.

    Offsets are written for a history of `background.span`; in a longer or shorter one, what comes after `settled`
    keeps its order and its share of the time. Steps past the history's end are left out.
    """
    background = scenario.background
    draw = Draw(f"{scenario.id}\n{variant.seed}\ntimeline")
    episodes = (provisioning(background), *background.episodes)
    steps = [
        replace(step, at=scaled(step.at, background, variant.history))
        for episode in episodes
        for step in _laid_out(episode, draw.number(episode.id, int(episode.spread.total_seconds()) + 1))
    ]
    return tuple(sorted((step for step in steps if step.at < variant.history), key=lambda step: step.at))


def scenery(scenario: Scenario, variant: Variant) -> tuple[SceneryFinding, ...]:
    """Return the background's findings with their offsets fitted to the variant's history, as `timeline` fits calls.

    When a finding was made and moved carries milliseconds of the seed's: whole seconds give a fake away
    (docs/aws-facts.md, part 10, number 7).
    """
    background = scenario.background
    draw = Draw(f"{scenario.id}\n{variant.seed}\nscenery")

    def fitted(at: timedelta) -> timedelta:
        return scaled(at, background, variant.history)

    def stamped(finding: SceneryFinding, at: timedelta) -> timedelta:
        return fitted(at) + timedelta(milliseconds=1 + draw.number(f"{finding.id} {at}", 999))

    return tuple(
        replace(
            finding,
            first_seen=fitted(finding.first_seen),
            last_seen=fitted(finding.last_seen),
            created=stamped(finding, finding.created),
            updated=stamped(finding, finding.updated),
        )
        for finding in background.findings
    )


def scaled(at: timedelta, background: Background, history: timedelta) -> timedelta:
    """Return the offset `at`, written for a history of `background.span`, in a history of another length."""
    if at <= background.settled or history == background.span:
        return at
    share = max((history - background.settled) / (background.span - background.settled), 0.0)
    return background.settled + timedelta(seconds=int((at - background.settled).total_seconds() * share))


class Draw:
    """Choices made by a hash. What is drawn for one use does not depend on what else is drawn, nor on any order."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def number(self, use: str, below: int) -> int:
        """Return a number from 0 up to, not including, `below`."""
        digest = hashlib.sha256(f"{self._seed}\n{use}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:16], "big") % below

    def text(self, use: str, length: int, alphabet: str) -> str:
        """Return `length` characters of `alphabet`."""
        return "".join(alphabet[self.number(f"{use}.{place}", len(alphabet))] for place in range(length))


def _shuffled(draw: Draw, use: str, items: Sequence[Item]) -> list[Item]:
    """Return `items` in an order of the seed's."""
    numbered = sorted(range(len(items)), key=lambda place: draw.number(f"{use}.{place}", 2**64))
    return [items[place] for place in numbered]


def _account(draw: Draw) -> str:
    """Return twelve digits that look like an account's number and are none of the well-known ones."""
    number = str(10**11 + draw.number("account", 9 * 10**11))
    return number if number not in WELL_KNOWN_ACCOUNTS else str(int(number) + 7)


def _host(draw: Draw, use: str, network: IPv4Network, *taken: IPv4Address) -> IPv4Address:
    """Return an address of `network` that is not `taken`, and none that ends in .0 or .255: those look like a mistake."""
    octets = network.num_addresses // 256
    while True:
        address = network[draw.number(f"{use}.octet", octets) * 256 + 1 + draw.number(f"{use}.host", 254)]
        if address not in taken:
            return address
        use += "'"


def _block(draw: Draw, network: IPv4Network, but: IPv4Address) -> IPv4Network:
    """Return a /28 of `network` without `but`: a range beside the address would keep it on the list."""
    blocks = [block for block in network.subnets(new_prefix=28) if but not in block]
    return blocks[draw.number("block", len(blocks))]


def _public(ip: str) -> IPv4Address:
    """Return the address that `ip` spells. GuardDuty's lists apply to publicly routable addresses only."""
    try:
        address = IPv4Address(ip.strip())
    except AddressValueError:
        raise _bad_address(ip, "it is not an IPv4 address") from None
    if address in BENCHMARK or any(address in network for network in DOCUMENTATION):
        return address
    if not address.is_global or address.is_multicast:
        raise _bad_address(ip, "it is not an address of the public internet, and threat lists match no other")
    return address


def _bad_address(ip: str, happened: str) -> LabError:
    return LabError(
        f"taking {ip!r} as the address to call",
        happened,
        "Give a public IPv4 address such as 198.18.44.7, or leave --ip out and the seed chooses one.",
        exit_code=2,
    )


def _laid_out(episode: Episode, delay: int) -> list[Step]:
    """Return the episode's calls, each turn of it, `delay` seconds late."""
    turns, every = (episode.repeat.times, episode.repeat.every) if episode.repeat else (1, timedelta(0))
    begin = episode.at + timedelta(seconds=delay)
    return [
        _step(episode, call, begin + turn * every + place * episode.gap, turn + 1)
        for turn in range(turns)
        for place, call in enumerate(episode.calls)
    ]


def _step(episode: Episode, call: Call, at: timedelta, turn: int) -> Step:
    return Step(
        at=at,
        by=episode.by,
        service=call.service,
        operation=call.operation,
        params=call.params,
        save=call.save,
        fails=call.fails,
        source_ip=episode.source_ip,
        user_agent=episode.user_agent,
        turn=turn,
    )
