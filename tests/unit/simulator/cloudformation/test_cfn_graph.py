"""The order in which resources are made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import AwsError
from simulator.services.cloudformation.graph import order


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw an acyclic graph, its names in any order."""
    names = [f"R{number}" for number in range(draw(st.integers(1, 12)))]
    rank = {name: number for number, name in enumerate(draw(st.permutations(names)))}
    edges = {name: [other for other in names if rank[other] < rank[name] and draw(st.booleans())] for name in names}
    return {name: edges[name] for name in draw(st.permutations(names))}


@given(graphs())
def test_everything_comes_after_what_it_depends_on(graph: dict[str, list[str]]) -> None:
    """Each name once, dependencies first."""
    made = order(graph)
    assert sorted(made) == sorted(graph)
    place = {name: number for number, name in enumerate(made)}
    assert all(place[other] < place[name] for name, needs in graph.items() for other in needs)


@given(graphs())
def test_of_those_ready_the_templates_first_comes_first(graph: dict[str, list[str]]) -> None:
    """The order is the only one that this rule allows, whatever the order of dependencies is."""
    done: list[str] = []
    left = list(graph)
    while left:
        name = next(name for name in left if set(graph[name]) <= set(done))
        done.append(name)
        left.remove(name)
    assert order({name: needs[::-1] for name, needs in graph.items()}) == tuple(done)


@given(graphs(), st.data())
def test_a_circle_is_told_with_its_members_only(graph: dict[str, list[str]], data: st.DataObject) -> None:
    """A ring through some names is found; what merely depends on it is not named."""
    ring = data.draw(st.lists(st.sampled_from(list(graph)), min_size=1, unique=True))
    graph = {name: list(needs) for name, needs in graph.items()} | {"After": [ring[0]]}
    for name, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        graph[name].append(other)
    with pytest.raises(AwsError) as told:
        order(graph)
    assert told.value.message.startswith("Circular dependency between resources: [")
    named = told.value.message.partition("[")[2].rstrip("]").split(", ")
    assert set(ring) <= set(named)
    assert "After" not in named


def test_names_outside_the_graph_do_not_count() -> None:
    """A condition may have left a dependency out."""
    assert order({"A": ["Gone"], "B": ["A"]}) == ("A", "B")
