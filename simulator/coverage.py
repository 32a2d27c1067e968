"""What the lab implements, and where it differs from AWS: told from the code itself, for `lab doctor` and for two pages of documentation.

`docs/coverage.md` and `docs/divergences.md` are written by cog from here; `make docs-check` compares them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from botocore import xform_name

from simulator import wire
from simulator.services import ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A service that is ours: the model's operations that it has, and those that it has not, in alphabetical order."""

    service: str
    implemented: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """A known difference: what AWS does (or what nobody knows of it), what the lab does, and why or where it is held."""

    where: str
    aws: str
    lab: str
    why: str


DIVERGENCES: tuple[Divergence, ...] = (
    Divergence(
        where="Detection, addresses",
        aws="Lists apply to publicly routable destinations; whether ranges for documentation and benchmarks count is unknown.",
        lab="Addresses of RFC 5737 and RFC 2544 on a list fire; private ones never do.",
        why="The lab must list addresses that belong to nobody. simulator/detection.py",
    ),
    Divergence(
        where="Detection, rejected flows",
        aws="Whether a connection that a security group rejects raises or updates the finding is unknown.",
        lab="It does: the attempt is in the flow log. The finding then says Blocked; the count goes on growing.",
        why="GuardDuty reads flow logs, which hold rejected connections too. simulator/services/guardduty/flows.py",
    ),
    Divergence(
        where="Detection, several addresses",
        aws="Whether a second listed address of the same function makes a second finding is unknown.",
        lab="Occurrences are counted per function, list and address: another listed address makes another finding.",
        why="AWS publishes no rule for what makes two occurrences one. simulator/services/guardduty/flows.py",
    ),
    Divergence(
        where="Detection, other findings",
        aws="GuardDuty analyses CloudTrail, DNS, S3 and more.",
        lab="Only a function's connections are analysed. Other findings are samples or declared scenery, which never grow.",
        why="The lab teaches one chain, and that one really happens.",
    ),
    Divergence(
        where="GuardDuty, errors",
        aws="The texts for unlisted criteria, duplicate names and a seventh list are unknown.",
        lab="They are the likeliest of AWS's own kind.",
        why="docs/aws-facts.md, parts 4 and Open questions",
    ),
    Divergence(
        where="GuardDuty, lists in transition",
        aws="No action is possible while a list is being activated or deactivated.",
        lab="No update is; it can be deleted at any time.",
        why="A stack that rolls back deletes what it has just made. simulator/services/guardduty/sets.py",
    ),
    Divergence(
        where="Service-linked roles",
        aws="Services make theirs when they are first needed, and refuse the request of who may not; in use, they stay.",
        lab="GuardDuty makes its own; a detector comes without it where its maker may not make the role. Other services' roles are made "
        "by CreateServiceLinkedRole alone, and deleted at once.",
        why="The investigation meets GuardDuty's. simulator/services/linked_roles.py",
    ),
    Divergence(
        where="EventBridge, events of API calls",
        aws="What a trail logs comes as `AWS API Call via CloudTrail`; sign-ins and insights have types of their own.",
        lab="Management events come, two to five minutes after the call, to rules that were there when it was made. Data events, "
        "sign-ins and insights do not.",
        why="Trails log no data events here. simulator/services/cloudtrail/service.py",
    ),
    Divergence(
        where="GuardDuty, members and organizations",
        aws="Other accounts are invited, and answer.",
        lab="Members can be made and invited, and stay as invited as they are: no other account is there to answer.",
        why="A lab is one account.",
    ),
    Divergence(
        where="GuardDuty, publishing destinations",
        aws="Findings are exported to the bucket.",
        lab="A destination is kept and shown; nothing is exported.",
        why="What a finding is, its API tells.",
    ),
    Divergence(
        where="CloudTrail, delivery of files",
        aws="A trail delivers files of events, and digests, to its bucket.",
        lab="Trails can be made, changed and stopped; no file is delivered, and event data stores are not there.",
        why="LookupEvents holds the same events.",
    ),
    Divergence(
        where="CloudTrail, age of records",
        aws="Lambda's records were of version 1.08 in 2024, with an empty webIdFederationData, and of 1.11 in 2025, without.",
        lab="All records are of version 1.11, without it.",
        why="One era, not a mixture (docs/aws-facts.md, part 10).",
    ),
    Divergence(
        where="CloudTrail, addresses",
        aws="sourceIPAddress is the caller's public address.",
        lab="It is 127.0.0.1 for whoever calls over loopback; the history's callers have addresses of their own.",
        why="It is the true one.",
    ),
    Divergence(
        where="CloudTrail, rate and texts",
        aws="Two lookups a second; the texts of lookup errors are unknown.",
        lab="No rate; codes are AWS's, texts its way of wording.",
        why="A trainee is not made to wait. tests/contract/test_aws_facts.py, 42",
    ),
    Divergence(
        where="CloudTrail, calls that services make for themselves",
        aws="The history shows them: a service that assumes a role (AWSService, with a sharedEventID), or its role's session, as Lambda's "
        "that makes a log stream or a network interface.",
        lab="It does not: what CloudFormation calls for somebody is there, what Lambda, Scheduler and EventBridge do by themselves is not.",
        why="An honest gap: nothing of the investigation rests on them. simulator/services/cloudtrail/service.py",
    ),
    Divergence(
        where="CloudTrail, requests of S3",
        aws="additionalEventData counts the bytes that went either way.",
        lab="It has the other fields; bytes are left out.",
        why="Nothing counts them. simulator/services/cloudtrail/record.py",
    ),
    Divergence(
        where="Config, delivery and recording",
        aws="History and snapshots are delivered to the bucket; all supported types are recorded.",
        lab="Nothing is delivered. Functions, roles, buckets and security groups are recorded; rules, aggregators and queries in SQL are not there.",
        why="They are what the investigation is about.",
    ),
    Divergence(
        where="Config, deletion",
        aws="The content of a deletion's item is unknown.",
        lab="It has identity and status, no configuration.",
        why="tests/contract/test_aws_facts.py, 58",
    ),
    Divergence(
        where="Lambda, what functions reach",
        aws="Handlers resolve names and call AWS with their role's credentials.",
        lab="There is no DNS and no AWS API behind the walls: both fail as an unreachable network does. Every attempt to connect is recorded.",
        why="Hostile code must reach nothing. simulator/functions",
    ),
    Divergence(
        where="Lambda, runtimes",
        aws="Many runtimes, and images.",
        lab="Python runs, on this machine's Python. Functions of other runtimes can be made and configured; running one is a runtime error.",
        why="No containers.",
    ),
    Divergence(
        where="Lambda, layers and code signing",
        aws="Layers are published and mounted; code signing is enforced.",
        lab="Neither is there; asking says so.",
        why="An honest gap.",
    ),
    Divergence(
        where="Lambda, durations",
        aws="Runs take what they take.",
        lab="A run takes no lab time beyond what its duration says; timeouts are by processor time on a busy machine.",
        why="The same lab on a slow machine must tell the same story.",
    ),
    Divergence(
        where="Lambda, creations and updates under way",
        aws="While a function is Pending or its update InProgress, another update is a ResourceConflictException.",
        lab="State and LastUpdateStatus are shown for the seconds that they take; the next update is taken at once.",
        why="Lab time may stand still. simulator/services/lambda_/state.py",
    ),
    Divergence(
        where="EventBridge and Scheduler, targets",
        aws="Dozens of kinds of target, archives, connections, pipes.",
        lab="Lambda, SQS, SNS, Logs and buses are delivered to; a kind that is not there fails like a target that refuses. "
        "Universal targets call SQS SendMessage, SNS Publish, PutEvents and Lambda Invoke.",
        why="simulator/services/events/targets.py, simulator/services/scheduler.py",
    ),
    Divergence(
        where="STS and identity",
        aws="SAML, web identity, MFA, federated users, roles of other accounts.",
        lab="AssumeRole and GetSessionToken within the account; everything else is refused in AWS's words or says that it is not there.",
        why="A lab is one account; a role of another one is never assumed.",
    ),
    Divergence(
        where="IAM, authorisation",
        aws="Every operation has its actions, resources and condition keys in the Service Authorization Reference.",
        lab="Identity policies, boundaries, session policies, trust and bucket policies are evaluated; resources are told apart for the "
        "services of the lab, `*` elsewhere. Policies of queues, topics and keys are not weighed for callers of the account.",
        why="simulator/permissions.py, simulator/policy.py",
    ),
    Divergence(
        where="IAM, policy simulator",
        aws="Results name each matched statement's lines and columns; resource policies can be given and are weighed.",
        lab="Decisions, the policies that made them, missing context and boundaries, by the engine that authorises the lab's calls; no places in "
        "the text and no resource policies.",
        why="What a role may do is the question. simulator/services/iam.py",
    ),
    Divergence(
        where="Other accounts' resources",
        aws="A resource policy may open a resource to another account.",
        lab="An ARN of another account is refused in every call, as without such a policy.",
        why="Labs that share a process must never meet. tests/contract/test_two_labs.py",
    ),
    Divergence(
        where="CloudFormation, types",
        aws="Hundreds of resource types, macros, modules, stack sets, hooks.",
        lab="The types on the coverage page; another one fails its stack by name. Custom resources, stack sets and macros are not there.",
        why="simulator/services/cloudformation",
    ),
    Divergence(
        where="CloudFormation, around a stack",
        aws="Events go to the topics of NotificationARNs, alarms of a RollbackConfiguration are watched, a change set can show property values, a {{resolve:secretsmanager}} is resolved.",
        lab="Topics and alarms are kept and told, nothing is published or watched; changes come without values; references to Systems Manager are resolved, others are refused by name.",
        why="An operation is done before its caller is answered: there is nothing to wait for. simulator/services/cloudformation",
    ),
    Divergence(
        where="Services that moto serves",
        aws="They work.",
        lab="They answer, and many of them do nothing behind the answer: instances do not run, SNS calls no URL, EC2 moves no packet.",
        why="They are the account's scenery and the trainee's tools, not the lesson.",
    ),
    Divergence(
        where="S3, consistency of keys",
        aws="Conditions on ownership, replication, analytics, directory buckets.",
        lab="Objects, versions, multipart uploads, policies, encryption settings and notifications; what moto would mistake is refused.",
        why="tests/contract/test_moto_canary.py",
    ),
    Divergence(
        where="S3, access logs",
        aws="A bucket's server access log is delivered to another bucket: within hours, and at best effort.",
        lab="The setting is kept; no log is delivered.",
        why="A read changes nothing, so that a lab is the same after a restart. tests/contract/test_reads_change_nothing.py",
    ),
    Divergence(
        where="SQS, queue URLs",
        aws="https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
        lab="The lab's own endpoint in front of ACCOUNT/NAME; AWS's form is taken too, and is what stacks and records hold.",
        why="Some SDKs send to a queue's URL, which must not lead out of the lab.",
    ),
    Divergence(
        where="Hosted labs",
        aws="-",
        lab="Signatures, tokens and times are verified, and the console is closed. A lab of one's own takes unknown keys for the trainee's.",
        why="awslocal and its like sign with `test`. tests/contract/test_hosted.py",
    ),
)


