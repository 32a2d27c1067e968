"""GuardDuty: detectors, lists, and findings that follow from what functions really did.

Nothing in here knows the scenario. `on_flow` hands each connection to `simulator.detection`; what it finds is kept as
times of occurrences, and everything a client sees (Count, EventLastSeen, UpdatedAt, Archived, a list's status) is worked
out for the moment of the question. So findings show late by themselves, and freeze when the traffic stops. The only work
that is due at a time is telling EventBridge. Background findings are scenery: declared, marked, never growing.

Adversaries faced: the trainee, through operations only; a list file that anyone in the account may write, which is read
as bytes with regular expressions and a CSV reader, never as XML, and up to AWS's limits.
"""

from simulator.services.guardduty.accounts import Accounts
from simulator.services.guardduty.destinations import Destinations
from simulator.services.guardduty.detectors import Detectors
from simulator.services.guardduty.filters import Filters
from simulator.services.guardduty.flows import Flows
from simulator.services.guardduty.protection import Protection
from simulator.services.guardduty.samples import Samples
from simulator.services.guardduty.scenery import Scenery
from simulator.services.guardduty.set_operations import SetOperations
from simulator.services.guardduty.statistics import Statistics
from simulator.services.guardduty.tags import Tags
from simulator.services.guardduty.usage import Usage


class GuardDuty(
    Detectors,
    SetOperations,
    Flows,
    Statistics,
    Filters,
    Samples,
    Scenery,
    Usage,
    Tags,
    Destinations,
    Accounts,
    Protection,
):
    """The service of one lab."""


__all__ = ["GuardDuty"]
