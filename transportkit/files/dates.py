"""HTTP-dates (RFC 9110, section 5.6.7), read and written."""

import email.utils
import re
from datetime import UTC, datetime
from functools import lru_cache

# Patterns are text here, which `re` compiles and keeps when they are first used: compiling them
# all would take longer than the rest of the import.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
# One form is written, and these three are read.
_HTTP_DATES = (
    rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
    rf"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
    rf"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
)


def parse_http_date(text: str, now: float) -> int | None:
    """The seconds since 1970 of an HTTP-date; None if it is not one.

    Arguments:
        text: one of the three forms.
        now: seconds since 1970; a year of two digits is at most 50 years later.

    >>> parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now=0)
    784111777
    """
    text = text.strip(" \t")
    match = next(filter(None, (re.fullmatch(form, text) for form in _HTTP_DATES)), None)
    if match is None:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        this_year = datetime.fromtimestamp(now, UTC).year
        ahead = (year - this_year) % 100
        year = this_year + (ahead if ahead <= 50 else ahead - 100)
    month = _MONTHS.index(match["month"]) + 1
    day, hour, minute, second = (int(match[part]) for part in ("day", "hour", "minute", "second"))
    if second == 60:
        # A leap second has no number of its own.
        second = 59
    try:
        date = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(date.timestamp())


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> str | None:
    """The HTTP-date of a time, in seconds since 1970; None before the year 1 and after 9999."""
    try:
        return email.utils.formatdate(seconds, usegmt=True)
    except (ValueError, OverflowError, OSError):
        return None
