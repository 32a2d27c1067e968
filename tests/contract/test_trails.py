"""Trails through a client: names, Regions, what is chosen to be delivered, and what is told of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab_in_process

HERE, THERE = "us-east-1", "eu-west-1"


@pytest.fixture(scope="module")
def owner() -> Iterator[InProcess]:
    """Return the clients of a lab that has a bucket and a topic."""
    process = new_lab_in_process()
    process.client("s3").create_bucket(Bucket="trails-go-here")
    process.client("sns").create_topic(Name="trails")
    yield process
    for lab in process.gateway.labs.values():
        lab.close()


@pytest.fixture
def trails(owner: InProcess) -> Iterator[Any]:
    """Return a CloudTrail client in an account without trails."""
    yield owner.client("cloudtrail")
    for region in (HERE, THERE):
        client = _in(owner, region)
        for trail in client.describe_trails(includeShadowTrails=False)["trailList"]:
            client.delete_trail(Name=trail["Name"])


def _in(owner: InProcess, region: str) -> Any:
    return InProcess(owner.gateway, owner.access_key, owner.secret, region=region).client("cloudtrail")


def _names(client: Any, **how: Any) -> list[str]:
    return [trail["Name"] for trail in client.describe_trails(**how)["trailList"]]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("ab", "too short"),
        ("a" * 129, "too long"),
        ("-trail", "must starts with"),
        ("trail-", "must ends with"),
        ("my#trail", "can only contain"),
        ("my..trail", "adjacent"),
        ("192.168.5.4", "IP address"),
    ],
)
def test_what_no_trail_is_called_is_refused_before_anything_else(trails: Any, name: str, part: str) -> None:
    """Even where the bucket is not there either."""
    with pytest.raises(ClientError, match=part) as refused:
        trails.create_trail(Name=name, S3BucketName="not-there")
    assert refused.value.response["Error"]["Code"] == "InvalidTrailNameException"


def test_a_trail_s_settings_are_what_was_said_last(trails: Any) -> None:
    """Bucket and topic must be there; many Regions need global events; an update changes what it names."""
    with pytest.raises(ClientError, match="Multi-Region trail must include"):
        trails.create_trail(
            Name="one", S3BucketName="not-there", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False
        )
    with pytest.raises(ClientError, match="S3 bucket not-there does not exist!"):
        trails.create_trail(Name="one", S3BucketName="not-there")
    with pytest.raises(ClientError, match="SNS Topic does not exist"):
        trails.create_trail(Name="one", S3BucketName="trails-go-here", SnsTopicName="not-there")
    made = trails.create_trail(Name="one", S3BucketName="trails-go-here", SnsTopicName="trails")
    assert made["SnsTopicARN"].endswith(":trails") and made["SnsTopicName"] == "trails"
    trails.update_trail(Name=made["TrailARN"], EnableLogFileValidation=True)
    found = trails.get_trail(Name="one")["Trail"]
    assert found["LogFileValidationEnabled"] is True
    assert found["S3BucketName"] == "trails-go-here"
    with pytest.raises(ClientError, match="already exists"):
        trails.create_trail(Name="one", S3BucketName="trails-go-here")


def test_a_trail_lives_in_its_home_region_and_casts_a_shadow_if_it_is_of_many(owner: InProcess, trails: Any) -> None:
    """Others see only those of many Regions, unless they want no shadows; a name can be used again elsewhere."""
    elsewhere = _in(owner, THERE)
    trails.create_trail(Name="alone", S3BucketName="trails-go-here")
    trails.create_trail(Name="everywhere", S3BucketName="trails-go-here", IsMultiRegionTrail=True)
    elsewhere.create_trail(Name="alone", S3BucketName="trails-go-here")
    assert _names(trails) == ["alone", "everywhere"]
    assert _names(elsewhere) == ["everywhere", "alone"]
    assert _names(elsewhere, includeShadowTrails=False) == ["alone"]
    assert [each["HomeRegion"] for each in elsewhere.list_trails()["Trails"]] == [HERE, THERE]
    elsewhere.stop_logging(Name="alone")
    assert "StopLoggingTime" not in trails.get_trail_status(Name="alone")


def test_a_trail_that_is_not_there_is_named(owner: InProcess, trails: Any) -> None:
    """By its ARN, except by GetTrail, which says what it was asked for."""
    account = next(iter(owner.gateway.labs))
    with pytest.raises(ClientError, match=f"Unknown trail: nobody for the user: {account}"):
        trails.get_trail(Name="nobody")
    with pytest.raises(ClientError, match=f"Unknown trail: arn:aws:cloudtrail:{HERE}:{account}:trail/nobody for"):
        trails.stop_logging(Name="nobody")


def test_what_a_trail_delivers_is_chosen_in_one_of_two_languages(trails: Any) -> None:
    """All management events at first; basic selectors are filled up; advanced ones take their place."""
    trails.create_trail(Name="one", S3BucketName="trails-go-here")
    assert trails.get_event_selectors(TrailName="one")["EventSelectors"][0]["IncludeManagementEvents"] is True
    assert trails.get_trail(Name="one")["Trail"]["HasCustomEventSelectors"] is False
    trails.put_event_selectors(TrailName="one", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    chosen = trails.get_event_selectors(TrailName="one")["EventSelectors"]
    assert [(each["ReadWriteType"], each["IncludeManagementEvents"]) for each in chosen] == [("WriteOnly", True)]
    advanced = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]
    trails.put_event_selectors(TrailName="one", AdvancedEventSelectors=advanced)
    found = trails.get_event_selectors(TrailName="one")
    assert found["AdvancedEventSelectors"] == advanced and "EventSelectors" not in found
    assert trails.get_trail(Name="one")["Trail"]["HasCustomEventSelectors"] is True
    with pytest.raises(ClientError, match="InvalidEventSelectorsException"):
        trails.put_event_selectors(TrailName="one", EventSelectors=chosen, AdvancedEventSelectors=advanced)


def test_a_trail_tells_since_when_it_logs(trails: Any) -> None:
    """And since when no more; a new one does neither."""
    trails.create_trail(Name="one", S3BucketName="trails-go-here")
    status = trails.get_trail_status(Name="one")
    assert status["IsLogging"] is False and status["TimeLoggingStarted"] == ""
    trails.start_logging(Name="one")
    status = trails.get_trail_status(Name="one")
    assert status["IsLogging"] is True
    assert status["TimeLoggingStarted"] == f"{status['StartLoggingTime']:%Y-%m-%dT%H:%M:%SZ}"
    trails.stop_logging(Name="one")
    assert trails.get_trail_status(Name="one")["IsLogging"] is False


def test_trails_are_found_by_name_and_arn_and_no_more_than_five_are_made(trails: Any) -> None:
    """Unknown names are left out; the sixth of a Region is refused."""
    made = [trails.create_trail(Name=f"trail{n}", S3BucketName="trails-go-here")["TrailARN"] for n in range(5)]
    assert _names(trails, trailNameList=["trail3", made[1], "unknown"]) == ["trail1", "trail3"]
    with pytest.raises(ClientError, match="MaximumNumberOfTrailsExceededException"):
        trails.create_trail(Name="trail5", S3BucketName="trails-go-here")


def test_insights_and_tags_of_a_trail_are_what_was_said(trails: Any) -> None:
    """A trail without insights says so as an error; tags go with their trail."""
    arn = trails.create_trail(
        Name="one", S3BucketName="trails-go-here", TagsList=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    )["TrailARN"]
    with pytest.raises(ClientError, match="InsightNotEnabledException"):
        trails.get_insight_selectors(TrailName="one")
    trails.put_insight_selectors(TrailName=arn, InsightSelectors=[{"InsightType": "ApiErrorRateInsight"}])
    assert trails.get_insight_selectors(TrailName="one")["InsightSelectors"] == [{"InsightType": "ApiErrorRateInsight"}]
    assert trails.get_trail(Name="one")["Trail"]["HasInsightSelectors"] is True
    trails.add_tags(ResourceId=arn, TagsList=[{"Key": "c", "Value": "3"}])
    trails.remove_tags(ResourceId=arn, TagsList=[{"Key": "a"}])
    (listed,) = trails.list_tags(ResourceIdList=[arn])["ResourceTagList"]
    assert {tag["Key"]: tag["Value"] for tag in listed["TagsList"]} == {"b": "2", "c": "3"}
    trails.delete_trail(Name="one")
    with pytest.raises(ClientError, match="was not found"):
        trails.list_tags(ResourceIdList=[arn])


def test_a_trail_of_many_regions_keeps_its_global_events(trails: Any) -> None:
    """An update is held to what the trail would be then, not to what it names alone."""
    trails.create_trail(Name="one", S3BucketName="trails-go-here", IsMultiRegionTrail=True)
    with pytest.raises(ClientError, match="Multi-Region trail must include"):
        trails.update_trail(Name="one", IncludeGlobalServiceEvents=False)
    assert trails.get_trail(Name="one")["Trail"]["IncludeGlobalServiceEvents"] is True


def test_a_region_s_history_is_its_own(owner: InProcess) -> None:
    """What was asked for in another Region is told there; IAM's calls are told in us-east-1, wherever they came from."""
    _in(owner, THERE).describe_trails(trailNameList=["asked-there"])
    InProcess(owner.gateway, owner.access_key, owner.secret, region=THERE).client("iam").list_groups(
        PathPrefix="/there/"
    )
    for lab in owner.gateway.labs.values():
        lab.advance(timedelta(minutes=6))
    told = {}
    for region in (HERE, THERE):
        pages = _in(owner, region).get_paginator("lookup_events").paginate()
        told[region] = "".join(each["CloudTrailEvent"] for page in pages for each in page["Events"])
    assert "asked-there" in told[THERE]
    assert "asked-there" not in told[HERE]
    assert "/there/" in told[HERE]
    assert "/there/" not in told[THERE]
