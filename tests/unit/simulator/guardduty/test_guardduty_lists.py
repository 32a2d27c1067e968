"""Lists: where they are read from, their states by lab time, quotas and names."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.errors import AwsError
from simulator.services.guardduty.sets import bucket_and_key

KINDS = ("IPSet", "ThreatIntelSet", "ThreatEntitySet", "TrustedEntitySet")


def create(
    world: Any, kind: str = "ThreatIntelSet", name: str = "bad", body: bytes = b"198.51.100.7\n", **params: Any
) -> Any:
    """Create a list over a new object and return its id as Get takes it."""
    location = world.put(f"{kind}-{name}.txt", body)
    return world.call(
        f"Create{kind}", **{"Name": name, "Format": "TXT", "Location": location, "Activate": True, **params}
    )


def status(world: Any, ids: Any, kind: str = "ThreatIntelSet") -> str:
    """Return a list's status."""
    found: str = world.call(f"Get{kind}", **ids)["Status"]
    return found


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://s3.amazonaws.com/b/k.txt", ("b", "k.txt")),
        ("https://s3-eu-west-1.amazonaws.com/b/dir/k.txt", ("b", "dir/k.txt")),
        ("https://s3.us-west-2.amazonaws.com/b/k", ("b", "k")),
        ("http://b.s3.amazonaws.com/k", ("b", "k")),
        ("http://b.s3-us-east-2.amazonaws.com/k", ("b", "k")),
        ("https://my.bucket.s3.us-east-1.amazonaws.com/a%20b", ("my.bucket", "a b")),
        ("s3://b/dir/k", ("b", "dir/k")),
    ],
)
def test_every_form_of_location_names_bucket_and_key(location: str, expected: tuple[str, str]) -> None:
    """The five documented forms, and the Region with a dot."""
    assert bucket_and_key(location) == expected


@pytest.mark.parametrize(
    "location", ["b/k", "s3://b", "https://example.com/b/k", "https://s3.amazonaws.com/b", "file:///etc/passwd"]
)
def test_any_other_location_is_refused(world: Any, location: str) -> None:
    """At the call, with AWS's text for bad values."""
    with pytest.raises(AwsError, match="invalid or out-of-range"):
        bucket_and_key(location)
    error = world.error("CreateThreatIntelSet", Name="x", Format="TXT", Location=location, Activate=False)
    assert error.code == "BadRequestException"


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_activating_before_it_is_active(world: Any, kind: str) -> None:
    """Some five minutes of lab time lie between (checklist 36)."""
    ids = create(world, kind)
    assert status(world, ids, kind) == "ACTIVATING"
    world.wait(minutes=3)
    assert status(world, ids, kind) == "ACTIVATING"
    world.wait(minutes=4)
    assert status(world, ids, kind) == "ACTIVE"


def test_an_inactive_list_stays_so(world: Any) -> None:
    """Created without activation, nothing is read and nothing matches."""
    ids = create(world, Activate=False)
    world.wait(hours=1)
    assert status(world, ids) == "INACTIVE"
    world.flow()
    world.wait(hours=1)
    assert world.findings() == []


def test_lists_of_addresses_have_no_times_those_of_entities_have(world: Any) -> None:
    """As the model says (checklist 38)."""
    plain = world.call("GetThreatIntelSet", **create(world))
    entity = world.call("GetThreatEntitySet", **create(world, "ThreatEntitySet"))
    assert set(plain) == {"Name", "Format", "Location", "Status", "Tags"}
    assert {"CreatedAt", "UpdatedAt"} <= set(entity)


def test_deactivation_passes_through_deactivating(world: Any) -> None:
    """For a minute."""
    ids = create(world)
    world.wait(minutes=10)
    world.call("UpdateThreatIntelSet", **ids, Activate=False)
    assert status(world, ids) == "DEACTIVATING"
    world.wait(minutes=2)
    assert status(world, ids) == "INACTIVE"


def test_nothing_can_be_changed_in_transition(world: Any) -> None:
    """Except that the list may be deleted."""
    ids = create(world)
    assert "current status" in world.error("UpdateThreatIntelSet", **ids, Activate=True).message
    world.call("DeleteThreatIntelSet", **ids)
    assert status(world, ids) == "DELETE_PENDING"


def test_a_deleted_list_is_gone_after_a_minute(world: Any) -> None:
    """Its name is free at once."""
    ids = create(world)
    world.call("DeleteThreatIntelSet", **ids)
    assert world.call("ListThreatIntelSets")["ThreatIntelSetIds"] == []
    again = create(world)
    world.wait(minutes=2)
    assert world.error("GetThreatIntelSet", **ids).message == "The request is rejected since no such resource found."
    assert status(world, again) == "ACTIVATING"


