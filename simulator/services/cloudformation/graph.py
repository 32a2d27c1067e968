"""In which order resources are made: a pure, deterministic topological order.

Of the resources that are ready, the one that the template names first comes first; deletion is the reverse.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

from simulator.services.cloudformation.template import invalid


def order(dependencies: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return the names so that each comes after what it depends on; ties in the mapping's own order.

    Dependencies on names outside the mapping do not count. Raises the ValidationError of a circular dependency.
    """
    rank = {name: index for index, name in enumerate(dependencies)}
    waiting = {name: {other for other in needs if other in rank} for name, needs in dependencies.items()}
    followers: dict[str, list[str]] = {name: [] for name in dependencies}
    for name, needs in waiting.items():
        for other in needs:
            followers[other].append(name)
    ready = [rank[name] for name, needs in waiting.items() if not needs]
    names = tuple(dependencies)
    done: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        done.append(name)
        for follower in followers[name]:
            waiting[follower].discard(name)
            if not waiting[follower]:
                heapq.heappush(ready, rank[follower])
    if len(done) < len(names):
        raise invalid(f"Circular dependency between resources: [{', '.join(_circle(waiting, set(names) - set(done)))}]")
    return tuple(done)


def _circle(waiting: Mapping[str, set[str]], left: set[str]) -> list[str]:
    """Return the names in or between circles, in template order: what merely hangs on a circle is left out."""
    needed = {name: 0 for name in waiting if name in left}
    for name in needed:
        for other in waiting[name]:
            needed[other] += 1
    loose = [name for name, count in needed.items() if not count]
    while loose:
        name = loose.pop()
        del needed[name]
        for other in waiting[name]:
            if other in needed:
                needed[other] -= 1
                if not needed[other]:
                    loose.append(other)
    return list(needed)
