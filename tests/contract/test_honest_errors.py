"""What nobody signed, and what a service that shares a name asks: errors in the caller's protocol, never a page of the console."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from simulator.gateway import Environ, StartResponse
from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab_in_process


def _page(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("403 Forbidden", [("Content-Type", "text/html")])
    return [b"<!doctype html><html></html>"]


@pytest.fixture(scope="module")
def owner() -> InProcess:
    """Give the owner of a new lab that has a console."""
    process = new_lab_in_process()
    process.gateway.console = _page
    return process


def _code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def test_an_operation_that_aws_takes_unsigned_is_answered_in_its_protocol(owner: InProcess) -> None:
    """STS's two, which carry no signature and go to `/`, where the console begins."""
    sts = owner.client("sts")
    provider = "arn:aws:iam::486547846362:saml-provider/p"
    role = "arn:aws:iam::486547846362:role/known"
    saml = {"RoleArn": role, "PrincipalArn": provider, "SAMLAssertion": "assertion"}
    assert _code(sts.assume_role_with_saml, **saml) == "MissingAuthenticationToken"
    web = {"RoleArn": role, "RoleSessionName": "me", "WebIdentityToken": "token"}
    assert _code(sts.assume_role_with_web_identity, **web) == "MissingAuthenticationToken"
    cognito = owner.client("cognito-idp", signature_version=UNSIGNED)
    assert _code(cognito.forgot_password, ClientId="c", Username="u") == "MissingAuthenticationTokenException"


def test_the_console_still_has_its_own_addresses(owner: InProcess) -> None:
    """Whatever a form of its own is called."""
    for method, target, body in (("GET", "/", b""), ("POST", "/console/findings", b"Action=ARCHIVE")):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        _, answered, _ = owner.send(method, f"http://127.0.0.1:4566{target}", headers, body)
        assert answered["Content-Type"] == "text/html"


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("sesv2", "list_contact_lists", {}),
        ("pinpoint-email", "get_account", {}),
        ("mailmanager", "list_relays", {}),
        ("servicecatalog-appregistry", "list_applications", {}),
        ("simpledbv2", "list_exports", {}),
    ],
)
def test_a_service_that_shares_a_name_is_told_of_in_its_own_protocol(
    owner: InProcess, service: str, operation: str, params: dict[str, Any]
) -> None:
    """Its client reads a code, not a status, out of what another service of that name would answer in XML or CBOR."""
    code = _code(getattr(owner.client(service), operation), **params)
    assert code in ("UnknownOperationException", "NotImplemented", "UnknownServiceException")


def test_an_unknown_service_is_told_of_in_cbor_where_it_was_asked_in_cbor(owner: InProcess) -> None:
    """As its header says."""
    headers = {
        "smithy-protocol": "rpc-v2-cbor",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/no-such-service/aws4_request",
    }
    status, answered, _ = owner.send("POST", "http://127.0.0.1:4566/service/X/operation/Y", headers, b"")
    assert (status, answered["Content-Type"]) == (404, "application/cbor")
    del headers["smithy-protocol"]
    _, answered, body = owner.send("POST", "http://127.0.0.1:4566/service/X/operation/Y", headers, b"")
    assert json.loads(body)["__type"] == "UnknownServiceException"
