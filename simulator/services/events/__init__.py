"""EventBridge: buses, rules and their schedules, and the delivery of events to targets.

A rule is data; when its schedule is due a `tick` is recorded, which alone moves the schedule on, and then the event is
handed to the rule's targets. So a replay has every tick at its place and delivers nothing twice, and a rule whose
function is gone goes on ticking, as on AWS. Patterns, schedules and the shaping of payloads are pure modules.

Faces: the trainee, who may send any pattern, template or event; nothing of it is run or becomes a regular expression,
and patterns and events are bounded in size and depth. A rule reaches the resources of its own account only.
"""

from simulator.services.events.service import Events

__all__ = ["Events"]
