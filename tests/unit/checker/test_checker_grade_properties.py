"""What holds of every grading, whatever the answers and the account's state."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from checker.evidence import Evidence
from checker.grade import Answers, grade
from checker.rules import Status
from checker.rules.samples import IP, NAME, SECOND_IP, connection, event, lab, outlook
from scenario.model import Scenario

RIGHT = {"function-name": NAME, "malicious-ip": IP, "creator": "WSSystemRole"}
TEXTS = st.fixed_dictionaries(
    {},
    optional={
        "function-name": st.sampled_from([NAME, "order-webhook", ""]),
        "malicious-ip": st.sampled_from([IP, SECOND_IP, "nonsense"]),
        "creator": st.sampled_from(["WSSystemRole", "System", "linh"]),
    },
)
OUTLOOKS = st.sampled_from(
    [
        outlook(),
        outlook(connection()),
        outlook(connection(permitted=False)),
        outlook(connection(ip="192.0.2.1")),
        outlook(determinable=False, why=("too slow",)),
        None,
    ]
)
CHANGES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"outlook": OUTLOOKS},
    optional={
        "rule_enabled": st.booleans(),
        "concurrency": st.sampled_from([None, 0]),
        "archived": st.booleans(),
        "detector_on": st.booleans(),
        "recorder_on": st.sampled_from([True, False, None]),
        "trails": st.sampled_from([(("t", True),), (("t", False),), ()]),
        "function": st.just(None),
        "assigned": st.just(None),
        "stored_code": st.just(frozenset()),
        "mine": st.lists(
            st.sampled_from(["DisableRule", "DeleteFunction20150331", "GetFindings", "StopLogging"]).map(
                lambda name: event(name, read_only=name.startswith("Get"))
            ),
            max_size=3,
        ).map(tuple),
    },
)


def _lab(changes: dict[str, Any]) -> Evidence:
    if "function" in changes:
        changes.pop("concurrency", None)
    return lab(**changes)


@given(texts=TEXTS, changes=CHANGES)
def test_points_are_those_of_what_passed(scenario: Scenario, texts: dict[str, str], changes: dict[str, Any]) -> None:
    """No points without passing, never more than there are, passed only when all are."""
    report = grade(scenario, _lab(dict(changes)), Answers(texts=texts))
    for task in report.tasks:
        assert 0 <= task.score <= task.max_score
        assert (task.score > 0) == (task.status is Status.PASSED)
        assert task.why
        assert sum(part.score for part in task.parts) in (0, task.score)
    assert report.passed == all(task.status is Status.PASSED for task in report.tasks)
    assert report.score == sum(task.score for task in report.tasks)


@given(texts=TEXTS, changes=CHANGES, task=st.sampled_from(sorted(RIGHT)))
def test_a_right_answer_never_costs(
    scenario: Scenario, texts: dict[str, str], changes: dict[str, Any], task: str
) -> None:
    """Grading is monotone: correcting one answer raises the score or leaves it."""
    evidence = _lab(dict(changes))
    before = grade(scenario, evidence, Answers(texts=texts)).score
    assert grade(scenario, evidence, Answers(texts={**texts, task: RIGHT[task]})).score >= before


@given(texts=TEXTS, changes=CHANGES)
def test_grading_depends_on_nothing_else(scenario: Scenario, texts: dict[str, str], changes: dict[str, Any]) -> None:
    """The same evidence and answers give the same report."""
    first = grade(scenario, _lab(dict(changes)), Answers(texts=texts))
    assert grade(scenario, _lab(dict(changes)), Answers(texts=texts)) == first


@given(texts=TEXTS, changes=CHANGES)
def test_nothing_unearned_is_said(scenario: Scenario, texts: dict[str, str], changes: dict[str, Any]) -> None:
    """The address is in a report only once its task is passed, and nothing is cited for a task that is not."""
    report = grade(scenario, _lab(dict(changes)), Answers(texts=texts))
    by_id = {task.id: task for task in report.tasks}
    if by_id["malicious-ip"].status is not Status.PASSED:
        assert IP not in repr(report)
    assert [task.id for task in report.tasks if task.evidence and task.status is not Status.PASSED] == []
