"""A seed determines everything that differs between trainees, and nothing else does."""

from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario import load
from scenario.errors import LabError
from scenario.variant import (
    BENCHMARK,
    DOCUMENTATION,
    Draw,
    scaled,
    scenery,
    timeline,
    variant,
)

SCENARIO = load.load("lambda-malicious-ip")


def covered(address: str, entries: tuple[str, ...]) -> list[str]:
    """Return the entries of a list that `address` falls under."""
    return [entry for entry in entries if IPv4Address(address) in IPv4Network(entry)]


def test_the_same_seed_makes_the_same_variant() -> None:
    """Two calls agree in every value, and so do their timelines."""
    first, second = variant(SCENARIO, "seed"), variant(SCENARIO, "seed")
    assert first == second
    assert timeline(SCENARIO, first) == timeline(SCENARIO, second)


def test_a_known_seed_keeps_its_values_from_release_to_release() -> None:
    """An answer key that was printed once stays right: change this only with a new major version."""
    known = variant(SCENARIO, "demo")
    assert (known.account_id, known.malicious_ip, known.second_ip) == ("147736087487", "198.18.67.196", "203.0.113.34")
    assert known.suffix == "rkt3112b3bb5"


def test_twenty_seeds_make_twenty_labs() -> None:
    """Accounts, addresses, bucket suffixes and times of 20 seeds are all different."""
    variants = [variant(SCENARIO, f"trainee-{number}") for number in range(20)]
    assert len({each.account_id for each in variants}) == 20
    assert len({each.malicious_ip for each in variants}) == 20
    assert len({each.suffix for each in variants}) == 20
    assert len({tuple(step.at for step in timeline(SCENARIO, each)) for each in variants}) == 20


def test_a_class_of_five_hundred_hardly_shares_addresses() -> None:
    """The benchmark range is large enough that neighbours cannot copy: RFC 5737 alone would make hundreds share."""
    addresses = {variant(SCENARIO, f"student-{number}").malicious_ip for number in range(500)}
    assert len(addresses) > 490


@given(seed=st.text(max_size=40))
def test_any_seed_makes_a_plausible_lab(seed: str) -> None:
    """Account, addresses and list hold together whatever the seed."""
    made = variant(SCENARIO, seed)
    assert len(made.account_id) == 12
    assert made.account_id.isdigit()
    assert not made.account_id.startswith("0")
    assert IPv4Address(made.malicious_ip) in BENCHMARK
    assert any(IPv4Address(made.second_ip) in network for network in DOCUMENTATION)
    assert len(made.list_entries) == len(set(made.list_entries)) >= 3
    assert covered(made.malicious_ip, made.list_entries) == [made.malicious_ip]
    assert covered(made.second_ip, made.list_entries) == [made.second_ip]
    for unlisted in (made.partner_ip, made.office_ip, made.stranger_ip, made.runner_ip):
        assert not covered(unlisted, made.list_entries)


@given(seed=st.text(max_size=20), place=st.integers(0, 762))
def test_an_address_of_the_instructors_stays_alone_on_the_list(seed: str, place: int) -> None:
    """Whatever documentation address is chosen, no other entry covers it and nobody else has it."""
    network = DOCUMENTATION[place % 3]
    chosen = str(network[place // 3])
    made = variant(SCENARIO, seed, ip=chosen)
    assert made.malicious_ip == chosen
    assert covered(chosen, made.list_entries) == [chosen]
    assert chosen not in (made.second_ip, made.partner_ip, made.office_ip, made.stranger_ip, made.runner_ip)


def test_the_list_does_not_always_name_the_address_first() -> None:
    """Its place among the entries is the seed's, so the first line is no answer."""
    places = {
        made.list_entries.index(made.malicious_ip) for made in (variant(SCENARIO, str(number)) for number in range(40))
    }
    assert places == {0, 1, 2, 3}


@pytest.mark.parametrize(
    "address",
    [
        "", "nonsense", "300.1.2.3", "1.2.3", "::1", "2001:db8::1", "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "0.0.0.0", "255.255.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "100.64.0.1", "8.8.8.8/32",
        "1.2.3.4:443", "01.2.3.4",
    ],
)  # fmt: skip
def test_an_address_that_no_threat_list_would_match_is_refused(address: str) -> None:
    """It is bad usage, said in one sentence with a way out."""
    with pytest.raises(LabError, match="Give a public IPv4 address") as caught:
        variant(SCENARIO, "seed", ip=address)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "address", ["198.18.0.1", "203.0.113.7", "192.0.2.1", "198.51.100.1", "93.184.216.34", " 1.1.1.1 "]
)
def test_public_and_reserved_for_documentation_addresses_are_taken(address: str) -> None:
    """Documentation and benchmarking ranges count, although Python calls them private."""
    assert variant(SCENARIO, "seed", ip=address).malicious_ip == address.strip()


@given(use=st.text(max_size=10), below=st.integers(1, 10**12))
def test_a_draw_stays_below_its_bound(use: str, below: int) -> None:
    """Numbers are in range and the same each time."""
    number = Draw("seed").number(use, below)
    assert 0 <= number < below
    assert number == Draw("seed").number(use, below)


def test_the_timeline_is_in_order_and_inside_the_history() -> None:
    """Steps follow one another, and an episode's calls keep theirs."""
    steps = timeline(SCENARIO, variant(SCENARIO, "seed"))
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[-1].at < timedelta(hours=40)
    assert [step.operation for step in steps if step.by == "WorkloadDevRole/linh"][:6] == [
        "CreateRole", "PutRolePolicy", "CreateFunction", "PutRule", "AddPermission", "PutTargets",
    ]  # fmt: skip


def test_the_functions_timeline_needs_two_pages() -> None:
    """With its creation, at least eleven changes: Config shows ten on a page."""
    steps = timeline(SCENARIO, variant(SCENARIO, "seed"))
    about = [
        step
        for step in steps
        if "traffic-simulation"
        in (step.params.get("FunctionName"), str(step.params.get("Resource")).rpartition(":")[2])
        and step.operation in {"TagResource", "UpdateFunctionConfiguration"}
    ]
    assert len(about) + 1 >= 11
    assert about[-1].by == "WorkloadDevRole/linh"


@given(hours=st.integers(1, 200))
def test_a_history_of_any_length_keeps_the_order(hours: int) -> None:
    """Offsets are stretched or squeezed into it; what came first still does, and nothing lies past the end."""
    history = timedelta(hours=hours)
    made = variant(SCENARIO, "seed", history=history)
    steps = timeline(SCENARIO, made)
    usual = timeline(SCENARIO, variant(SCENARIO, "seed"))
    assert [(step.by, step.operation) for step in steps] == [(step.by, step.operation) for step in usual]
    assert all(step.at < history for step in steps)
    assert all(finding.updated < history for finding in scenery(SCENARIO, made))


def test_what_happens_before_the_workload_settles_is_never_moved() -> None:
    """Also in a history that is shorter than that."""
    early = timedelta(minutes=16)
    assert scaled(early, SCENARIO.background, timedelta(hours=2)) == early
    assert scaled(timedelta(hours=39), SCENARIO.background, timedelta(minutes=10)) == SCENARIO.background.settled
