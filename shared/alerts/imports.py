"""The import: its pace, its completeness and its age."""

from collections.abc import Iterator

from shared.alerts.condition import ConditionFacts, severities
from shared.days import FRANCE
from shared.terminal.words import thousands

_STILL_SECONDS = 300.0
# A day's treatments are published in the next morning: 36 hours are a day too many. INSEE treats
# nothing on Sundays: until Tuesday's delta the last treatment may be Friday's.
_FRESH_HOURS = 36
# The restart of a gateway takes less. With a scrape and an evaluation it is named within 3 minutes.
_FAILING_SECONDS = 90
_FAILURES = "refused|unavailable|malformed|no_answer"
_MORE_HOURS_BY_WEEKDAY = {6: 24, 0: 48, 1: 48}


def _stalled(facts: ConditionFacts) -> Iterator[str]:
    quiet_seconds = facts.last_request_seconds or 0.0
    if facts.unplanned_runs:
        yield "An import waits to be planned: does a fetcher run?"
    elif facts.waiting_pages and not facts.quota_pause_seconds and quiet_seconds > _STILL_SECONDS:
        yield (
            f"{thousands(facts.waiting_pages)} pages wait, and the last request left "
            f"{_minutes(quiet_seconds)} ago: do a fetcher and a writer run?"
        )
    elif facts.left_today_rows and facts.still_seconds > _STILL_SECONDS:
        yield f"An import is open, and no row has come for {_minutes(facts.still_seconds)}."


def _throttled(facts: ConditionFacts) -> Iterator[str]:
    if facts.throttled_15_minutes:
        yield f"INSEE answered 429 in the last 15 minutes: {facts.throttled_15_minutes} times."


def _certificate_gap(facts: ConditionFacts) -> Iterator[str]:
    for side, count in facts.certificate_gap.items():
        if count:
            yield f"{thousands(count)} establishments are {side}, by the latest certificates."


def _unknown_codes(facts: ConditionFacts) -> Iterator[str]:
    for field, count in facts.unknown_codes.items():
        if count:
            yield f"INSEE sends {thousands(count)} unknown codes in {field}: ./sirenade stats"


def _turns_overdue(facts: ConditionFacts) -> Iterator[str]:
    if facts.turns_overdue:
        yield f"{thousands(facts.turns_overdue)} periods began days ago and hold nowhere yet."


def _not_fresh(facts: ConditionFacts) -> Iterator[str]:
    weekday = facts.at.astimezone(FRANCE).weekday()
    fresh_hours = _FRESH_HOURS + _MORE_HOURS_BY_WEEKDAY.get(weekday, 0)
    for collection, age_seconds in facts.freshness_seconds.items():
        if age_seconds > fresh_hours * 3600:
            yield f"The {collection} are {age_seconds / 3600:.0f} h behind INSEE."


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"


def _fresh_seconds() -> str:
    """Return PromQL for the age from which a collection is late; its weeks begin on Sunday."""
    more = "".join(
        f"\n    + {hours} * (day_of_week() == bool {(weekday + 1) % 7})"
        for weekday, hours in _MORE_HOURS_BY_WEEKDAY.items()
    )
    return f"3600 * scalar({_FRESH_HOURS}{more})"


def _unmeasured(facts: ConditionFacts) -> Iterator[str]:
    if facts.stale_because is not None:
        yield f"{facts.stale_because[0].upper()}{facts.stale_because[1:]}."


def _no_good_answer(outcomes: str) -> str:
    """Return PromQL for the time without a good answer, where the last bad one was of these.

    One bad answer after which nobody asks again is no outage. Pages ask every 5 minutes at least.
    """
    answers = "sirenade_insee_requests_total"
    return f"""
            max by (outcome) (time()
              - (sirenade_insee_failing_timestamp_seconds{{outcome=~"{outcomes}"}} > 0))
              > {_FAILING_SECONDS}
            and on ()
              sum(increase({answers}{{outcome=~"{_FAILURES}"}}[10m])) >= 2
            unless on ()
              sum(increase({answers}{{outcome=~"ok|empty"}}[90s])) > 0
        """


critical, warning = severities("sirenade-overview")

