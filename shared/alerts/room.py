"""Room: disks, connections, log files and their archive."""

from shared.alerts.condition import critical, warning

CONDITIONS = (
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
