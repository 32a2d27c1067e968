"""A function's tabs: what each shows, and the forms on it. Source: Lambda's console, and the API reference of each call."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from simulator.console import archive, blocks, links
from simulator.console.blocks import Actions, Bar, Block, Field, Form, Notice, Plot, Source, Table, facts, link
from simulator.console.texts import t
from simulator.console.web import api, shared

MISSING = "ResourceNotFoundException"


def code(name: str, settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the code's files in an editor, and what is known of the package."""
    found = api().call("lambda", "GetFunction", FunctionName=name)
    kept = code_of(found)
    where: list[Block] = [
        facts(
            t("Code properties"),
            (t("Package size"), t("{count} bytes", count=settings.get("CodeSize", 0))),
            (t("SHA256 hash"), blocks.code(settings.get("CodeSha256", ""))),
            (t("Runtime"), settings.get("Runtime")),
            (t("Handler"), blocks.code(settings.get("Handler", ""))),
        )
    ]
    if kept is None:
        return (*where, Notice(text=t("The code cannot be read from here.")))
    try:
        files = archive.unpacked(kept)
    except ValueError as bad:
        return (*where, Notice(text=t("The code is no zip archive: {why}", why=bad), tone="warn"))
    editable = tuple(each for each in files if each.text is not None)
    unread = tuple((each.name, each.size) for each in files if each.text is None)
    editor = Form(
        action=f"{links.function(name)}/code",
        title=t("Code source"),
        submit=t("Deploy"),
        intro=t("Change the text and deploy: the next run uses it."),
        fields=(
            Field(name="sha", label="", kind="hidden", value=str(settings.get("CodeSha256", ""))),
            *(
                Field(name=f"file:{each.name}", label=each.name, kind="textarea", value=each.text or "", rows=18)
                for each in editable
            ),
        ),
    )
    binary = Table(title=t("Files that are not shown"), columns=(t("File"), t("Bytes")), rows=unread, empty="")
    return (editor, *where, *([binary] if unread else []))


def code_of(found: Mapping[str, Any]) -> bytes | None:
    """Return the archive behind the link that GetFunction gives; None where that link leads elsewhere."""
    location = str(found.get("Code", {}).get("Location", ""))
    if urlsplit(location).netloc != urlsplit(shared().running.endpoint_url).netloc:
        return None
    return shared().lab.fetch(location)


