"""What runs in the processes of a function: a keeper that is trusted, and behind its walls the handler, which is not.

Nothing here imports more than the standard library or the rest of the kit: the processes start bare (`python -I -S`)
and load this folder as a package of its own, so that the handler sees none of the kit's modules.

- `keeper` is the parent: it forks the walled process, answers its notified system calls, watches its limits, and
  kills it with all its descendants. It lives as long as the pipe from the simulator is open.
- `runtime` is the child: Lambda's runtime for Python with the lab's clock.
- `seccomp` is the wall on Linux, `audit` what there is elsewhere.
"""
