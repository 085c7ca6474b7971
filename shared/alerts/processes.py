"""Processes and servers that do not answer."""

from shared.alerts.condition import critical, warning

CONDITIONS = (
    # A service that is scaled to nothing has no address, hence no series.
    critical(
        "SirenadeServiceDown",
        expression="""
            sum by (job) (up{job=~"fetcher|writer|reviewer|operator"}) == 0
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
            up{job=~"fetcher|writer|reviewer|operator"} == 0
            unless on (job) sum by (job) (up{job=~"fetcher|writer|reviewer|operator"}) == 0
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
    critical(
        "SirenadeTotalsUnread",
        expression="max by (reading) (sirenade_exporter_up) == 0",
        hold="5m",
        summary="The totals ({{ $labels.reading }}) cannot be read: other alerts are blind.",
        dashboard="sirenade-postgresql",
    ),
)
