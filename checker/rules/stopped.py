"""Is the traffic stopped?"""

from checker.evidence import Event, Evidence
from checker.messages import Message, heard, in_order, say
from checker.rules import Citation, Verdict, failed, hit, miss, not_run, passed
from checker.rules.explain import explanations
from checker.rules.samples import connection, event, outlook
from checker.rules.temptations import STOP_THE_CAUSE, lessons
from checker.worlds import NextConnection


def judge(evidence: Evidence) -> Verdict:
    """Judge the fix by its outcome: will any function of the account still make a permitted connection to a listed
    address?

    That is the one definition of "stopped". The outlook decides (`worlds.Foresight`: 24 hours and the next run of every
    schedule); the state of function, rules and network explains.

    Accepts whatever makes the outlook empty of such connections: function or stack deleted, rule disabled or deleted,
    target or permission removed, concurrency 0, code or configuration that no longer connects, a network without a
    way out. Connections that the network refuses are no traffic, although GuardDuty may go on counting them as
    `Blocked: true`.

    Disputable, decided:
    - Code that now calls an address on no list counts as stopped, with a remark: the definition is about the list, but
      the code is still not trusted.
    - A handler that does not exist, or an execution role that was deleted, is judged by what really runs: import-time
      code may connect, a warm environment may outlive its role.
    - A function in a VPC without a NAT gateway has no way out: accepted.
    - A test run of the trainee's after the fix raises Count: accepted, explained.
    - A colleague's fix in a shared account: accepted, but nothing proves it was the trainee's.

    Rejects what hides the symptom (archiving, suppressing, the list, the trusted list, the protection) and what only
    looks like a fix (slower schedule, shorter timeout, denied role, unattached group, ACL of a network the function
    is not in), each named. What cannot be determined is not passed; where it only takes time, it is not run yet.
    """
    ahead = evidence.outlook
    if ahead is None:
        return not_run("no-outlook", say("What would happen next could not be asked."), say("Check again."))
    going_on = [each for each in ahead.connections if each.permitted and evidence.listed(each.ip)]
    if going_on:
        return _goes_on(evidence, going_on)
    if not ahead.determinable:
        return _unknown(evidence)
    return _stopped(evidence)


def _goes_on(evidence: Evidence, going_on: list[NextConnection]) -> Verdict:
    """Explain what was tried, who goes on connecting and through what kind of trigger; which one is to be found."""
    tried = lessons(evidence)
    own = [each for each in going_on if _is_assigned(evidence, each)]
    first = (own or going_on)[0]
    why = in_order([*(lesson.text for lesson in tried), _still(evidence, first)])
    untried = ("goes-on" if own else "another-function", STOP_THE_CAUSE)
    kind, step = (tried[0].kind, tried[0].next) if tried else untried
    return failed(kind, why, step)


def _still(evidence: Evidence, each: NextConnection) -> Message:
    """Return the sentence that a connection goes on, and whose: it names no function that the trainee has to find."""
    trigger = _trigger(each.source)
    if not evidence.function_name:
        return say("A function would still connect to a listed address: {trigger} keeps invoking it.", trigger=trigger)
    if _is_assigned(evidence, each):
        return say(
            "The function would still connect to a listed address: {trigger} keeps invoking it.", trigger=trigger
        )
    return say(
        "Another function than the finding's, {name}, would still connect to a listed address: {trigger} keeps invoking it.",
        name=_function(each),
        trigger=trigger,
    )


def _function(each: NextConnection) -> str:
    return each.function_arn.split(":function:")[-1].split(":")[0]


def _trigger(source: str) -> Message:
    """Return the kind of what invokes, from an ARN or words such as `rule NAME, rate(10 minutes)`; never its name."""
    return next((words for sign, words in TRIGGERS if sign in source.lower()), say("an invocation that is due"))


TRIGGERS = (
    ("queued", say("an event that was queued")),
    (":scheduler:", say("a schedule of EventBridge Scheduler")),
    ("schedule ", say("a schedule of EventBridge Scheduler")),
    ("rule", say("a rule of EventBridge")),
)


