"""What CloudFormation checks of a template before it makes anything: types, attributes, capabilities, where it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.cloudformation import graph
from simulator.services.cloudformation.resources import HANDLERS
from simulator.services.cloudformation.template import (
    BODY_LIMIT,
    URL_LIMIT,
    Template,
    invalid,
    parse,
    references,
)

_IAM_NAMES: Final = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": None,
}
"""Types that need a capability, and the property that makes it CAPABILITY_NAMED_IAM (CloudFormation API, CreateStack)."""


def text_of(ctx: Context, body: str | None, url: str | None) -> str:
    """Return the text of a template given in the request or in the lab's S3. Raises the ValidationErrors of AWS."""
    if (body is None) == (url is None):
        raise invalid("Either Template URL or Template Body must be specified.")
    if body is not None:
        if len(body.encode()) > BODY_LIMIT:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length "
                f"less than or equal to {BODY_LIMIT}"
            )
        return body
    assert url is not None
    bucket, key = _place(url)
    try:
        content = ctx.read("s3", "GetObject", Bucket=bucket, Key=key)["Body"]
    except AwsError as error:
        raise invalid(
            f"S3 error: {error.message}\nFor more information check "
            "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
        ) from error
    if len(content) > URL_LIMIT:
        raise invalid(f"Template may not exceed {URL_LIMIT} bytes in size.")
    try:
        return bytes(content).decode()
    except UnicodeDecodeError as error:
        raise invalid("Template format error: unsupported structure.") from error


def _place(url: str) -> tuple[str, str]:
    """Return bucket and key of a template's URL in path or virtual-host style."""
    try:
        parts = urlsplit(url)
        host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
    except ValueError as error:
        raise invalid("TemplateURL must be a supported URL.") from error
    if parts.scheme == "s3":
        raise invalid(f"S3 error: Domain name specified in {parts.netloc} is not a valid S3 domain")
    if ".s3." in host or ".s3-" in host:
        bucket, key = host.split(".s3", 1)[0], path
    else:
        bucket, _, key = path.partition("/")
    known = (
        host.startswith(("s3.", "s3-"))
        or ".s3" in host
        or host in {"localhost", "127.0.0.1", "localhost.localstack.cloud"}
    )
    if parts.scheme not in {"http", "https"} or not bucket or not key or not known:
        raise invalid("TemplateURL must be a supported URL.")
    return bucket, key


def checked(text: str) -> Template:
    """Return the parsed template once its types exist, its attributes are known and its graph has no circle."""
    template = parse(text)
    unknown = sorted({spec.type for spec in template.resources.values()} - set(HANDLERS))
    if unknown:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    blocks: list[Any] = [dict(spec.properties) for spec in template.resources.values()]
    for kind, name, attribute in references([*blocks, dict(template.outputs)]):
        if kind == "GetAtt" and attribute and not _has(template.resources[name].type, attribute):
            raise invalid(f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt")
    if not _conditional(template):
        graph.order(_all_needs(template))
    return template


def _has(kind: str, attribute: str) -> bool:
    if kind == "AWS::CloudFormation::Stack" and attribute.startswith("Outputs."):
        return True
    schema = HANDLERS[kind].schema
    return attribute in schema.attributes | schema.readable


def _conditional(template: Template) -> bool:
    """Whether parameters decide what depends on what: then the graph is checked once they are known."""
    return bool(template.conditions)


def _all_needs(template: Template) -> dict[str, list[str]]:
    return {
        name: [
            *spec.depends_on,
            *(other for _, other, _ in references(dict(spec.properties)) if other in template.resources),
        ]
        for name, spec in template.resources.items()
    }


def capabilities(template: Template) -> tuple[list[str], list[str]]:
    """Return the capabilities that a template needs, and the resource types that need them."""
    iam = [spec for spec in template.resources.values() if spec.type in _IAM_NAMES]
    named = any(_IAM_NAMES[spec.type] in spec.properties for spec in iam if _IAM_NAMES[spec.type])
    needed = ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"] if iam else []
    needed += ["CAPABILITY_AUTO_EXPAND"] if template.transforms else []
    return needed, sorted({spec.type for spec in iam})


def check_capabilities(template: Template, given: Collection[str]) -> None:
    """Raise InsufficientCapabilitiesException where the caller has not acknowledged what the template makes."""
    needed, _ = capabilities(template)
    accepted = set(given) | ({"CAPABILITY_IAM"} if "CAPABILITY_NAMED_IAM" in given else set())
    missing = [name for name in needed if name not in accepted]
    if missing:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")


def declared_parameters(template: Template) -> Iterator[dict[str, Any]]:
    """Yield the declared parameters as ValidateTemplate and GetTemplateSummary share them, with their type."""
    for name, spec in template.parameters.items():
        shown: dict[str, Any] = {
            "ParameterKey": name,
            "ParameterType": spec["Type"],
            "NoEcho": str(spec.get("NoEcho", False)).lower() == "true",
        }
        if "Default" in spec:
            shown["DefaultValue"] = str(spec["Default"])
        if "Description" in spec:
            shown["Description"] = str(spec["Description"])
        if isinstance(spec.get("AllowedValues"), list):
            shown["ParameterConstraints"] = {"AllowedValues": [str(value) for value in spec["AllowedValues"]]}
        yield shown


def check_types(template: Template, allowed: Collection[str]) -> None:
    """Raise the ValidationError where the caller allows certain resource types only and the template has others."""
    kinds = {spec.type for spec in template.resources.values()}
    refused = sorted(kind for kind in kinds if not any(fnmatchcase(kind, pattern) for pattern in allowed))
    if allowed and refused:
        raise invalid(f"Resource type {refused[0]} is not allowed by parameter ResourceTypes [{', '.join(allowed)}]")
