"""The scenario that the kit ships: its calls and findings are ones that AWS's models know, and it has no problems."""

import ast
import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from scenario import load, steps
from scenario.lint import problems
from scenario.model import Call, Fix, Scenario, TemptingWrongFix
from scenario.variant import scenery, timeline, variant

SCENARIO_ID = "lambda-malicious-ip"
SCENARIO = load.load(SCENARIO_ID)
VARIANT = variant(SCENARIO, "seed")
START = datetime(2026, 11, 22, 17, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def models() -> Mapping[str, ServiceModel]:
    """Botocore's models, read when asked for."""

    class Models(dict[str, ServiceModel]):
        session = botocore.session.Session()

        def __missing__(self, name: str) -> ServiceModel:
            self[name] = self.session.get_service_model(name)
            return self[name]

    return Models()


def calls(scenario: Scenario) -> Iterator[tuple[str, Any, Any, Mapping[str, str]]]:
    """Yield every call of the scenario with its place, its parameters filled, and what it saves."""
    saved = {name: "x" * 20 for step in timeline(scenario, VARIANT) for name in step.save}
    zipped = partial(load.zipped, scenario.id, VARIANT)
    for step in timeline(scenario, VARIANT):
        params = steps.render(step.params, {**VARIANT.values, **saved, "turn": "1"}, zipped)
        yield f"{step.by} {step.service} {step.operation}", step, params, step.save
    exercises: tuple[Fix | TemptingWrongFix, ...] = (*scenario.fixes, *scenario.tempting_wrong_fixes)
    for exercise in exercises:
        found: dict[str, str] = {}
        for call in exercise.steps:
            if isinstance(call, Call):
                params = steps.render(call.params, {**VARIANT.values, **found}, zipped)
                yield f"{exercise.id} {call.service} {call.operation}", call, params, call.save
                found |= dict.fromkeys(call.save, "x" * 32)


def test_the_catalog_lists_the_scenario() -> None:
    """An id is its folder's name."""
    assert load.catalog() == (SCENARIO_ID,)


@pytest.mark.parametrize("scenario_id", load.catalog())
def test_an_author_has_nothing_to_mend(scenario_id: str) -> None:
    """Lint finds no problem in what is shipped."""
    assert problems(load.checked(scenario_id), scenario_id, load.files(scenario_id)) == ()


def test_reading_with_and_without_pydantic_agree() -> None:
    """The quick way makes the same records as the one that checks every key."""
    assert load.load(SCENARIO_ID) == load.checked(SCENARIO_ID)


def test_every_call_has_parameters_that_botocore_accepts(models: Mapping[str, ServiceModel]) -> None:
    """Background, fixes and tempting wrong fixes alike: operations exist, and parameters fit their shapes."""
    wrong = []
    for where, call, params, _ in calls(SCENARIO):
        shape = models[call.service].operation_model(call.operation).input_shape
        if shape is None:
            assert not params, where
            continue
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            wrong.append(f"{where}: {report.generate_report()}")
    assert wrong == []


def test_what_a_call_saves_is_part_of_its_result(models: Mapping[str, ServiceModel]) -> None:
    """The first key of each path is a member of the operation's output."""
    for where, call, _, save in calls(SCENARIO):
        output = models[call.service].operation_model(call.operation).output_shape
        members = output.members if output is not None else {}
        assert {path.partition(".")[0] for path in save.values()} <= set(members), where


def test_every_scenery_finding_has_guardduty_s_shape(models: Mapping[str, ServiceModel]) -> None:
    """Each is valid against the model's Finding, once the simulator's own fields are there."""
    finding = models["guardduty"].shape_for("Finding")
    saved = {name: "x" * 20 for step in timeline(SCENARIO, VARIANT) for name in step.save}
    for each in scenery(SCENARIO, VARIANT):
        shape = steps.finding_shape(each, {**VARIANT.values, **saved}, START)
        shape |= {
            "Id": "1" * 32,
            "Arn": "arn",
            "AccountId": VARIANT.account_id,
            "Region": "us-east-1",
            "SchemaVersion": "2.0",
        }
        report = ParamValidator().validate(shape, finding)
        assert not report.has_errors(), f"{each.id}: {report.generate_report()}"


def test_the_background_has_about_twelve_findings_and_none_about_a_function() -> None:
    """Two High ones about EC2, the S3 ones of the neighbouring module, and an IAM one with the second address."""
    findings = [each.finding for each in SCENARIO.background.findings]
    kinds = [finding["Type"] for finding in findings]
    assert len(kinds) == 12
    assert not any("Lambda" in kind for kind in kinds)
    assert {"Stealth:S3/ServerAccessLoggingDisabled", "Policy:S3/BucketBlockPublicAccessDisabled"} <= set(kinds)
    assert sum(finding["Severity"] >= 7 and ":EC2/" in finding["Type"] for finding in findings) == 2
    listed = next(each for each in findings if each["Type"] == "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom")
    assert "second_ip" in steps.placeholders(listed)
    assert "malicious_ip" not in steps.placeholders([each.finding for each in SCENARIO.background.findings])


def test_the_start_is_not_burdened_with_calls() -> None:
    """Each costs a millisecond or more whenever a lab is made."""
    assert len(timeline(SCENARIO, VARIANT)) < 75


def test_tasks_are_the_contract_s() -> None:
    """Ids, order and points are what users and instructors type and read."""
    points = {task.id: task.max_score for task in SCENARIO.tasks}
    assert points == {"function-name": 15, "malicious-ip": 15, "creator": 30, "remediation": 40}
    assert list(points) == ["function-name", "malicious-ip", "creator", "remediation"]
    assert {part.id: part.max_score for part in SCENARIO.tasks[3].parts} == {
        "stopped": 25, "evidence": 5, "collateral": 5, "verified": 5,
    }  # fmt: skip


def test_tasks_alone_can_be_loaded() -> None:
    """Grading reads no background and no fixes, and gets the same tasks."""
    quick = load.load(SCENARIO_ID, tasks_only=True)
    assert (quick.tasks, quick.assignment) == (SCENARIO.tasks, SCENARIO.assignment)
    assert (quick.fixes, quick.background.episodes) == ((), ())


def test_the_function_s_archive_is_the_same_every_time() -> None:
    """Fixed times and order: the same variant has the same CodeSha256 on every machine."""
    first, second = load.function_zip(SCENARIO_ID, VARIANT), load.function_zip(SCENARIO_ID, VARIANT)
    assert first == second
    assert first != load.function_zip(SCENARIO_ID, variant(SCENARIO, "other"))
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == ["index.py"]
        (entry,) = archive.infolist()
        assert (entry.date_time, entry.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 0o644)


def test_the_function_calls_the_seed_s_address_and_says_so_nowhere_else() -> None:
    """Its source holds the address once, as a plain constant, and no word that labels it."""
    with zipfile.ZipFile(io.BytesIO(load.function_zip(SCENARIO_ID, VARIANT))) as archive:
        source = archive.read("index.py").decode()
    assert source.count(VARIANT.malicious_ip) == 1
    assert not any(word in source.lower() for word in ("malicious", "threat", "attack", "solution", "listed"))


def test_every_function_of_the_scenario_compiles() -> None:
    """With the variant's values in it, each file of code parses and has the handler that it is deployed with."""
    folders = {name.rpartition("/")[0] for name in load.files(SCENARIO_ID) if name.endswith(".py")}
    assert len(folders) >= 8
    for folder in folders:
        with zipfile.ZipFile(io.BytesIO(load.zipped(SCENARIO_ID, VARIANT, folder))) as archive:
            tree = ast.parse(archive.read("index.py").decode())
        assert "handler" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, folder


def test_the_threat_list_is_the_variant_s() -> None:
    """An entry a line, in the variant's order, with a newline at the end."""
    assert load.threat_list(SCENARIO_ID, VARIANT).decode() == "\n".join(VARIANT.list_entries) + "\n"
