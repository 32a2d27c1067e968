"""Deploying as data: `plan` says what will be done, `show` prints it, `apply` does it.

`apply` holds the room's only calls that change anything, and makes exactly the calls of the actions it is given.
Everything after the first stack is made by a session named System of the role WSSystemRole, and stacks are created
without a service role: CloudTrail then says `WSSystemRole/System`, as in a Workshop Studio account
(docs/aws-facts.md, parts 5 and 9).
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from troposphere import Template

from scenario import load
from scenario.errors import LabError
from scenario.model import Scenario, Variant
from templates.build import PARTS, build
from templates.options import Options

SYSTEM_SESSION = "System"
OWNER_TAG = ("Workshop", "guardduty-labs")
"""On every stack of the lab; a stack of the same name without it is somebody else's and is left alone."""

UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})
REPLACEABLE = frozenset(
    {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"}
)
"""Statuses from which CloudFormation allows nothing but deletion."""

BUCKETS = {"bootstrap": ("assets",), "baseline": ("config", "trail")}
"""The buckets that each part's stack makes, by purpose."""

STACK = "AWS::CloudFormation::Stack"
BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")

NEEDS_DOCKER = (
    "LocalStack makes functions only where it reaches Docker and has its lambda runtime; "
    "start it so, or use lab start, which needs neither."
)

ADVICE = (
    (
        "detector already exists",
        "Use the detector that is there: --detector with its id from aws guardduty list-detectors.",
    ),
    ("maximum number of configuration recorders", "Use the recorder that is there: --no-recorder."),
    ("already exist", "Choose other names with --name-prefix."),
    (
        "current status of the ThreatIntelSet",
        "The list is still being activated, which takes 15 to 40 minutes; then run the same command again.",
    ),
    ("Docker not available", NEEDS_DOCKER),
    ("Installation of lambda-runtime", NEEDS_DOCKER),
    (
        "Unrecognized resource types",
        "Leave out what this emulator does not have: --no-guardduty, --no-recorder, --no-trail.",
    ),
)
"""Signs in CloudFormation's reasons and what to do about each, the first that fits."""

DELETE_ATTEMPTS = 4
"""Trail and recorder deliver until their own deletion, so a bucket may fill again behind the first emptying. LocalStack
says DELETE_FAILED on the way to deleting a stack after all."""

DELETE_PAUSE = 3.0
"""Seconds between attempts."""


class Session(Protocol):
    """What is needed of boto3's or localstack-client's session."""

    def client(self, service_name: str, /) -> Any:
        """Return a boto3 client of the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Temporary credentials of an assumed role."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


Connect = Callable[[Credentials | None], Session]
"""A world: returns a session with the given credentials, or with the instructor's own for None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackAction:
    """What creating and updating take: `template_body` is JSON, `as_role` `Role/Session`, None for the instructor."""

    stack_name: str
    template_body: str
    parameters: tuple[tuple[str, str], ...] = ()
    capabilities: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = (OWNER_TAG,)
    as_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStack(StackAction):
    """Create a stack of which there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStack(StackAction):
    """Update a stack of ours; it may turn out that there is nothing to update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Write `body` to `s3://bucket/key`."""

    bucket: str
    key: str
    body: bytes = field(repr=False)
    content_type: str
    as_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableLambdaProtection:
    """Switch Lambda network activity monitoring on in a detector that was there before."""

    detector_id: str
    as_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteStack:
    """Delete a stack, with everything in its `buckets`: CloudFormation deletes empty buckets only."""

    stack_name: str
    buckets: tuple[str, ...] = ()
    as_role: str | None = None


NOTHING: Mapping[str, str] = MappingProxyType({})

Action = CreateStack | UpdateStack | Upload | EnableLambdaProtection | DeleteStack


def plan(
    scenario: Scenario,
    variant: Variant,
    options: Options,
    existing: Mapping[str, str] = NOTHING,
) -> tuple[Action, ...]:
    """Return what deploys the lab, in order: bootstrap, baseline, code, workload, threat list, detection.

    `existing` maps the names of stacks that are there to their status, as `survey` found them: they are updated, or
    deleted and created anew where CloudFormation allows nothing else. Keys of uploads carry a digest, so that a change
    of content is a change of the stack (docs/aws-facts.md, part 3, template note 3). Reads the scenario's own files
    only; raises LabError where a stack is in no state to work with.
    """
    code, threat_list = load.function_zip(scenario.id, variant), load.threat_list(scenario.id, variant)
    system = f"{options.system_role}/{SYSTEM_SESSION}"
    assets = options.bucket("assets", variant.account_id, variant.region)
    code_key = f"functions/{_digest(code)}/{options.function_name}.zip"
    list_key = f"lists/{_digest(threat_list)}/threatlist.txt"
    uploads = {
        "workload": Upload(bucket=assets, key=code_key, body=code, content_type="application/zip", as_role=system),
        "detection": Upload(bucket=assets, key=list_key, body=threat_list, content_type="text/plain", as_role=system),
    }
    parameters = {
        "workload": (("AssetsBucketName", assets), ("CodeKey", code_key)),
        "detection": (("AssetsBucketName", assets), ("ThreatListKey", list_key)),
    }
    actions: list[Action] = []
    for part, template in build(scenario, options).items():
        if part in uploads:
            actions.append(uploads[part])
        if part == "detection" and options.detector_id:
            actions.append(EnableLambdaProtection(detector_id=options.detector_id, as_role=system))
        actions += _stack_actions(
            options.stack(part),
            template,
            parameters.get(part, ()),
            as_role=None if part == "bootstrap" else system,
            status=existing.get(options.stack(part)),
            buckets=_buckets(part, variant.account_id, variant.region, options),
        )
    return tuple(actions)


def destroy_plan(
    account_id: str, region: str, options: Options, existing: Mapping[str, str]
) -> tuple[DeleteStack, ...]:
    """Return what takes the lab away again, last made first: every stack of the lab in `existing`, whatever was opted.

    The role that made the other stacks deletes them, and its own stack goes last, by the instructor's hand.
    """
    system = f"{options.system_role}/{SYSTEM_SESSION}" if options.stack("bootstrap") in existing else None
    return tuple(
        DeleteStack(
            stack_name=options.stack(part),
            buckets=_buckets(part, account_id, region, options),
            as_role=None if part == "bootstrap" else system,
        )
        for part in reversed(PARTS)
        if options.stack(part) in existing
    )


def show(actions: Iterable[Action]) -> str:
    """Return the dry run: a numbered line for each action, as `apply` announces it."""
    return "\n".join(f"{number:2}. {describe(action)}" for number, action in enumerate(actions, start=1))


def describe(action: Action) -> str:
    """Return one line that says what `action` does and who does it. It tells no content of what is uploaded."""
    who = f"as {action.as_role}" if action.as_role else "as yourself"
    match action:
        case CreateStack():
            return f"create stack {action.stack_name} {who}"
        case UpdateStack():
            return f"update stack {action.stack_name} {who}"
        case Upload():
            return f"upload s3://{action.bucket}/{action.key} ({len(action.body)} bytes) {who}"
        case EnableLambdaProtection():
            return f"switch Lambda protection on in detector {action.detector_id} {who}; it stays on afterwards"
        case DeleteStack():
            emptied = "".join(f", emptying s3://{bucket}" for bucket in action.buckets)
            return f"delete stack {action.stack_name} {who}{emptied}"


def survey(session: Session, options: Options) -> dict[str, str]:
    """Return the status of each of the lab's stacks that is there, by name. Reads only.

    Raises LabError where a stack of the same name is somebody else's.
    """
    cloudformation = session.client("cloudformation")
    found: dict[str, str] = {}
    for part in PARTS:
        name = options.stack(part)
        stack = _stack(cloudformation, name)
        if stack is None:
            continue
        if {"Key": OWNER_TAG[0], "Value": OWNER_TAG[1]} not in stack.get("Tags", []):
            raise LabError(
                f"looking for the stack {name}",
                "there is one of that name which this kit did not make",
                "Choose other names with --name-prefix.",
            )
        found[name] = stack["StackStatus"]
    return found


def apply(
    actions: Iterable[Action],
    connect: Connect,
    *,
    say: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    timeout: float = 1800,
) -> None:
    """Do `actions` in order, each announced through `say` first. Doing them again changes nothing more.

    Waits for each stack up to `timeout` seconds. Raises LabError that names what failed: for a stack the resource and
    its reason.
    """
    worker = _Worker(connect, sleep, timeout)
    for action in actions:
        say(describe(action))
        try:
            worker.do(action)
        except (ClientError, BotoCoreError) as error:
            raise LabError(describe(action), str(error).rstrip("."), _advice(str(error))) from error


class _Worker:
    """Does one action after another, with a session for each role."""

    def __init__(self, connect: Connect, sleep: Callable[[float], None], timeout: float) -> None:
        self._connect = connect
        self._sleep = sleep
        self._timeout = timeout
        self._sessions: dict[str | None, Session] = {None: connect(None)}

    def do(self, action: Action) -> None:
        session = self._session(action.as_role)
        match action:
            case CreateStack():
                self._deploy(session.client("cloudformation"), "create_stack", action)
            case UpdateStack():
                self._deploy(session.client("cloudformation"), "update_stack", action)
            case Upload():
                session.client("s3").put_object(
                    Bucket=action.bucket, Key=action.key, Body=action.body, ContentType=action.content_type
                )
            case EnableLambdaProtection():
                session.client("guardduty").update_detector(
                    DetectorId=action.detector_id,
                    Features=[{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}],
                )
            case DeleteStack():
                self._delete(session, action)

    def _session(self, as_role: str | None) -> Session:
        """Return the session of `Role/Session`, assumed once. A role made a moment ago may take a while to be known."""
        if as_role not in self._sessions:
            role, _, session_name = str(as_role).partition("/")
            sts = self._sessions[None].client("sts")
            partition, account = sts.get_caller_identity()["Arn"].split(":")[1:5:3]
            for pause in (1, 2, 4, 8, 16, None):
                try:
                    issued = sts.assume_role(
                        RoleArn=f"arn:{partition}:iam::{account}:role/{role}", RoleSessionName=session_name
                    )["Credentials"]
                    break
                except ClientError as error:
                    refused = error.response["Error"]
                    if pause is None or refused["Code"] != "AccessDenied" or "explicit deny" in refused["Message"]:
                        raise
                    self._sleep(pause)
            self._sessions[as_role] = self._connect(
                Credentials(
                    access_key_id=issued["AccessKeyId"],
                    secret_access_key=issued["SecretAccessKey"],
                    session_token=issued["SessionToken"],
                )
            )
        return self._sessions[as_role]

    def _deploy(self, cloudformation: Any, operation: str, action: CreateStack | UpdateStack) -> None:
        try:
            getattr(cloudformation, operation)(
                StackName=action.stack_name,
                TemplateBody=action.template_body,
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in action.parameters],
                Capabilities=list(action.capabilities),
                Tags=[{"Key": key, "Value": value} for key, value in action.tags],
            )
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"]["Message"]:
                return
            raise
        status = self._settled(cloudformation, action.stack_name)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise _failed(cloudformation, action.stack_name, describe(action), status)

    def _delete(self, session: Session, action: DeleteStack) -> None:
        cloudformation = session.client("cloudformation")
        stack = _stack(cloudformation, action.stack_name)
        if stack is None:
            return
        for attempt in range(1, DELETE_ATTEMPTS + 1):
            for bucket in action.buckets:
                _empty(session.client("s3"), bucket)
            cloudformation.delete_stack(StackName=action.stack_name)
            status = self._settled(cloudformation, stack["StackId"])
            if status in (None, "DELETE_COMPLETE"):
                return
            if attempt < DELETE_ATTEMPTS:
                self._sleep(DELETE_PAUSE)
        raise _failed(cloudformation, stack["StackId"], describe(action), status)

    def _settled(self, cloudformation: Any, stack: str) -> str | None:
        """Wait until the stack is in progress no more and return its status; None where it is gone."""
        waited, pause = 0.0, 0.2
        while waited <= self._timeout:
            found = _stack(cloudformation, stack)
            if found is None:
                return None
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return str(found["StackStatus"])
            self._sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 5.0)
        raise LabError(
            f"waiting for the stack {stack}",
            f"it was not done after {self._timeout:.0f} seconds",
            "See its events in CloudFormation, then run the same command again.",
        )


def _buckets(part: str, account_id: str, region: str, options: Options) -> tuple[str, ...]:
    """Return the names of the buckets that the stack of `part` makes."""
    return tuple(options.bucket(purpose, account_id, region) for purpose in BUCKETS.get(part, ()))


def _stack_actions(
    name: str,
    template: Template,
    parameters: tuple[tuple[str, str], ...],
    *,
    as_role: str | None,
    status: str | None,
    buckets: tuple[str, ...],
) -> list[Action]:
    """Return what brings the stack `name`, now in `status` (None where it is not there), to `template`."""
    roles = [each for each in template.resources.values() if each.resource_type == "AWS::IAM::Role"]
    named = any("RoleName" in role.properties for role in roles)
    capabilities = ("CAPABILITY_NAMED_IAM",) if named else ("CAPABILITY_IAM",) if roles else ()

    def stack(kind: type[CreateStack] | type[UpdateStack]) -> CreateStack | UpdateStack:
        return kind(
            stack_name=name,
            template_body=template.to_json(indent=1),
            parameters=parameters,
            capabilities=capabilities,
            as_role=as_role,
        )

    if status in UPDATABLE:
        return [stack(UpdateStack)]
    if status is None:
        return [stack(CreateStack)]
    if status in REPLACEABLE:
        return [DeleteStack(stack_name=name, buckets=buckets, as_role=as_role), stack(CreateStack)]
    raise LabError(
        f"planning for the stack {name}",
        f"its status is {status}",
        "Wait until CloudFormation is done with it, or mend it there, then try again.",
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Return the stack as DescribeStacks tells it, None where there is none of that name or id."""
    try:
        stacks: list[dict[str, Any]] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return stacks[0] if stacks else None


def _failed(cloudformation: Any, stack: str, tried: str, status: str | None) -> LabError:
    """Return the error that names the first resource that failed of itself this time, with CloudFormation's reason."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    newest_first = (event for page in pages for event in page["StackEvents"])
    this_time = list(takewhile(lambda event: not _begins(event), newest_first))
    culprits = [
        event
        for event in reversed(this_time)
        if event["ResourceStatus"].endswith("_FAILED")
        and event["ResourceType"] != STACK
        and "cancelled" not in event.get("ResourceStatusReason", "")
    ]
    if not culprits:
        return LabError(tried, f"the stack ended in {status}", "See its events in CloudFormation.")
    culprit = culprits[0]
    reason = culprit.get("ResourceStatusReason", "no reason given")
    return LabError(
        tried,
        f"{culprit['LogicalResourceId']} ({culprit['ResourceType']}) failed: {reason.rstrip('.')}",
        _advice(reason),
    )


def _begins(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is the stack's own beginning of an operation: what is older belongs to earlier ones."""
    return event["ResourceType"] == STACK and event["ResourceStatus"] in BEGINNINGS


def _advice(reason: str) -> str:
    """Return what to try for what an account has already, and for a list in transition (docs/aws-facts.md, 3 and 6)."""
    for sign, advice in ADVICE:
        if sign in reason:
            return advice
    return "Mend it and run the same command again."


def _empty(s3: Any, bucket: str) -> None:
    """Delete every object and version in `bucket`; a bucket that is not there is empty enough."""
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            doomed = [
                {"Key": item["Key"], "VersionId": item["VersionId"]}
                for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            ]
            if doomed:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