def _unknown(evidence: Evidence) -> Verdict:
    ahead = evidence.outlook
    assert ahead is not None
    why = say("Whether the traffic goes on cannot be told.")
    if ahead.why:
        reasons = in_order(say("({reason})", reason=heard(each)) for each in ahead.why)
        why = say("Whether the traffic goes on cannot be told {reasons}.", reasons=reasons)
    if ahead.ask_again:
        again = say("Check again after {moment} UTC.", moment=f"{ahead.ask_again:%Y-%m-%d %H:%M:%S}")
        return not_run("not-known-yet", why, again)
    return failed(
        "not-determinable",
        why,
        say("Choose a fix whose effect can be shown, such as disabling what invokes the code."),
    )


def _stopped(evidence: Evidence) -> Verdict:
    cited = _cited(evidence)
    because = explanations(evidence)
    kind = because[0].kind if because else "stopped"
    reason = (
        because[0].text
        if because
        else say("No function of the account would make a permitted connection to a listed address.")
    )
    return passed(kind, reason, evidence=cited, remarks=_remarks(evidence))


def _cited(evidence: Evidence) -> tuple[Citation, ...]:
    change = evidence.containment
    return (Citation(kind="cloudtrail-event", id=change.id),) if change else ()


def _remarks(evidence: Evidence) -> tuple[Message, ...]:
    ahead = evidence.outlook
    assert ahead is not None
    remarks = []
    if any(not each.permitted and evidence.listed(each.ip) for each in ahead.connections):
        remarks.append(
            say(
                "The code still tries. The network refuses it, so the finding's Count may go on growing as Blocked: true."
            )
        )
    if any(each.permitted for each in ahead.connections if _is_assigned(evidence, each)):
        remarks.append(
            say(
                "The function still runs and calls an address that is on no list. Contained, but do not trust its code."
            )
        )
    if _grew_after(evidence, evidence.containment):
        remarks.append(
            say(
                "The finding was seen again after your change: a test run or a queued one connects as a scheduled one does."
            )
        )
    if evidence.assigned and evidence.assigned.archived:
        remarks.append(say("The finding is archived: good closure, now that the traffic is stopped."))
    return tuple(remarks)


def _is_assigned(evidence: Evidence, each: NextConnection) -> bool:
    return _function(each) == evidence.function_name


def _grew_after(evidence: Evidence, change: Event | None) -> bool:
    last = evidence.assigned.last_seen if evidence.assigned else None
    return bool(change and last and last > change.at)


GOES_ON = outlook(connection())
QUIET = outlook()

SAMPLES = (
    miss("nothing was done", "goes-on", outlook=GOES_ON),
    hit("the rule is disabled", "rule-disabled", outlook=QUIET, rule_enabled=False),
    hit("the function is deleted", "function-deleted", outlook=QUIET, function=None),
    hit("concurrency is 0", "concurrency-zero", outlook=QUIET, concurrency=0),
    hit("no rule targets it", "no-trigger", outlook=QUIET, rules=()),
    hit("the permission is removed", "permission-removed", outlook=QUIET, invokers=()),
    hit("refused by the network", "vpc-closed", outlook=outlook(connection(permitted=False)), vpc_id="vpc-1"),
    hit(
        "the code calls an unlisted address",
        "code-changed",
        outlook=outlook(connection(ip="192.0.2.1")),
        code_sha256="other",
    ),
    miss(
        "the code calls another listed address",
        "code-still-calls",
        outlook=outlook(connection(ip="203.0.113.77")),
        code_sha256="other",
    ),
    miss("the finding is archived", "archived", outlook=GOES_ON, archived=True),
    miss("another function calls", "another-function", outlook=outlook(connection(function="copy")), function=None),
    miss(
        "a schedule of Scheduler goes on",
        "goes-on",
        outlook=outlook(connection(source="schedule default/x, rate(6 hours)")),
    ),
    miss("not determinable", "not-determinable", outlook=outlook(determinable=False, why=("too slow",))),
    miss(
        "a change beside an undone one",
        "concurrency-lifted",
        outlook=GOES_ON,
        mine=(
            event("PutFunctionConcurrency20171031", minutes=1),
            event("DeleteFunctionConcurrency20171031", minutes=2),
        ),
    ),
)
