"""Schedule expressions: AWS's grammar, and the moments they stand for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import schedule

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC))


def upcoming(expression: str, after: datetime, count: int, timezone: str | None = None) -> list[str]:
    """Return the next `count` moments as AWS's console lists them."""
    found: list[str] = []
    moment: datetime | None = after
    while moment and len(found) < count:
        if moment := schedule.next_after(expression, after, moment, timezone):
            found.append(f"{moment:%a %Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 hour)",
        "rate(7 days)",
        "cron(0 2 ? * SAT *)",
        "cron(5,35 14 * * ? *)",
        "cron(15 10 ? * 6L 2002-2005)",
        "cron(0 2 ? * SAT#3 *)",
        "cron(0/5 5 ? JAN 1-5 2022)",
        "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
        "cron(1-31/30 1-1 ? * 1,7 *)",
        "cron(*/15 * * * ? *)",
        "cron(0-59/10 0-23/2 ? * * *)",
        "cron(0 8 3W * ? *)",
        "cron(0 8 L * ? *)",
        "at(2022-11-20T13:00:00)",
    ],
)
def test_what_aws_accepts_is_accepted(expression: str) -> None:
    """Expressions from AWS's guides and from calls that AWS accepted."""
    schedule.validate(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(10 seconds)",
        "rate(10 years)",
        "rate(1 minutes)",
        "rate(10 minute)",
        "rate()",
        "rate(10)",
        "rate(10 minutess)",
        "rate(foo minutes)",
        "rate(0 minutes)",
        "rate(-10 minutes)",
        "rate(10 MINUTES)",
        "rate( 10 minutes )",
        " rate(10 minutes)",
        "rate(10 minutes)\n",
        "rate(١٠ minutes)",
        "cron()",
        "cron(INVALID)",
        "cron(0 1 * * * *)",
        "cron(0 1 ? * ? *)",
        "cron(7 20 * * NOT *)",
        "cron(0 dummy ? * MON-FRI *)",
        "cron(71 8 1 * ? *)",
        "cron(*/60 * * * ? *)",
        "cron(0/0 * * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 1 13 ? *)",
        "cron(0 0 ? * 0 *)",
        "cron(0 0 ? * 3#6 *)",
        "cron(0 0 ? * 3#1,6#3 *)",
        "cron(0 0 1 1 ? 1969)",
        "cron(0 0 1 1 ? 2200)",
        "cron(0 12 * * ?)",
        "cron(0 12 * * ? * *)",
        "cron(, 12 * * ? *)",
        "at(2021-12-31T23:59:59Z)",
        "at(2021-12-31)",
        "at(2021-02-30T00:00:00)",
        "every day",
        "",
    ],
)
def test_what_aws_refuses_is_refused(expression: str) -> None:
    """Expressions that AWS answered with an error, and their like."""
    with pytest.raises(ValueError):
        schedule.validate(expression)


def test_a_rule_knows_no_at_expression() -> None:
    """`at()` is Scheduler's alone."""
    schedule.validate("at(2022-11-20T13:00:00)", ("rate", "cron", "at"))
    with pytest.raises(ValueError):
        schedule.validate("at(2022-11-20T13:00:00)", ("rate", "cron"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 10 * * ? *)", ["Thu 2026-01-01 10:00", "Fri 2026-01-02 10:00"]),
        ("cron(0 18 ? * MON-FRI *)", ["Thu 2026-01-01 18:00", "Fri 2026-01-02 18:00", "Mon 2026-01-05 18:00"]),
        ("cron(0 8 1 * ? *)", ["Thu 2026-01-01 08:00", "Sun 2026-02-01 08:00"]),
        ("cron(1/10 * * * ? *)", ["Thu 2026-01-01 00:01", "Thu 2026-01-01 00:11"]),
        ("cron(0/30 20-23 ? * MON-FRI *)", ["Thu 2026-01-01 20:00", "Thu 2026-01-01 20:30"]),
        ("cron(15 10 ? * 6L 2002-2030)", ["Fri 2026-01-30 10:15", "Fri 2026-02-27 10:15"]),
        ("cron(0 9 ? * 2#1 *)", ["Mon 2026-01-05 09:00", "Mon 2026-02-02 09:00"]),
        ("cron(0 2 ? * SAT#3 *)", ["Sat 2026-01-17 02:00", "Sat 2026-02-21 02:00"]),
        ("cron(0 0 ? * L *)", ["Sat 2026-01-03 00:00", "Sat 2026-01-10 00:00"]),
        ("cron(0 0 L * ? *)", ["Sat 2026-01-31 00:00", "Sat 2026-02-28 00:00", "Tue 2026-03-31 00:00"]),
        ("cron(0 0 3W * ? *)", ["Fri 2026-01-02 00:00", "Tue 2026-02-03 00:00", "Tue 2026-03-03 00:00"]),
        ("cron(0 0 1W * ? *)", ["Mon 2026-02-02 00:00", "Mon 2026-03-02 00:00"]),
        ("cron(0 0 31W * ? *)", ["Fri 2026-01-30 00:00", "Tue 2026-03-31 00:00"]),
        ("cron(0 22-1 ? * fri-sun *)", ["Fri 2026-01-02 00:00", "Fri 2026-01-02 01:00", "Fri 2026-01-02 22:00"]),
        ("cron(0 0 29 2 ? *)", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ("cron(0 0 30 2 ? *)", []),
        ("cron(0 0 1 1 ? 2020)", []),
    ],
)
def test_cron_fires_when_the_guide_says(expression: str, expected: list[str]) -> None:
    """Wildcards of the EventBridge user guide, each with its next moments."""
    assert upcoming(expression, NEW_YEAR, max(len(expected), 1)) == expected


