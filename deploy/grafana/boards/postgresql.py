"""PostgreSQL: connections, work, cache, sizes, locks."""

from deploy.grafana.layout import Board, line, row
from deploy.grafana.panels import Levels, Panel

_RATE = "$__rate_interval"
# Excludes databases without data of Sirenade.
_OF = 'datname!~"template.*|postgres|"'

_GLANCE = row(
    1,
    "At a glance",
    line(
        4,
        Panel(
            2,
            "Answers",
            "Whether the exporter reaches the server.",
            "none",
            {"": "min(pg_up)"},
            width=4,
            kind="stat",
            levels=Levels(((None, "red"), (1, "green"))),
            words={"0": ("no", "red"), "1": ("yes", "green")},
        ),
        Panel(
            3,
            "Connections",
            "Connections of all clients over the most that the server takes.",
            "percentunit",
            {"": "sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)"},
            width=5,
            kind="gauge",
            most=1,
            levels=Levels(((None, "green"), (0.7, "orange"), (0.9, "red"))),
        ),
        Panel(
            4,
            "Size",
            "Size of all databases of Sirenade on this server.",
            "bytes",
            {"": f"sum(pg_database_size_bytes{{{_OF}}})"},
            width=5,
            kind="stat",
            decimals=1,
        ),
        Panel(
            5,
            "Read from the cache",
            "Share of blocks that were found in shared_buffers, in five minutes. Low for"
            " long: more shared_buffers.",
            "percentunit",
            {
                "": (
                    f"sum(rate(pg_stat_database_blks_hit{{{_OF}}}[5m]))"
                    f" / (sum(rate(pg_stat_database_blks_hit{{{_OF}}}[5m]))"
                    f" + sum(rate(pg_stat_database_blks_read{{{_OF}}}[5m])) > 0)"
                )
            },
            width=5,
            kind="stat",
            decimals=2,
            levels=Levels(((None, "orange"), (0.95, "green"))),
            nothing="at rest",
        ),
        Panel(
            6,
            "Deadlocks",
            "Deadlocks in the last hour. Rows are written in key order: there should be none.",
            "none",
            {"": f"sum(increase(pg_stat_database_deadlocks{{{_OF}}}[1h]))"},
            width=5,
            kind="stat",
            decimals=0,
            levels=Levels(((None, "green"), (1, "red"))),
        ),
    ),
)

_WORK = row(
    20,
    "Work",
    line(
        8,
        Panel(
            21,
            "Transactions",
            "Transactions a second, by how they ended.",
            "ops",
            {
                "committed": f"sum(rate(pg_stat_database_xact_commit{{{_OF}}}[{_RATE}]))",
                "rolled back": f"sum(rate(pg_stat_database_xact_rollback{{{_OF}}}[{_RATE}]))",
            },
        ),
        Panel(
            22,
            "Rows",
            "Rows a second: inserted, updated, deleted.",
            "rowsps",
            {
                name: f"sum(rate(pg_stat_database_tup_{name}{{{_OF}}}[{_RATE}]))"
                for name in ("inserted", "updated", "deleted")
            },
        ),
        Panel(
            23,
            "Spilled to disk",
            "Temporary files of sorts and hashes that work_mem did not hold.",
            "Bps",
            {"written": f"sum(rate(pg_stat_database_temp_bytes{{{_OF}}}[{_RATE}]))"},
        ),
    ),
)

_CLIENTS = row(
    40,
    "Clients and sizes",
    line(
        8,
        Panel(
            41,
            "Connections by state",
            "`idle in transaction` for long holds back vacuum; the server ends it after 60 s.",
            "none",
            {"{{state}}": f"sum by (state) (pg_stat_activity_count{{{_OF}}}) > 0"},
            stacked=True,
        ),
        Panel(
            42,
            "Longest transaction",
            "The longest open transaction. A long one holds back vacuum.",
            "s",
            {"longest": f"max(pg_stat_activity_max_tx_duration{{{_OF}}})"},
        ),
        Panel(
            43,
            "Largest tables",
            "The ten largest tables, with their indexes.",
            "bytes",
            {"{{table}}": "topk(10, max by (table) (sirenade_table_bytes))"},
            kind="bars",
            decimals=1,
        ),
    ),
)

POSTGRESQL = Board(
    uid="sirenade-postgresql",
    title="Sirenade / PostgreSQL",
    text="Connections, work, cache, sizes.",
    rows=(_GLANCE, _WORK, _CLIENTS),
)
