"""AWS API -> Evidence: the room's only I/O. Reads only, and as few as the judgements need (about 25 for a fresh lab).

Clients come from the world, sign as the checker's own session and carry its user agent; calls with that agent are
left out of the evidence, so that a check never counts as the trainee's investigation.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from ipaddress import ip_network
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from checker.evidence import (
    DELETED,
    Addresses,
    AddressList,
    Event,
    Evidence,
    Finding,
    Function,
    Guards,
    Leftovers,
    Rule,
)
from checker.messages import Message, say
from checker.worlds import AGENT, Outlook, World
from scenario.errors import LabError

LOOK_AHEAD_HOURS = 24
PAGE = 50
TRAINEE_PAGES = 100
"""The most pages of the trainee's own events read in one check: 5,000 calls."""

MAX_OBJECT = 35 * 1024 * 1024
"""GuardDuty's limit for a list's object; larger ones are not read (docs/aws-facts.md, part 3)."""

MAX_VERSIONS = 10

RULE_CHANGES = ("DisableRule", "DeleteRule", "RemoveTargets")


def collect(world: World, finding_type: str, known_function: str = "") -> Evidence:
    """Return what the account tells about the finding of `finding_type` assigned to the trainee.

    `known_function` is the function's name where the trainee has earned it: with it the account can still be read when
    the finding is gone.

    A read that the account refuses (AccessDenied) becomes a sentence in `gaps`. Raises LabError where the account
    cannot be reached or answers with an unexpected error.
    """
    try:
        return _Collector(world).evidence(finding_type, known_function)
    except ClientError as error:
        operation = error.operation_name
        raise LabError(
            f"asking {world.target} ({operation})",
            str(error.response.get("Error", {}).get("Message") or error),
            _advice(world.target, "Look at lab doctor; lab reset starts the simulator's lab again."),
        ) from error
    except BotoCoreError as error:
        advice = _advice(world.target, "Start the lab with lab start, then check again.")
        raise LabError(f"asking {world.target}", str(error).rstrip("."), advice) from error


def _advice(target: str, simulator: str) -> str:
    return simulator if target == "simulator" else f"Look at lab doctor --target {target}, then check again."


