"""CloudFormation: a template becomes API calls, made as whoever created the stack.

The room's design: `template` reads text safely and checks its form, `checks` what it asks for, `intrinsics` and `values`
work out what it says, `graph` orders it, `changes` tells what an update would do; none of these changes anything. `engine`
holds the processes that make the calls, one handler a resource type (`resources`, over the registry's table in `schema`),
and records what came of them. The API is `service`, `change_sets` and `reads`; with `store`, where the engine's records are
taken in, they are the only places where a stack (`state`) changes, so that a replay makes no call twice.

It faces the trainee and whoever sends a journal in: a template is their text. It is data here, never code; its size,
depth and number of resources are bounded, aliases are refused as on AWS.
"""

from simulator.services.cloudformation.service import CloudFormation

__all__ = ["CloudFormation"]
