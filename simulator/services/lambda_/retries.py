"""When an event in the asynchronous queue is tried again: pure functions of time.

Source: AWS Lambda developer guide, Asynchronous invocation: function errors are retried after one and after two more
minutes; throttled events for up to six hours, with a wait that grows from one second to five minutes.
"""

from datetime import datetime, timedelta

MAX_AGE = timedelta(hours=6)
MAX_ATTEMPTS = 2
AFTER_ERROR = (timedelta(minutes=1), timedelta(minutes=2))
LONGEST_WAIT = 300


def next_retry(queued_at: datetime, after: datetime) -> datetime:
    """Return the first retry of a throttled event, queued at `queued_at`, that comes later than `after`.

    Retries are 1, 2, 4 … 256 seconds apart and then 300.
    """
    elapsed = (after - queued_at).total_seconds()
    offset, wait = 1, 2
    while offset <= elapsed and wait < LONGEST_WAIT:
        offset, wait = offset + wait, wait * 2
    if offset <= elapsed:
        offset += LONGEST_WAIT * (int((elapsed - offset) // LONGEST_WAIT) + 1)
    return queued_at + timedelta(seconds=offset)


def after_error(finished: datetime, attempt: int) -> datetime:
    """Return when an event is tried again whose run number `attempt`, counted from 1, ended in an error."""
    return finished + AFTER_ERROR[min(attempt, len(AFTER_ERROR)) - 1]