CONDITIONS = (
    # Work goes on by itself.
    warning(
        "SirenadeInseeDown",
        expression=_no_good_answer("unavailable|malformed|no_answer"),
        summary="INSEE has given no good answer ({{ $labels.outcome }}) for"
        " {{ $value | humanizeDuration }}.",
    ),
    critical(
        "SirenadeInseeRefuses",
        expression=_no_good_answer("refused"),
        summary="INSEE has refused the key for {{ $value | humanizeDuration }}.",
    ),
    # A child appears at zero with its process, so that the first 429 is an increase.
    warning(
        "SirenadeThrottled",
        expression="sum by (cause) (increase(sirenade_insee_throttled_total[15m])) > 0",
        summary="INSEE answered 429 (limit: {{ $labels.cause }}) in the last 15 minutes.",
        faults=_throttled,
    ),
    warning(
        "SirenadeQuotaIdle",
        expression="""
            (max(avg_over_time(sirenade_quota_used_requests[15m]))
              / (max(sirenade_quota_limit_requests) * max(sirenade_quota_share_ratio))) < 0.5
            and max(min_over_time(sirenade_import_waiting_pages[15m])) > 0
            unless max(max_over_time(sirenade_quota_pause_seconds[15m])) > 0
        """,
        hold="5m",
        summary="Pages wait, and {{ $value | humanizePercentage }} of the quota is in use.",
    ),
    # The second half is a run that no fetcher plans: a delta may wait 4 hours for INSEE.
    critical(
        "SirenadeImportStalled",
        expression="""
            max(changes(sirenade_import_received_rows[15m])) == 0
              and max(min_over_time(sirenade_import_left_today_rows[15m])) > 0
            or
            time() - max(sirenade_import_last_order_timestamp_seconds) > 5 * 3600
              and max(sirenade_import_runs{status="pending"})
                > max(sirenade_import_paused_runs{status="pending"} or vector(0))
              and max(sirenade_import_runs{status="running"})
                <= max(sirenade_import_paused_runs{status="running"} or vector(0))
        """,
        hold="15m",
        summary="An import is open, and no row has come for half an hour.",
        faults=_stalled,
    ),
    # Daily imports only: the whole register takes longer than a day, and may.
    warning(
        "SirenadeImportLate",
        expression="""
            max(sirenade_import_left_today_rows) / sum(rate(sirenade_rows_written_total[30m]))
              > max(sirenade_day_end_timestamp_seconds) - time()
            and max(sirenade_import_day_share_rows) > 0
        """,
        hold="30m",
        summary="Today's rows take {{ $value | humanizeDuration }} more: midnight is sooner.",
    ),
    warning(
        "SirenadeNotFresh",
        expression=f"max by (collection) (sirenade_freshness_age_seconds)\n  > {_fresh_seconds()}",
        hold="30m",
        summary="The {{ $labels.collection }} are {{ $value | humanizeDuration }} behind INSEE.",
        faults=_not_fresh,
    ),
    # An import that runs may still bring it. A sample of a day is nobody's register.
    warning(
        "SirenadeFreshnessUnmeasured",
        expression="max(sirenade_freshness_unmeasured) == 1",
        hold="1d",
        summary="Nothing says how fresh the register is, and nothing refreshes it.",
        faults=_unmeasured,
    ),
    critical(
        "SirenadeCertificateGap",
        expression="max by (side) (sirenade_certificate_gap_establishments) > 0",
        hold="30m",
        summary="{{ $value }} establishments are {{ $labels.side }}, by the latest certificates.",
        faults=_certificate_gap,
    ),
    # A gauge of PostgreSQL: it outlives the writer that saw the code.
    warning(
        "SirenadeUnknownCodes",
        expression="max by (field) (sirenade_unknown_codes) > 0",
        hold="5m",
        summary="INSEE sends {{ $value }} unknown codes in {{ $labels.field }}.",
        faults=_unknown_codes,
    ),
    # A writer that was away for days needs minutes.
    warning(
        "SirenadeTurnsOverdue",
        expression="max(sirenade_turns_overdue) > 0",
        hold="1h",
        summary="{{ $value }} periods began more than a day ago and hold nowhere yet.",
        faults=_turns_overdue,
    ),
    # The retries of every 15 minutes resolve what failed for a moment.
    warning(
        "SirenadeFailedItemsGrowing",
        expression="""
            max by (kind) (sirenade_failed_items_open)
              - max by (kind) (sirenade_failed_items_open offset 1h) >= 10
        """,
        hold="20m",
        summary="{{ $value }} more failed items ({{ $labels.kind }}) than an hour ago.",
    ),
)
