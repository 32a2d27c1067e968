"""What a deployment made and what a destruction left, asked of the services themselves. Reads only.

A stack's status is not enough: some emulators call stacks complete whose resources they never made, and gone whose
resources they could not delete.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from templates.deploy import Session
from templates.options import Options
from templates.preflight import Check
from templates.reach import REFUSED

ADVICE = "Some emulators call stacks complete without having made all that is in them; lab start needs none of them."


def made(session: Session, options: Options) -> tuple[Check, ...]:
    """Return whether everything that `options` deploy is there and at work, a check each. Names no address."""
    looks: list[tuple[str, str, Callable[[Any], str]]] = [
        ("function", "lambda", lambda client: _function(client, options)),
        ("rule", "events", lambda client: _rule(client, options)),
    ]
    if options.guardduty:
        looks.append(("threat list", "guardduty", lambda client: _threat_list(client, options)))
    if options.recorder:
        looks.append(("Config recorder", "config", lambda client: _recorder(client, options)))
    if options.trail:
        looks.append(("CloudTrail trail", "cloudtrail", lambda client: _trail(client, options)))
    return tuple(_asked(name, look, session.client(service)) for name, service, look in looks)


def left(session: Session, options: Options) -> tuple[str, ...]:
    """Return what of the lab's own names is still there after it was destroyed: function, rule, logs, roles.

    Detector and recorder are not looked for: an account has one each, which may be somebody else's. Raises botocore's
    errors where nothing answers, or looking is refused.
    """
    looks: tuple[tuple[str, str, Callable[[Any], object]], ...] = (
        (f"rule {options.rule_name}", "events", lambda client: client.describe_rule(Name=options.rule_name)),
        (f"function {options.function_name}", "lambda", lambda client: _configuration(client, options)),
        *(
            (f"role {role}", "iam", lambda client, role=role: client.get_role(RoleName=role))
            for role in (options.system_role, options.participant_role)
        ),
    )
    return tuple(what for what, service, look in looks if _is_there(look, session.client(service)))


def _asked(name: str, look: Callable[[Any], str], client: Any) -> Check:
    try:
        return Check(name=name, state="ok", found=look(client))
    except _Missing as missing:
        return Check(name=name, state="problem", found=str(missing))
    except ClientError as error:
        return Check(name=name, state="problem", found=error.response["Error"]["Message"] or str(error))
    except BotoCoreError as error:
        return Check(name=name, state="problem", found=str(error))


def _is_there(look: Callable[[Any], object], client: Any) -> bool:
    try:
        look(client)
    except ClientError as error:
        if error.response["Error"]["Code"] in REFUSED:
            raise  # who may not look does not know
        return False
    return True


class _Missing(Exception):
    """The service answers, and does not have it."""


def _configuration(awslambda: Any, options: Options) -> dict[str, Any]:
    found: dict[str, Any] = awslambda.get_function_configuration(FunctionName=options.function_name)
    return found


def _function(awslambda: Any, options: Options) -> str:
    found = _configuration(awslambda, options)
    state = found.get("State", "Active")
    if state == "Failed":
        raise _Missing(f"{options.function_name} cannot run: {found.get('StateReason', state)}")
    return f"{options.function_name}, {state}"


def _rule(events: Any, options: Options) -> str:
    name = options.rule_name
    state = events.describe_rule(Name=name)["State"]
    targets = [each["Arn"].rsplit(":", 1)[-1] for each in events.list_targets_by_rule(Rule=name)["Targets"]]
    if options.function_name not in targets:
        raise _Missing(f"{name} has no target {options.function_name}")
    return f"{name}, {state}"


def _threat_list(guardduty: Any, options: Options) -> str:
    for detector in guardduty.list_detectors()["DetectorIds"]:
        for each in guardduty.list_threat_intel_sets(DetectorId=detector)["ThreatIntelSetIds"]:
            found = guardduty.get_threat_intel_set(DetectorId=detector, ThreatIntelSetId=each)
            if found["Name"] == options.list_name:
                return f"{options.list_name}, {found['Status']}"
    raise _Missing(f"there is no {options.list_name}")


def _recorder(config: Any, options: Options) -> str:
    found = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    names = [each["name"] for each in found if each["recording"]]
    if not names:
        raise _Missing("none records")
    return f"{names[0]}, recording"


def _trail(cloudtrail: Any, options: Options) -> str:
    if not cloudtrail.get_trail_status(Name=options.trail_name)["IsLogging"]:
        raise _Missing(f"{options.trail_name} does not log")
    return f"{options.trail_name}, logging"
