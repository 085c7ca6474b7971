"""Processes and servers that do not answer; room on disks, for connections and log files."""

from shared.alerts.condition import severities

_DRILL_DAYS = 16

critical, warning = severities("sirenade-overview")

PROCESSES = (
    # A service that is scaled to nothing has no address, hence no series. No portal need be there.
    critical(
        "SirenadeServiceDown",
        expression="""
            sum by (job) (up{job=~"fetcher|writer|reviewer|operator|portal|indexer"}) == 0
            or absent(up{job="fetcher"})
            or absent(up{job="writer"})
            or absent(up{job="reviewer"})
            or absent(up{job="operator"})
        """,
        hold="2m",
        summary="No {{ $labels.job }} runs: its work stands still.",
    ),
    warning(
        "SirenadeReplicaDown",
        expression="""
            up{job=~"fetcher|writer|reviewer|operator|portal|indexer"} == 0
            unless on (job)
              sum by (job) (up{job=~"fetcher|writer|reviewer|operator|portal|indexer"}) == 0
        """,
        hold="10m",
        summary="The {{ $labels.job }} at {{ $labels.instance }} does not answer; others do.",
        dashboard="sirenade-service",
    ),
    critical(
        "SirenadeServerDown",
        expression="""
            up{job=~"rabbitmq|postgres"} == 0
            or absent(up{job="rabbitmq"})
            or absent(up{job="postgres"})
            or pg_up{job="postgres"} == 0
        """,
        hold="2m",
        summary="The {{ $labels.job }} server, or its exporter, does not answer.",
    ),
    # A turn that hangs is no failure and counts none: only its age tells of it. 0: none ended yet.
    warning(
        "SirenadeLoopStandsStill",
        expression="""
            time() - (sirenade_loop_last_turn_timestamp_seconds > 0)
              > 600 + 2 * sirenade_loop_interval_seconds
        """,
        hold="2m",
        summary="The loop {{ $labels.loop }} of {{ $labels.instance }} has ended no turn"
        " for {{ $value | humanizeDuration }}.",
        dashboard="sirenade-service",
    ),
    warning(
        "SirenadeJobFault",
        expression="max by (name) (sirenade_job_fault) == 1",
        hold="10m",
        summary="The job {{ $labels.name }} fails, or found what a person must look at:"
        " ./sirenade schedule.",
    ),
    critical(
        "SirenadeTotalsUnread",
        expression="max by (reading) (sirenade_exporter_up) == 0",
        hold="5m",
        summary="The totals ({{ $labels.reading }}) cannot be read: other alerts are blind.",
        dashboard="sirenade-postgresql",
    ),
)

ROOM = (
    # The whole register with its indexes takes 40 GB, without texts; the budget is 100 GB.
    warning(
        "SirenadeDatabaseLarge",
        expression="max(sirenade_database_bytes) > 80e9",
        hold="30m",
        summary="The database takes {{ $value | humanize }}B of the 100 GB planned for it.",
        dashboard="sirenade-postgresql",
    ),
    # Connections that are open, or connections that all replicas together may open.
    warning(
        "SirenadeConnectionsNearlyUsed",
        expression="""
            sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8
            or sum(sirenade_pool_connections_limit) / max(pg_settings_max_connections) > 0.9
        """,
        hold="10m",
        summary="{{ $value | humanizePercentage }} of PostgreSQL's connections are taken.",
        dashboard="sirenade-postgresql",
    ),
    # RabbitMQ tells the free space below its data: with compose, on the disk of all volumes.
    critical(
        "SirenadeDiskLow",
        expression="min(rabbitmq_disk_space_available_bytes) < 10e9",
        hold="10m",
        summary="{{ $value | humanize }}B are free on the disk of RabbitMQ.",
        dashboard="sirenade-queues",
    ),
    # Three files of 50 MB for each of four services, and some room for a file under rotation.
    warning(
        "SirenadeLogsAboveBudget",
        expression="max(sirenade_log_bytes) > 650e6",
        hold="30m",
        summary="Log files take {{ $value | humanize }}B, more than the 600 MB they are bound to.",
    ),
    # A drill each week, and one that was missed. Who has never begun with drills is left alone.
    warning(
        "SirenadeRestoreDrillLate",
        expression=f"""
            time() - max(sirenade_restore_drill_last_success_timestamp_seconds)
              > {_DRILL_DAYS} * 86400
            or max(sirenade_restore_drill_failed) == 1
        """,
        hold="30m",
        summary="No backup was restored whole by the drills of the last days.",
    ),
    # The job runs hourly. The second half is a store that never took a file.
    warning(
        "SirenadeArchiveLate",
        expression="""
            time() - max(sirenade_job_last_success_timestamp_seconds{name="archive"}) > 3 * 3600
            or
            sum(increase(sirenade_job_runs_total{name="archive",outcome="failed"}[6h])) > 1
              unless on () sirenade_job_last_success_timestamp_seconds{name="archive"}
        """,
        hold="10m",
        summary="Log files have not been archived for hours; the oldest are deleted unarchived.",
    ),
)
