"""How callers name a function, and what Lambda answers where there is none.

Source: AWS Lambda API reference, parameter FunctionName: a name, a partial ARN (`123456789012:function:my-function`)
or a full ARN, each with or without a qualifier.
"""

import re
from dataclasses import dataclass, replace

from simulator.errors import AwsError
from simulator.service import Context

LATEST = "$LATEST"
SERVICE = "lambda.amazonaws.com"

REFERENCE = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9\-_.]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9\-_]+))?"
)

ALIAS = re.compile(r"(?![0-9]+$)[a-zA-Z0-9\-_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A function as a caller named it. `qualifier` is a version's number, `$LATEST`, an alias or None."""

    name: str
    region: str
    account_id: str
    qualifier: str | None = None

    @property
    def arn(self) -> str:
        """The ARN of what was named, qualified where the caller qualified it."""
        return function_arn(self.region, self.account_id, self.name, self.qualifier)


def function_arn(region: str, account_id: str, name: str, qualifier: str | None = None) -> str:
    """Return the ARN of a function, or with `qualifier` of its version or alias."""
    arn = f"arn:aws:lambda:{region}:{account_id}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def parse(text: str, region: str, account_id: str) -> Reference | None:
    """Return what `text` names, seen from `region` and `account_id`; None where it is no function's name."""
    found = REFERENCE.fullmatch(text)
    if not found:
        return None
    return Reference(
        name=found["name"],
        region=found["region"] or region,
        account_id=found["account"] or account_id,
        qualifier=found["qualifier"],
    )


def reference(ctx: Context, action: str, text: str, qualifier: str | None = None) -> Reference:
    """Return what a caller of `action` named with FunctionName `text` and `qualifier`.

    Raises AwsError in Lambda's words for another account, another Region, a name too long, or two qualifiers.
    """
    named = parse(text, ctx.region, ctx.account_id)
    if named is None:
        raise broken(text, "functionName", f"Member must satisfy regular expression pattern: {REFERENCE.pattern}")
    if len(named.name) > 64 and action == "CreateFunction":
        too_long = broken(named.name, "functionName", "Member must have length less than or equal to 64")
        raise invalid(too_long.message)
    if named.account_id != ctx.account_id:
        raise AwsError(
            "AccessDeniedException",
            f"User: {ctx.principal.arn} is not authorized to perform: lambda:{action} on resource: {named.arn} "
            f"because no resource-based policy allows the lambda:{action} action",
            status=403,
        )
    if named.region != ctx.region:
        raise AwsError(
            "ResourceNotFoundException",
            f"Functions from '{named.region}' are not reachable in this region ('{ctx.region}')",
            Type="User",
        )
    if qualifier and named.qualifier and qualifier != named.qualifier:
        raise AwsError(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
            Type="User",
        )
    return Reference(
        name=named.name,
        region=named.region,
        account_id=named.account_id,
        qualifier=qualifier or named.qualifier,
    )


def broken(value: object, member: str, constraint: str) -> AwsError:
    """Return the error of a parameter that breaks a limit which the model does not state, or states higher."""
    return AwsError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}",
        status=400,
    )


def invalid(message: str) -> AwsError:
    """Return Lambda's InvalidParameterValueException."""
    return AwsError("InvalidParameterValueException", message, Type="User")


def missing(message: str) -> AwsError:
    """Return Lambda's ResourceNotFoundException."""
    return AwsError("ResourceNotFoundException", message, Type="User")


def conflict(message: str) -> AwsError:
    """Return Lambda's ResourceConflictException."""
    return AwsError("ResourceConflictException", message, Type="User")


def no_function(named: Reference) -> AwsError:
    """Return the usual error where there is no such function, version or alias."""
    return missing(f"Function not found: {named.arn}")


def no_version(named: Reference) -> AwsError:
    """Return the error of the operations that mean `$LATEST` where nothing else is named."""
    return no_function(replace(named, qualifier=named.qualifier or LATEST))


def no_alias(named: Reference) -> AwsError:
    """Return the error of the operations that tell an alias that is not there from a version or function."""
    if named.qualifier and ALIAS.fullmatch(named.qualifier):
        return missing(f"Cannot find alias arn: {named.arn}")
    return no_function(named)


def no_resource(named: Reference) -> AwsError:
    """Return the error of the operations that do not say what is not there."""
    return missing("The resource you requested does not exist.")


def stale(api: str) -> AwsError:
    """Return the error for a RevisionId that is not the latest; `api` names the call that shows it."""
    return AwsError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {api} API to retrieve the latest Revision Id",
        Type="User",
    )
