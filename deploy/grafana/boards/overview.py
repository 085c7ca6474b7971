"""The first dashboard: does it work, how fast, until when, and what does it cost."""

from deploy.grafana.layout import Board, Row
from deploy.grafana.panels import (
    NONE_IS_BAD,
    NONE_IS_GOOD,
    YES_NO,
    bars,
    gauge,
    graph,
    green_to,
    stat,
)
from deploy.grafana.queries import ALL_SERVICES, RATE, per_minute, quantile
from deploy.runbooks import BOARD as RUNBOOK_BOARD

# Rows of a day at the public quota of 30 requests a minute.
_ROWS_A_DAY = 35_000
_HOUR_SECONDS = 3600
_RECEIVED = "sum(rate(sirenade_rows_written_total[5m]))"

_FIRES = 'ALERTS{alertstate="firing"}'
_MOVED = (
    "sum(increase(sirenade_rows_written_total[5m]))"
    " + (sum(increase(sirenade_avis_reviewed_total[5m])) or vector(0))"
)
_MOVED_NOW = (
    "sum(increase(sirenade_rows_written_total[1m])) > 0"
    " or sum(increase(sirenade_avis_reviewed_total[1m])) > 0"
)
_OPEN = 'sum(max by (status) (sirenade_import_runs{status=~"pending|running"}))'
_MOTIONS = {"0": ("idle", "blue"), "1": ("stalled", "red"), "2": ("moving", "green")}

_WORK = (
    Row(1, "Does it work?")
    .line(
        stat(13, "Now", "none", width=4, words=_MOTIONS).shows(
            "Moving: rows or texts were stored in the last five minutes. Stalled: a run is open,"
            " and none was. Idle: nothing is ordered.",
            f"clamp_max(2 * ({_MOVED} > bool 0) + ({_OPEN} > bool 0), 2)",
            nothing="unknown",
        ),
        stat(16, "Moved last", "s", width=4, decimals=0).shows(
            "Time since a row or a text was stored, within the last six hours.",
            f"time() - max_over_time((({_MOVED_NOW}) * 0 + time())[6h:1m])",
            nothing="not in 6 hours",
        ),
        bars(
            14,
            "Alerts that fire",
            "none",
            width=7,
            levels=NONE_IS_GOOD,
            leads_to=f"/d/{RUNBOOK_BOARD}?viewPanel=${{__field.labels.runbook_panel}}",
        ).shows(
            "Each alert that fires now: a click on it leads to its runbook.",
            {
                "{{alertname}}": f"count by (alertname, runbook_panel) ({_FIRES})"
                ' or label_replace(vector(0), "alertname", "none", "", "")'
                f" unless on () count({_FIRES})"
            },
        ),
        graph(15, "Answers of INSEE", "reqpm", width=9, stacked=True).shows(
            "Requests to INSEE by what came of them. Anything but ok for long is an outage, or a"
            " key that is refused.",
            {"{{outcome}}": per_minute("sirenade_insee_requests_total", "outcome")},
        ),
        height=6,
    )
    .line(
        stat(2, "Replicas that answer", "none", width=5, levels=NONE_IS_BAD).shows(
            "Processes of each service whose /metrics answered at the last scrape."
            " While none of a service answers, its work stands still, and nothing is lost.",
            {"{{service}}": f"sum by (service) (up{ALL_SERVICES})"},
        ),
        stat(3, "Open runs", "none", width=4).shows(
            "Imports that were ordered and are not complete.",
            _OPEN,
        ),
        stat(4, "Dead letters", "none", width=3, levels=NONE_IS_GOOD).shows(
            "Messages that no actor could handle, archived and not replayed yet:"
            " ./sirenade dead-letters list.",
            "max(sirenade_dead_letters_waiting)",
        ),
        stat(5, "Failed items", "none", width=3, levels=green_to(1, 100)).shows(
            "Records and texts that failed and are not resolved: ./sirenade failed list."
            " A schedule tries them again.",
            "sum(max by (kind) (sirenade_failed_items_open))",
        ),
        stat(6, "Certificate gap", "none", width=3, levels=NONE_IS_GOOD).shows(
            "Establishments missing, surplus or altered by the latest certificate of each scope.",
            "sum(max by (side) (sirenade_certificate_gap_establishments))",
        ),
        stat(12, "Turns overdue", "none", width=3, levels=NONE_IS_GOOD).shows(
            "Periods of the register that began more than a day ago, and that pages and texts"
            " do not show yet: a writer turns them within minutes.",
            "max(sirenade_turns_overdue)",
        ),
        stat(7, "Totals are read", "none", width=3, levels=NONE_IS_BAD, words=YES_NO).shows(
            "Whether the operator can read the totals from PostgreSQL. While it cannot,"
            " the panels that show totals are empty rather than wrong.",
            "min(sirenade_exporter_up)",
        ),
        height=4,
    )
    .line(
        gauge(
            8,
            "Rows of today",
            "short",
            most=_ROWS_A_DAY,
            levels=((None, "orange"), (_ROWS_A_DAY * 0.5, "yellow"), (_ROWS_A_DAY, "green")),
        ).shows(
            "Establishments that the requests since midnight in France brought and"
            " wrote, against the 35 000 that a day is meant to bring.",
            "max(sirenade_import_today_rows)",
        ),
        gauge(
            9,
            "Quota in use",
            "percentunit",
            most=1,
            levels=((None, "blue"), (0.5, "green"), (1.001, "red")),
        ).shows(
            "Requests of the last 60 s over those that the quota allows. Well below 1"
            " while pages wait is a fault; above 1 is impossible.",
            "max(sirenade_quota_used_requests) / max(sirenade_quota_limit_requests)",
        ),
        stat(
            10,
            "Freshness",
            "s",
            levels=green_to(36 * _HOUR_SECONDS, 84 * _HOUR_SECONDS),
            decimals=1,
        ).shows(
            "Time since INSEE treated what both collections are complete up to. INSEE"
            " publishes no treatment on Sundays and holidays.",
            {"{{collection}}": "max by (collection) (sirenade_freshness_age_seconds)"},
            nothing="unknown",
        ),
        stat(11, "Dead letters and retries", "none", decimals=0, levels=green_to(10, 100)).shows(
            "Attempts of messages that come again, and messages that were given up,"
            " in the last hour.",
            {
                "retried": 'sum(increase(sirenade_messages_total{outcome="retried"}[1h]))',
                "rejected": 'sum(increase(sirenade_messages_total{outcome="rejected"}[1h]))',
                "pages sent again": "sum(increase(sirenade_pages_resent_total[1h]))",
            },
        ),
        height=6,
    )
)

