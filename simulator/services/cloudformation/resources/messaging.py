"""AWS::SQS::* and AWS::SNS::*."""

from __future__ import annotations

import json
from typing import Any, Final

from simulator.services.cloudformation.intrinsics import text
from simulator.services.cloudformation.resources.base import Handler, Properties, Work, as_json, pick, tag_map

_QUEUE: Final = (
    "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoQueue FifoThroughputLimit "
    "KmsDataKeyReusePeriodSeconds KmsMasterKeyId MaximumMessageSize MessageRetentionPeriod ReceiveMessageWaitTimeSeconds "
    "RedriveAllowPolicy RedrivePolicy SqsManagedSseEnabled VisibilityTimeout"
)
_QUEUE_DEFAULTS: Final = {
    "DelaySeconds": "0",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "VisibilityTimeout": "30",
}


def _texts(settings: dict[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) if isinstance(value, dict) else text(value) for name, value in settings.items()}


class Queue(Handler):
    """AWS::SQS::Queue; Ref is its URL."""

    type = "AWS::SQS::Queue"
    custom_name = "QueueName"

    def create(self, work: Work, props: Properties) -> str:
        """Create the queue."""
        fifo = str(props.get("FifoQueue", "")).lower() == "true"
        name = props.get("QueueName") or (work.name(75) + ".fifo" if fifo else work.name(80))
        made = work.call(
            "sqs",
            "CreateQueue",
            QueueName=name,
            Attributes=_texts(pick(props, _QUEUE)),
            tags=work.tag_map(props.get("Tags")) or None,
        )
        return work.made(made["QueueUrl"])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Set the attributes that changed, and the tags."""
        before, after = _texts(pick(old, _QUEUE)), _texts(pick(new, _QUEUE))
        lost = {name: _QUEUE_DEFAULTS[name] for name in before if name not in after and name in _QUEUE_DEFAULTS}
        wanted = lost | {name: value for name, value in after.items() if before.get(name) != value}
        if wanted:
            work.call("sqs", "SetQueueAttributes", QueueUrl=physical_id, Attributes=wanted)
        tags, gone_tags = work.tag_map(new.get("Tags")), tag_map(old.get("Tags"))
        if tags and tags != gone_tags:
            work.call("sqs", "TagQueue", QueueUrl=physical_id, Tags=tags)
        keys = [key for key in gone_tags if key not in tags]
        if keys:
            work.call("sqs", "UntagQueue", QueueUrl=physical_id, TagKeys=keys)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the queue."""
        work.call("sqs", "DeleteQueue", QueueUrl=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn, QueueName and QueueUrl."""
        found = work.read("sqs", "GetQueueAttributes", QueueUrl=physical_id, AttributeNames=["QueueArn"])
        arn = found["Attributes"]["QueueArn"]
        return {"Arn": arn, "QueueName": arn.rpartition(":")[2], "QueueUrl": physical_id}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return the attributes that the template declares."""
        found = work.read("sqs", "GetQueueAttributes", QueueUrl=physical_id, AttributeNames=["All"])["Attributes"]
        actual: dict[str, Any] = pick(found, _QUEUE)
        return {
            name: json.loads(value) if isinstance(props.get(name), dict) and value else value
            for name, value in actual.items()
        }


class QueuePolicy(Handler):
    """AWS::SQS::QueuePolicy."""

    type = "AWS::SQS::QueuePolicy"

    def create(self, work: Work, props: Properties) -> str:
        """Set the policy of every queue."""
        self.update(work, "", {}, props)
        return work.made(work.name(64))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Set the policy, take it from queues that are not named any more."""
        for url in old.get("Queues", ()):
            if url not in new["Queues"]:
                work.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": ""})
        for url in new["Queues"]:
            work.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": as_json(new["PolicyDocument"])})

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Take the policy away."""
        for url in props["Queues"]:
            work.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": ""})

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


_TOPIC: Final = (
    "ArchivePolicy ContentBasedDeduplication DisplayName FifoThroughputScope FifoTopic KmsMasterKeyId SignatureVersion "
    "TracingConfig"
)


class Topic(Handler):
    """AWS::SNS::Topic; Ref is its ARN."""

    type = "AWS::SNS::Topic"
    custom_name = "TopicName"
    ignored = frozenset({"DataProtectionPolicy", "DeliveryStatusLogging"})

    def create(self, work: Work, props: Properties) -> str:
        """Create the topic and its own subscriptions."""
        made = work.call(
            "sns",
            "CreateTopic",
            Name=props.get("TopicName") or work.name(256),
            Attributes=_texts(pick(props, _TOPIC)),
            Tags=work.tags(props.get("Tags")) or None,
        )
        arn = work.made(made["TopicArn"])
        for item in props.get("Subscription", ()):
            work.call("sns", "Subscribe", TopicArn=arn, **pick(item, "Protocol Endpoint"))
        return arn

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Set attributes that changed; subscribe what is new."""
        before, after = _texts(pick(old, _TOPIC)), _texts(pick(new, _TOPIC))
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                value = after.get(name, "")
                work.call("sns", "SetTopicAttributes", TopicArn=physical_id, AttributeName=name, AttributeValue=value)
        for item in new.get("Subscription", ()):
            if item not in old.get("Subscription", ()):
                work.call("sns", "Subscribe", TopicArn=physical_id, **pick(item, "Protocol Endpoint"))
        tags = work.tags(new.get("Tags"))
        if tags:
            work.call("sns", "TagResource", ResourceArn=physical_id, Tags=tags)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the topic with its subscriptions."""
        work.call("sns", "DeleteTopic", TopicArn=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return TopicArn and TopicName."""
        return {"TopicArn": physical_id, "TopicName": physical_id.rpartition(":")[2]}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return the attributes that are texts."""
        found = work.read("sns", "GetTopicAttributes", TopicArn=physical_id)["Attributes"]
        return pick(found, "DisplayName KmsMasterKeyId")


class TopicPolicy(Handler):
    """AWS::SNS::TopicPolicy."""

    type = "AWS::SNS::TopicPolicy"

    def create(self, work: Work, props: Properties) -> str:
        """Set the policy of every topic."""
        self.update(work, "", {}, props)
        return work.made(work.name(64))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Set the policy anew."""
        for arn in new["Topics"]:
            document = as_json(new["PolicyDocument"])
            work.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=document)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Give every topic the policy back that AWS gives a new one: its owner may do everything."""
        for arn in props["Topics"]:
            statement = {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:DeleteTopic", "SNS:Publish"],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": work.ctx.account_id}},
            }
            document = as_json({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})
            work.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=document)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


_SUBSCRIPTION: Final = (
    "DeliveryPolicy FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy ReplayPolicy SubscriptionRoleArn"
)


class Subscription(Handler):
    """AWS::SNS::Subscription; Ref is its ARN."""

    type = "AWS::SNS::Subscription"
    ignored = frozenset({"Region"})

    def create(self, work: Work, props: Properties) -> str:
        """Subscribe."""
        made = work.call(
            "sns",
            "Subscribe",
            ReturnSubscriptionArn=True,
            Attributes=_texts(pick(props, _SUBSCRIPTION)),
            **pick(props, "TopicArn Protocol Endpoint"),
        )
        return work.made(made["SubscriptionArn"])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Set attributes that changed."""
        before, after = _texts(pick(old, _SUBSCRIPTION)), _texts(pick(new, _SUBSCRIPTION))
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                params = {"AttributeName": name, "AttributeValue": after.get(name, "")}
                work.call("sns", "SetSubscriptionAttributes", SubscriptionArn=physical_id, **params)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Unsubscribe."""
        work.call("sns", "Unsubscribe", SubscriptionArn=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        return {"Arn": physical_id}
