"""AWS CloudTrail."""

from simulator.service import Service


class CloudTrail(Service):
    """AWS CloudTrail."""

    name = "cloudtrail"
