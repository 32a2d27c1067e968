"""Which address does the function call?"""

from ipaddress import ip_address

from checker.answers import Address, address, several
from checker.evidence import Evidence, Finding
from checker.messages import in_order, say
from checker.rules import Citation, Verdict, failed, hit, miss, not_run, passed
from checker.rules.function_name import NO_FINDING

READ_FINDING = say(
    "Read RemoteIpDetails.IpAddressV4 in the finding's network connection action (guardduty get-findings)."
)


def judge(evidence: Evidence, answer: str) -> Verdict:
    """Judge the answer to "which address?" against the assigned finding's remote address.

    Accepts the address alone, as `IP:443`, `IP/32`, in a URL, or mapped into IPv6. Where a port is given that the
    finding does not show the address still counts, with a remark: the address was asked.

    Rejects, each with its lesson: a range (`/24`: a block rule of that width hits neighbours), more than one address
    (all of a list is not an identification), the address of another finding, a private address (the function's own
    side, or the console picture's "VPC IP"), another entry of the threat list, an address that
    nothing here names (a neighbour's lab has another one).
    """
    assigned = evidence.assigned
    if assigned is None:
        return not_run(
            "no-finding", say("There is no finding of the assigned type in the account to compare with."), NO_FINDING
        )
    found = [address(part) for part in several(answer)]
    if len(found) > 1:
        step = in_order((say("Only one address is in your finding."), READ_FINDING))
        return failed("several", say("That is more than one answer."), step)
    if not found or found[0] is None:
        return failed("not-an-address", say("That is not an IP address."), READ_FINDING)
    return _judge_one(evidence, assigned, found[0])


def _judge_one(evidence: Evidence, assigned: Finding, given: Address) -> Verdict:
    if given.ip is None:
        return failed("range", say("That is a range of addresses. The function called one."), READ_FINDING)
    if given.ip == ip_address(assigned.ip):
        why = say("The function called {ip}, port {port}.", ip=assigned.ip, port=assigned.port)
        port = say("The port you added is not the finding's: it shows {port}.", port=assigned.port)
        remarks = () if given.port in (None, assigned.port) else (port,)
        return passed("right", why, evidence=(Citation(kind="finding", id=assigned.id),), remarks=remarks)
    text = str(given.ip)
    if any(finding.ip == text for finding in evidence.findings):
        why = say("That address belongs to another finding in this account, about another resource.")
        step = in_order((say("Take the finding whose resource type is Lambda."), READ_FINDING))
        return failed("other-finding", why, step)
    if evidence.listed(text):
        why = say("That address is on the threat list, but it is not the one in your finding.")
        return failed("other-entry", why, READ_FINDING)
    if any(given.ip in block for block in PRIVATE):
        why = say(
            "That is a private address: the inside of a network. GuardDuty names the outside address that was called."
        )
        return failed("private", why, READ_FINDING)
    why = say(
        "Nothing in this account names that address, no finding and no list. Labs differ: another lab's does not fit."
    )
    return failed("elsewhere", why, READ_FINDING)


PRIVATE = tuple(
    address(block).network  # type: ignore[union-attr]  # constants that are addresses
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10")
)

SAMPLES = (
    hit("the address", "right", "198.51.100.7"),
    hit("the address with its port", "right", "198.51.100.7:443"),
    hit("the address as a host route", "right", "198.51.100.7/32"),
    hit("in words", "right", "IP address: 198.51.100.7"),
    hit("the address in quotes", "right", "'198.51.100.7'"),
    hit("the address in a URL", "right", "https://198.51.100.7/"),
    hit("the address mapped into IPv6", "right", "::ffff:198.51.100.7"),
    hit("the address with another port", "right", "198.51.100.7:80"),
    miss("its network", "range", "198.51.100.0/24"),
    miss("both entries of the list", "several", "198.51.100.7, 203.0.113.9"),
    miss("another finding's address", "other-finding", "203.0.113.9"),
    miss("another entry of the list", "other-entry", "203.0.113.77"),
    miss("an address inside a VPC", "private", "10.0.1.17"),
    miss("any other address, such as a neighbour's", "elsewhere", "192.0.2.1"),
    miss("a name", "not-an-address", "traffic-simulation"),
)
