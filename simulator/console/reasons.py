"""Why something would happen next, or cannot be told: the lab says it as English text, the page in the reader's language.

The lab's other parts know no languages. `REASONS` are their texts, with placeholders for the values in them; each is a phrase of
the catalogs. A test holds them against the code that says them (tests/contract/test_worlds_reasons.py).
"""

import re
from functools import cache

from simulator.console.texts import t

REASONS = (
    # foresight, control and functions: why the outlook is not complete
    "this machine has no walls for code that somebody else has sent",
    "functions set each other off in too long a chain",
    "{function}: it runs too often to be looked through",
    "{function}: {runtime} is not run in the lab",
    "{function}: the function's process was lost while looking ahead",
    "{function}: the time for looking ahead was used up",
    "{function}: a run ended: exited",
    "{function}: a run ended: memory",
    "{function}: a run ended: disk",
    "{function}: a run ended: broken",
    "{function}: the function left threads or processes running, whose next steps cannot be tried out",
    # network: what would become of a connection
    "the address is the execution environment's own",
    "link-local addresses are served by the host and not logged",
    "a function outside a VPC reaches every address",
    "the function has no IPv6 address in its VPC",
    "no egress rule of the function's security groups lets it out",
    "none of the function's subnets exists any more",
    "the address is in the function's own subnet",
    "the network ACL of {subnet} denies it",
    "the network ACL of {subnet} denies every answer, and it keeps no state",
    "no route of {subnet} leads there",
    "the address is inside the VPC",
    "an internet gateway is no way out for a function: it has no public address",
    "{gateway} lets IPv6 out",
    "the endpoint {endpoint} leads there",
    "the route to {target} is a black hole",
    "{target} leads to no way out of the VPC",
    "the NAT gateway of the route is not available",
    "{nat} does not translate to that address",
    "the network ACL of {subnet} denies it on the way to {nat}",
    "the network ACL of {subnet} denies it behind {nat}",
    "{nat} sits in a subnet without a route to an internet gateway",
    "{nat} leads to the internet",
)


def reason(text: str) -> str:
    """Return one of the lab's reasons in the reader's language; what is not among `REASONS` comes back as it is."""
    for phrase in REASONS:
        if found := _pattern(phrase).fullmatch(text):
            return t(phrase, **found.groupdict())
    return text


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", phrase)
    return re.compile(
        "".join(rf"(?P<{piece}>\S+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))
    )
