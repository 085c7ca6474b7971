"""One service: rate, errors, duration, queue wait, saturation, replicas, memory."""

from deploy.grafana.layout import Board, BoardVariable, line, row
from deploy.grafana.panels import Levels, Panel

_OF = 'service="$service"'
_RATE = "$__rate_interval"


def _quantiles(metric: str) -> dict[str, str]:
    buckets = f"sum by (le, actor) (rate({metric}_bucket{{{_OF}}}[{_RATE}]))"
    return {
        f"{{{{actor}}}} p{share * 100:.0f}": f"histogram_quantile({share}, {buckets})"
        for share in (0.5, 0.95)
    }


_AT_A_GLANCE = row(
    1,
    "At a glance",
    line(
        4,
        Panel(
            2,
            "Replicas",
            "Processes of this service whose /metrics answered at the last scrape.",
            "none",
            {"": f"sum(up{{{_OF}}})"},
            width=4,
            kind="stat",
            levels=Levels(((None, "red"), (1, "green"))),
        ),
        Panel(
            3,
            "Messages",
            "Messages a minute that actors handled. The operator has none.",
            "mpm",
            {"": f"sum(rate(sirenade_messages_total{{{_OF}}}[5m])) * 60"},
            width=5,
            kind="stat",
            decimals=1,
        ),
        Panel(
            4,
            "Errors",
            "Share of attempts that come again or were given up, in the last five minutes.",
            "percentunit",
            {
                "": (
                    "sum(rate(sirenade_messages_total"
                    f'{{{_OF},outcome=~"retried|rejected"}}[5m]))'
                    f" / (sum(rate(sirenade_messages_total{{{_OF}}}[5m])) > 0)"
                )
            },
            width=5,
            kind="stat",
            decimals=1,
            levels=Levels(((None, "green"), (0.01, "orange"), (0.05, "red"))),
            nothing="at rest",
        ),
        Panel(
            5,
            "Threads at work",
            "Share of the threads that work on a message. At 1 for long: scale.",
            "percentunit",
            {
                "": (
                    f"sum(sirenade_messages_in_progress{{{_OF}}})"
                    f" / sum(sirenade_worker_threads{{{_OF}}})"
                )
            },
            width=5,
            kind="gauge",
            most=1,
            levels=Levels(((None, "green"), (0.8, "orange"))),
            nothing="no threads",
        ),
        Panel(
            6,
            "Largest replica",
            "Resident memory of the process that has most. It is flat over any length of"
            " run: a slope is a leak.",
            "bytes",
            {"": f"max(process_resident_memory_bytes{{{_OF}}})"},
            width=5,
            kind="stat",
            decimals=0,
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
            "Messages by outcome",
            "`retried` comes again later, `rejected` became a dead letter, `slowed_down`"
            " comes again without having counted as an attempt.",
            "mpm",
            {
                "{{outcome}}": (
                    f"sum by (outcome) (rate(sirenade_messages_total{{{_OF}}}[{_RATE}])) * 60"
                )
            },
            stacked=True,
        ),
        Panel(
            22,
            "Run time",
            "How long an actor works on a message: half of them, and 95 % of them.",
            "s",
            _quantiles("sirenade_message_seconds"),
        ),
        Panel(
            23,
            "Queue wait",
            "From a message's first publication to its run. A message that comes again"
            " has waited since the first time.",
            "s",
            _quantiles("sirenade_message_wait_seconds"),
        ),
    ),
)

_PROCESSES = row(
    40,
    "Processes",
    line(
        8,
        Panel(
            41,
            "Memory",
            "Resident memory by replica.",
            "bytes",
            {"{{instance}}": f"process_resident_memory_bytes{{{_OF}}}"},
        ),
        Panel(
            42,
            "Processor",
            "Cores in use by replica; one process of Python uses little more than one.",
            "none",
            {"{{instance}}": f"rate(process_cpu_seconds_total{{{_OF}}}[{_RATE}])"},
        ),
        Panel(
            43,
            "Replicas over time",
            "Processes that answered, and since when the youngest of them runs:"
            " one that restarts again and again stays young.",
            "none",
            {"replicas": f"sum(up{{{_OF}}})"},
        ),
    ),
    line(
        8,
        Panel(
            44,
            "Connections to PostgreSQL",
            "Connections at work, by pool, and how many all replicas together may hold.",
            "none",
            {
                "{{pool}}": f"sum by (pool) (sirenade_pool_connections_used{{{_OF}}})",
                "limit": f"sum(sirenade_pool_connections_limit{{{_OF}}})",
            },
        ),
        Panel(
            45,
            "Turns of loops that failed",
            "Failed turns by loop, in five minutes. A server that is away makes them fail; the"
            " next turn tries again.",
            "none",
            {"{{loop}}": f"sum by (loop) (increase(sirenade_loop_failures_total{{{_OF}}}[5m]))"},
        ),
        Panel(
            46,
            "Running since",
            "Time since each replica was started.",
            "s",
            {"{{instance}}": f"time() - process_start_time_seconds{{{_OF}}}"},
        ),
    ),
)

SERVICE = Board(
    uid="sirenade-service",
    title="Sirenade / Service",
    text="One service: rate, errors, duration, queue wait, saturation, replicas, memory.",
    rows=(_AT_A_GLANCE, _WORK, _PROCESSES),
    variables=(
        BoardVariable("service", "Service", 'up{service=~"fetcher|writer|reviewer|operator"}'),
    ),
)
