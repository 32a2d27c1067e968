"""Which function does the finding name?"""

from checker.answers import address, clean, function_name, same, several
from checker.evidence import Evidence
from checker.messages import in_order, say
from checker.rules import Citation, Verdict, failed, hit, miss, not_run, passed

READ_FINDING = say("Read Resource.LambdaDetails.FunctionName in the finding (guardduty get-findings).")


def judge(evidence: Evidence, answer: str) -> Verdict:
    """Judge the answer to "which function?" against the assigned finding's Resource.LambdaDetails.FunctionName.

    Accepts the name, in quotes or spaces too; its ARN, partial ARN and either with a qualifier such as `$LATEST`.
    Accepts other capitals with a remark (disputable: Lambda's names are case-sensitive, so a command with that
    spelling would fail, but the trainee has found the function).

    Rejects, each with its lesson: two names in one answer, another account's or Region's ARN, the execution role, the
    stack, the address, the list, the finding's id, a function that exists but is not the finding's, anything else.
    """
    assigned = evidence.assigned
    if assigned is None:
        return not_run(
            "no-finding", say("There is no finding of the assigned type in the account to compare with."), NO_FINDING
        )
    parts = several(answer)
    if len(parts) > 1:
        return failed(
            "several", say("That is more than one answer."), say("Give the one function that the finding names.")
        )
    text = parts[0] if parts else ""
    found = function_name(text)
    if found and same(found.name, assigned.function_name):
        return _right_name(
            assigned.function_name, assigned.function_arn, assigned.id, found.name, found.account, found.region
        )
    return _wrong(evidence, text)


NO_FINDING = say("If the detector was deleted its findings went with it: lab reset starts the lab again.")


def _right_name(name: str, arn: str, finding_id: str, given: str, account: str, region: str) -> Verdict:
    _, _, _, own_region, own_account = arn.split(":")[:5]
    if (account and account != own_account) or (region and region != own_region):
        return failed(
            "other-account",
            say(
                "The ARN names another account or Region than the finding's function: another lab's answer does not fit."
            ),
            READ_FINDING,
        )
    exactly = say("Lambda's function names are case-sensitive: a command needs the exact capitals.")
    remarks = () if given == name else (exactly,)
    why = say("The finding's resource is the Lambda function {name}.", name=name)
    return passed("right", why, evidence=(Citation(kind="finding", id=finding_id),), remarks=remarks)


def _wrong(evidence: Evidence, text: str) -> Verdict:
    assigned = evidence.assigned
    assert assigned is not None
    role = (evidence.function.role_arn if evidence.function else assigned.role_arn) or assigned.role_arn
    stack = evidence.function.stack_name if evidence.function else ""
    name = clean(text.rsplit("/", 1)[-1])
    if address(text):
        return failed("address", say("That is an address. The function's name is asked here."), READ_FINDING)
    if role and (same(text, role) or same(name, role.rsplit("/", 1)[-1])):
        return failed("execution-role", say("That is the role the function runs with, not the function."), READ_FINDING)
    if stack and same(name, stack):
        return failed(
            "stack", say("That is the CloudFormation stack the function belongs to, not the function."), READ_FINDING
        )
    if any(same(text, listed) for listed in assigned.list_names):
        return failed("list", say("That is the threat list that matched, not the function that called."), READ_FINDING)
    if same(text, assigned.id) or same(name, assigned.id):
        return failed(
            "finding-id", say("That is the finding's id. The finding itself names the function."), READ_FINDING
        )
    if any(same(name, rule.name) for rule in evidence.rules):
        return failed("rule", say("That is the rule that invokes the function, not the function."), READ_FINDING)
    known = function_name(text)
    if known and any(same(known.name, other) for other in evidence.function_names):
        return failed(
            "other-function",
            say("That function exists, but the finding does not name it. A name that looks alike is not evidence."),
            READ_FINDING,
        )
    step = in_order((say("Filter findings by resource type Lambda."), READ_FINDING))
    return failed("unknown", say("The finding names another function."), step)


SAMPLES = (
    hit("the name", "right", "traffic-simulation"),
    hit("in words", "right", "the Lambda function `traffic-simulation`"),
    hit("quotes and spaces", "right", "  “traffic-simulation”. "),
    hit("other capitals", "right", "Traffic-Simulation"),
    hit("the ARN", "right", "arn:aws:lambda:us-east-1:111122223333:function:traffic-simulation"),
    hit(
        "the ARN with its qualifier",
        "right",
        "arn:aws:lambda:us-east-1:111122223333:function:traffic-simulation:$LATEST",
    ),
    hit("the name with its qualifier", "right", "traffic-simulation:$LATEST"),
    hit("a partial ARN", "right", "111122223333:function:traffic-simulation"),
    miss(
        "the same name in another account",
        "other-account",
        "arn:aws:lambda:us-east-1:444455556666:function:traffic-simulation",
    ),
    miss(
        "the same name in another Region",
        "other-account",
        "arn:aws:lambda:eu-west-1:111122223333:function:traffic-simulation",
    ),
    miss("two names", "several", "traffic-simulation or order-webhook"),
    miss("a look-alike", "other-function", "traffic-simulation-canary"),
    miss("the execution role", "execution-role", "traffic-simulation-role"),
    miss("the execution role's ARN", "execution-role", "arn:aws:iam::111122223333:role/traffic-simulation-role"),
    miss("the stack", "stack", "guardduty-lab-workload"),
    miss("the list", "list", "S3BadIpAddressList"),
    miss("the address", "address", "198.51.100.7"),
    miss("the rule", "rule", "every-ten-minutes"),
    miss("the finding's id", "finding-id", "28c860e84b1412e575ab71c780ff8d9d"),
    miss("nonsense", "unknown", "my function"),
    miss("nothing", "unknown", "  "),
)
