"""Did the trainee verify the effect?"""

from datetime import timedelta

from checker.evidence import Event, Evidence
from checker.messages import say
from checker.rules import Citation, Verdict, failed, hit, miss, passed
from checker.rules.samples import NOW, event

PERIOD = timedelta(minutes=10)
"""The module's schedule: the time after which an unstopped function would have run again."""

LOOKS = {
    "guardduty.amazonaws.com": ("GetFindings", "GetFindingsStatistics"),
    "monitoring.amazonaws.com": ("GetMetricData", "GetMetricStatistics"),
    "logs.amazonaws.com": ("FilterLogEvents", "GetLogEvents", "DescribeLogStreams", "StartQuery", "GetQueryResults"),
}


def judge(evidence: Evidence) -> Verdict:
    """Judge whether the trainee looked at the effect, once it could be seen.

    Accepts a look of the trainee's own at the finding, the metrics or the log, at least one run of the ten-minute
    schedule after the last containing change: before that even an unstopped function shows nothing. Also accepts a
    look that came so long after an earlier change and after the finding was last seen: containing, verifying and then
    cleaning up is good order. Reading the changed resource back (GetFunction) confirms the change, not its effect; a
    list of finding ids shows no Count. The checker's own reads never count.

    Rejects no look, and one that came too early. The trail lags some minutes, so a look may count only in a later
    check.
    """
    changes = evidence.containing
    if not changes:
        why = say("The trail shows no change of yours that could have stopped it, so none that you verified.")
        return failed("no-change", why, LAGS)
    looks = [each for each in evidence.mine if _is_look(each) and each.at > changes[0].at]
    late = next((each for each in looks if _late_enough(evidence, each)), None)
    if late:
        cited = (Citation(kind="cloudtrail-event", id=late.id),)
        return passed("verified", say("You looked again after the next run was due."), evidence=cited)
    if any(each.at > changes[-1].at for each in looks):
        return failed("too-early", say("You looked before the next run was due: nothing could be seen yet."), WAIT)
    why = say("The trail shows no look of yours at the finding, metrics or logs after the change.")
    return failed("not-verified", why, WAIT)


def _late_enough(evidence: Evidence, look: Event) -> bool:
    changes = evidence.containing
    if look.at >= changes[-1].at + PERIOD:
        return True
    last_seen = evidence.assigned.last_seen if evidence.assigned else None
    return look.at >= changes[0].at + PERIOD and last_seen is not None and look.at >= last_seen + PERIOD


def _is_look(each: Event) -> bool:
    return not each.error and each.is_(*LOOKS.get(each.source, ()))


WAIT = say(
    "Let the next run become due (lab advance 20m), read the finding again (Count, EventLastSeen), "
    "and check once the trail shows it."
)
LAGS = say("CloudTrail shows a call some minutes later: lab advance 15m, then check again.")

FIX = event("DisableRule", minutes=1, source="events.amazonaws.com")


def _look(minutes: float, name: str = "GetFindings", source: str = "guardduty.amazonaws.com") -> Event:
    return event(name, minutes=minutes, source=source, read_only=True)


SAMPLES = (
    hit("the finding read again", "verified", mine=(FIX, _look(25))),
    hit("the metric read", "verified", mine=(FIX, _look(25, "GetMetricData", "monitoring.amazonaws.com"))),
    hit("looked too early, then again", "verified", mine=(FIX, _look(2), _look(12))),
    hit("contained, verified, then cleaned up", "verified", mine=(FIX, _look(25), event("DeleteStack", minutes=26))),
    miss(
        "a first try watched, the real fix not",
        "not-verified",
        last_seen=NOW + timedelta(minutes=20),
        mine=(event("UpdateFunctionConfiguration20150331v2", minutes=1), _look(25), event("DisableRule", minutes=26)),
    ),
    miss("looked at once", "too-early", mine=(FIX, _look(2))),
    miss("looked only before", "not-verified", mine=(_look(-5), FIX)),
    miss("read the rule back", "not-verified", mine=(FIX, _look(25, "DescribeRule", "events.amazonaws.com"))),
    miss("nobody changed anything", "no-change", mine=(_look(25),)),
)
