"""Ids in AWS's shapes, and principals on their way through the journal."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import milliseconds
from simulator.identity import Ids, Principal, account_of

ACCOUNTS = st.integers(1, 10**12 - 1).map(lambda number: f"{number:012d}")
MOMENTS = st.datetimes(datetime(2018, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(account=ACCOUNTS, seed=st.text())
def test_every_unique_id_decodes_to_its_account(account: str, seed: str) -> None:
    """Role, user and access key ids carry their account, and have AWS's lengths and letters."""
    ids = Ids.of(seed)
    role, key = ids.unique_id("AROA", account), ids.unique_id("ASIA", account, 20)
    assert account_of(role) == account_of(key) == account
    assert (len(role), len(key)) == (21, 20)
    assert set(role + key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@given(moment=st.datetimes(datetime(2018, 1, 1), datetime(2039, 9, 1), timezones=st.just(UTC)))
def test_finding_ids_decode_to_their_moment(moment: datetime) -> None:
    """Hex digits 3 to 14 shifted right by 7 are milliseconds; the first byte is even (docs/aws-facts.md, 1.2).

    The 41 bits of the moment last until September 2039.
    """
    made = Ids.of("x").timed_hex(moment)
    assert len(made) == 32
    assert int(made[:2], 16) % 2 == 0
    assert int(made[2:14], 16) >> 7 == milliseconds(moment)


@given(moment=MOMENTS)
def test_stack_ids_are_version_1_and_tell_the_time(moment: datetime) -> None:
    """The clock of a stack's UUID is the moment of its creation, to a millisecond."""
    made = uuid.UUID(Ids.of("x").uuid1(moment))
    told = datetime(1582, 10, 15, tzinfo=UTC) + timedelta(microseconds=made.time // 10)
    assert made.version == 1
    assert abs(told - moment) < timedelta(milliseconds=2)


def test_the_same_parts_draw_the_same_ids() -> None:
    """Ids depend on what they are seeded from and on nothing else."""
    assert Ids.of("a", 1).uuid4() == Ids.of("a", 1).uuid4() != Ids.of("a", 2).uuid4()
    assert Ids.of("ab", "c").hex(8) != Ids.of("a", "bc").hex(8)


@given(account=ACCOUNTS, created=MOMENTS, name=st.text(min_size=1, max_size=64))
def test_a_principal_comes_back_from_the_journal(account: str, created: datetime, name: str) -> None:
    """What is written of a session is read again, to the millisecond."""
    made = Principal.session(
        account_id=account, role_name="R", role_id="AROAX", session_name=name, access_key_id="ASIAX",
        created=created.replace(microsecond=created.microsecond // 1000 * 1000),
    )  # fmt: skip
    assert Principal.from_json(made.to_json()) == made


@given(text=st.text(max_size=24))
def test_what_is_no_id_has_no_account(text: str) -> None:
    """Any text is an id of some account or of none, never an error."""
    found = account_of(text)
    assert found is None or (len(found) == 12 and found.isdigit())