def covered() -> tuple[Covered, ...]:
    """Return the services that are ours, with their operations, by name."""
    rows = []
    for cls in sorted(ours(), key=lambda each: each.name):
        names = sorted(wire.model(cls.name).operation_names)
        rows.append(
            Covered(
                service=cls.name,
                implemented=tuple(name for name in names if hasattr(cls, xform_name(name))),
                missing=tuple(name for name in names if not hasattr(cls, xform_name(name))),
            )
        )
    return tuple(rows)


def served_by_moto() -> tuple[str, ...]:
    """Return the services that moto serves in the lab, by moto's names: all that it has but for those that are ours."""
    from moto.backend_index import backend_url_patterns

    own = {"awslambda", "guardduty", "cloudtrail", "config", "events", "scheduler", "sts", "cloudformation"}
    internal = {"moto_api", "instance_metadata"}
    return tuple(sorted({name for name, _ in backend_url_patterns} - own - internal))


def resource_types() -> tuple[str, ...]:
    """Return the CloudFormation resource types that the lab can make."""
    from simulator.services.cloudformation.resources import HANDLERS

    return tuple(sorted(HANDLERS))


def summary() -> str:
    """Return one sentence on what is there, for `lab doctor`."""
    rows = covered()
    done, known = (
        sum(len(row.implemented) for row in rows),
        sum(len(row.implemented) + len(row.missing) for row in rows),
    )
    return (
        f"{len(rows)} services of the lab's own ({done} of {known} operations), {len(served_by_moto())} of moto's, "
        f"{len(resource_types())} CloudFormation types; docs/coverage.md lists them, docs/divergences.md what differs from AWS"
    )


