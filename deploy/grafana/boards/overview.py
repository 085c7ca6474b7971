"""Does it work, how fast, until when, and what does it cost."""

from deploy.grafana.layout import Board, Line, Row
from deploy.grafana.panels import NONE_IS_GOOD, PLAIN, Levels, Panel, Query

# What a day brings at the public quota of 30 requests a minute.
ROWS_A_DAY = 35_000
_HOUR_SECONDS = 3600

_RECEIVED = "sum(rate(sirenade_rows_written_total[5m]))"

_WORKING = Row(
    1,
    "Does it work?",
    [
        Line(
            4,
            [
                Panel(
                    2,
                    8,
                    "Replicas that answer",
                    "Processes of each service whose /metrics answered at the last scrape."
                    " None of one service: its work stands still, and nothing is lost.",
                    "none",
                    [
                        Query(
                            'sum by (service) (up{service=~"fetcher|writer|reviewer|operator"})',
                            "{{service}}",
                        )
                    ],
                    kind="stat",
                    levels=Levels(((None, "red"), (1, "green"))),
                ),
                Panel(
                    3,
                    4,
                    "Open runs",
                    "Imports that were ordered and are not complete.",
                    "none",
                    [
                        Query(
                            'sum(max by (status) (sirenade_import_runs{status=~"pending|running"}))'
                        )
                    ],
                    kind="stat",
                ),
                Panel(
                    4,
                    3,
                    "Dead letters",
                    "Messages that nobody could work on, archived and not replayed yet:"
                    " ./sirenade dead-letters list.",
                    "none",
                    [Query("max(sirenade_dead_letters_waiting)")],
                    kind="stat",
                    levels=NONE_IS_GOOD,
                ),
                Panel(
                    5,
                    3,
                    "Failed items",
                    "Records and texts that failed and are not resolved: ./sirenade failed list."
                    " A schedule tries them again.",
                    "none",
                    [Query("sum(max by (kind) (sirenade_failed_items_open))")],
                    kind="stat",
                    levels=Levels(((None, "green"), (1, "orange"), (100, "red"))),
                ),
                Panel(
                    6,
                    3,
                    "Certificate gap",
                    "Establishments missing or surplus by the latest certificate of each scope.",
                    "none",
                    [Query("sum(max by (side) (sirenade_certificate_gap_establishments))")],
                    kind="stat",
                    levels=NONE_IS_GOOD,
                ),
                Panel(
                    7,
                    3,
                    "Totals are read",
                    "Whether the operator can read the totals from PostgreSQL. While it cannot,"
                    " the panels that show totals are empty rather than wrong.",
                    "none",
                    [Query("min(sirenade_exporter_up)")],
                    kind="stat",
                    levels=Levels(((None, "red"), (1, "green"))),
                    words={"0": ("no", "red"), "1": ("yes", "green")},
                ),
            ],
        ),
        Line(
            6,
            [
                Panel(
                    8,
                    6,
                    "Rows of today",
                    "Establishments that the requests since midnight in France brought and"
                    " wrote, against the 35 000 that a day is meant to bring.",
                    "short",
                    [Query("max(sirenade_import_today_rows)")],
                    kind="gauge",
                    most=ROWS_A_DAY,
                    levels=Levels(
                        ((None, "orange"), (ROWS_A_DAY * 0.5, "yellow"), (ROWS_A_DAY, "green"))
                    ),
                ),
                Panel(
                    9,
                    6,
                    "Quota in use",
                    "Requests of the last 60 s over those that the quota allows. Well below 1"
                    " while pages wait is a fault; above 1 it cannot be.",
                    "percentunit",
                    [
                        Query(
                            "max(sirenade_quota_used_requests) / max(sirenade_quota_limit_requests)"
                        )
                    ],
                    kind="gauge",
                    most=1,
                    levels=Levels(((None, "blue"), (0.5, "green"), (1.001, "red"))),
                ),
                Panel(
                    10,
                    6,
                    "Freshness",
                    "Time since INSEE treated what both collections are complete up to. INSEE"
                    " publishes no treatment on Sundays and holidays.",
                    "s",
                    [
                        Query(
                            "max by (collection) (sirenade_freshness_age_seconds)", "{{collection}}"
                        )
                    ],
                    kind="stat",
                    levels=Levels(
                        (
                            (None, "green"),
                            (36 * _HOUR_SECONDS, "orange"),
                            (84 * _HOUR_SECONDS, "red"),
                        )
                    ),
                    nothing="unknown",
                    decimals=1,
                ),
                Panel(
                    11,
                    6,
                    "Dead letters and retries",
                    "Attempts of messages that come again, and messages that were given up,"
                    " in the last hour.",
                    "none",
                    [
                        Query(
                            'sum(increase(sirenade_messages_total{outcome="retried"}[1h]))',
                            "retried",
                        ),
                        Query(
                            'sum(increase(sirenade_messages_total{outcome="rejected"}[1h]))',
                            "rejected",
                        ),
                        Query("sum(increase(sirenade_pages_resent_total[1h]))", "pages sent again"),
                    ],
                    kind="stat",
                    decimals=0,
                    levels=Levels(((None, "green"), (10, "orange"), (100, "red"))),
                ),
            ],
        ),
    ],
)

