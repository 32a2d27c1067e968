"""Lambda: what the function's pages change. Each is one API call, and is told as the command that makes it."""

import re
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from simulator.console import archive, links
from simulator.console.aws import ApiError
from simulator.console.texts import t
from simulator.console.views.function_parts import code_of
from simulator.console.web import api, confirmed, done, not_confirmed, posted

pages = Blueprint("function_changes", __name__)


@pages.post("/console/lambda/functions/<name>/delete")
def delete(name: str) -> Response:
    """Delete a function, once the word was typed."""
    if not confirmed("delete"):
        return not_confirmed("delete")
    api().call("lambda", "DeleteFunction", FunctionName=name)
    return done("/console/lambda/functions", t("Your function {name} was successfully deleted.", name=name))


@pages.post("/console/lambda/functions/<name>/code")
def deploy(name: str) -> Response:
    """Deploy edited code, unless someone else has deployed since the page was read."""
    found = api().call("lambda", "GetFunction", FunctionName=name)
    kept = code_of(found)
    if kept is None:
        raise ApiError("", t("The code cannot be read from here."))
    if posted("sha") != found["Configuration"].get("CodeSha256"):
        raise ApiError("", t("The code was changed meanwhile. Reload the page and edit it again."))
    texts = {key.removeprefix("file:"): posted(key) for key in request.form if key.startswith("file:")}
    api().call("lambda", "UpdateFunctionCode", FunctionName=name, ZipFile=archive.repacked(kept, texts))
    return done(links.function(name), t("The code was deployed. The next run uses it."))


@pages.post("/console/lambda/functions/<name>/configuration")
def configure(name: str) -> Response:
    """Change the basic settings."""
    texts = {key: posted(key) for key in ("Description", "Handler", "Role")}
    numbers = {key: _number(posted(key)) for key in ("MemorySize", "Timeout")}
    api().call("lambda", "UpdateFunctionConfiguration", FunctionName=name, **texts, **numbers)
    return done(links.function(name, "configuration"), t("The configuration was saved."))


@pages.post("/console/lambda/functions/<name>/environment")
def set_environment(name: str) -> Response:
    """Replace the environment variables."""
    variables = {}
    for line in posted("variables").split("\n"):
        key, sign, value = line.partition("=")
        if line.strip() and not sign:
            raise ApiError("", t("This line is not KEY=VALUE: {line}", line=line))
        if sign:
            variables[key.strip()] = value
    api().call("lambda", "UpdateFunctionConfiguration", FunctionName=name, Environment={"Variables": variables})
    return done(links.function(name, "environment"), t("The environment variables were saved."))


@pages.post("/console/lambda/functions/<name>/permission")
def remove_permission(name: str) -> Response:
    """Remove a statement of the resource policy."""
    api().call("lambda", "RemovePermission", FunctionName=name, StatementId=posted("sid"))
    return done(links.function(name, "permissions"), t("The statement was removed."))


@pages.post("/console/lambda/functions/<name>/concurrency")
def reserve(name: str) -> Response:
    """Set the reserved concurrency."""
    reserved = _number(posted("reserved"))
    api().call("lambda", "PutFunctionConcurrency", FunctionName=name, ReservedConcurrentExecutions=reserved)
    return done(links.function(name, "concurrency"), t("The concurrency was saved."))


@pages.post("/console/lambda/functions/<name>/concurrency/delete")
def unreserve(name: str) -> Response:
    """Take the reserved concurrency away."""
    api().call("lambda", "DeleteFunctionConcurrency", FunctionName=name)
    return done(links.function(name, "concurrency"), t("The concurrency was saved."))


@pages.post("/console/lambda/functions/<name>/vpc")
def attach(name: str) -> Response:
    """Attach the function to a VPC, or detach it."""
    inside: dict[str, Any] = {
        "SubnetIds": [posted("subnet")] if posted("subnet") else [],
        "SecurityGroupIds": [posted("group")] if posted("subnet") and posted("group") else [],
    }
    api().call("lambda", "UpdateFunctionConfiguration", FunctionName=name, VpcConfig=inside)
    return done(links.function(name, "vpc"), t("The VPC configuration was saved."))


@pages.post("/console/lambda/functions/<name>/tags")
def tag(name: str) -> Response:
    """Add a tag."""
    api().call("lambda", "TagResource", Resource=_arn(name), Tags={posted("key"): posted("value")})
    return done(links.function(name, "tags"), t("The tag was saved."))


@pages.post("/console/lambda/functions/<name>/tags/delete")
def untag(name: str) -> Response:
    """Remove a tag."""
    api().call("lambda", "UntagResource", Resource=_arn(name), TagKeys=[posted("key")])
    return done(links.function(name, "tags"), t("The tag was removed."))


@pages.post("/console/lambda/functions/<name>/versions")
def publish(name: str) -> Response:
    """Publish a version."""
    description = {"Description": posted("Description")} if posted("Description") else {}
    made = api().call("lambda", "PublishVersion", FunctionName=name, **description)
    return done(links.function(name, "versions"), t("Version {version} was published.", version=made["Version"]))


def _arn(name: str) -> str:
    return str(api().call("lambda", "GetFunctionConfiguration", FunctionName=name)["FunctionArn"])


def _number(text: str) -> int:
    """Return a whole number that was typed. Raises ApiError for what is none."""
    if not re.fullmatch(r"\s*\d{1,9}\s*", text):
        raise ApiError("", t("{text} is no whole number.", text=text or "…"))
    return int(text)
