"""Links of the AWS console arrive where they mean, and addresses made of the account's names stay within the console."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.console import links

CASES = [
    ("guardduty", "/findings?macros=current", "/console/guardduty/findings?macros=current"),
    ("guardduty", "/findings?macros=current&fId=abc", "/console/guardduty/findings?macros=current&fId=abc"),
    (
        "config", "/resources/timeline?resourceId=traffic-simulation&resourceName=traffic-simulation",
        "/console/config/timeline?resourceId=traffic-simulation&resourceName=traffic-simulation",
    ),
    ("cloudtrail", "/events/1234-56", "/console/cloudtrail/events/1234-56"),
    ("cloudtrail", "/events?EventId=1234", "/console/cloudtrail/events?EventId=1234"),
    ("cloudtrailv2", "/events/1234", "/console/cloudtrail/events/1234"),
    ("lambda", "/functions/traffic-simulation", "/console/lambda/functions/traffic-simulation"),
    ("lambda", "/functions/traffic-simulation?tab=code", "/console/lambda/functions/traffic-simulation?tab=code"),
    ("lambda", "/functions", "/console/lambda/functions"),
    ("events", "/rules/nightly", "/console/events/rules/nightly"),
    ("events", "/eventbus/default/rules/nightly", "/console/events/rules/nightly"),
    ("iam", "/roles/details/WSSystemRole", "/console/iam/roles/WSSystemRole"),
    ("cloudformation", "/stacks/stackinfo?stackId=arn%3Aaws", "/console/cloudformation/stack?stackId=arn%3Aaws"),
    ("cloudwatch", "logsV2:log-groups/log-group/$252Faws$252Flambda$252Ff", "/console/logs/group?name=%2Faws%2Flambda%2Ff"),
    ("vpc", "SecurityGroups:groupId=sg-12ab", "/console/vpc/security-groups/sg-12ab"),
    ("guardduty", "", "/console/guardduty/findings"),
    ("nothing", "/x", "/console/lab"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "fragment", "address"), CASES)
def test_a_link_of_the_aws_console_arrives(service: str, fragment: str, address: str) -> None:
    """Service and fragment are all that the host's change leaves."""
    assert links.target(service, fragment) == address


@given(st.sampled_from(sorted(links.HOMES)), st.text(max_size=80))
def test_no_fragment_leads_out_of_the_console(service: str, fragment: str) -> None:
    """Whatever a link's author wrote after the #."""
    address = links.target(service, fragment)
    assert address.startswith("/console/") and "\n" not in address and "/../" not in address


@given(st.text(max_size=80))
def test_no_name_leads_out_of_the_console(name: str) -> None:
    """Names and ARNs of the account are anybody's text."""
    made = [
        links.function(name),
        links.rule(name),
        links.stored_object(name, name),
        links.of_arn(f"arn:aws:lambda:::function:{name}"),
        links.of_arn(name),
    ]
    assert all(address is None or address.startswith("/console/") for address in made)


def test_an_arn_leads_to_the_page_of_what_it_names() -> None:
    """As far as there is one."""
    assert links.of_arn("arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST") == "/console/lambda/functions/f"
    assert links.of_arn("arn:aws:iam::111122223333:role/path/R") == "/console/iam/roles/R"
    assert links.of_arn("arn:aws:events:us-east-1:111122223333:rule/r") == "/console/events/rules/r"
    assert links.of_arn("arn:aws:kms:us-east-1:111122223333:key/k") is None
