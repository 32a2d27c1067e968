"""AWS::CloudFormation::*: stacks within stacks, and the handle that nothing waits for. AWS::CDK::Metadata."""

from __future__ import annotations

from typing import Any

from simulator.errors import AwsError
from simulator.services.cloudformation.intrinsics import text
from simulator.services.cloudformation.resources.base import Handler, HandlerError, Properties, Work


class NestedStack(Handler):
    """AWS::CloudFormation::Stack; Ref is its id, `Outputs.X` an output."""

    type = "AWS::CloudFormation::Stack"

    def _body(self, work: Work, props: Properties) -> dict[str, Any]:
        parameters = [
            {
                "ParameterKey": name,
                "ParameterValue": ",".join(map(text, value)) if isinstance(value, list) else text(value),
            }
            for name, value in props.get("Parameters", {}).items()
        ]
        return {
            "TemplateURL": props["TemplateURL"],
            "Parameters": parameters,
            "Tags": work.tags(props.get("Tags")),
            "Capabilities": list(work.capabilities),
            "NotificationARNs": props.get("NotificationARNs"),
        }

    def create(self, work: Work, props: Properties) -> str:
        """Create the stack; it fails with its child."""
        minutes = props.get("TimeoutInMinutes")
        made = work.call(
            "cloudformation",
            "CreateStack",
            StackName=work.name(128),
            TimeoutInMinutes=minutes,
            DisableRollback=True,
            **self._body(work, props),
        )
        physical_id = work.made(made["StackId"])
        work.ctx.record("cloudformation", "nested", {"stack": physical_id, "parent": work.stack_id})
        self._check(work, physical_id, "CREATE_COMPLETE", "created")
        return physical_id

    def _found(self, work: Work, physical_id: str) -> dict[str, Any]:
        return dict(work.read("cloudformation", "DescribeStacks", StackName=physical_id)["Stacks"][0])

    def _check(self, work: Work, physical_id: str, wanted: str, done: str) -> None:
        work.ctx.wait(0)  # the child's process took lab time of its own
        work.until(lambda: not self._found(work, physical_id)["StackStatus"].endswith("_IN_PROGRESS"), physical_id)
        found = self._found(work, physical_id)
        if found["StackStatus"] != wanted:
            reason = found.get("StackStatusReason", "")
            raise HandlerError(
                f"Embedded stack {physical_id} was not successfully {done}: {reason}", "GeneralServiceException"
            )

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Update the stack; a template that changes nothing is fine."""
        try:
            work.call("cloudformation", "UpdateStack", StackName=physical_id, **self._body(work, new))
        except AwsError as error:
            if "No updates are to be performed" not in error.message:
                raise
            return
        self._check(work, physical_id, "UPDATE_COMPLETE", "updated")

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the stack; it fails with its child."""
        work.call("cloudformation", "DeleteStack", StackName=physical_id)
        self._check(work, physical_id, "DELETE_COMPLETE", "deleted")

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return the outputs, each as `Outputs.NAME`."""
        outputs = self._found(work, physical_id).get("Outputs", ())
        return {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in outputs} | {"StackId": physical_id}


class WaitConditionHandle(Handler):
    """AWS::CloudFormation::WaitConditionHandle; Ref is a URL."""

    type = "AWS::CloudFormation::WaitConditionHandle"

    def create(self, work: Work, props: Properties) -> str:
        """Return the handle's URL; nothing is called."""
        region = work.ctx.region
        host = f"https://cloudformation-waitcondition-{region}.s3.{region}.amazonaws.com"
        return work.made(f"{host}/{work.stack_id}/{work.logical_id}".replace("arn:", "arn%3A"))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Nothing is left to delete."""

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class CdkMetadata(Handler):
    """AWS::CDK::Metadata, which makes nothing; Ref is an id.

    The CDK puts it into its templates to tell AWS, in Analytics and Modules, what they were written with.
    """

    type = "AWS::CDK::Metadata"

    def create(self, work: Work, props: Properties) -> str:
        """Return a new id; nothing is called."""
        return work.made(work.ctx.ids.uuid4())

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Nothing is there to change."""

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Nothing is there to delete."""

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}
