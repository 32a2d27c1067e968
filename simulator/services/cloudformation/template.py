"""Text in, template out: a safe reader of CloudFormation's YAML and JSON, and its checks of form.

moto reads templates with a loader that runs code; a template is a stranger's text, so this reader knows only plain
YAML and CloudFormation's own short tags. Anything else is a ValidationError and nothing of it is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from simulator.errors import AwsError

BODY_LIMIT: Final = 51_200
"""Bytes of a template given in the request (AWS CloudFormation quotas)."""
URL_LIMIT: Final = 1_000_000
"""Bytes of a template read from S3 (AWS CloudFormation quotas)."""
DEPTH_LIMIT: Final = 64
"""Levels of nesting: everything that walks a template recurses no deeper."""
RESOURCE_LIMIT: Final = 500
SECTION_LIMIT: Final = 200
"""Parameters, outputs and mappings of one template (AWS CloudFormation quotas)."""

SECTIONS: Final = frozenset(
    [
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Mappings",
        "Conditions",
        "Resources",
        "Outputs",
        "Rules",
        "Transform",
    ]
)
RESOURCE_KEYS: Final = frozenset(
    [
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Metadata",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "UpdatePolicy",
        "CreationPolicy",
    ]
)
FUNCTIONS: Final = frozenset(
    [
        "Fn::Base64",
        "Fn::Cidr",
        "Fn::FindInMap",
        "Fn::GetAtt",
        "Fn::GetAZs",
        "Fn::If",
        "Fn::ImportValue",
        "Fn::Join",
        "Fn::Length",
        "Fn::Select",
        "Fn::Split",
        "Fn::Sub",
        "Fn::ToJsonString",
        "Fn::And",
        "Fn::Equals",
        "Fn::Not",
        "Fn::Or",
        "Fn::Transform",
    ]
)
LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
PSEUDO: Final = frozenset(
    [
        "AWS::AccountId",
        "AWS::NotificationARNs",
        "AWS::NoValue",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    ]
)
_NAME = re.compile(r"[A-Za-z0-9]+")
_SUB = re.compile(r"\$\{([^!{}][^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSpec:
    """A resource as the template declares it, intrinsic functions still in long form."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: Any = "Delete"
    update_replace_policy: Any = "Delete"
    metadata: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A checked template. `body` is the text as it was given; sections hold functions in long form."""

    body: str
    description: str | None
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, ResourceSpec]
    outputs: Mapping[str, Mapping[str, Any]]
    metadata: Any
    transforms: tuple[str, ...]
    version: str | None


def invalid(message: str) -> AwsError:
    """Return the ValidationError that CloudFormation answers a bad template or request with."""
    return AwsError("ValidationError", message)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the base is found at run time
    """PyYAML's safe loader, with CloudFormation's short tags, without dates (a policy's Version is a string)."""


def _short_tag(loader: Any, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = node.value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    if f"Fn::{suffix}" not in FUNCTIONS:
        raise yaml.constructor.ConstructorError(None, None, f"unknown tag !{suffix}", node.start_mark)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


def _string_keys(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    return {str(key): value for key, value in loader.construct_mapping(node, deep=True).items()}


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_multi_constructor("!", _short_tag)
_Loader.add_constructor("tag:yaml.org,2002:map", _string_keys)


def _not_well_formed(kind: str, line: int, column: int) -> AwsError:
    return invalid(f"Template format error: {kind} not well-formed. (line {line}, column {column})")


def _bounded(body: str) -> None:
    """Refuse what would hurt to build: aliases (CloudFormation has none) and depth. Reads events, builds nothing."""
    depth = 0
    for event in yaml.parse(body, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise invalid("Template format error: YAML aliases are not allowed in CloudFormation templates")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT:
            raise invalid(f"Template format error: Template nesting is deeper than the maximum allowed, {DEPTH_LIMIT}")


def _read_yaml(body: str) -> Any:
    try:
        _bounded(body)
        return yaml.load(body, Loader=_Loader)  # noqa: S506  # the base is SafeLoader: plain data and our tags only
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _not_well_formed("YAML", mark.line + 1 if mark else 1, mark.column + 1 if mark else 1) from error
    except (yaml.YAMLError, ValueError, TypeError) as error:
        # Control characters, impossible numbers, unhashable keys: the loader has no mark for these.
        raise _not_well_formed("YAML", 1, 1) from error


def _no_constant(text: str) -> float:
    raise ValueError(text)


def _read_json(body: str) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        # AWS names the place behind the character that it stumbled over
        raise _not_well_formed("JSON", error.lineno, error.colno + (error.pos < len(body))) from error
    except (ValueError, RecursionError) as error:
        raise _not_well_formed("JSON", 1, 1) from error


def _walk(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield every node below `value` with its path, parents first. Raises the ValidationError on too deep nesting."""
    if depth > DEPTH_LIMIT:
        raise invalid(f"Template format error: Template nesting is deeper than the maximum allowed, {DEPTH_LIMIT}")
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _walk(child, f"{path}/{key}", depth + 1)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}/{index}", depth + 1)


def read(body: str) -> dict[str, Any]:
    """Return the template's document, short tags turned into long functions. Raises the ValidationError of AWS."""
    document = _read_json(body) if body.lstrip().startswith("{") else _read_yaml(body)
    if not isinstance(document, dict):
        raise invalid("Template format error: unsupported structure.")
    for path, value in _walk(document):
        if value is None:
            raise invalid(f"[{path}] 'null' values are not allowed in templates")
    return document


def parse(body: str) -> Template:
    """Return the checked template of a text in JSON or YAML.

    Raises the ValidationError that CloudFormation answers with: form, sections, sizes, resource names and references.
    Whether the types exist is the caller's to check. Source: CloudFormation user guide, Template anatomy and quotas.
    """
    document = read(body)
    strange = [key for key in document if key not in SECTIONS]
    if strange:
        raise invalid(f"Invalid template property or properties [{', '.join(strange)}]")
    if "Rules" in document:
        raise invalid("The section Rules is not available in this lab.")
    version = document.get("AWSTemplateFormatVersion")
    if version is not None and version != "2010-09-09":
        raise invalid("Template format error: unsupported value for AWSTemplateFormatVersion.")
    description = document.get("Description")
    if description is not None and not isinstance(description, str):
        raise invalid("Template format error: Description must be a string.")
    template = Template(
        body=body,
        description=description,
        parameters=_section(document, "Parameters"),
        mappings=_section(document, "Mappings"),
        conditions=_section(document, "Conditions"),
        resources=_resources(document),
        outputs=_section(document, "Outputs"),
        metadata=document.get("Metadata"),
        transforms=_transforms(document),
        version=version,
    )
    _check_references(template)
    return template


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise invalid(f"Template format error: {name} must be an object.")
    if len(section) > SECTION_LIMIT:
        raise invalid(
            f"Template format error: Number of {name.lower()}, {len(section)}, is greater than maximum allowed, "
            f"{SECTION_LIMIT}"
        )
    for key, member in section.items():
        if name == "Mappings":
            _check_mapping(member)
        if name in {"Parameters", "Outputs", "Conditions"} and not isinstance(member, dict):
            raise invalid(f"Template format error: Every {name} member must be an object.")
        if name == "Outputs" and "Value" not in member:
            raise invalid("Template format error: Every Outputs member must contain a Value object")
        if name == "Parameters" and not _NAME.fullmatch(key):
            raise invalid(f"Template format error: Parameter name {key} is non alphanumeric.")
        if name == "Parameters" and "Type" not in member:
            raise invalid(
                f"Template format error: [/Parameters/{key}] Every Parameters object must contain a Type member."
            )
    return section


def _check_mapping(mapping: Any) -> None:
    if not isinstance(mapping, dict):
        raise invalid("Template format error: Every Mappings member must be a map")
    for key, members in mapping.items():
        if not isinstance(members, dict):
            raise invalid(f"Template format error: Every Mappings member {key} must be a map")
        if any(isinstance(value, dict) for value in members.values()):
            raise invalid("Template format error: Every Mappings attribute must be a String or a List.")


def _transforms(document: Mapping[str, Any]) -> tuple[str, ...]:
    declared = document.get("Transform", [])
    names = tuple(str(name) for name in (declared if isinstance(declared, list) else [declared]))
    for name in names:
        if name != LANGUAGE_EXTENSIONS:
            raise invalid(f"Transform {name} is not available in this lab: no macro of that name runs here.")
    return names


def _resources(document: Mapping[str, Any]) -> dict[str, ResourceSpec]:
    declared = document.get("Resources", {})
    if not isinstance(declared, dict):
        raise invalid("Template format error: Any Resources member must be an object.")
    if not declared:
        raise invalid("Template format error: At least one Resources member must be defined.")
    if len(declared) > RESOURCE_LIMIT:
        raise invalid(
            f"Template format error: Number of resources, {len(declared)}, is greater than maximum allowed, {RESOURCE_LIMIT}"
        )
    return {name: _resource(name, body) for name, body in declared.items()}


def _resource(name: str, body: Any) -> ResourceSpec:
    if not _NAME.fullmatch(name):
        raise invalid(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(body, dict):
        raise invalid("Template format error: Every Resources member must be an object.")
    if not isinstance(body.get("Type"), str):
        raise invalid(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    for key in body:
        if key not in RESOURCE_KEYS:
            raise invalid(f"Invalid template resource property '{key}'")
    for key in ("CreationPolicy", "UpdatePolicy"):
        if key in body:
            raise invalid(f"The attribute {key} (resource {name}) is not available in this lab.")
    if not isinstance(body.get("Condition", ""), str):
        raise invalid(f"Template format error: [/Resources/{name}] Every Condition member must be a string.")
    properties = body.get("Properties", {})
    if not isinstance(properties, dict):
        raise invalid(f"Template format error: [/Resources/{name}/Properties] Properties must be an object.")
    depends = body.get("DependsOn", [])
    depends = [depends] if isinstance(depends, str) else depends
    if not isinstance(depends, list) or not all(isinstance(item, str) for item in depends):
        raise invalid("Template format error: DependsOn must be a string or list of strings.")
    return ResourceSpec(
        logical_id=name,
        type=body["Type"],
        properties=properties,
        depends_on=tuple(depends),
        condition=body.get("Condition"),
        deletion_policy=_policy(body, "DeletionPolicy"),
        update_replace_policy=_policy(body, "UpdateReplacePolicy"),
        metadata=body.get("Metadata"),
    )


def _policy(body: Mapping[str, Any], name: str) -> Any:
    """Return a policy's name, or the function that will give it."""
    value = body.get(name, "Delete")
    return value if isinstance(value, dict) else checked_policy(name, value)


def checked_policy(name: str, value: Any) -> str:
    """Return the value of a DeletionPolicy or UpdateReplacePolicy. Raises the ValidationError of one that is none."""
    allowed = {"Delete", "Retain", "Snapshot", *(["RetainExceptOnCreate"] if name == "DeletionPolicy" else [])}
    if not isinstance(value, str) or value not in allowed:
        raise invalid(f"Template format error: Unrecognized {name} {value} for resource")
    return value


def sub_names(text: str) -> list[str]:
    """Return the names between `${` and `}` of an Fn::Sub text, in order, `${!literal}` left out."""
    return [name.strip() for name in _SUB.findall(text)]


def references(value: Any) -> Iterator[tuple[str, str, str]]:
    """Yield what `value` refers to as (kind, name, attribute): kind is Ref, GetAtt, If or Condition, in text order."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    if len(value) == 1:
        key, body = next(iter(value.items()))
        if key == "Ref" and isinstance(body, str):
            yield "Ref", body, ""
            return
        if key == "Condition" and isinstance(body, str):
            yield "Condition", body, ""
            return
        if key == "Fn::GetAtt":
            parts = body.split(".", 1) if isinstance(body, str) else body
            if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
                raise invalid(
                    "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
                )
            yield "GetAtt", parts[0], ".".join(str(part) for part in parts[1:] if not isinstance(part, dict))
            for part in parts[1:]:
                yield from references(part)
            return
        if key == "Fn::Sub":
            yield from _sub_references(body)
            return
        if key == "Fn::If" and isinstance(body, list) and body and isinstance(body[0], str):
            yield "If", body[0], ""
    for child in value.values():
        yield from references(child)


def _sub_references(body: Any) -> Iterator[tuple[str, str, str]]:
    text, variables = (body, {}) if isinstance(body, str) else ([*body, {}])[:2] if isinstance(body, list) else ("", {})
    if not isinstance(text, str) or not isinstance(variables, dict) or not text:
        raise invalid(
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"
        )
    yield from references(variables)
    for name in sub_names(text):
        if name in variables:
            continue
        if "." in name:
            resource, attribute = name.split(".", 1)
            yield "GetAtt", resource, attribute
        else:
            yield "Ref", name, ""


def _check_references(template: Template) -> None:
    known = set(template.resources) | set(template.parameters) | PSEUDO
    _check_block(
        template,
        known,
        {
            spec.logical_id: [dict(spec.properties), spec.metadata, spec.deletion_policy, spec.update_replace_policy]
            for spec in template.resources.values()
        },
        "Resources",
    )
    _check_block(template, known, dict(template.outputs), "Outputs")
    missing = sorted(
        {name for spec in template.resources.values() for name in spec.depends_on if name not in template.resources}
    )
    if missing:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the Resources block of "
            "the template"
        )
    for spec in template.resources.values():
        for kind, name, _ in references([spec.deletion_policy, spec.update_replace_policy]):
            if kind == "GetAtt" or (kind == "Ref" and name in template.resources):
                raise invalid(
                    f"Template format error: A policy of resource {spec.logical_id} refers to resource {name}"
                )
    conditions = {spec.condition for spec in template.resources.values() if spec.condition}
    conditions |= {
        output["Condition"] for output in template.outputs.values() if isinstance(output.get("Condition"), str)
    }
    for name in sorted(conditions - set(template.conditions)):
        raise invalid(
            f"Template format error: Unresolved condition dependency {name} in the Resources block of the template"
        )
    for kind, name, _ in references(dict(template.conditions)):
        if kind in {"Condition", "If"} and name not in template.conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {name} in the Conditions block of the template"
            )
        if kind in {"Ref", "GetAtt"} and name not in set(template.parameters) | PSEUDO:
            raise invalid(
                f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions "
                "block of the template"
            )


def _check_block(template: Template, known: set[str], block: Mapping[str, Any], title: str) -> None:
    unresolved = []
    for kind, name, _ in references(dict(block)):
        if kind == "GetAtt" and name not in template.resources:
            raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        if kind == "Ref" and name not in known and name not in unresolved:
            unresolved.append(name)
        if kind == "If" and name not in template.conditions:
            raise invalid(f"Template error: unresolved condition dependency {name} in Fn::If")
    if unresolved:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{', '.join(unresolved)}] in the {title} block of the "
            "template"
        )
