"""AWS::KMS::*, AWS::SSM::Parameter, AWS::DynamoDB::Table."""

from __future__ import annotations

from string import ascii_letters, digits
from typing import Any

from simulator.services.cloudformation.intrinsics import text
from simulator.services.cloudformation.resources.base import Handler, Properties, Work, as_json, pick, tag_list, tag_map


class Key(Handler):
    """AWS::KMS::Key; Ref is its id."""

    type = "AWS::KMS::Key"
    ignored = frozenset({"RotationPeriodInDays"})

    def create(self, work: Work, props: Properties) -> str:
        """Create the key; enable rotation, disable the key where declared."""
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in work.tags(props.get("Tags"))]
        policy = props.get("KeyPolicy")
        made = work.call(
            "kms",
            "CreateKey",
            Policy=None if policy is None else as_json(policy),
            Tags=tags or None,
            BypassPolicyLockoutSafetyCheck=props.get("BypassPolicyLockoutSafetyCheck"),
            **pick(props, "Description KeySpec KeyUsage MultiRegion Origin"),
        )
        physical_id = work.made(made["KeyMetadata"]["KeyId"])
        self._switch(work, physical_id, {}, props)
        return physical_id

    def _switch(self, work: Work, key: str, old: Properties, new: Properties) -> None:
        for name, off, on in (("EnableKeyRotation", "false", "KeyRotation"), ("Enabled", "true", "Key")):
            before, after = text(old.get(name, off)), text(new.get(name, off))
            if before != after:
                work.call("kms", f"{'Enable' if after == 'true' else 'Disable'}{on}", KeyId=key)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change policy, description, rotation, state and tags."""
        if old.get("KeyPolicy") != new.get("KeyPolicy") and "KeyPolicy" in new:
            policy = as_json(new["KeyPolicy"])
            work.call("kms", "PutKeyPolicy", KeyId=physical_id, PolicyName="default", Policy=policy)
        if old.get("Description") != new.get("Description"):
            description = new.get("Description", "")
            work.call("kms", "UpdateKeyDescription", KeyId=physical_id, Description=description)
        self._switch(work, physical_id, old, new)
        before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
        if after and before != after:
            tags = [{"TagKey": key, "TagValue": value} for key, value in after.items()]
            work.call("kms", "TagResource", KeyId=physical_id, Tags=tags)
        lost = [key for key in before if key not in after]
        if lost:
            work.call("kms", "UntagResource", KeyId=physical_id, TagKeys=lost)

    def replaces(self, old: Properties, new: Properties) -> list[str]:
        """Return spec, usage, origin and multi-Region where they changed."""
        fixed = [name for name in ("KeySpec", "KeyUsage", "MultiRegion", "Origin") if old.get(name) != new.get(name)]
        return super().replaces(old, new) + fixed

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Schedule the key's deletion: a key is never deleted at once."""
        days = props.get("PendingWindowInDays", 30)
        work.call("kms", "ScheduleKeyDeletion", KeyId=physical_id, PendingWindowInDays=days)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn and KeyId."""
        return {"Arn": work.read("kms", "DescribeKey", KeyId=physical_id)["KeyMetadata"]["Arn"], "KeyId": physical_id}


class KeyAlias(Handler):
    """AWS::KMS::Alias; Ref is its name."""

    type = "AWS::KMS::Alias"
    custom_name = "AliasName"

    def create(self, work: Work, props: Properties) -> str:
        """Create the alias."""
        work.call("kms", "CreateAlias", **pick(props, "AliasName TargetKeyId"))
        return work.made(str(props["AliasName"]))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Point it at another key."""
        work.call("kms", "UpdateAlias", **pick(new, "AliasName TargetKeyId"))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the alias."""
        work.call("kms", "DeleteAlias", AliasName=physical_id)


class Parameter(Handler):
    """AWS::SSM::Parameter; Ref is its name."""

    type = "AWS::SSM::Parameter"
    custom_name = "Name"
    _settings = "Type Value Description AllowedPattern Tier Policies DataType"

    def create(self, work: Work, props: Properties) -> str:
        """Put the parameter."""
        name = str(props.get("Name") or f"CFN-{work.logical_id}-{work.ctx.ids.text(12, ascii_letters + digits)}")
        tags = work.tags(tag_map(props.get("Tags"))) or None
        work.call("ssm", "PutParameter", Name=name, Tags=tags, **pick(props, self._settings))
        return work.made(name)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put it anew and change its tags."""
        work.call("ssm", "PutParameter", Name=physical_id, Overwrite=True, **pick(new, self._settings))
        before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
        resource = {"ResourceType": "Parameter", "ResourceId": physical_id}
        lost = [key for key in before if key not in after]
        if lost:
            work.call("ssm", "RemoveTagsFromResource", **resource, TagKeys=lost)
        if after and before != after:
            work.call("ssm", "AddTagsToResource", **resource, Tags=tag_list(after))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the parameter."""
        work.call("ssm", "DeleteParameter", Name=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        path = physical_id if physical_id.startswith("/") else f"/{physical_id}"
        return {"Arn": f"arn:aws:ssm:{work.ctx.region}:{work.ctx.account_id}:parameter{path}"}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return type and value."""
        return pick(work.read("ssm", "GetParameter", Name=physical_id)["Parameter"], "Name Type Value")