_SPEED = (
    Row(20, "How fast, and until when?")
    .line(
        graph(21, "Rows written", "rowsps", stacked=True).shows(
            "Establishments a second by what became of them. Unchanged ones cost the"
            " least: their digest is known.",
            {"{{outcome}}": f"sum by (outcome) (rate(sirenade_rows_written_total[{RATE}]))"},
        ),
        graph(22, "Requests to INSEE", "reqpm").shows(
            "Requests of the last 60 s in all replicas, the limit, and the answers 429."
            " The first stays below the second at any moment.",
            {
                "used": "max(sirenade_quota_used_requests)",
                "limit": "max(sirenade_quota_limit_requests)",
                "answers 429": "sum(increase(sirenade_insee_throttled_total[1m]))",
            },
        ),
    )
    .line(
        stat(23, "Rows left, all open runs", "short").shows(
            "Rows that open runs have to bring, as far as INSEE told totals.",
            "max(sirenade_import_expected_rows) - max(sirenade_import_received_rows)",
        ),
        stat(24, "Rows left today", "short").shows(
            "Rows that open runs have to bring until midnight. A daily import counts the rest"
            " of its share.",
            "max(sirenade_import_left_today_rows)",
        ),
        stat(25, "Today is done in", "s", decimals=1).shows(
            "Rows left today, at the rate of the last five minutes, beside what is left"
            " of the day in France.",
            {
                "done": f"max(sirenade_import_left_today_rows) / ({_RECEIVED} > 0)",
                "midnight": "max(sirenade_day_end_timestamp_seconds) - time()",
            },
        ),
        stat(26, "Days left of daily imports", "d", decimals=1).shows(
            "Rows left over the rows that a day may bring.",
            "(max(sirenade_import_expected_rows)"
            " - max(sirenade_import_received_rows))"
            " / (max(sirenade_import_day_share_rows) > 0)",
            nothing="none is open",
        ),
        height=4,
    )
    .line(
        graph(27, "Messages that wait", "short").shows(
            "Messages in each queue, with those that a consumer has. Slices stay below"
            " the depth at which the fetcher waits; delay queues hold what comes later.",
            {
                "{{queue}}": "sum by (queue) "
                '(rabbitmq_detailed_queue_messages{queue!~".*delay.*"})',
                "delayed": 'sum(rabbitmq_detailed_queue_messages{queue=~".*delay.*"})',
            },
        ),
        graph(28, "Age of a message at its run, p95", "s").shows(
            "From the first publication to the run, by actor. It grows where an actor is"
            " too slow: scale its service.",
            {"{{actor}}": quantile(0.95, "sirenade_message_wait_seconds", "actor")},
        ),
    )
)

_TEXTS = (
    Row(40, "Texts, and what they cost")
    .line(
        bars(41, "Avis", "short", width=6).shows(
            "All avis by outcome.",
            {"{{outcome}}": "sum by (outcome) (max by (kind, outcome) (sirenade_avis)) > 0"},
        ),
        graph(42, "Avis reviewed", "cpm", width=10, stacked=True).shows(
            "Avis a minute by outcome.",
            {"{{outcome}}": per_minute("sirenade_avis_reviewed_total", "outcome")},
        ),
        stat(43, "Spent", "currencyEUR", width=4, decimals=2).shows(
            "Cost of all texts.", "max(sirenade_budget_spent_euros)"
        ),
        gauge(44, "Budget in use", "percentunit", width=4, most=1, levels=green_to(0.8, 1)).shows(
            "Spent and set aside over the cap. At 1 the texts pause; nothing is lost."
            " Empty where there is no cap, or one of zero.",
            "(max(sirenade_budget_spent_euros)"
            " + max(sirenade_budget_reserved_euros))"
            " / (max(sirenade_budget_cap_euros) > 0)",
            nothing="no cap",
        ),
    )
    .line(
        bars(
            45,
            "Since a job was last done",
            "s",
            width=12,
            levels=green_to(26 * _HOUR_SECONDS),
            decimals=1,
        ).shows(
            "Time since each scheduled job succeeded: ./sirenade schedule says more.",
            {"{{name}}": "time() - max by (name) (sirenade_job_last_success_timestamp_seconds)"},
        ),
        stat(46, "Database", "bytes", width=6, decimals=1).shows(
            "Size of all databases on disk.", "max(sirenade_database_bytes)"
        ),
        stat(47, "Register", "short", width=6).shows(
            "Rows, as PostgreSQL estimates them.",
            {"{{table}}": "max by (table) (sirenade_register_rows)"},
        ),
        height=6,
    )
)

OVERVIEW = Board(
    "Overview",
    "Does it work, how fast, until when, and what does it cost.",
    (_WORK, _SPEED, _TEXTS),
)
