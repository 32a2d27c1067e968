"""What an account has already, before anything is deployed to it. Reads only; `lab doctor` and `lab deploy` show it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from templates.deploy import Session
from templates.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. `state` is ok, note (worth knowing) or problem (deploying would fail); `advice` ends either."""

    name: str
    state: Literal["ok", "note", "problem"]
    found: str
    advice: str = ""


LACKS: Mapping[str, Check] = {
    "guardduty": Check(
        name="GuardDuty",
        state="note",
        found="this emulator has none, or none with threat lists, so no finding will arise and lab check cannot grade",
        advice="It is left out; lab start and real accounts have it.",
    ),
    "config": Check(
        name="AWS Config", state="note", found="this emulator has none, so no timeline", advice="It is left out."
    ),
    "cloudtrail": Check(
        name="CloudTrail",
        state="note",
        found="this emulator has none, so nothing tells who made the function",
        advice="It is left out.",
    ),
}
"""What it means that an emulator does not have a service."""


def names(services: Iterable[str]) -> str:
    """Return the names of services of LACKS, in words."""
    return " and ".join(LACKS[service].name for service in services)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the calls would be made as, and where: AWS, or what stands in for it."""

    account_id: str
    arn: str
    region: str
    endpoint_url: str


def identify(session: Session) -> Identity:
    """Return whose credentials the session uses. Raises botocore's errors where they are missing or refused."""
    sts = session.client("sts")
    caller = sts.get_caller_identity()
    return Identity(
        account_id=caller["Account"], arn=caller["Arn"], region=sts.meta.region_name, endpoint_url=sts.meta.endpoint_url
    )


def preflight(
    session: Session, options: Options, stacks: dict[str, str], absent: Collection[str] = ()
) -> tuple[Check, ...]:
    """Return what stands in the way of deploying with `options`: detector, recorder, trail, stacks, in that order.

    `stacks` are the lab's own, as `deploy.survey` found them: what they made is no obstacle. `absent` are the services
    that an emulator does not have, as `localstack.absent` found them: each a note. A check that the account does not
    answer is a problem told, not an exception.
    """
    ours = options.stack("baseline") in stacks
    looks: tuple[tuple[str, str, Callable[[Any], Check]], ...] = (
        ("guardduty", "GuardDuty detector", lambda client: _detector(client, options, ours)),
        ("config", "Config recorder", lambda client: _recorder(client, options, ours)),
        ("cloudtrail", "CloudTrail trail", lambda client: _trail(client, options)),
    )
    checks = (
        LACKS[service] if service in absent else _attempt(name, look, session.client(service))
        for service, name, look in looks
    )
    return (*checks, _stacks(stacks))


def _attempt(name: str, look: Callable[[Any], Check], client: Any) -> Check:
    try:
        return look(client)
    except EndpointConnectionError as error:
        advice = "Is the service in this Region? Choose another one with AWS_REGION."
        return Check(name=name, state="problem", found=str(error), advice=advice)
    except (ClientError, BotoCoreError) as error:
        return Check(name=name, state="problem", found=str(error), advice="Mend access to the service, then try again.")


def _detector(guardduty: Any, options: Options, ours: bool) -> Check:
    """An account and Region can have one detector only. Source: docs/aws-facts.md, part 3."""
    name = "GuardDuty detector"
    there: list[str] = guardduty.list_detectors()["DetectorIds"]
    if not options.guardduty:
        return Check(
            name=name, state="note", found="left out, and with it the threat list", advice="No finding will arise."
        )
    if options.detector_id is None:
        if there and not ours:
            return Check(
                name=name,
                state="problem",
                found=f"there is one already: {there[0]}",
                advice=f"Use it: --detector {there[0]}",
            )
        return Check(name=name, state="ok", found="the lab's own" if there else "none, so the lab's can be made")
    if options.detector_id not in there:
        return Check(
            name=name,
            state="problem",
            found=f"{options.detector_id} is not there",
            advice=f"Use --detector {there[0]}" if there else "Leave --detector out.",
        )
    features = guardduty.get_detector(DetectorId=options.detector_id).get("Features", [])
    protected = any(each["Name"] == "LAMBDA_NETWORK_LOGS" and each["Status"] == "ENABLED" for each in features)
    if protected:
        return Check(name=name, state="ok", found=f"{options.detector_id}, with Lambda protection")
    return Check(
        name=name,
        state="note",
        found=f"{options.detector_id}, Lambda protection off",
        advice="Deploying switches it on, destroying does not switch it off again.",
    )


def _recorder(config: Any, options: Options, ours: bool) -> Check:
    """An account and Region can have one recorder only. Source: docs/aws-facts.md, part 6."""
    name = "Config recorder"
    there = [each["name"] for each in config.describe_configuration_recorders()["ConfigurationRecorders"]]
    if options.recorder and there and not ours:
        return Check(
            name=name, state="problem", found=f"there is one already: {there[0]}", advice="Use it: --no-recorder"
        )
    if not options.recorder and not there:
        return Check(
            name=name, state="note", found="none, and none will be made", advice="The lab's timeline step needs one."
        )
    return Check(name=name, state="ok", found=there[0] if there else "none, so the lab's can be made")


def _trail(cloudtrail: Any, options: Options) -> Check:
    """Event history needs no trail; several are allowed, the second copy of management events costs money."""
    there = [each["Name"] for each in cloudtrail.describe_trails()["trailList"] if each["Name"] != options.trail_name]
    if options.trail and there:
        return Check(
            name="CloudTrail trail",
            state="note",
            found=f"there is one already: {there[0]}",
            advice="A second one is billed; --no-trail leaves it out, the lab's steps need none.",
        )
    return Check(name="CloudTrail trail", state="ok", found=there[0] if there else "none but the lab's")


def _stacks(stacks: dict[str, str]) -> Check:
    if not stacks:
        return Check(name="stacks", state="ok", found="none of the lab's yet")
    return Check(name="stacks", state="ok", found=", ".join(f"{name} {status}" for name, status in stacks.items()))