class _Collector:
    def __init__(self, world: World) -> None:
        self.world = world
        self.gaps: list[Message] = []
        self.clients: dict[str, Any] = {}

    def evidence(self, finding_type: str, known_function: str) -> Evidence:
        """Return the evidence, asking service by service."""
        now = self.world.now()
        detector = next(iter(self.client("guardduty").list_detectors()["DetectorIds"]), None)
        findings = self.findings(detector, finding_type) if detector else ()
        assigned = assigned_finding(findings, finding_type)
        name = assigned.function_name if assigned else known_function
        guards = self.guards(detector, assigned.ip if assigned else "")
        with ThreadPoolExecutor(1) as beside:  # looking ahead takes the simulator as long as the other reads together
            listed = listed_addresses(findings, guards)
            outlook = beside.submit(self.world.foresight.look_ahead, LOOK_AHEAD_HOURS, listed)
            return self._rest(now, name, assigned, findings, guards, outlook)

    def _rest(
        self,
        now: datetime,
        name: str,
        assigned: Finding | None,
        findings: tuple[Finding, ...],
        guards: Guards,
        outlook: Future[Outlook],
    ) -> Evidence:
        history = self.events("ResourceName", name) if name else ()
        since = assigned.first_seen if assigned else None
        mine = self.events("Username", self.world.trainee, pages=TRAINEE_PAGES, since=since)
        function = self.function(name) if name else None
        created = [each for each in history if each.is_("CreateFunction") and not each.error]
        response = created[-1].response if created else {}
        arn = assigned.function_arn if assigned else str(response.get("functionArn", ""))
        role = assigned.role_arn if assigned else str(response.get("role", ""))
        return Evidence(
            now=now,
            assigned=assigned,
            function_name=name,
            findings=findings,
            function=function,
            function_names=self.function_names(),
            rules=self.rules(arn) if arn else (),
            targets=self.targets() if any(each.is_(*RULE_CHANGES) for each in mine) else (),
            history=history,
            mine=mine,
            trainee=self.world.trainee,
            guards=guards,
            stored_code=self.stored_code(history),
            leftovers=self.leftovers(name, role) if name and function is None else Leftovers(),
            outlook=outlook.result(),
            gaps=tuple(self.gaps),
        )

    def client(self, service: str) -> Any:
        """Return a client of the world's, made once: making one costs more than most calls."""
        if service not in self.clients:
            self.clients[service] = self.world.client(service)
        return self.clients[service]

    def optional(self, what: Message, call: Callable[..., Any], *absent: str, **params: Any) -> Any:
        """Return a call's result; None where it fails with one of the codes `absent` or is refused, which is a gap."""
        try:
            return call(**params)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in absent:
                return None
            if code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"):
                self.gaps.append(say("{what} could not be read: {code}.", what=what, code=code))
                return None
            raise

    def findings(self, detector: str, finding_type: str) -> tuple[Finding, ...]:
        """Return the findings of the type, archived ones too, and up to a page of others, each once."""
        guardduty = self.client("guardduty")
        of_type = {"Criterion": {"type": {"Equals": [finding_type]}}}
        pages = _pages(
            guardduty.list_findings, "NextToken", DetectorId=detector, FindingCriteria=of_type, MaxResults=PAGE
        )
        ids = [each for page in pages for each in page["FindingIds"]]
        ids += guardduty.list_findings(DetectorId=detector, MaxResults=PAGE)["FindingIds"]
        ids = list(dict.fromkeys(ids))
        found: list[Finding] = []
        for start in range(0, len(ids), PAGE):
            batch = guardduty.get_findings(DetectorId=detector, FindingIds=ids[start : start + PAGE])
            found += [finding(body) for body in batch["Findings"]]
        return tuple(found)

    def events(
        self, key: str, value: str, pages: int | None = None, since: datetime | None = None
    ) -> tuple[Event, ...]:
        """Return CloudTrail's events with an attribute, oldest first, to the oldest page or `pages` pages far.

        `since` leaves away what was before: calls of another deployment's investigation, under the same name.
        """
        lookup = self.client("cloudtrail").lookup_events
        params: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "MaxResults": PAGE,
        }
        if since:
            params["StartTime"] = since
        found: list[Event] = []
        for number, page in enumerate(_pages(lookup, "NextToken", **params), start=1):
            found += [event(body) for body in page["Events"]]
            if pages is not None and number >= pages and page.get("NextToken"):
                self.gaps.append(say("Only the newest {count} of your calls were read.", count=pages * PAGE))
                break
        return tuple(each for each in reversed(found) if AGENT not in each.user_agent)

    def function(self, name: str) -> Function | None:
        """Return the function as it is now; None where it does not exist."""
        awslambda = self.client("lambda")
        body = self.optional(
            say("The function"), awslambda.get_function, "ResourceNotFoundException", FunctionName=name
        )
        if body is None:
            return None
        configuration = body["Configuration"]
        policy = self.optional(
            say("The function's policy"), awslambda.get_policy, "ResourceNotFoundException", FunctionName=name
        )
        versions = self.optional(say("The function's versions"), awslambda.list_versions_by_function, FunctionName=name)
        return Function(
            name=configuration["FunctionName"],
            arn=configuration["FunctionArn"],
            role_arn=configuration.get("Role", ""),
            code_sha256=configuration.get("CodeSha256", ""),
            reserved_concurrency=body.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            vpc_id=configuration.get("VpcConfig", {}).get("VpcId", ""),
            versions=tuple(
                each["CodeSha256"] for each in (versions or {}).get("Versions", ()) if each["Version"] != "$LATEST"
            ),
            stack_name=body.get("Tags", {}).get("aws:cloudformation:stack-name", ""),
            invokers=invokers(policy["Policy"]) if policy else (),
        )

    def function_names(self) -> tuple[str, ...]:
        """Return the names of all functions."""
        pages = _pages(self.client("lambda").list_functions, "NextMarker", "Marker")
        return tuple(each["FunctionName"] for page in pages for each in page["Functions"])

    def rules(self, function_arn: str) -> tuple[Rule, ...]:
        """Return the EventBridge rules that have the function among their targets."""
        events = self.client("events")
        names = events.list_rule_names_by_target(TargetArn=function_arn)["RuleNames"]
        bodies = [events.describe_rule(Name=name) for name in names]
        return tuple(
            Rule(
                name=body["Name"],
                enabled=body.get("State", "ENABLED") != "DISABLED",
                schedule=body.get("ScheduleExpression", ""),
            )
            for body in bodies
        )

    def targets(self) -> tuple[tuple[str, str], ...]:
        """Return which targets rules were ever given, as the trail tells: a deleted rule says nothing itself."""
        put = self.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "PutTargets"}], MaxResults=PAGE
        )
        requests = [each.request for each in map(event, put["Events"]) if not each.error]
        return tuple(
            (str(each.get("rule", "")), str(target.get("arn", "")))
            for each in requests
            for target in each.get("targets") or ()
        )

    def guards(self, detector: str | None, ip: str) -> Guards:
        """Return the state of detector, lists, filters, recorder and trails. `ip` is the finding's address.

        Where no list of now holds it, the lists of the trail tell what was listed before someone changed them.
        """
        recorder, trails = self.recorder_on(), self.trails()
        if detector is None:
            return Guards(lists=self.lists_of_the_trail(), recorder_on=recorder, trails=trails)
        guardduty = self.client("guardduty")
        body = guardduty.get_detector(DetectorId=detector)
        features = {each["Name"]: each["Status"] for each in body.get("Features", ())}
        threats, trusted = tuple(self.threat_lists(detector)), tuple(self.trusted_lists(detector))
        listed = any(ip in each.entries for each in threats)
        return Guards(
            detector_id=detector,
            detector_on=body.get("Status") == "ENABLED",
            lambda_protection=features.get("LAMBDA_NETWORK_LOGS") == "ENABLED",
            lists=threats + (() if listed else self.lists_of_the_trail()) + trusted,
            suppressions=tuple(self.suppressions(detector)),
            recorder_on=recorder,
            trails=trails,
        )

    def threat_lists(self, detector: str) -> Iterator[AddressList]:
        """Yield the threat lists with what their objects hold."""
        guardduty = self.client("guardduty")
        for page in _pages(guardduty.list_threat_intel_sets, "NextToken", DetectorId=detector, MaxResults=PAGE):
            for each in page["ThreatIntelSetIds"]:
                yield self.address_list(
                    guardduty.get_threat_intel_set(DetectorId=detector, ThreatIntelSetId=each), trusted=False
                )

    def trusted_lists(self, detector: str) -> Iterator[AddressList]:
        """Yield the trusted lists in force; an inactive one hides nothing."""
        guardduty = self.client("guardduty")
        for page in _pages(guardduty.list_ip_sets, "NextToken", DetectorId=detector, MaxResults=PAGE):
            for each in page["IpSetIds"]:
                found = self.address_list(guardduty.get_ip_set(DetectorId=detector, IpSetId=each), trusted=True)
                if found.active:
                    yield found

    def lists_of_the_trail(self) -> tuple[AddressList, ...]:
        """Return deleted threat lists as their creation in the trail tells of them: what was listed stays listed."""
        created = self.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateThreatIntelSet"}], MaxResults=PAGE
        )
        requests = [each.request for each in map(event, created["Events"]) if not each.error]
        return tuple(
            self.address_list(
                {"Name": str(each.get("name", "")), "Status": DELETED, "Location": each["location"]}, trusted=False
            )
            for each in requests
            if each.get("location")
        )

    def address_list(self, body: dict[str, Any], *, trusted: bool) -> AddressList:
        """Return a list with the entries of its object, now and in the versions that the bucket keeps."""
        bucket, key = object_of(body["Location"])
        contents = list(self.objects(bucket, key))
        latest = [entries(content) for content, is_latest in contents if is_latest]
        earlier = [entries(content) for content, is_latest in contents if not is_latest]
        return AddressList(
            name=body["Name"],
            trusted=trusted,
            status=body["Status"],
            entries=latest[0] if latest else Addresses(),
            earlier=Addresses(
                single=frozenset().union(*(each.single for each in earlier)),
                ranges=tuple(net for each in earlier for net in each.ranges),
            ),
        )

    def suppressions(self, detector: str) -> Iterator[str]:
        """Yield the names of the filters that archive findings as they arrive."""
        guardduty = self.client("guardduty")
        for page in _pages(guardduty.list_filters, "NextToken", DetectorId=detector, MaxResults=PAGE):
            for name in page["FilterNames"]:
                if guardduty.get_filter(DetectorId=detector, FilterName=name)["Action"] == "ARCHIVE":
                    yield name

    def recorder_on(self) -> bool | None:
        """Tell whether AWS Config records; None where there is no recorder."""
        status = self.optional(
            say("The configuration recorder"), self.client("config").describe_configuration_recorder_status
        )
        recorders = (status or {}).get("ConfigurationRecordersStatus", [])
        return any(each.get("recording") for each in recorders) if recorders else None

    def trails(self) -> tuple[tuple[str, bool], ...]:
        """Return the account's trails and whether each logs."""
        cloudtrail = self.client("cloudtrail")
        found = self.optional(say("The trails"), cloudtrail.describe_trails, includeShadowTrails=False)
        trails = []
        for each in (found or {}).get("trailList", []):
            status = self.optional(
                say("A trail's status"), cloudtrail.get_trail_status, "TrailNotFoundException", Name=each["TrailARN"]
            )
            if status is not None:
                trails.append((each["Name"], bool(status.get("IsLogging"))))
        return tuple(trails)

    def stored_code(self, history: tuple[Event, ...]) -> frozenset[str]:
        """Return the CodeSha256 of what S3 holds now, in any kept version, wherever the function's code came from."""
        sources = []
        for each in history:
            code = each.request.get("code", each.request) if each.is_("CreateFunction", "UpdateFunctionCode") else {}
            if not each.error and code.get("s3Bucket") and code.get("s3Key"):
                sources.append((str(code["s3Bucket"]), str(code["s3Key"])))
        contents = (content for source in dict.fromkeys(sources) for content, _ in self.objects(*source))
        return frozenset(base64.b64encode(hashlib.sha256(content).digest()).decode() for content in contents)

    def objects(self, bucket: str, key: str) -> Iterator[tuple[bytes, bool]]:
        """Yield an object's content and whether it is the latest, for each kept version; nothing where it is gone."""
        s3 = self.client("s3")
        gone = ("NoSuchBucket", "NoSuchKey", "NoSuchVersion", "404")
        what = say("The object {key} in S3", key=key)
        listed = self.optional(what, s3.list_object_versions, *gone, Bucket=bucket, Prefix=key, MaxKeys=MAX_VERSIONS)
        alone: dict[str, Any] = {
            "Key": key,
            "Size": 0,
            "VersionId": "null",
            "IsLatest": True,
        }  # versions may be hidden from the caller
        for each in [alone] if listed is None else listed.get("Versions", ()):
            if each["Key"] == key and each["Size"] <= MAX_OBJECT:
                version = {} if each["VersionId"] == "null" else {"VersionId": each["VersionId"]}
                body = self.optional(what, s3.get_object, *gone, Bucket=bucket, Key=key, **version)
                if body is not None:
                    yield body["Body"].read(), bool(each["IsLatest"])

    def leftovers(self, name: str, role_arn: str) -> Leftovers:
        """Return whether role and log group of a deleted function still stand."""
        role = role_arn.rsplit("/", 1)[-1]
        found = role and self.optional(
            say("The function's role"), self.client("iam").get_role, "NoSuchEntity", RoleName=role
        )
        group = f"/aws/lambda/{name}"
        logs = self.optional(say("The log groups"), self.client("logs").describe_log_groups, logGroupNamePrefix=group)
        names = [each["logGroupName"] for each in (logs or {}).get("logGroups", ())]
        return Leftovers(role=bool(found), log_group=group in names)


