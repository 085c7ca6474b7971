"""The first row of the overview: does it work."""

from deploy.grafana.layout import line, row
from deploy.grafana.panels import NONE_IS_GOOD, Levels, Panel

# Rows of a day at the public quota of 30 requests a minute.
ROWS_A_DAY = 35_000
_HOUR_SECONDS = 3600

WORKING = row(
    1,
    "Does it work?",
    line(
        4,
        Panel(
            2,
            "Replicas that answer",
            "Processes of each service whose /metrics answered at the last scrape."
            " While none of a service answers, its work stands still, and nothing is lost.",
            "none",
            {"{{service}}": 'sum by (service) (up{service=~"fetcher|writer|reviewer|operator"})'},
            width=8,
            kind="stat",
            levels=Levels(((None, "red"), (1, "green"))),
        ),
        Panel(
            3,
            "Open runs",
            "Imports that were ordered and are not complete.",
            "none",
            {"": 'sum(max by (status) (sirenade_import_runs{status=~"pending|running"}))'},
            width=4,
            kind="stat",
        ),
        Panel(
            4,
            "Dead letters",
            "Messages that no actor could handle, archived and not replayed yet:"
            " ./sirenade dead-letters list.",
            "none",
            {"": "max(sirenade_dead_letters_waiting)"},
            width=3,
            kind="stat",
            levels=NONE_IS_GOOD,
        ),
        Panel(
            5,
            "Failed items",
            "Records and texts that failed and are not resolved: ./sirenade failed list."
            " A schedule tries them again.",
            "none",
            {"": "sum(max by (kind) (sirenade_failed_items_open))"},
            width=3,
            kind="stat",
            levels=Levels(((None, "green"), (1, "orange"), (100, "red"))),
        ),
        Panel(
            6,
            "Certificate gap",
            "Establishments missing or surplus by the latest certificate of each scope.",
            "none",
            {"": "sum(max by (side) (sirenade_certificate_gap_establishments))"},
            width=3,
            kind="stat",
            levels=NONE_IS_GOOD,
        ),
        Panel(
            7,
            "Totals are read",
            "Whether the operator can read the totals from PostgreSQL. While it cannot,"
            " the panels that show totals are empty rather than wrong.",
            "none",
            {"": "min(sirenade_exporter_up)"},
            width=3,
            kind="stat",
            levels=Levels(((None, "red"), (1, "green"))),
            words={"0": ("no", "red"), "1": ("yes", "green")},
        ),
    ),
    line(
        6,
        Panel(
            8,
            "Rows of today",
            "Establishments that the requests since midnight in France brought and"
            " wrote, against the 35 000 that a day is meant to bring.",
            "short",
            {"": "max(sirenade_import_today_rows)"},
            kind="gauge",
            most=ROWS_A_DAY,
            levels=Levels(((None, "orange"), (ROWS_A_DAY * 0.5, "yellow"), (ROWS_A_DAY, "green"))),
        ),
        Panel(
            9,
            "Quota in use",
            "Requests of the last 60 s over those that the quota allows. Well below 1"
            " while pages wait is a fault; above 1 is impossible.",
            "percentunit",
            {"": "max(sirenade_quota_used_requests) / max(sirenade_quota_limit_requests)"},
            kind="gauge",
            most=1,
            levels=Levels(((None, "blue"), (0.5, "green"), (1.001, "red"))),
        ),
        Panel(
            10,
            "Freshness",
            "Time since INSEE treated what both collections are complete up to. INSEE"
            " publishes no treatment on Sundays and holidays.",
            "s",
            {"{{collection}}": "max by (collection) (sirenade_freshness_age_seconds)"},
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
            "Dead letters and retries",
            "Attempts of messages that come again, and messages that were given up,"
            " in the last hour.",
            "none",
            {
                "retried": 'sum(increase(sirenade_messages_total{outcome="retried"}[1h]))',
                "rejected": 'sum(increase(sirenade_messages_total{outcome="rejected"}[1h]))',
                "pages sent again": "sum(increase(sirenade_pages_resent_total[1h]))",
            },
            kind="stat",
            decimals=0,
            levels=Levels(((None, "green"), (10, "orange"), (100, "red"))),
        ),
    ),
)
