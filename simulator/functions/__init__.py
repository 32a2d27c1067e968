"""The Lambda execution environment: a warm, walled process a function, in which the handler really runs.

It faces function code that is hostile everywhere: the trainee's, and that of a submitted lab which an instructor replays.
"""

from simulator.functions.environments import Environments
from simulator.functions.model import FunctionSpec, Invocation, Outcome, Rehearsal, Status, Walls

__all__ = ["Environments", "FunctionSpec", "Invocation", "Outcome", "Rehearsal", "Status", "Walls"]
