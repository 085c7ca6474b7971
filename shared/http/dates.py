"""Dates in headers, read by the clock of the server that wrote them: ours may be an hour off."""

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

# A server writes whole seconds, and the answer takes a moment.
_SAME_CLOCK_SECONDS = 3.0


def moment_in(headers: Mapping[str, str], name: str) -> dt.datetime | None:
    """Return the date in a header; None where there is none, or one without a zone."""
    try:
        found = parsedate_to_datetime(headers.get(name, ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else None


def our_lead_seconds(headers: Mapping[str, str]) -> float:
    """Return by how much our clock is ahead of the server's; 0 where it tells none, or the same."""
    theirs = moment_in(headers, "date")
    if theirs is None:
        return 0.0
    lead = (dt.datetime.now(dt.UTC) - theirs).total_seconds()
    return lead if abs(lead) > _SAME_CLOCK_SECONDS else 0.0
