"""Answers as people type them: forgiving in form, and no text at all breaks the reading of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.answers import Identity, address, clean, function_name, identity, several, unreadable_address
from checker.rules import Status, creator, malicious_ip
from checker.rules import function_name as function_rule
from checker.rules.samples import IP, NAME, lab

AROUND = st.text(alphabet=" \t\n\"'`“”‘’«»", max_size=5)


@given(before=AROUND, after=AROUND, stop=st.sampled_from(["", ".", ";", ","]))
def test_what_is_typed_around_an_answer_does_not_matter(before: str, after: str, stop: str) -> None:
    """Spaces, quotes of any kind and a closing stop."""
    assert clean(f"{before}{NAME}{stop}{after}") == NAME


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    """Nothing is left over for a second go."""
    assert clean(clean(text)) == clean(text)


@given(text=st.text(), rule=st.sampled_from([function_rule.judge, malicious_ip.judge, creator.judge]))
def test_any_text_gets_a_verdict_with_an_explanation(text: str, rule: object) -> None:
    """No answer is an exception, and a wrong one never says the right one."""
    verdict = rule(lab(), text)  # type: ignore[operator]  # three functions of the same shape
    assert verdict.why
    if verdict.status is not Status.PASSED:
        assert IP not in f"{verdict.why}{verdict.next}"


@given(st.ip_addresses(v=4), st.integers(1, 65535))
def test_every_address_is_read_alone_with_a_port_and_as_a_host_route(ip: object, port: int) -> None:
    """Three ways to write the same address."""
    read = [address(text) for text in (str(ip), f"{ip}:{port}", f"{ip}/32", f"https://{ip}:{port}/")]
    assert [each.ip if each else None for each in read] == [ip] * 4
    assert read[1] is not None
    assert read[1].port == port


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_is_not_mistaken_for_a_port(ip: object) -> None:
    """Its colons are its own."""
    found = address(str(ip))
    assert found is not None
    assert found.port is None


@pytest.mark.parametrize("text", ["", "  ", "nonsense", "1.2.3", "300.1.1.1", "traffic-simulation", "01.02.03.04"])
def test_what_is_no_address_is_told_in_a_sentence(text: str) -> None:
    """What it is not, and what one looks like."""
    assert re.search("address|empty", str(unreadable_address(text)))


@pytest.mark.parametrize("text", ["198.51.100.7", "198.51.100.0/24", "198.51.100.7 or 203.0.113.9"])
def test_what_can_be_graded_is_graded(text: str) -> None:
    """A range and two addresses are wrong answers with a lesson, not bad usage."""
    assert unreadable_address(text) is None


def test_two_answers_are_seen_in_english_and_vietnamese() -> None:
    """`or`, `hoặc`, commas and lines separate; the slash of role and session does not."""
    assert several("WSSystemRole or System") == ("WSSystemRole", "System")
    assert several("WSSystemRole hoặc System") == ("WSSystemRole", "System")
    assert several("a, b\nc") == ("a", "b", "c")
    assert several("WSSystemRole/System") == ("WSSystemRole/System",)


def test_identities_are_read_in_every_form() -> None:
    """Role, session, ARNs with and without a path."""
    assert identity("arn:aws:iam::111122223333:role/team/a/WSSystemRole") == Identity(
        name="WSSystemRole", account="111122223333"
    )
    assert identity("arn:aws-cn:sts::111122223333:assumed-role/R/S") == Identity(
        name="R", session="S", account="111122223333"
    )
    assert identity("R/S") == Identity(name="R", session="S")
    assert identity("two words") is None


def test_a_function_is_read_with_account_region_and_qualifier() -> None:
    """What the ARN says is kept, to be judged."""
    found = function_name("arn:aws:lambda:eu-west-1:111122223333:function:f:live")
    assert found is not None
    assert (found.name, found.region, found.account, found.qualifier) == ("f", "eu-west-1", "111122223333", "live")
    assert function_name("my function") is None
