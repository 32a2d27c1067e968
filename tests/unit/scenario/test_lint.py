"""Lint finds what an author got wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scenario import load
from scenario.lint import problems
from scenario.model import Call, Hint, Scenario

SCENARIO_ID = "lambda-malicious-ip"
SCENARIO = load.load(SCENARIO_ID)
PAGE = "function-name malicious-ip creator remediation"
FILES = {**load.files(SCENARIO_ID), "guide.md": PAGE, "instructor.md": PAGE}


def found(scenario: Scenario, folder: str = SCENARIO_ID, **pages: str) -> str:
    """Return lint's problems as one text. `pages` are further pages by name without .md."""
    files = {**FILES, **{f"{name}.md": text for name, text in pages.items()}}
    return "\n".join(problems(scenario, folder, files))


def test_the_scenario_of_these_tests_is_clean() -> None:
    """What the tests below find, they planted."""
    assert found(SCENARIO) == ""


def hint(text: str) -> Callable[[Scenario], Scenario]:
    """Return a change that makes `text` the second task's last hint."""

    def change(scenario: Scenario) -> Scenario:
        task = scenario.tasks[1]
        hints = (*task.hints[:2], Hint(rung="example", text=text))
        return replace(scenario, tasks=(scenario.tasks[0], replace(task, hints=hints), *scenario.tasks[2:]))

    return change


def first_finding(**changes: object) -> Callable[[Scenario], Scenario]:
    """Return a change of the first scenery finding."""

    def change(scenario: Scenario) -> Scenario:
        first, *others = scenario.background.findings
        findings = (replace(first, **changes), *others)  # type: ignore[arg-type]
        return replace(scenario, background=replace(scenario.background, findings=findings))

    return change


def last_episode(**changes: object) -> Callable[[Scenario], Scenario]:
    """Return a change of the last episode."""

    def change(scenario: Scenario) -> Scenario:
        *others, last = scenario.background.episodes
        episodes = (*others, replace(last, **changes))  # type: ignore[arg-type]
        return replace(scenario, background=replace(scenario.background, episodes=episodes))

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: replace(s, tasks=s.tasks[:3]), "come to 60, not to 100"),
        (lambda s: replace(s, tasks=(*s.tasks[:3], s.tasks[2])), "tasks: 'creator' is there 2 times"),
        (
            lambda s: replace(s, tasks=(*s.tasks[:3], replace(s.tasks[3], parts=s.tasks[3].parts[:3]))),
            "come to 35 points",
        ),
        (lambda s: replace(s, tasks=(replace(s.tasks[0], hints=()), *s.tasks[1:])), "there must be three"),
        (
            lambda s: replace(s, tasks=(replace(s.tasks[0], question=" "), *s.tasks[1:])),
            "function-name.question: it is e",
        ),
        (hint("It is 198.19.4.4."), "198.19.4.4 could be some seed's answer"),
        (hint("It is {malicious_ip}."), "{malicious_ip} differs from seed to seed"),
        (hint(""), "malicious-ip.hints.2: it is empty"),
        (
            lambda s: replace(
                s,
                tasks=(
                    replace(
                        s.tasks[0],
                        hints=(replace(s.tasks[0].hints[0], text="Traffic-Simulation"), *s.tasks[0].hints[1:]),
                    ),
                    *s.tasks[1:],
                ),
            ),
            "gives the answer away",
        ),
        (lambda s: replace(s, assignment="Account {account_id}"), "assignment: {account_id} differs"),
        (lambda s: replace(s, fixes=()), "at least one fix"),
        (
            lambda s: replace(s, fixes=(replace(s.fixes[0], steps=()), *s.fixes[1:])),
            "disable-rule.steps: there are none",
        ),
        (lambda s: replace(s, fixes=(replace(s.fixes[0], why=""), *s.fixes[1:])), "disable-rule.why: it is empty"),
        (lambda s: replace(s, fixes=(s.fixes[0], *s.fixes)), "fixes: 'disable-rule' is there 2 times"),
        (last_episode(by="NobodyRole/x"), "'NobodyRole/x' is no actor's session"),
        (last_episode(by="user:nobody"), "'user:nobody' is no actor's session"),
        (
            lambda s: replace(s, background=replace(s.background, episodes=s.background.episodes[1:])),
            "ci-is-refused.by: nobody created an access key for user:ci-deploy before",
        ),
        (last_episode(by="WorkloadDevRole"), "'WorkloadDevRole' is no actor's session"),
        (last_episode(at=timedelta(hours=40)), "goes on after the end"),
        (last_episode(calls=()), "linh-economises.calls: there are none"),
        (last_episode(source_ip="{nowhere}"), "nobody gives a value called {nowhere}"),
        (
            last_episode(calls=(Call(service="lambda", operation="X", params={"Z": [{"$zip": "code/none"}]}),)),
            "the folder 'code/none' holds no code",
        ),
        (first_finding(last_seen=timedelta(0)), "must follow one another"),
        (first_finding(created=timedelta(hours=39)), "created: it must lie between"),
        (first_finding(finding={"Type": "x"}), "Severity, Title, Description, Resource, Service missing"),
        (
            first_finding(finding={**SCENARIO.background.findings[0].finding, "Resource": {"ResourceType": "Lambda"}}),
            "its resource is a Lambda function",
        ),
        (first_finding(finding={**SCENARIO.background.findings[0].finding, "Title": "{nope}"}), "called {nope}"),
    ],
)
def test_a_planted_problem_is_found(change: Callable[[Scenario], Scenario], problem: str) -> None:
    """Each is named with its place."""
    assert problem in found(change(SCENARIO))


def test_the_folder_must_be_called_as_the_scenario() -> None:
    """Otherwise an author who copies a folder edits one and runs the other."""
    assert "the folder is called 'copy'" in found(SCENARIO, folder="copy")
    assert "lower-case words" in found(replace(SCENARIO, id="Two Words"), folder="Two Words")


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("", "guide.md: it is missing or empty"),
        (f"{PAGE} [x](nowhere.md)", "the link to nowhere.md leads nowhere"),
        ("function-name malicious-ip creator", "does not mention the task remediation"),
        (f"{PAGE} 198.18.1.2", "198.18.1.2 could be some seed's answer"),
        (f"{PAGE} {{account_id}}", "{account_id} would not be filled in"),
    ],
)
def test_a_page_s_problems_are_found(page: str, problem: str) -> None:
    """Dead links, forgotten tasks and values of a seed."""
    assert problem in found(SCENARIO, guide=page)


def test_links_that_lead_somewhere_are_no_problem() -> None:
    """Within the page, to a file of the folder, to the web."""
    assert found(SCENARIO, guide=f"{PAGE} [a](#x) [b](instructor.md#y) [c](https://example.com/)") == ""