def gaps() -> list[tuple[str, str]]:
    """Return what the lab lacks, for `lab doctor`: of each service of its own the operations, and of CloudFormation the types that it has."""
    missing = [
        (row.service, f"operations that answer NotImplemented: {', '.join(row.missing)}")
        for row in covered()
        if row.missing
    ]
    types = f"a stack with another type than these fails: {', '.join(resource_types())}"
    return [*missing, ("CloudFormation types", types)]


def coverage_page() -> str:
    """Return the generated part of docs/coverage.md."""
    return "\n".join(_coverage_lines())


def _coverage_lines() -> Iterator[str]:
    rows = covered()
    yield "| Service | Operations | of the model's |"
    yield "|---|---|---|"
    for row in rows:
        yield f"| {row.service} | {len(row.implemented)} | {len(row.implemented) + len(row.missing)} |"
    for row in rows:
        yield f"\n### {row.service}\n"
        yield f"Implemented: {', '.join(row.implemented)}."
        if row.missing:
            yield f"\nNot implemented, answered with `NotImplemented` and recorded: {', '.join(row.missing)}."
    yield "\n### CloudFormation resource types\n"
    yield ", ".join(resource_types()) + ". Another type fails its stack by name."
    yield "\n### Services that moto serves\n"
    yield ", ".join(served_by_moto()) + "."


def divergences_page() -> str:
    """Return the generated part of docs/divergences.md."""
    lines = ["| Where | AWS | The lab | Why, and where it is held |", "|---|---|---|---|"]
    lines += [f"| {each.where} | {each.aws} | {each.lab} | {each.why} |" for each in DIVERGENCES]
    return "\n".join(lines)
