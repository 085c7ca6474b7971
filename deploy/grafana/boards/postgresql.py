"""PostgreSQL: connections, work, what the cache holds, sizes, what stands in whose way."""

from deploy.grafana.layout import Board, PanelLine, PanelRow
from deploy.grafana.panels import Levels, Panel, PanelQuery

_RATE = "$__rate_interval"
# Databases that serve none of ours.
_OF = 'datname!~"template.*|postgres|"'

_GLANCE = PanelRow(
    1,
    "At a glance",
    [
        PanelLine(
            4,
            [
                Panel(
                    2,
                    4,
                    "Answers",
                    "Whether the exporter reaches the server.",
                    "none",
                    [PanelQuery("min(pg_up)")],
                    kind="stat",
                    levels=Levels(((None, "red"), (1, "green"))),
                    words={"0": ("no", "red"), "1": ("yes", "green")},
                ),
                Panel(
                    3,
                    5,
                    "Connections",
                    "Of all clients over those that the server takes.",
                    "percentunit",
                    [
                        PanelQuery(
                            "sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)"
                        )
                    ],
                    kind="gauge",
                    most=1,
                    levels=Levels(((None, "green"), (0.7, "orange"), (0.9, "red"))),
                ),
                Panel(
                    4,
                    5,
                    "Size",
                    "Of all databases of ours on this server.",
                    "bytes",
                    [PanelQuery(f"sum(pg_database_size_bytes{{{_OF}}})")],
                    kind="stat",
                    decimals=1,
                ),
                Panel(
                    5,
                    5,
                    "Read from the cache",
                    "Share of blocks that were found in shared_buffers, in five minutes. Low for"
                    " long: more shared_buffers.",
                    "percentunit",
                    [
                        PanelQuery(
                            f"sum(rate(pg_stat_database_blks_hit{{{_OF}}}[5m]))"
                            f" / (sum(rate(pg_stat_database_blks_hit{{{_OF}}}[5m]))"
                            f" + sum(rate(pg_stat_database_blks_read{{{_OF}}}[5m])) > 0)"
                        )
                    ],
                    kind="stat",
                    decimals=2,
                    levels=Levels(((None, "orange"), (0.95, "green"))),
                    nothing="at rest",
                ),
                Panel(
                    6,
                    5,
                    "Deadlocks",
                    "In the last hour. Rows are written in the order of their keys: there is none.",
                    "none",
                    [PanelQuery(f"sum(increase(pg_stat_database_deadlocks{{{_OF}}}[1h]))")],
                    kind="stat",
                    decimals=0,
                    levels=Levels(((None, "green"), (1, "red"))),
                ),
            ],
        )
    ],
)

_WORK = PanelRow(
    20,
    "Work",
    [
        PanelLine(
            8,
            [
                Panel(
                    21,
                    8,
                    "Transactions",
                    "A second, by how they ended.",
                    "ops",
                    [
                        PanelQuery(
                            f"sum(rate(pg_stat_database_xact_commit{{{_OF}}}[{_RATE}]))",
                            "committed",
                        ),
                        PanelQuery(
                            f"sum(rate(pg_stat_database_xact_rollback{{{_OF}}}[{_RATE}]))",
                            "rolled back",
                        ),
                    ],
                ),
                Panel(
                    22,
                    8,
                    "Rows",
                    "A second, inserted, updated, deleted.",
                    "rowsps",
                    [
                        PanelQuery(
                            f"sum(rate(pg_stat_database_tup_{name}{{{_OF}}}[{_RATE}]))", name
                        )
                        for name in ("inserted", "updated", "deleted")
                    ],
                ),
                Panel(
                    23,
                    8,
                    "Spilled to disk",
                    "Temporary files of sorts and hashes that work_mem did not hold.",
                    "Bps",
                    [
                        PanelQuery(
                            f"sum(rate(pg_stat_database_temp_bytes{{{_OF}}}[{_RATE}]))", "written"
                        )
                    ],
                ),
            ],
        )
    ],
)

_CLIENTS = PanelRow(
    40,
    "Clients and sizes",
    [
        PanelLine(
            8,
            [
                Panel(
                    41,
                    8,
                    "Connections by state",
                    "`idle in transaction` for long holds back vacuum; the server ends it after"
                    " 60 s.",
                    "none",
                    [
                        PanelQuery(
                            f"sum by (state) (pg_stat_activity_count{{{_OF}}}) > 0", "{{state}}"
                        )
                    ],
                    stacked=True,
                ),
                Panel(
                    42,
                    8,
                    "Longest transaction",
                    "Of all that are open. A long one holds back vacuum.",
                    "s",
                    [PanelQuery(f"max(pg_stat_activity_max_tx_duration{{{_OF}}})", "longest")],
                ),
                Panel(
                    43,
                    8,
                    "Largest tables",
                    "With their indexes; the ten largest.",
                    "bytes",
                    [PanelQuery("topk(10, max by (table) (sirenade_table_bytes))", "{{table}}")],
                    kind="bars",
                    decimals=1,
                ),
            ],
        )
    ],
)

POSTGRESQL = Board(
    uid="sirenade-postgresql",
    title="Sirenade / PostgreSQL",
    text="Connections, work, cache, sizes.",
    rows=(_GLANCE, _WORK, _CLIENTS),
)
