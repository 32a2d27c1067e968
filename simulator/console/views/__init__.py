"""The pages, by AWS service: each function answers one address. They ask the API and say what of the answer is shown."""

from flask import Blueprint

from simulator.console.views import findings, function, function_changes, history, timeline

BLUEPRINTS: tuple[Blueprint, ...] = (
    findings.pages,
    function.pages,
    function_changes.pages,
    history.pages,
    timeline.pages,
)
