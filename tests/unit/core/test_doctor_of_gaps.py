"""What `lab doctor` says of what the lab lacks."""

from simulator.coverage import covered, resource_types
from simulator.doctor import machine


def test_doctor_lists_what_is_not_there() -> None:
    """By name: the operations of the lab's own services that answer NotImplemented, and the types that a stack may have."""
    told = {each.name: each.found for each in machine()}
    for row in covered():
        for name in row.missing:
            assert f" {name}" in told[f"gaps, {row.service}"]
    assert "SelectResourceConfig" in told["gaps, config"]
    assert all(name in told["gaps, CloudFormation types"] for name in resource_types())