_SPEED = Row(
    20,
    "How fast, and until when?",
    [
        Line(
            8,
            [
                Panel(
                    21,
                    12,
                    "Rows written",
                    "Establishments a second by what became of them. Unchanged ones cost the"
                    " least: their digest is known.",
                    "rowsps",
                    [
                        Query(
                            "sum by (outcome)"
                            " (rate(sirenade_rows_written_total[$__rate_interval]))",
                            "{{outcome}}",
                        )
                    ],
                    stacked=True,
                ),
                Panel(
                    22,
                    12,
                    "Requests to INSEE",
                    "Requests of the last 60 s in all replicas, the limit, and the answers 429."
                    " The first stays below the second at any moment.",
                    "reqpm",
                    [
                        Query("max(sirenade_quota_used_requests)", "used"),
                        Query("max(sirenade_quota_limit_requests)", "limit"),
                        Query("sum(increase(sirenade_insee_throttled_total[1m]))", "answers 429"),
                    ],
                ),
            ],
        ),
        Line(
            4,
            [
                Panel(
                    23,
                    6,
                    "Rows left, all open runs",
                    "What INSEE said that the open runs hold, without what they have brought.",
                    "short",
                    [
                        Query(
                            "max(sirenade_import_expected_rows)"
                            " - max(sirenade_import_received_rows)"
                        )
                    ],
                    kind="stat",
                ),
                Panel(
                    24,
                    6,
                    "Rows left today",
                    "What open runs have to bring until midnight: of a daily import what is left"
                    " of its share.",
                    "short",
                    [Query("max(sirenade_import_left_today_rows)")],
                    kind="stat",
                ),
                Panel(
                    25,
                    6,
                    "Today is done in",
                    "Rows left today, at the rate of the last five minutes. Red: not before"
                    " midnight.",
                    "s",
                    [Query(f"max(sirenade_import_left_today_rows) / ({_RECEIVED} > 0)")],
                    kind="stat",
                    decimals=1,
                    nothing="at rest",
                    levels=Levels(((None, "green"), (24 * _HOUR_SECONDS, "red"))),
                ),
                Panel(
                    26,
                    6,
                    "Days left of daily imports",
                    "Rows left over the rows that a day may bring.",
                    "d",
                    [
                        Query(
                            "(max(sirenade_import_expected_rows)"
                            " - max(sirenade_import_received_rows))"
                            " / (max(sirenade_import_day_share_rows) > 0)"
                        )
                    ],
                    kind="stat",
                    decimals=1,
                    nothing="none is open",
                ),
            ],
        ),
        Line(
            8,
            [
                Panel(
                    27,
                    12,
                    "Messages that wait",
                    "Messages in each queue, those with a consumer included. Slices stay below"
                    " the depth at which the fetcher waits; delay queues hold what comes later.",
                    "short",
                    [
                        Query(
                            'sum by (queue) (rabbitmq_detailed_queue_messages{queue!~".*delay.*"})',
                            "{{queue}}",
                        ),
                        Query(
                            'sum(rabbitmq_detailed_queue_messages{queue=~".*delay.*"})',
                            "to come later",
                        ),
                    ],
                ),
                Panel(
                    28,
                    12,
                    "Age of a message at its run, p95",
                    "From the first publication to the run, by actor. It grows where an actor is"
                    " too slow: scale its service.",
                    "s",
                    [
                        Query(
                            "histogram_quantile(0.95, sum by (le, actor)"
                            " (rate(sirenade_message_wait_seconds_bucket[$__rate_interval])))",
                            "{{actor}}",
                        )
                    ],
                ),
            ],
        ),
    ],
)

