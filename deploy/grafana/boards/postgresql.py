"""PostgreSQL: connections, work, cache, sizes, locks."""

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
from deploy.grafana.queries import RATE

# Excludes databases without data of Sirenade.
_OF = '{datname!~"template.*|postgres|"}'

_GLANCE = Row(1, "At a glance").line(
    stat(2, "Answers", "none", width=4, levels=NONE_IS_BAD, words=YES_NO).shows(
        "Whether the exporter reaches the server.", "min(pg_up)"
    ),
    gauge(3, "Connections", "percentunit", width=5, most=1, levels=green_to(0.7, 0.9)).shows(
        "Connections of all clients over the most that the server takes.",
        "sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)",
    ),
    stat(4, "Size", "bytes", width=5, decimals=1).shows(
        "Size of all databases of Sirenade on this server.", f"sum(pg_database_size_bytes{_OF})"
    ),
    stat(
        5,
        "Read from the cache",
        "percentunit",
        width=5,
        decimals=2,
        levels=((None, "orange"), (0.95, "green")),
    ).shows(
        "Share of blocks that were found in shared_buffers, in five minutes. Low for"
        " long: more shared_buffers.",
        f"sum(rate(pg_stat_database_blks_hit{_OF}[5m]))"
        f" / (sum(rate(pg_stat_database_blks_hit{_OF}[5m]))"
        f" + sum(rate(pg_stat_database_blks_read{_OF}[5m])) > 0)",
        nothing="at rest",
    ),
    stat(6, "Deadlocks", "none", width=5, decimals=0, levels=NONE_IS_GOOD).shows(
        "Deadlocks in the last hour. Rows are written in key order: there should be none.",
        f"sum(increase(pg_stat_database_deadlocks{_OF}[1h]))",
    ),
    height=4,
)

_WORK = Row(20, "Work").line(
    graph(21, "Transactions", "ops").shows(
        "Transactions a second, by how they ended.",
        {
            "committed": f"sum(rate(pg_stat_database_xact_commit{_OF}[{RATE}]))",
            "rolled back": f"sum(rate(pg_stat_database_xact_rollback{_OF}[{RATE}]))",
        },
    ),
    graph(22, "Rows", "rowsps").shows(
        "Rows a second: inserted, updated, deleted.",
        {
            name: f"sum(rate(pg_stat_database_tup_{name}{_OF}[{RATE}]))"
            for name in ("inserted", "updated", "deleted")
        },
    ),
    graph(23, "Spilled to disk", "Bps").shows(
        "Temporary files of sorts and hashes that work_mem did not hold.",
        {"written": f"sum(rate(pg_stat_database_temp_bytes{_OF}[{RATE}]))"},
    ),
)

_CLIENTS = Row(40, "Clients and sizes").line(
    graph(41, "Connections by state", "none", stacked=True).shows(
        "`idle in transaction` for long holds back vacuum; the server ends it after 60 s.",
        {"{{state}}": f"sum by (state) (pg_stat_activity_count{_OF}) > 0"},
    ),
    graph(42, "Longest transaction", "s").shows(
        "The longest open transaction. A long one holds back vacuum.",
        {"longest": f"max(pg_stat_activity_max_tx_duration{_OF})"},
    ),
    bars(43, "Largest tables", "bytes", decimals=1).shows(
        "The ten largest tables, with their indexes.",
        {"{{table}}": "topk(10, max by (table) (sirenade_table_bytes))"},
    ),
)

POSTGRESQL = Board("PostgreSQL", "Connections, work, cache, sizes.", (_GLANCE, _WORK, _CLIENTS))