def _pages(
    call: Callable[..., dict[str, Any]], token: str, parameter: str | None = None, **params: Any
) -> Iterator[dict[str, Any]]:
    """Yield a list call's pages. An exhausted one says `""` or nothing as its token (docs/aws-facts.md, part 4)."""
    page = call(**params)
    yield page
    while page.get(token):
        page = call(**{**params, parameter or token: page[token]})
        yield page


def listed_addresses(findings: tuple[Finding, ...], guards: Guards) -> frozenset[str]:
    """Return the addresses and ranges that lists, their earlier versions and findings name: see `Evidence.listed`."""
    entries = [
        each for addresses in guards.lists if not addresses.trusted for each in (addresses.entries, addresses.earlier)
    ]
    named = {finding.ip for finding in findings if finding.list_names and finding.ip}
    return frozenset(named.union(*(each.single for each in entries), *(map(str, each.ranges) for each in entries)))


def assigned_finding(findings: tuple[Finding, ...], finding_type: str) -> Finding | None:
    """Return the trainee's finding: the oldest of the type about a Lambda function, samples left out.

    A trainee who provokes a second finding of the type still has the first one assigned.
    """
    candidates = [
        each for each in findings if each.type == finding_type and each.function_name and each.ip and not each.sample
    ]
    return min(candidates, key=lambda each: (str(each.first_seen), str(each.created_at), each.id), default=None)


