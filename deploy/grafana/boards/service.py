"""One service: rate, errors, duration, queue wait, saturation, replicas, memory."""

from deploy.grafana.layout import Board, BoardVariable, PanelLine, PanelRow
from deploy.grafana.panels import Levels, Panel, PanelQuery

_OF = 'service="$service"'
_RATE = "$__rate_interval"


def _quantiles(metric: str) -> list[PanelQuery]:
    buckets = f"sum by (le, actor) (rate({metric}_bucket{{{_OF}}}[{_RATE}]))"
    return [
        PanelQuery(f"histogram_quantile({share}, {buckets})", f"{{{{actor}}}} p{share * 100:.0f}")
        for share in (0.5, 0.95)
    ]


_AT_A_GLANCE = PanelRow(
    1,
    "At a glance",
    [
        PanelLine(
            4,
            [
                Panel(
                    2,
                    4,
                    "Replicas",
                    "Processes of this service whose /metrics answered at the last scrape.",
                    "none",
                    [PanelQuery(f"sum(up{{{_OF}}})")],
                    kind="stat",
                    levels=Levels(((None, "red"), (1, "green"))),
                ),
                Panel(
                    3,
                    5,
                    "Messages",
                    "Messages that were worked on, in a minute. The operator has none.",
                    "mpm",
                    [PanelQuery(f"sum(rate(sirenade_messages_total{{{_OF}}}[5m])) * 60")],
                    kind="stat",
                    decimals=1,
                ),
                Panel(
                    4,
                    5,
                    "Errors",
                    "Share of attempts that come again or were given up, in the last five minutes.",
                    "percentunit",
                    [
                        PanelQuery(
                            "sum(rate(sirenade_messages_total"
                            f'{{{_OF},outcome=~"retried|rejected"}}[5m]))'
                            f" / (sum(rate(sirenade_messages_total{{{_OF}}}[5m])) > 0)"
                        )
                    ],
                    kind="stat",
                    decimals=1,
                    levels=Levels(((None, "green"), (0.01, "orange"), (0.05, "red"))),
                    nothing="at rest",
                ),
                Panel(
                    5,
                    5,
                    "Threads at work",
                    "Share of the threads that have a message in hand. At 1 for long: scale.",
                    "percentunit",
                    [
                        PanelQuery(
                            f"sum(sirenade_messages_in_progress{{{_OF}}})"
                            f" / sum(sirenade_worker_threads{{{_OF}}})"
                        )
                    ],
                    kind="gauge",
                    most=1,
                    levels=Levels(((None, "green"), (0.8, "orange"))),
                    nothing="no threads",
                ),
                Panel(
                    6,
                    5,
                    "Largest replica",
                    "Resident memory of the process that has most. It is flat over any length of"
                    " run: a slope is a leak.",
                    "bytes",
                    [PanelQuery(f"max(process_resident_memory_bytes{{{_OF}}})")],
                    kind="stat",
                    decimals=0,
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
                    "Messages by outcome",
                    "`retried` comes again later, `rejected` became a dead letter, `slowed_down`"
                    " comes again without having counted as an attempt.",
                    "mpm",
                    [
                        PanelQuery(
                            "sum by (outcome)"
                            f" (rate(sirenade_messages_total{{{_OF}}}[{_RATE}])) * 60",
                            "{{outcome}}",
                        )
                    ],
                    stacked=True,
                ),
                Panel(
                    22,
                    8,
                    "Run time",
                    "How long an actor works on a message: half of them, and 95 % of them.",
                    "s",
                    _quantiles("sirenade_message_seconds"),
                ),
                Panel(
                    23,
                    8,
                    "Queue wait",
                    "From a message's first publication to its run. A message that comes again"
                    " has waited since the first time.",
                    "s",
                    _quantiles("sirenade_message_wait_seconds"),
                ),
            ],
        )
    ],
)

_PROCESSES = PanelRow(
    40,
    "Processes",
    [
        PanelLine(
            8,
            [
                Panel(
                    41,
                    8,
                    "Memory",
                    "Resident memory by replica.",
                    "bytes",
                    [PanelQuery(f"process_resident_memory_bytes{{{_OF}}}", "{{instance}}")],
                ),
                Panel(
                    42,
                    8,
                    "Processor",
                    "Cores in use by replica; one process of Python uses little more than one.",
                    "none",
                    [
                        PanelQuery(
                            f"rate(process_cpu_seconds_total{{{_OF}}}[{_RATE}])", "{{instance}}"
                        )
                    ],
                ),
                Panel(
                    43,
                    8,
                    "Replicas over time",
                    "Processes that answered, and since when the youngest of them runs:"
                    " one that restarts again and again stays young.",
                    "none",
                    [PanelQuery(f"sum(up{{{_OF}}})", "replicas")],
                ),
            ],
        ),
        PanelLine(
            8,
            [
                Panel(
                    44,
                    8,
                    "Connections to PostgreSQL",
                    "Connections at work, by pool, and how many all replicas together may hold.",
                    "none",
                    [
                        PanelQuery(
                            f"sum by (pool) (sirenade_pool_connections_used{{{_OF}}})", "{{pool}}"
                        ),
                        PanelQuery(f"sum(sirenade_pool_connections_limit{{{_OF}}})", "limit"),
                    ],
                ),
                Panel(
                    45,
                    8,
                    "Turns of loops that failed",
                    "By loop, in five minutes. A server that is away makes them fail; they are"
                    " tried again.",
                    "none",
                    [
                        PanelQuery(
                            f"sum by (loop) (increase(sirenade_loop_failures_total{{{_OF}}}[5m]))",
                            "{{loop}}",
                        )
                    ],
                ),
                Panel(
                    46,
                    8,
                    "Running since",
                    "Time since each replica was started.",
                    "s",
                    [PanelQuery(f"time() - process_start_time_seconds{{{_OF}}}", "{{instance}}")],
                ),
            ],
        ),
    ],
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
