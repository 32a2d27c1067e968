"""The findings page's filter: what an address says, the criteria it becomes, and the addresses that change it."""

from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from simulator.console import filters
from simulator.console.filters import Chosen, Filter

conditions = st.lists(
    st.builds(
        Chosen,
        field=st.sampled_from(sorted(filters.LABELS)),
        value=st.text(min_size=1, max_size=20),
        excluded=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda each: each.text,
)


@given(st.sampled_from(sorted(filters.STATES)), conditions)
def test_an_address_holds_the_whole_filter(state: str, chosen: list[Chosen]) -> None:
    """Reading the address gives the filter that wrote it."""
    written = Filter(state=state, chosen=tuple(chosen), sort="severity", order="ASC")
    assert filters.read(parse_qs(urlsplit(written.address()).query, keep_blank_values=True)) == written


def test_conditions_of_a_field_are_alternatives_and_severities_are_bands() -> None:
    """As the API takes them: values of a field OR, fields AND, Medium is 4 to 6."""
    chosen = (
        Filter().within("severity", "Medium").within("type", "A").within("type", "B").within("id", "x", excluded=True)
    )
    assert chosen.criteria() == {
        "Criterion": {
            "severity": {"Equals": ["4", "5", "6"]},
            "type": {"Equals": ["A", "B"]},
            "id": {"NotEquals": ["x"]},
            "service.archived": {"Equals": ["false"]},
        }
    }


def test_what_makes_no_sense_in_an_address_is_left_out() -> None:
    """Fields that cannot be filtered by, conditions without a value, states that there are not."""
    assert filters.read({"f": ["nope|eq|1", "id|like|1", "id|eq|"], "macros": ["x"], "order": ["sideways"]}) == Filter()


def test_a_condition_is_taken_back_and_an_order_turned() -> None:
    """Removing what was added gives the filter from before; sorting by the same field again turns it round."""
    chosen = Filter().within("id", "x")
    assert chosen.without(chosen.chosen[0]) == Filter()
    assert chosen.within("id", "x") == chosen
    assert Filter().sorted_by("severity").order == "DESC"
    assert Filter().sorted_by("severity").sorted_by("severity").order == "ASC"