def finding(body: dict[str, Any]) -> Finding:
    """Return the record of a finding in GetFindings' shape (docs/aws-facts.md, part 1)."""
    service, resource = body.get("Service", {}), body.get("Resource", {})
    function = resource.get("LambdaDetails") or {}
    action = service.get("Action", {})
    remote = _remote(action)
    threats = (service.get("Evidence") or {}).get("ThreatIntelligenceDetails", ())
    additional = (service.get("AdditionalInfo") or {}).get("Value") or "{}"
    return Finding(
        id=body["Id"],
        type=body["Type"],
        function_name=function.get("FunctionName", ""),
        function_arn=function.get("FunctionArn", ""),
        role_arn=function.get("Role", ""),
        ip=remote.get("IpAddressV4") or remote.get("IpAddressV6") or "",
        port=action.get("NetworkConnectionAction", {}).get("RemotePortDetails", {}).get("Port", 0),
        list_names=tuple(each["ThreatListName"] for each in threats if each.get("ThreatListName")),
        first_seen=_moment(service.get("EventFirstSeen")),
        last_seen=_moment(service.get("EventLastSeen")),
        created_at=_moment(body.get("CreatedAt")),
        archived=bool(service.get("Archived")),
        sample=body.get("Title", "").startswith("[SAMPLE]") or '"sample":true' in additional.replace(" ", ""),
    )