_TEXTS = Row(
    40,
    "Texts, and what they cost",
    [
        Line(
            8,
            [
                Panel(
                    41,
                    6,
                    "Avis",
                    "Avis by what became of them, of all time.",
                    "short",
                    [
                        Query(
                            "sum by (outcome) (max by (kind, outcome) (sirenade_avis)) > 0",
                            "{{outcome}}",
                        )
                    ],
                    kind="bars",
                ),
                Panel(
                    42,
                    10,
                    "Avis reviewed",
                    "Avis a minute by what became of them.",
                    "cpm",
                    [
                        Query(
                            "sum by (outcome)"
                            " (rate(sirenade_avis_reviewed_total[$__rate_interval])) * 60",
                            "{{outcome}}",
                        )
                    ],
                    stacked=True,
                ),
                Panel(
                    43,
                    4,
                    "Spent",
                    "What texts have cost in all.",
                    "currencyEUR",
                    [Query("max(sirenade_budget_spent_euros)")],
                    kind="stat",
                    decimals=2,
                ),
                Panel(
                    44,
                    4,
                    "Budget in use",
                    "Spent and set aside over the cap. At 1 the texts pause; nothing is lost."
                    " Empty where there is no cap, or one of zero.",
                    "percentunit",
                    [
                        Query(
                            "(max(sirenade_budget_spent_euros)"
                            " + max(sirenade_budget_reserved_euros))"
                            " / (max(sirenade_budget_cap_euros) > 0)"
                        )
                    ],
                    kind="gauge",
                    most=1,
                    levels=Levels(((None, "green"), (0.8, "orange"), (1, "red"))),
                    nothing="no cap",
                ),
            ],
        ),
        Line(
            6,
            [
                Panel(
                    45,
                    12,
                    "Since a job was last done",
                    "Time since each scheduled job succeeded: ./sirenade schedule says more.",
                    "s",
                    [
                        Query(
                            "time() - max by (name) (sirenade_job_last_success_timestamp_seconds)",
                            "{{name}}",
                        )
                    ],
                    kind="bars",
                    levels=Levels(((None, "green"), (26 * _HOUR_SECONDS, "orange"))),
                    decimals=1,
                ),
                Panel(
                    46,
                    6,
                    "Database",
                    "Size of all databases on disk.",
                    "bytes",
                    [Query("max(sirenade_database_bytes)")],
                    kind="stat",
                    decimals=1,
                    levels=PLAIN,
                ),
                Panel(
                    47,
                    6,
                    "Register",
                    "Rows, as PostgreSQL estimates them.",
                    "short",
                    [Query("max by (table) (sirenade_register_rows)", "{{table}}")],
                    kind="stat",
                ),
            ],
        ),
    ],
)

OVERVIEW = Board(
    uid="sirenade-overview",
    title="Sirenade / Overview",
    text="Does it work, how fast, until when, and what does it cost.",
    rows=(_WORKING, _SPEED, _TEXTS),
)
