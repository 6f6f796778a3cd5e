"""Days of a time zone: 23, 24 or 25 hours between two local midnights (CONTRACT 7).

The rules come from the time zone database in the package `tzdata`, not from the machine's: the same input has to give
the same days everywhere. A zone that it does not know counts as UTC.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from streams.domain.intervals.windows import DAY, Window

_QUARTER_MS = 900_000


def day_of(zone: str | None, at: int) -> Window:
    """Return the day that an instant (ms since the epoch) falls in."""
    day = _near(zone, at // _QUARTER_MS)
    return day if day.start <= at < day.end else _day(zone, at)


@lru_cache(maxsize=10_000)
def _near(zone: str | None, quarter: int) -> Window:
    """Return the day of the beginning of a quarter of an hour: days of our time change only there."""
    return _day(zone, quarter * _QUARTER_MS)


def _day(zone: str | None, at: int) -> Window:
    rules = _rules(zone)
    today = datetime.fromtimestamp(at / 1000, rules).date()
    # Where clocks go back over midnight, an hour of yesterday comes after the first instant of today.
    while at >= (end := _midnight(today + timedelta(days=1), rules)):
        today += timedelta(days=1)
    return Window(DAY, _midnight(today, rules), end)


def _midnight(day: date, rules: tzinfo) -> int:
    """Return the first instant of a day; where midnight is skipped, the instant of the change."""
    return round(datetime.combine(day, time(), rules).timestamp()) * 1000


@cache
def _rules(zone: str | None) -> tzinfo:
    if zone is None or zone not in _names():
        return UTC
    with resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=zone)


@cache
def _names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