class Table(Handler):
    """AWS::DynamoDB::Table; Ref is its name."""

    type = "AWS::DynamoDB::Table"
    custom_name = "TableName"
    ignored = frozenset(
        {
            "ContributorInsightsSpecification",
            "ImportSourceSpecification",
            "KinesisStreamSpecification",
            "OnDemandThroughput",
            "ResourcePolicy",
            "VectorIndexes",
            "WarmThroughput",
        }
    )
    _settings = "BillingMode DeletionProtectionEnabled ProvisionedThroughput TableClass"

    def create(self, work: Work, props: Properties) -> str:
        """Create the table, wait for it, set time to live and recovery."""
        name = str(props.get("TableName") or work.name(255))
        body = pick(
            props, f"AttributeDefinitions KeySchema GlobalSecondaryIndexes LocalSecondaryIndexes {self._settings}"
        )
        work.call(
            "dynamodb",
            "CreateTable",
            TableName=name,
            Tags=work.tags(props.get("Tags")) or None,
            **body,
            **_streams(props),
        )
        work.made(name)
        self._wait(work, name)
        self._extras(work, name, {}, props)
        return name

    def _wait(self, work: Work, name: str) -> None:
        def active() -> bool:
            return bool(work.read("dynamodb", "DescribeTable", TableName=name)["Table"]["TableStatus"] == "ACTIVE")

        work.until(active, f"Table {name}")

    def _extras(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        ttl, recovery = "TimeToLiveSpecification", "PointInTimeRecoverySpecification"
        if ttl in new and old.get(ttl) != new[ttl]:
            work.call("dynamodb", "UpdateTimeToLive", TableName=name, **{ttl: new[ttl]})
        if recovery in new and old.get(recovery) != new[recovery]:
            work.call("dynamodb", "UpdateContinuousBackups", TableName=name, **{recovery: new[recovery]})

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change capacity, class, protection, stream, encryption, time to live and recovery."""
        before, after = pick(old, self._settings) | _streams(old), pick(new, self._settings) | _streams(new)
        wanted = {key: value for key, value in after.items() if before.get(key) != value}
        if wanted:
            work.call("dynamodb", "UpdateTable", TableName=physical_id, **wanted)
            self._wait(work, physical_id)
        self._extras(work, physical_id, old, new)

    def replaces(self, old: Properties, new: Properties) -> list[str]:
        """Return key schema, attributes and indexes where they changed: the lab makes the table anew for these."""
        fixed = ("KeySchema", "AttributeDefinitions", "LocalSecondaryIndexes", "GlobalSecondaryIndexes")
        return super().replaces(old, new) + [name for name in fixed if old.get(name) != new.get(name)]

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the table."""
        work.call("dynamodb", "DeleteTable", TableName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn and StreamArn."""
        table = work.read("dynamodb", "DescribeTable", TableName=physical_id)["Table"]
        return {"Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn", "")}


def _streams(props: Properties) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if "StreamSpecification" in props:
        body["StreamSpecification"] = {"StreamEnabled": True, **pick(props["StreamSpecification"], "StreamViewType")}
    if "SSESpecification" in props:
        given = props["SSESpecification"]
        enabled = {"Enabled": given.get("SSEEnabled", False)}
        body["SSESpecification"] = enabled | pick(given, "SSEType KMSMasterKeyId")
    return body
