"""The Lambda execution environment: a warm, walled process a function, in which the handler really runs.

It faces function code that is hostile everywhere: the trainee's own, and that of a submitted lab which an instructor
replays. `Environments.run` gives an `Outcome` whatever the code does; `Environments.rehearse` tells what coming
invocations would connect to and changes nothing. Python runtimes are run, with the kit's own interpreter; others are
refused by name.

Each function has two processes (the folder `child`). The *keeper* is trusted and holds no lab data: it forks the
*child*, which puts up its walls before it loads anything of the function. On Linux 5.10 and newer those are a seccomp
filter that notifies the keeper of every connect and send, so that it records the address and answers in the kernel's
place (a TCP connection times out, a datagram is swallowed), and Landlock, as far as the kernel has it. No privilege is
needed, and any that there is is given up. What the child says about itself can only shorten its own life.
Elsewhere an audit hook records and refuses (`walls()` says what that is worth); a hosted lab needs Linux.

The library sandlock was tried for the walls (0.9.0; a connection and a datagram took 1.1 ms a run, which would do). It
was not taken: its callback is not told whether a connection is TCP or UDP, it can refuse a datagram but not answer that
it was sent, and it needs Landlock 6 (Linux 6.12), which most machines of today do not have.

What differs from AWS: processor time is bounded at two seconds a run, sleeping costs no real time, a connection fails
at once instead of hanging until the timeout, names do not resolve, and nobody can listen. Paths under `/tmp` and
`/var/task` are translated in Python's own functions only.
"""

from simulator.functions.environments import Environments
from simulator.functions.model import FunctionSpec, Invocation, Outcome, Rehearsal, Status, Walls

__all__ = ["Environments", "FunctionSpec", "Invocation", "Outcome", "Rehearsal", "Status", "Walls"]
