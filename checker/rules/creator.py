"""Who created the function?"""

from checker.answers import Identity, identity, same, several
from checker.evidence import Event, Evidence
from checker.messages import Message, in_order, say
from checker.rules import Citation, Verdict, failed, hit, miss, not_run, passed
from checker.rules.samples import event

READ_EVENT = say(
    "Open the oldest event of the function in CloudTrail (cloudtrail lookup-events by ResourceName, every page) "
    "and read userIdentity.sessionContext.sessionIssuer."
)
UNIQUE_IDS = ("AROA", "AIDA", "ASIA", "AKIA")


def judge(evidence: Evidence, answer: str) -> Verdict:
    """Judge the answer to "who created it?" against this function's CreateFunction event.

    Expected is `userIdentity.sessionContext.sessionIssuer.userName` of the creation of this incarnation (the latest
    before the finding was first seen; a function redeployed under its old name has an older one), or the user's name
    where no role was assumed. The event decides, not the module's text: a stack deployed by another role has another
    right answer.

    Accepts the role's name, its ARN, the session's ARN, and `ROLE/SESSION` with the right session; other capitals
    with a remark.

    Rejects, each with its lesson: the session's name alone (LookupEvents and the console call it "user name"), the
    role with another session, the execution role, CloudFormation or a stack, whoever changed the function last,
    another principal of its history, two answers. Disputable: the role's id (`AROA…`) is the right identity, but the
    module asks for the name that a colleague can act on; it is refused with a request for its name.
    """
    event = evidence.creation
    if event is None:
        why = say("CloudTrail shows no event that created the finding's function, so there is nothing to compare with.")
        return not_run("no-event", why, say("The trail lags some minutes behind; its history goes back 90 days."))
    parts = several(answer)
    if len(parts) > 1:
        step = in_order((say("One identity created the function."), READ_EVENT))
        return failed("several", say("That is more than one answer."), step)
    text = parts[0] if parts else ""
    found = identity(text)
    if found and same(found.name, event.who):
        return _right_name(event, found)
    return _wrong(evidence, event, text, found)


def _right_name(event: Event, found: Identity) -> Verdict:
    account = event.issuer_arn.split(":")[4] if event.issuer_arn else ""
    if found.account and account and found.account != account:
        why = say("That ARN names another account: another lab's answer does not fit.")
        return failed("other-account", why, READ_EVENT)
    if found.session and not same(found.session, event.session):
        why = say("Role and session do not belong together: no such session created the function.")
        return failed("other-session", why, READ_EVENT)
    exactly = say("IAM compares role names exactly in policies: mind the capitals.")
    remarks = () if found.name == event.who else (exactly,)
    why = _called(event)
    return passed("right", why, evidence=(Citation(kind="cloudtrail-event", id=event.id),), remarks=remarks)


def _called(event: Event) -> Message:
    who, session, name, service = event.who, event.session, event.name, event.invoked_by
    if not service:
        return say("{who} (session {session}) called {event}.", who=who, session=session, event=name)
    return say(
        "{who} (session {session}) called {event} through {service}.",
        who=who,
        session=session,
        event=name,
        service=service,
    )


def _wrong(evidence: Evidence, event: Event, text: str, found: Identity | None) -> Verdict:
    name = found.name if found else text
    if not text:
        return failed("empty", say("The answer is empty."), READ_EVENT)
    if event.issuer and same(name, event.session):
        why = say(
            "That is the name of a session: whoever assumes a role chooses it freely. The role behind it is asked."
        )
        step = say("In the same event, read who issued the session: sessionContext.sessionIssuer.")
        return failed("session-name", why, step)
    if name.upper().startswith(UNIQUE_IDS) and len(name) >= 16:
        why = say("That is an identifier. A colleague who is to act on it needs the role's name.")
        return failed("unique-id", why, say("The name stands beside the id in the event's sessionIssuer."))
    if _is_cloudformation(evidence, text, name):
        why = say("CloudFormation made the call, but on someone's behalf: a service is the means, not the author.")
        step = say("In the same event, read whose session CloudFormation used: userIdentity.")
        return failed("cloudformation", why, step)
    if _is_execution_role(evidence, name):
        why = say("That is the execution role: what the function may do when it runs. It created nothing.")
        return failed("execution-role", why, READ_EVENT)
    return _other_principal(evidence, event, name)


def _is_cloudformation(evidence: Evidence, text: str, name: str) -> bool:
    stack = evidence.function.stack_name if evidence.function else ""
    lowered = text.casefold().replace(" ", "")
    return "cloudformation" in lowered or "arn:aws:cloudformation" in lowered or bool(stack and same(name, stack))


def _is_execution_role(evidence: Evidence, name: str) -> bool:
    arns = [evidence.function.role_arn] if evidence.function else []
    arns += [evidence.assigned.role_arn] if evidence.assigned else []
    return any(arn and same(name, arn.rsplit("/", 1)[-1]) for arn in arns)


def _other_principal(evidence: Evidence, event: Event, name: str) -> Verdict:
    own = {own.casefold() for each in evidence.mine for own in (each.issuer, each.session) if own}
    if name.casefold() in own or same(name, evidence.trainee):
        why = say("That is you: the trail now shows your own calls too. The function is older than they are.")
        return failed("yourself", why, READ_EVENT)
    if any(
        name.casefold() in (each.who.casefold(), each.session.casefold()) for each in evidence.history if each != event
    ):
        why = say("That principal touched the function later. Who changed or read it is not who created it.")
        step = in_order((say("Newest events come first: go on to the last page."), READ_EVENT))
        return failed("later-principal", why, step)
    if evidence.assigned and same(name, evidence.assigned.function_name):
        return failed("function", say("That is the function itself. Who created it is asked."), READ_EVENT)
    return failed("unknown", say("The creation event names another identity."), READ_EVENT)


SAMPLES = (
    hit("the role", "right", "WSSystemRole"),
    hit("the role in other capitals", "right", "wssystemrole"),
    hit("the role and its session", "right", "WSSystemRole/System"),
    hit("the role's ARN", "right", "arn:aws:iam::111122223333:role/WSSystemRole"),
    hit("the session's ARN", "right", "arn:aws:sts::111122223333:assumed-role/WSSystemRole/System"),
    hit("role/NAME", "right", "role/WSSystemRole"),
    hit("in words", "right", "the IAM role WSSystemRole"),
    hit("as the event has it", "right", "userName: WSSystemRole"),
    miss("the session", "session-name", "System"),
    miss("a session of another name", "other-session", "WSSystemRole/Participant"),
    miss("another account's role", "other-account", "arn:aws:iam::444455556666:role/WSSystemRole"),
    miss("the execution role", "execution-role", "traffic-simulation-role"),
    miss("CloudFormation", "cloudformation", "CloudFormation"),
    miss("CloudFormation's principal", "cloudformation", "cloudformation.amazonaws.com"),
    miss("the stack", "cloudformation", "guardduty-lab-workload"),
    miss("the last modifier", "later-principal", "WorkloadDevRole"),
    miss("the last modifier's session", "later-principal", "linh"),
    miss("the user whose update was denied", "later-principal", "ci-deploy"),
    miss("the trainee", "yourself", "WSParticipantRole", mine=(event("GetFunction20150331v2", read_only=True),)),
    miss("the role's id", "unique-id", "AROAXCSEC6TNJX7ECNMY6"),
    miss("two answers", "several", "WSSystemRole or System"),
    miss("the function", "function", "traffic-simulation"),
    miss("nothing", "empty", " "),
    miss("nonsense", "unknown", "Administrator"),
)