def test_a_list_whose_object_is_missing_is_in_error(world: Any) -> None:
    """An entity list also says why."""
    location = "s3://threat-lists/nothing"
    for kind in KINDS:
        ids = world.call(f"Create{kind}", Name="n", Format="TXT", Location=location, Activate=True)
        assert status(world, ids, kind) == "ERROR"
    assert "does not exist" in world.call("GetTrustedEntitySet", **ids)["ErrorDetails"]


def test_a_list_in_error_recovers_when_its_object_is_there(world: Any) -> None:
    """Activation reads anew."""
    ids = world.call("CreateThreatIntelSet", Name="n", Format="TXT", Location="s3://threat-lists/late", Activate=True)
    world.put("late", b"198.51.100.7")
    world.call("UpdateThreatIntelSet", **ids, Activate=True)
    world.wait(minutes=10)
    assert status(world, ids) == "ACTIVE"


def test_a_list_that_is_too_large_is_in_error(world: Any) -> None:
    """A trusted list takes 2,000 entries, a threat list 250,000, one of threat entities 1,000."""
    body = b"\n".join(b"198.18.%d.%d" % (number >> 8, number & 255) for number in range(2001))
    assert status(world, create(world, "IPSet", body=body), "IPSet") == "ERROR"
    entities = b"\n".join(body.splitlines()[:1001])
    assert status(world, create(world, "ThreatEntitySet", body=entities), "ThreatEntitySet") == "ERROR"
    assert status(world, create(world, body=body)) == "ACTIVATING"


def test_another_owner_of_the_bucket_is_an_error(world: Any) -> None:
    """ExpectedBucketOwner is checked when given, and shown."""
    ids = create(world, ExpectedBucketOwner="999999999999")
    assert status(world, ids) == "ERROR"
    assert world.call("GetThreatIntelSet", **ids)["ExpectedBucketOwner"] == "999999999999"


@pytest.mark.parametrize(
    ("kind", "quota"), [("IPSet", 1), ("ThreatIntelSet", 6), ("ThreatEntitySet", 6), ("TrustedEntitySet", 1)]
)
def test_there_is_a_quota_of_lists(world: Any, kind: str, quota: int) -> None:
    """Six of a threat kind, one of a trusted kind."""
    for number in range(quota):
        create(world, kind, f"list-{number}")
    location = world.put("more", b"")
    error = world.error(f"Create{kind}", Name="more", Format="TXT", Location=location, Activate=False)
    assert (error.code, error.fields["Type"]) == ("BadRequestException", "LimitExceededException")


def test_names_are_unique(world: Any) -> None:
    """For a new list and for a renamed one."""
    create(world)
    other = create(world, name="other", Activate=False)
    location = world.put("more", b"")
    assert (
        "name"
        in world.error("CreateThreatIntelSet", Name="bad", Format="TXT", Location=location, Activate=False).message
    )
    assert "name" in world.error("UpdateThreatIntelSet", **other, Name="bad").message


def test_a_repeated_client_token_makes_no_second_list(world: Any) -> None:
    """SDKs retry with the same token."""
    assert create(world, ClientToken="t") == create(world, ClientToken="t")


def test_lists_come_in_pages(world: Any) -> None:
    """Oldest first; the last page has no token."""
    ids = [create(world, name=f"list-{number}")["ThreatIntelSetId"] for number in range(3)]
    first = world.call("ListThreatIntelSets", MaxResults=2)
    second = world.call("ListThreatIntelSets", MaxResults=2, NextToken=first["NextToken"])
    assert first["ThreatIntelSetIds"] + second["ThreatIntelSetIds"] == ids
    assert "NextToken" not in second


@pytest.mark.parametrize("token", ["x", "cGFnZTo=", "bm90IG91cnM6MQ==", "é"])
def test_a_token_from_elsewhere_is_refused(world: Any, token: str) -> None:
    """Nothing but the service's own tokens is taken."""
    assert world.error("ListThreatIntelSets", NextToken=token).code == "BadRequestException"


def test_a_list_can_be_renamed_and_moved(world: Any) -> None:
    """The new object is read when the list is next activated."""
    ids = create(world)
    world.wait(minutes=10)
    location = world.put("elsewhere.txt", b"203.0.113.9")
    world.call("UpdateThreatIntelSet", **ids, Name="renamed", Location=location)
    shown = world.call("GetThreatIntelSet", **ids)
    assert (shown["Name"], shown["Location"], shown["Status"]) == ("renamed", location, "ACTIVE")
    world.flow()
    world.call("UpdateThreatIntelSet", **ids, Activate=True)
    world.wait(minutes=10)
    world.flow()
    world.flow("203.0.113.9")
    world.wait(minutes=10)
    counts = {each["Description"].split()[-1]: each["Service"]["Count"] for each in world.findings()}
    assert counts == {"renamed.": 1}
    assert len(world.findings()) == 2
