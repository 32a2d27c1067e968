"""When a schedule is due: `rate()`, `cron()` and `at()` expressions in AWS's grammar, pure.

An expression is parsed once into a record that can say which moment comes next. The lab's clock asks for the next
moment only, so a schedule that fires once in a hundred years costs no more than one that fires every minute.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
LAST_YEAR = 2199
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
MONTHS = {"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6}
MONTHS |= {"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12}
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}

_RATE = re.compile(r"rate\(([0-9]{1,9}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_AT = re.compile(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\)")

DaysOfMonth = Callable[[int, int], list[int]]
"""Year and month to the days of that month on which a cron expression fires, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Every `interval`, counted from an anchor that is itself a moment of the schedule."""

    interval: timedelta

    def next_after(self, anchor: datetime, after: datetime, zone: ZoneInfo | None) -> datetime | None:
        """Return the first moment after `after`; a day is 24 hours whatever the zone."""
        if after < anchor:
            return anchor
        return anchor + ((after - anchor) // self.interval + 1) * self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Once, at the wall time `local` of the schedule's zone."""

    local: datetime

    def next_after(self, anchor: datetime, after: datetime, zone: ZoneInfo | None) -> datetime | None:
        """Return the moment itself while it is still to come."""
        moment = self.local.replace(tzinfo=zone or UTC).astimezone(UTC)
        return moment if moment > after else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """At every wall time whose parts are all listed; the lists ascend."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DaysOfMonth
    months: tuple[int, ...]
    years: tuple[int, ...]

    def next_after(self, anchor: datetime, after: datetime, zone: ZoneInfo | None) -> datetime | None:
        """Return the first moment after `after`, by the clocks of `zone`.

        A wall time that a change of clocks skips does not fire; one that it repeats fires the first time only.
        Source: EventBridge Scheduler user guide, Daylight savings time.
        """
        local: datetime | None = after.astimezone(zone or UTC).replace(tzinfo=None)
        while local is not None and (local := self._next_wall_time(local)) is not None:
            moment = local.replace(tzinfo=zone or UTC).astimezone(UTC)
            skipped = moment.astimezone(zone or UTC).replace(tzinfo=None) != local
            if not skipped and moment > after:
                return moment
        return None

    def _next_wall_time(self, after: datetime) -> datetime | None:
        if after.year > LAST_YEAR:
            return None
        start = after.replace(second=0, microsecond=0) + MINUTE
        for year in self.years:
            if year < start.year:
                continue
            for month in self.months:
                if (year, month) < (start.year, start.month):
                    continue
                for day in self.days(year, month):
                    if (found := self._first_on(date(year, month, day), start)) is not None:
                        return found
        return None

    def _first_on(self, day: date, start: datetime) -> datetime | None:
        if day < start.date():
            return None
        earliest = (start.hour, start.minute) if day == start.date() else (0, 0)
        for hour in self.hours:
            for minute in self.minutes if hour >= earliest[0] else ():
                if (hour, minute) >= earliest:
                    return datetime(day.year, day.month, day.day, hour, minute)
        return None


def next_after(expression: str, anchor: datetime, after: datetime, timezone: str | None = None) -> datetime | None:
    """Return the first moment, aware and UTC, at which `expression` fires strictly after `after`; None for never again.

    `anchor` is a moment of a `rate()` schedule, from which the others are counted; the other kinds do not look at it.
    `timezone` is the IANA name of the zone in which `cron()` and `at()` are meant, UTC when not given. Raises
    ValueError for an expression or zone that is not one.
    Source: EventBridge user guide, Schedule expressions; EventBridge Scheduler user guide, Schedule types.
    """
    schedule, clocks = parse(expression), zone(timezone) if timezone else None
    try:
        return schedule.next_after(anchor, after, clocks)
    except OverflowError:  # beyond the years 1 to 9999 there are no dates
        return None


def validate(expression: str, kinds: Collection[str] = ("rate", "cron", "at")) -> None:
    """Raise ValueError unless `expression` is one of `kinds` in AWS's grammar.

    Rules know `rate` and `cron`, Scheduler also `at`.
    """
    kind = expression.partition("(")[0]
    if kind not in kinds:
        raise ValueError(f"{expression!r} is none of {', '.join(kinds)}")
    parse(expression)


@lru_cache(maxsize=1024)
def parse(expression: str) -> Rate | Cron | At:
    """Return the record of `expression`. Raises ValueError where AWS calls it not valid."""
    if match := _RATE.fullmatch(expression):
        return _rate(int(match[1]), match[2], plural=bool(match[3]))
    if match := _CRON.fullmatch(expression):
        return _cron(match[1].split())
    if match := _AT.fullmatch(expression):
        return At(local=datetime.fromisoformat(match[1]))
    raise ValueError(f"{expression!r} is not a schedule expression")


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return the time zone called `name` by IANA. Raises ValueError for a name that is not one."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # OSError: the name of a folder of zones, such as America
        raise ValueError(f"{name!r} is not a time zone") from error


def _rate(value: int, unit: str, *, plural: bool) -> Rate:
    if value == 0 or plural != (value > 1):
        raise ValueError("a rate is a positive number, its unit singular for 1 and plural otherwise")
    return Rate(interval=value * UNITS[unit])


def _cron(fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise ValueError("a cron expression has six fields")
    minutes, hours, day_of_month, month, day_of_week, years = (field.upper() for field in fields)
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ValueError("exactly one of day-of-month and day-of-week is ?")
    return Cron(
        minutes=_values(minutes, 0, 59),
        hours=_values(hours, 0, 23),
        days=_days_of_week(day_of_week) if day_of_month == "?" else _days_of_month(day_of_month),
        months=_values(month, 1, 12, MONTHS),
        years=_values(years, 1970, LAST_YEAR),
    )


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> tuple[int, ...]:
    """Return the numbers between `low` and `high` that a field of lists, ranges and steps stands for, ascending."""
    found: set[int] = set()
    for part in field.split(","):
        found.update(_part(part, low, high, names or {}))
    return tuple(sorted(found))


def _part(part: str, low: int, high: int, names: dict[str, int]) -> list[int]:
    span, slash, step_text = part.partition("/")
    step = _number(step_text, 1, high, {}) if slash else 1
    first_text, dash, last_text = span.partition("-")
    if span == "*":
        first, last = low, high
    else:
        first = _number(first_text, low, high, names)
        last = _number(last_text, low, high, names) if dash else high if slash else first
    if first <= last:
        return list(range(first, last + 1, step))
    # 22-2 and FRI-MON go on past the end of the day or week
    around = [*range(first, high + 1), *range(low, last + 1)]
    return around[::step]


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(text)
    if value is None:
        if re.fullmatch("[0-9]{1,4}", text) is None:
            raise ValueError(f"{text!r} is not a number of a cron field")
        value = int(text)
    if not low <= value <= high:
        raise ValueError(f"{text!r} is not between {low} and {high}")
    return value


def _days_of_month(field: str) -> DaysOfMonth:
    if field == "L":
        return lambda year, month: [monthrange(year, month)[1]]
    if field.endswith("W"):
        wanted = _number(field[:-1], 1, 31, {})
        return lambda year, month: _nearest_weekday(year, month, wanted)
    days = _values(field, 1, 31)
    return lambda year, month: [day for day in days if day <= monthrange(year, month)[1]]


def _nearest_weekday(year: int, month: int, day: int) -> list[int]:
    """Return the working day of the month nearest to `day`, as a list that is empty where the month has no such day."""
    length = monthrange(year, month)[1]
    if day > length:
        return []
    weekday = date(year, month, day).weekday()
    if weekday == 5:
        return [day - 1 if day > 1 else day + 2]
    if weekday == 6:
        return [day + 1 if day < length else day - 2]
    return [day]


def _days_of_week(field: str) -> DaysOfMonth:
    if "#" in field:
        name, _, count = field.partition("#")
        weekday, nth = _number(name, 1, 7, WEEKDAYS), _number(count, 1, 5, {})
        return lambda year, month: _on_weekdays(year, month, (weekday,))[nth - 1 : nth]
    if len(field) > 1 and field.endswith("L"):
        weekday = _number(field[:-1], 1, 7, WEEKDAYS)
        return lambda year, month: _on_weekdays(year, month, (weekday,))[-1:]
    weekdays = _values("7" if field == "L" else field, 1, 7, WEEKDAYS)
    return lambda year, month: _on_weekdays(year, month, weekdays)


def _on_weekdays(year: int, month: int, weekdays: tuple[int, ...]) -> list[int]:
    first, length = monthrange(year, month)
    # monthrange counts Monday as 0, AWS Sunday as 1
    return [day for day in range(1, length + 1) if (first + day) % 7 + 1 in weekdays]
