"""AWS CloudTrail: the event history is a view of the lab's journal, and the trails that an account keeps.

`record` turns a finished call into the record that AWS writes of it (pure), `service` keeps the calls in order and looks events
up and tells EventBridge of what a trail logs, `trails` holds trails and their settings, `lake` says of event data stores that there are
none. Data events (an Invoke, an object read) stay out, as in AWS's Event history; so do calls of AWS's own services, such as deliveries:
what EventBridge is told of never makes it tell more.
"""

from simulator.services.cloudtrail.service import CloudTrail

__all__ = ["CloudTrail"]
