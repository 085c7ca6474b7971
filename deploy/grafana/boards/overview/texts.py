"""The third row of the overview: texts and their cost, jobs and sizes."""

from deploy.grafana.layout import line, row
from deploy.grafana.panels import PLAIN, Levels, Panel

_HOUR_SECONDS = 3600

TEXTS = row(
    40,
    "Texts, and what they cost",
    line(
        8,
        Panel(
            41,
            "Avis",
            "All avis by outcome.",
            "short",
            {"{{outcome}}": "sum by (outcome) (max by (kind, outcome) (sirenade_avis)) > 0"},
            width=6,
            kind="bars",
        ),
        Panel(
            42,
            "Avis reviewed",
            "Avis a minute by outcome.",
            "cpm",
            {
                "{{outcome}}": (
                    "sum by (outcome) (rate(sirenade_avis_reviewed_total[$__rate_interval])) * 60"
                )
            },
            width=10,
            stacked=True,
        ),
        Panel(
            43,
            "Spent",
            "Cost of all texts.",
            "currencyEUR",
            {"": "max(sirenade_budget_spent_euros)"},
            width=4,
            kind="stat",
            decimals=2,
        ),
        Panel(
            44,
            "Budget in use",
            "Spent and set aside over the cap. At 1 the texts pause; nothing is lost."
            " Empty where there is no cap, or one of zero.",
            "percentunit",
            {
                "": (
                    "(max(sirenade_budget_spent_euros)"
                    " + max(sirenade_budget_reserved_euros))"
                    " / (max(sirenade_budget_cap_euros) > 0)"
                )
            },
            width=4,
            kind="gauge",
            most=1,
            levels=Levels(((None, "green"), (0.8, "orange"), (1, "red"))),
            nothing="no cap",
        ),
    ),
    line(
        6,
        Panel(
            45,
            "Since a job was last done",
            "Time since each scheduled job succeeded: ./sirenade schedule says more.",
            "s",
            {"{{name}}": "time() - max by (name) (sirenade_job_last_success_timestamp_seconds)"},
            width=12,
            kind="bars",
            levels=Levels(((None, "green"), (26 * _HOUR_SECONDS, "orange"))),
            decimals=1,
        ),
        Panel(
            46,
            "Database",
            "Size of all databases on disk.",
            "bytes",
            {"": "max(sirenade_database_bytes)"},
            width=6,
            kind="stat",
            decimals=1,
            levels=PLAIN,
        ),
        Panel(
            47,
            "Register",
            "Rows, as PostgreSQL estimates them.",
            "short",
            {"{{table}}": "max by (table) (sirenade_register_rows)"},
            width=6,
            kind="stat",
        ),
    ),
)
