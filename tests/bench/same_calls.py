"""The calls that `lab check` makes of an untouched lab, by a plain boto3 script: what its cost is held against.

    python tests/bench/same_calls.py "$(lab start --json)"

`tests/contract/test_check_calls.py` keeps it honest: the same calls with the same parameters, no fewer.
"""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

FINDING_TYPE = "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"
PAGE = 50


def main() -> None:
    """Make the calls of the lab that the argument describes."""
    import boto3

    told = json.loads(sys.argv[1])
    session = boto3.session.Session(
        aws_access_key_id=told["access_key_id"],
        aws_secret_access_key=told["secret_access_key"],
        aws_session_token=told["session_token"],
        region_name=told["region"],
    )
    calls(lambda service: session.client(service, endpoint_url=told["endpoint_url"]))


def calls(client: Callable[[str], Any]) -> None:
    """Make the calls with clients that `client` makes."""
    guardduty, cloudtrail, awslambda = client("guardduty"), client("cloudtrail"), client("lambda")
    detector = guardduty.list_detectors()["DetectorIds"][0]
    of_type = {"Criterion": {"type": {"Equals": [FINDING_TYPE]}}}
    ids = _listed(guardduty.list_findings, "FindingIds", DetectorId=detector, FindingCriteria=of_type, MaxResults=PAGE)
    ids += guardduty.list_findings(DetectorId=detector, MaxResults=PAGE)["FindingIds"]
    ids = list(dict.fromkeys(ids))
    findings = []
    for start in range(0, len(ids), PAGE):
        findings += guardduty.get_findings(DetectorId=detector, FindingIds=ids[start : start + PAGE])["Findings"]
    finding = next(each for each in findings if each["Type"] == FINDING_TYPE)
    function = finding["Resource"]["LambdaDetails"]
    since = datetime.fromisoformat(finding["Service"]["EventFirstSeen"])
    events = _looked_up(cloudtrail, "ResourceName", function["FunctionName"])
    _looked_up(cloudtrail, "Username", "Participant", StartTime=since)
    for read in (awslambda.get_function, awslambda.get_policy, awslambda.list_versions_by_function):
        read(FunctionName=function["FunctionName"])
    client("config").describe_configuration_recorder_status()
    for trail in cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]:
        cloudtrail.get_trail_status(Name=trail["TrailARN"])
    guardduty.get_detector(DetectorId=detector)
    s3 = client("s3")
    for threats in guardduty.list_threat_intel_sets(DetectorId=detector, MaxResults=PAGE)["ThreatIntelSetIds"]:
        location = guardduty.get_threat_intel_set(DetectorId=detector, ThreatIntelSetId=threats)["Location"]
        _contents(s3, *_object(location))
    guardduty.list_ip_sets(DetectorId=detector, MaxResults=PAGE)
    guardduty.list_filters(DetectorId=detector, MaxResults=PAGE)
    awslambda.list_functions()
    rules = client("events")
    for name in rules.list_rule_names_by_target(TargetArn=function["FunctionArn"])["RuleNames"]:
        rules.describe_rule(Name=name)
    for source in _sources(events):
        _contents(s3, *source)


def _listed(call: Callable[..., Any], key: str, **params: Any) -> list[Any]:
    page = call(**params)
    items = list(page[key])
    while page.get("NextToken"):
        page = call(**params, NextToken=page["NextToken"])
        items += page[key]
    return items


def _looked_up(cloudtrail: Any, key: str, value: str, **params: Any) -> list[Any]:
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    events = _listed(cloudtrail.lookup_events, "Events", LookupAttributes=attributes, MaxResults=PAGE, **params)
    return [json.loads(event["CloudTrailEvent"]) for event in events]


def _contents(s3: Any, bucket: str, key: str) -> None:
    for version in s3.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=10)["Versions"]:
        named = {} if version["VersionId"] == "null" else {"VersionId": version["VersionId"]}
        s3.get_object(Bucket=bucket, Key=version["Key"], **named)["Body"].read()


def _object(location: str) -> tuple[str, str]:
    parts = urlsplit(location)
    if parts.scheme == "s3":
        return parts.netloc, parts.path.lstrip("/")
    bucket, dot, _ = parts.netloc.partition(".s3")
    if dot:
        return bucket, parts.path.lstrip("/")
    bucket, _, key = parts.path.lstrip("/").partition("/")
    return bucket, key


def _sources(events: list[Any]) -> list[tuple[str, str]]:
    sources = []
    for event in reversed(events):
        request = event.get("requestParameters") or {}
        code = request.get("code", request)
        made = event["eventName"].startswith(("CreateFunction", "UpdateFunctionCode"))
        if made and not event.get("errorCode") and code.get("s3Key"):
            sources.append((code["s3Bucket"], code["s3Key"]))
    return list(dict.fromkeys(sources))


if __name__ == "__main__":
    main()
