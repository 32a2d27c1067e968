"""The pages, by AWS service: each function answers one address. They ask the API and say what of the answer is shown."""

from flask import Blueprint

from simulator.console.views import (
    findings,
    function,
    function_changes,
    groups,
    history,
    instructor,
    lab,
    lists,
    logs,
    roles,
    rules,
    stacks,
    storage,
    timeline,
)

BLUEPRINTS: tuple[Blueprint, ...] = tuple(
    view.pages
    for view in (
        findings, function, function_changes, groups, history, instructor, lab, lists, logs, roles, rules, stacks, storage, timeline,
    )
)  # fmt: skip
