"""Texts: rejections, chat servers and their budget, texts that wait for a person, the sweep."""

from collections.abc import Iterator

from shared.alerts.condition import ConditionFacts, severities
from shared.terminal.words import thousands

# It covers a weekend, from Friday's evening to Monday's morning.
_HELD_HOURS = 72
# A sweep begins each day; of the whole register it takes hours.
_UNSWEPT_HOURS = 72
# A provider's limit for a minute is over by then: that of a day or of an account is reached.
_THROTTLED_SECONDS = 900
_BUDGET_REACHED = "The budget for texts is reached, and no text is begun."


def _budget_reached(facts: ConditionFacts) -> Iterator[str]:
    if facts.budget_is_reached:
        yield _BUDGET_REACHED


def _throttled(facts: ConditionFacts) -> Iterator[str]:
    for provider, seconds in facts.throttled_seconds.items():
        if seconds > _THROTTLED_SECONDS:
            yield f"{provider} has answered nothing but 429 for {seconds / 60:.0f} min: texts wait."


def _held(facts: ConditionFacts) -> Iterator[str]:
    if facts.held_seconds > _HELD_HOURS * 3600:
        yield (
            f"{thousands(facts.held_texts)} texts wait for a person, the oldest for "
            f"{facts.held_seconds / 3600:.0f} h: ./sirenade avis held"
        )


def _unswept(facts: ConditionFacts) -> Iterator[str]:
    if facts.unswept_seconds > _UNSWEPT_HOURS * 3600:
        yield (
            "Nobody has looked for texts of another context for "
            f"{facts.unswept_seconds / 3600:.0f} h: ./sirenade avis sweep"
        )


critical, warning = severities("sirenade-reviewer")

CONDITIONS = (
    # Health and loops say nothing of it: each relay that waits thinks that another one works.
    critical(
        "SirenadeTextsUnpublished",
        expression="""
            max(sirenade_avis_unpublished) > 0
            unless on () max(sirenade_budget_paused) == 1
        """,
        hold="5m",
        summary="Texts are due, none is on its way, and nobody publishes any.",
    ),
    # 50 texts at least: one rejection in a handful is more than 5 %.
    warning(
        "SirenadeRejectionRate",
        expression="""
            sum(increase(sirenade_avis_reviewed_total{outcome="rejected"}[1h]))
              / (sum(increase(sirenade_avis_reviewed_total{outcome=~"accepted|rejected"}[1h]))
                >= 50)
              > 0.05
        """,
        hold="10m",
        summary="{{ $value | humanizePercentage }} of the last hour's texts were rejected.",
    ),
    # Attempts of the template cost nothing. The rule above tells of rejected texts.
    warning(
        "SirenadeRejectionReason",
        expression="""
            sum by (reason) (increase(sirenade_avis_rejections_total[1h]))
              / on () group_left ()
              (sum(increase(sirenade_avis_attempt_seconds_count[1h])) >= 50)
              > 0.05
            and on () max(delta(sirenade_provider_calls[1h])) > 0
        """,
        hold="10m",
        summary="{{ $value | humanizePercentage }} of the attempts fail for {{ $labels.reason }}.",
    ),
    # State 1 is a call that probes the server: out of use until that call succeeds.
    warning(
        "SirenadeProviderCircuitOpen",
        expression="max by (provider) (sirenade_circuit_state) > 0",
        hold="5m",
        summary="The chat server {{ $labels.provider }} is out of use after failures in a row.",
    ),
    # It stays above 0 until a text finds out that the server is worth its price.
    warning(
        "SirenadeProviderDoubted",
        expression="max by (provider) (sirenade_trust_state) > 0",
        hold="1m",
        summary="The chat server {{ $labels.provider }} is doubted: its texts were all refused,"
        " or it bills too much.",
    ),
    # It vanishes with the first other answer.
    warning(
        "SirenadeProviderThrottled",
        expression=f"""
            time() - min by (provider) (sirenade_provider_throttled_timestamp_seconds)
              > {_THROTTLED_SECONDS}
        """,
        hold="1m",
        summary="The chat server {{ $labels.provider }} has answered nothing but 429"
        " for {{ $value | humanizeDuration }}.",
        faults=_throttled,
    ),
    warning(
        "SirenadeBudgetNearlySpent",
        expression="""
            (max(sirenade_budget_spent_euros) + max(sirenade_budget_reserved_euros))
              / (max(sirenade_budget_cap_euros) > 0) >= 0.8
        """,
        hold="5m",
        summary="{{ $value | humanizePercentage }} of the budget for texts is spent or set aside.",
    ),
    critical(
        "SirenadeBudgetReached",
        # A priced provider waits at a cap of zero until a person names one.
        expression="""
            max(sirenade_budget_paused{reason="cap"}) == 1
            and max(sirenade_budget_cap_euros) > 0
        """,
        summary=_BUDGET_REACHED,
        faults=_budget_reached,
    ),
    # It vanishes while no text is held.
    warning(
        "SirenadeTextsHeld",
        expression=f"""
            time() - min(sirenade_avis_oldest_held_timestamp_seconds) > {_HELD_HOURS} * 3600
        """,
        hold="30m",
        summary="Texts wait for a person, the oldest for {{ $value | humanizeDuration }}.",
        faults=_held,
    ),
    warning(
        "SirenadeSweepLate",
        expression=f"""
            time() - min(sirenade_sweep_last_end_timestamp_seconds) > {_UNSWEPT_HOURS} * 3600
        """,
        hold="30m",
        summary="No sweep of the texts' contexts has ended for {{ $value | humanizeDuration }}.",
        faults=_unswept,
    ),
)
