"""The AWS services that are ours, one module each, and moto wrapped for the rest."""

from simulator.service import Service


def ours() -> tuple[type[Service], ...]:
    """Return the classes of the services that are ours, in the order in which views are told of what happens."""
    from simulator.services.cloudformation import CloudFormation
    from simulator.services.cloudtrail import CloudTrail
    from simulator.services.config import Config
    from simulator.services.events import Events
    from simulator.services.guardduty import GuardDuty
    from simulator.services.lambda_ import Lambda
    from simulator.services.scheduler import Scheduler
    from simulator.services.sts import Sts

    return (Lambda, Events, Scheduler, GuardDuty, CloudTrail, Config, CloudFormation, Sts)
