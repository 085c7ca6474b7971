"""One service: rate, errors, duration, queue wait, saturation, replicas, memory."""

from deploy.grafana.layout import Board, Row
from deploy.grafana.panels import NONE_IS_BAD, gauge, graph, green_to, stat
from deploy.grafana.queries import ALL_SERVICES, RATE, per_minute, quantiles

_OF = '{service="$service"}'


_AT_A_GLANCE = Row(1, "At a glance").line(
    stat(2, "Replicas", "none", width=4, levels=NONE_IS_BAD).shows(
        "Processes of this service whose /metrics answered at the last scrape.", f"sum(up{_OF})"
    ),
    stat(3, "Messages", "mpm", width=5, decimals=1).shows(
        "Messages a minute that actors handled. The operator has none.",
        f"sum(rate(sirenade_messages_total{_OF}[5m])) * 60",
    ),
    stat(4, "Errors", "percentunit", width=5, decimals=1, levels=green_to(0.01, 0.05)).shows(
        "Share of attempts that come again or were given up, in the last five minutes.",
        "sum(rate(sirenade_messages_total"
        '{service="$service",outcome=~"retried|rejected"}[5m]))'
        f" / (sum(rate(sirenade_messages_total{_OF}[5m])) > 0)",
        nothing="at rest",
    ),
    gauge(5, "Threads at work", "percentunit", width=5, most=1, levels=green_to(0.8)).shows(
        "Share of the threads that work on a message. At 1 for long: scale.",
        f"sum(sirenade_messages_in_progress{_OF}) / sum(sirenade_worker_threads{_OF})",
        nothing="no threads",
    ),
    stat(6, "Largest replica", "bytes", width=5, decimals=0).shows(
        "Resident memory of the process that has most. It is flat over any length of"
        " run: a slope is a leak.",
        f"max(process_resident_memory_bytes{_OF})",
    ),
    height=4,
)

_WORK = Row(20, "Work").line(
    graph(21, "Messages by outcome", "mpm", stacked=True).shows(
        "`retried` comes again later, `rejected` became a dead letter, `slowed_down`"
        " comes again without having counted as an attempt.",
        {"{{outcome}}": per_minute(f"sirenade_messages_total{_OF}", "outcome")},
    ),
    graph(22, "Run time", "s").shows(
        "How long an actor works on a message: half of them, and 95 % of them.",
        quantiles("sirenade_message_seconds", "actor", _OF),
    ),
    graph(23, "Queue wait", "s").shows(
        "From a message's first publication to its run. A message that comes again"
        " has waited since the first time.",
        quantiles("sirenade_message_wait_seconds", "actor", _OF),
    ),
)

_PROCESSES = (
    Row(40, "Processes")
    .line(
        graph(41, "Memory", "bytes").shows(
            "Resident memory by replica.", {"{{instance}}": f"process_resident_memory_bytes{_OF}"}
        ),
        graph(42, "Processor", "none").shows(
            "Cores in use by replica; one process of Python uses little more than one.",
            {"{{instance}}": f"rate(process_cpu_seconds_total{_OF}[{RATE}])"},
        ),
        graph(43, "Replicas over time", "none").shows(
            "Processes that answered, and since when the youngest of them runs:"
            " one that restarts again and again stays young.",
            {"replicas": f"sum(up{_OF})"},
        ),
    )
    .line(
        graph(44, "Connections to PostgreSQL", "none").shows(
            "Connections at work, by pool, and how many all replicas together may hold.",
            {
                "{{pool}}": f"sum by (pool) (sirenade_pool_connections_used{_OF})",
                "limit": f"sum(sirenade_pool_connections_limit{_OF})",
            },
        ),
        graph(45, "Turns of loops that failed", "none").shows(
            "Failed turns by loop, in five minutes. A server that is away makes them fail; the"
            " next turn tries again.",
            {"{{loop}}": f"sum by (loop) (increase(sirenade_loop_failures_total{_OF}[5m]))"},
        ),
        graph(46, "Running since", "s").shows(
            "Time since each replica was started.",
            {"{{instance}}": f"time() - process_start_time_seconds{_OF}"},
        ),
    )
)

SERVICE = Board(
    "Service",
    "One service: rate, errors, duration, queue wait, saturation, replicas, memory.",
    (_AT_A_GLANCE, _WORK, _PROCESSES),
    variables={"service": f"up{ALL_SERVICES}"},
)