def _remote(action: dict[str, Any]) -> dict[str, Any]:
    """Return the remote address's details of whichever kind of action a finding tells of."""
    for kind in ("NetworkConnectionAction", "AwsApiCallAction", "KubernetesApiCallAction", "RdsLoginAttemptAction"):
        if remote := (action.get(kind) or {}).get("RemoteIpDetails"):
            return dict(remote)
    probes = (action.get("PortProbeAction") or {}).get("PortProbeDetails") or [{}]
    return dict(probes[0].get("RemoteIpDetails") or {})


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def event(body: dict[str, Any]) -> Event:
    """Return the record of an event in LookupEvents' shape (docs/aws-facts.md, part 5)."""
    record = json.loads(body["CloudTrailEvent"])
    identity = record.get("userIdentity") or {}
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return Event(
        id=body["EventId"],
        name=body["EventName"],
        source=record.get("eventSource", ""),
        at=_moment(record.get("eventTime")) or body["EventTime"],
        read_only=str(body.get("ReadOnly", record.get("readOnly", ""))).lower() == "true",
        session=body.get("Username", "") or identity.get("userName", ""),
        issuer=issuer.get("userName", ""),
        issuer_arn=issuer.get("arn", "") or identity.get("arn", ""),
        invoked_by=identity.get("invokedBy", ""),
        user_agent=record.get("userAgent", "") or "",
        error=record.get("errorCode", "") or "",
        request=record.get("requestParameters") or {},
        response=record.get("responseElements") or {},
    )


def invokers(policy: str) -> tuple[str, ...]:
    """Return the principals that a function's policy allows to invoke it; `*` for everyone."""
    found: list[str] = []
    for statement in json.loads(policy).get("Statement", ()):
        if statement.get("Effect") == "Allow":
            principal = statement.get("Principal", {})
            values = [principal] if isinstance(principal, str) else principal.values()
            for value in values:
                found += [value] if isinstance(value, str) else value
    return tuple(found)


def object_of(location: str) -> tuple[str, str]:
    """Return bucket and key of a list's location, in any of the forms GuardDuty takes (docs/aws-facts.md, part 3)."""
    parts = urlsplit(location)
    path = unquote(parts.path.lstrip("/"))
    host = parts.netloc
    if parts.scheme == "s3":
        return host, path
    if match := re.match(r"(?P<bucket>.+?)\.s3[.-]", host):
        return match["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key


_ENTRY = re.compile(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\d.])")


def entries(content: bytes) -> Addresses:
    """Return the IPv4 addresses and ranges of a list in any of GuardDuty's formats; other entries are skipped."""
    single: set[str] = set()
    ranges = []
    for found in _ENTRY.findall(content):
        text = found.decode()
        if "/" not in text or text.endswith("/32"):
            single.add(text.removesuffix("/32"))
            continue
        try:
            ranges.append(ip_network(text, strict=False))
        except ValueError:  # such as 10.0.0.0/99: GuardDuty skips lines it cannot read too
            continue
    return Addresses(single=frozenset(single), ranges=tuple(ranges))