def test_time_zones_skip_and_repeat_no_run() -> None:
    """A wall time lost in spring does not fire, one repeated in autumn fires once."""
    assert upcoming("cron(30 2 * * ? *)", datetime(2026, 3, 7, tzinfo=UTC), 2, "America/New_York") == [
        "Sat 2026-03-07 07:30",
        "Mon 2026-03-09 06:30",
    ]
    assert upcoming("cron(30 1 * * ? *)", datetime(2026, 11, 1, tzinfo=UTC), 2, "America/New_York") == [
        "Sun 2026-11-01 05:30",
        "Mon 2026-11-02 06:30",
    ]


def test_at_fires_once_in_its_zone() -> None:
    """`at()` means the wall clock of the schedule's zone."""
    assert upcoming("at(2026-07-01T09:00:00)", NEW_YEAR, 2, "Europe/Berlin") == ["Wed 2026-07-01 07:00"]


@pytest.mark.parametrize("name", ["Mars/Olympus", "America", "../etc/passwd", "\0"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    """Whatever the operating system makes of the name, it is a ValueError."""
    with pytest.raises(ValueError):
        schedule.zone(name)


@given(value=st.integers(2, 10**6), unit=st.sampled_from(["minutes", "hours", "days"]), after=moments)
def test_rates_are_evenly_spaced_from_their_anchor(value: int, unit: str, after: datetime) -> None:
    """Two runs lie one interval apart, and all lie a whole number of intervals from the anchor."""
    expression = f"rate({value} {unit})"
    interval = timedelta(**{unit: value})
    first = schedule.next_after(expression, NEW_YEAR, after)
    assert first is not None
    assert (first - NEW_YEAR) % interval == timedelta(0)
    assert first >= NEW_YEAR
    assert after < first <= max(after, NEW_YEAR) + interval
    assert schedule.next_after(expression, NEW_YEAR, first) == first + interval


def test_a_rate_beyond_the_calendar_never_fires_again() -> None:
    """Dates end in 9999; a rate that leads past it is valid and has no next run."""
    assert schedule.next_after("rate(999999999 days)", NEW_YEAR, NEW_YEAR) is None
    assert schedule.next_after("at(0001-01-01T00:00:00)", NEW_YEAR, NEW_YEAR, "Asia/Tokyo") is None


_FIELDS = st.tuples(
    st.sampled_from(["0", "*", "0/7", "5,35", "10-20", "59"]),
    st.sampled_from(["0", "*", "8-17", "23", "22-2", "*/5"]),
    st.sampled_from([("1", "?"), ("*", "?"), ("31", "?"), ("L", "?"), ("15W", "?"), ("?", "MON"), ("?", "6L")]),
    st.sampled_from(["*", "1", "FEB", "4-9", "*/3"]),
    st.sampled_from(["*", "2030", "1999-2100", "2000/4"]),
)


@given(fields=_FIELDS, after=moments, timezone=st.sampled_from([None, "America/New_York", "Asia/Kolkata"]))
def test_cron_goes_forward_and_repeats_itself(
    fields: tuple[str, str, tuple[str, str], str, str], after: datetime, timezone: str | None
) -> None:
    """Each moment is later than the one before, on a whole minute, and nothing lies between."""
    minute, hour, (day, weekday), month, year = fields
    expression = f"cron({minute} {hour} {day} {month} {weekday} {year})"
    first = schedule.next_after(expression, NEW_YEAR, after, timezone)
    assert first == schedule.next_after(expression, NEW_YEAR, after, timezone)
    if first is None:
        return
    assert first > after
    assert first.second == first.microsecond == 0
    assert first == schedule.next_after(expression, NEW_YEAR, after + (first - after) / 2, timezone)


@given(text=st.text(max_size=40), kind=st.sampled_from(["rate", "cron", "at", ""]))
def test_any_text_is_valid_or_a_value_error(text: str, kind: str) -> None:
    """Nothing that a client can send raises anything else."""
    expression = f"{kind}({text})"
    try:
        schedule.validate(expression)
    except ValueError:
        return
    moment = schedule.next_after(expression, NEW_YEAR, NEW_YEAR)
    assert moment is None or moment > NEW_YEAR
