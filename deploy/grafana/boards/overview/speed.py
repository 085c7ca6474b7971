"""The second row of the overview: rates, and when the work ends."""

from deploy.grafana.layout import line, row
from deploy.grafana.panels import Panel

_RECEIVED = "sum(rate(sirenade_rows_written_total[5m]))"

SPEED = row(
    20,
    "How fast, and until when?",
    line(
        8,
        Panel(
            21,
            "Rows written",
            "Establishments a second by what became of them. Unchanged ones cost the"
            " least: their digest is known.",
            "rowsps",
            {
                "{{outcome}}": (
                    "sum by (outcome) (rate(sirenade_rows_written_total[$__rate_interval]))"
                )
            },
            stacked=True,
        ),
        Panel(
            22,
            "Requests to INSEE",
            "Requests of the last 60 s in all replicas, the limit, and the answers 429."
            " The first stays below the second at any moment.",
            "reqpm",
            {
                "used": "max(sirenade_quota_used_requests)",
                "limit": "max(sirenade_quota_limit_requests)",
                "answers 429": "sum(increase(sirenade_insee_throttled_total[1m]))",
            },
        ),
    ),
    line(
        4,
        Panel(
            23,
            "Rows left, all open runs",
            "Rows that open runs have to bring, as far as INSEE told totals.",
            "short",
            {"": ("max(sirenade_import_expected_rows) - max(sirenade_import_received_rows)")},
            kind="stat",
        ),
        Panel(
            24,
            "Rows left today",
            "Rows that open runs have to bring until midnight. A daily import counts the rest"
            " of its share.",
            "short",
            {"": "max(sirenade_import_left_today_rows)"},
            kind="stat",
        ),
        Panel(
            25,
            "Today is done in",
            "Rows left today, at the rate of the last five minutes, beside what is left"
            " of the day in France.",
            "s",
            {
                "done": f"max(sirenade_import_left_today_rows) / ({_RECEIVED} > 0)",
                "midnight": "max(sirenade_day_end_timestamp_seconds) - time()",
            },
            kind="stat",
            decimals=1,
        ),
        Panel(
            26,
            "Days left of daily imports",
            "Rows left over the rows that a day may bring.",
            "d",
            {
                "": (
                    "(max(sirenade_import_expected_rows)"
                    " - max(sirenade_import_received_rows))"
                    " / (max(sirenade_import_day_share_rows) > 0)"
                )
            },
            kind="stat",
            decimals=1,
            nothing="none is open",
        ),
    ),
    line(
        8,
        Panel(
            27,
            "Messages that wait",
            "Messages in each queue, with those that a consumer has. Slices stay below"
            " the depth at which the fetcher waits; delay queues hold what comes later.",
            "short",
            {
                "{{queue}}": "sum by (queue) "
                '(rabbitmq_detailed_queue_messages{queue!~".*delay.*"})',
                "delayed": 'sum(rabbitmq_detailed_queue_messages{queue=~".*delay.*"})',
            },
        ),
        Panel(
            28,
            "Age of a message at its run, p95",
            "From the first publication to the run, by actor. It grows where an actor is"
            " too slow: scale its service.",
            "s",
            {
                "{{actor}}": (
                    "histogram_quantile(0.95, sum by (le, actor)"
                    " (rate(sirenade_message_wait_seconds_bucket[$__rate_interval])))"
                )
            },
        ),
    ),
)
