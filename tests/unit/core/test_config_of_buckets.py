"""What Config looks at when objects of a bucket change."""

from collections.abc import Mapping
from typing import Any

import pytest

from simulator.service import Context
from simulator.services.config import service, snapshots
from tests.unit.core.small_lab import made, open_lab

ROLE = "arn:aws:iam::486547846362:role/config"


def test_config_looks_at_a_bucket_when_it_changes_and_not_at_each_of_its_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Taking a bucket down costs ten reads of it: thousands of objects would pay for them, and again at each replay."""
    looked: list[str] = []

    def look(ctx: Context, name: str) -> snapshots.Snapshot | None:
        looked.append(name)
        return snapshots.bucket(ctx, name)

    readers: Mapping[str, Any] = {**snapshots.READERS, "AWS::S3::Bucket": look}
    monkeypatch.setattr(service, "READERS", readers)
    lab = open_lab()
    made(lab, "s3", "CreateBucket", Bucket="known-too-late")
    made(lab, "config", "PutConfigurationRecorder", ConfigurationRecorder={"name": "default", "roleARN": ROLE})
    made(lab, "s3", "CreateBucket", Bucket="for-the-channel")
    channel = {"name": "default", "s3BucketName": "for-the-channel"}
    made(lab, "config", "PutDeliveryChannel", DeliveryChannel=channel)
    made(lab, "config", "StartConfigurationRecorder", ConfigurationRecorderName="default")
    looked.clear()
    made(lab, "s3", "PutObject", Bucket="known-too-late", Key="a", Body=b"1")
    assert looked == ["known-too-late"], "a bucket that Config does not know yet is looked at, whatever shows it"
    for key in "bc":
        made(lab, "s3", "PutObject", Bucket="known-too-late", Key=key, Body=b"1")
    made(lab, "s3", "DeleteObjects", Bucket="known-too-late", Delete={"Objects": [{"Key": "b"}]})
    assert looked == ["known-too-late"]
    made(lab, "s3", "PutBucketVersioning", Bucket="known-too-late", VersioningConfiguration={"Status": "Enabled"})
    assert looked == ["known-too-late", "known-too-late"]
    lab.close()