def monitor(name: str, _settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return plots of the last 24 hours."""
    now = blocks.moment_of(shared().lab.time()) or datetime.now(UTC)
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=24)
    plots = []
    for metric, title in (("Invocations", t("Invocations")), ("Errors", t("Errors")), ("Throttles", t("Throttles"))):
        answer = api().call(
            "cloudwatch", "GetMetricStatistics", Namespace="AWS/Lambda", MetricName=metric, StartTime=start,
            EndTime=now, Period=3600, Statistics=["Sum"], Dimensions=[{"Name": "FunctionName", "Value": name}],
        )  # fmt: skip
        plots.append(_plot(title, answer.get("Datapoints", []), start, now))
    group = links.log_group(f"/aws/lambda/{name}")
    return (Actions(links=(link(t("View CloudWatch logs"), group),)), *plots)


def _plot(title: str, points: list[dict[str, Any]], start: datetime, now: datetime) -> Plot:
    """Return a plot of an hour a bar, hours without a point included."""
    sums = {(blocks.moment_of(each["Timestamp"]) or start).replace(minute=0, second=0): each["Sum"] for each in points}
    if not sums:
        return Plot(title=title, bars=(), empty=t("There is no data for the last 24 hours."))
    hours = [start + timedelta(hours=number) for number in range(25) if start + timedelta(hours=number) <= now]
    highest = max([*sums.values(), 1])
    bars = tuple(
        Bar(
            label=f"{hour:%d %b %H:%M}",
            value=sums.get(hour, 0.0),
            percent=round(100 * sums.get(hour, 0.0) / highest, 1),
        )
        for hour in hours
    )
    total = t("{title}: {count} in the last 24 hours", title=title, count=int(sum(sums.values())))
    return Plot(title=total, bars=bars, empty="", unit=title)


def triggers(name: str, settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return what runs the function."""
    arn = settings["FunctionArn"]
    rules = api().call("events", "ListRuleNamesByTarget", TargetArn=arn).get("RuleNames", [])
    rows = []
    for each in rules:
        rule = api().call("events", "DescribeRule", Name=each)
        rows.append(
            (
                link(each, links.rule(each)),
                rule.get("ScheduleExpression") or rule.get("EventPattern"),
                blocks.state(rule["State"]),
            )
        )
    mappings = api().call("lambda", "ListEventSourceMappings", FunctionName=name).get("EventSourceMappings", [])
    settings_of = api().optional("lambda", "GetFunctionEventInvokeConfig", MISSING, FunctionName=name)
    return (
        Table(
            title=t("EventBridge rules with this function as a target"),
            columns=(t("Rule"), t("Schedule or pattern"), t("State")),
            rows=tuple(rows),
            empty=t("No rule runs this function."),
        ),
        Table(
            title=t("Event source mappings"),
            columns=("UUID", t("Event source"), t("State")),
            rows=tuple(
                (each["UUID"], blocks.arn(each.get("EventSourceArn", "")), each.get("State")) for each in mappings
            ),
            empty=t("No queue or stream runs this function."),
        ),
        facts(
            t("Asynchronous invocation"),
            (t("Maximum age of event"), (settings_of or {}).get("MaximumEventAgeInSeconds", t("6 hours (default)"))),
            (t("Retry attempts"), (settings_of or {}).get("MaximumRetryAttempts", t("2 (default)"))),
        ),
    )


def configuration(name: str, settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the basic settings."""
    return (
        Form(
            action=f"{links.function(name)}/configuration",
            title=t("Basic settings"),
            submit=t("Save"),
            fields=(
                Field(name="Description", label=t("Description"), value=settings.get("Description", "")),
                Field(
                    name="MemorySize", label=t("Memory (MB)"), kind="number", value=str(settings.get("MemorySize", ""))
                ),
                Field(
                    name="Timeout", label=t("Timeout (seconds)"), kind="number", value=str(settings.get("Timeout", ""))
                ),
                Field(name="Handler", label=t("Handler"), value=settings.get("Handler", "")),
                Field(name="Role", label=t("Execution role"), value=settings.get("Role", "")),
            ),
        ),
        Source(title=t("Configuration (JSON)"), text=blocks.json_text(dict(settings)), folded=True),
    )


def environment(name: str, settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the environment variables."""
    variables = settings.get("Environment", {}).get("Variables", {})
    return (
        Table(
            title=t("Environment variables"),
            columns=(t("Key"), t("Value")),
            rows=tuple((blocks.code(key), value) for key, value in sorted(variables.items())),
            empty=t("This function has no environment variables."),
        ),
        Form(
            action=f"{links.function(name)}/environment",
            title=t("Edit environment variables"),
            submit=t("Save"),
            fields=(
                Field(
                    name="variables",
                    label=t("Variables"),
                    kind="textarea",
                    value="\n".join(f"{key}={value}" for key, value in sorted(variables.items())),
                    help=t("One a line, as KEY=VALUE."),
                ),
            ),
        ),
    )


def permissions(name: str, settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the execution role and who may invoke the function."""
    found = api().optional("lambda", "GetPolicy", MISSING, FunctionName=name)
    policy = json.loads(found["Policy"]) if found else {"Statement": []}
    rows = tuple(
        (
            each.get("Sid"),
            _brief(each.get("Principal")),
            _brief(each.get("Action")),
            _brief(each.get("Condition", {})),
            Form(
                action=f"{links.function(name)}/permission",
                submit=t("Delete"),
                danger=True,
                fields=(Field(name="sid", label="", kind="hidden", value=str(each.get("Sid", ""))),),
            ),
        )
        for each in policy["Statement"]
    )
    role = str(settings.get("Role", ""))
    return (
        facts(
            t("Execution role"),
            (t("Role name"), link(role.rpartition("/")[2], links.of_arn(role))),
            (t("Role ARN"), blocks.code(role)),
        ),
        Table(
            title=t("Resource-based policy statements"),
            columns=(t("Statement ID"), t("Principal"), t("Action"), t("Conditions"), ""),
            rows=rows,
            empty=t("Nobody outside this account's identities may invoke the function."),
        ),
        *([Source(title=t("Policy document"), text=blocks.json_text(policy), folded=True)] if found else []),
    )


def _brief(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(next(iter(value.values())), str):
        return str(next(iter(value.values())))
    return json.dumps(value, ensure_ascii=False) if value else ""


def concurrency(name: str, _settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the reserved concurrency."""
    reserved = api().call("lambda", "GetFunctionConcurrency", FunctionName=name).get("ReservedConcurrentExecutions")
    drop = Form(action=f"{links.function(name)}/concurrency/delete", submit=t("Use unreserved account concurrency"))
    return (
        facts(
            t("Concurrency"),
            (t("Reserved concurrency"), t("Not set") if reserved is None else str(reserved)),
        ),
        Form(
            action=f"{links.function(name)}/concurrency",
            title=t("Edit concurrency"),
            submit=t("Save"),
            intro=t("With 0 reserved the function is throttled: no event is processed until the limit is lifted."),
            fields=(
                Field(
                    name="reserved", label=t("Reserved concurrency"), kind="number", required=True,
                    value="" if reserved is None else str(reserved),
                ),
            ),
        ),
        *([Actions(forms=(drop,))] if reserved is not None else []),
    )  # fmt: skip


def vpc(name: str, settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the VPC that the function is in."""
    found = settings.get("VpcConfig", {})
    attached = bool(found.get("VpcId"))
    subnets = api().call("ec2", "DescribeSubnets")["Subnets"]
    groups = api().call("ec2", "DescribeSecurityGroups")["SecurityGroups"]
    return (
        facts(
            "VPC",
            ("VPC", found.get("VpcId")),
            (t("Subnets"), list(found.get("SubnetIds", []))),
            (t("Security groups"), [link(each, links.security_group(each)) for each in found.get("SecurityGroupIds", [])]),
        )
        if attached
        else Notice(text=t("This function is not connected to a VPC. It reaches the internet directly.")),
        Form(
            action=f"{links.function(name)}/vpc",
            title=t("Edit VPC"),
            submit=t("Save"),
            intro=t("Without a subnet the function is in no VPC."),
            fields=(
                Field(
                    name="subnet", label=t("Subnet"), kind="select", value=next(iter(found.get("SubnetIds", [])), ""),
                    options=(("", t("None")), *((each["SubnetId"], f"{each['SubnetId']} ({each['VpcId']}, {each['CidrBlock']})") for each in subnets)),
                ),
                Field(
                    name="group", label=t("Security group"), kind="select", value=next(iter(found.get("SecurityGroupIds", [])), ""),
                    options=(("", t("None")), *((each["GroupId"], f"{each['GroupId']} {each['GroupName']} ({each.get('VpcId', '')})") for each in groups)),
                ),
            ),
        ),
    )  # fmt: skip


def tags(name: str, settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the tags."""
    found = api().call("lambda", "ListTags", Resource=settings["FunctionArn"]).get("Tags", {})
    drops = tuple(
        Form(
            action=f"{links.function(name)}/tags/delete",
            submit=t("Remove {key}", key=key),
            fields=(Field(name="key", label="", kind="hidden", value=key),),
        )
        for key in sorted(found)
        if not key.startswith("aws:")
    )
    return (
        blocks.tags(found),
        *([Actions(forms=drops)] if drops else []),
        Form(
            action=f"{links.function(name)}/tags",
            title=t("Add a tag"),
            submit=t("Save"),
            fields=(Field(name="key", label=t("Key"), required=True), Field(name="value", label=t("Value"))),
        ),
    )


def versions(name: str, _settings: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return versions and aliases."""
    versions = api().pages("lambda", "ListVersionsByFunction", "Versions", "Marker:NextMarker", FunctionName=name)
    aliases = api().pages("lambda", "ListAliases", "Aliases", "Marker:NextMarker", FunctionName=name)
    return (
        Table(
            title=t("Versions"),
            columns=(t("Version"), t("Description"), t("Last modified"), t("SHA256 hash")),
            rows=tuple(
                (
                    each["Version"],
                    each.get("Description"),
                    blocks.time(each.get("LastModified")),
                    blocks.code(each.get("CodeSha256", "")),
                )
                for each in versions
            ),
            empty=t("There are no versions."),
        ),
        Form(
            action=f"{links.function(name)}/versions",
            title=t("Publish new version"),
            submit=t("Publish"),
            fields=(Field(name="Description", label=t("Version description")),),
        ),
        Table(
            title=t("Aliases"),
            columns=(t("Name"), t("Version"), t("Description")),
            rows=tuple((each["Name"], each["FunctionVersion"], each.get("Description")) for each in aliases),
            empty=t("There are no aliases."),
        ),
    )
