"""RabbitMQ: what waits where, who takes it, and how much room is left."""

from deploy.grafana.layout import Board, Line, Row
from deploy.grafana.panels import NONE_IS_GOOD, Levels, Panel, Query

_RATE = "$__rate_interval"
_WORK = 'queue!~".*(delay|XQ).*"'

_GLANCE = Row(
    1,
    "At a glance",
    [
        Line(
            4,
            [
                Panel(
                    2,
                    5,
                    "Waiting for work",
                    "Messages in the work queues, those in a worker's hands included.",
                    "short",
                    [Query(f"sum(rabbitmq_detailed_queue_messages{{{_WORK}}})")],
                    kind="stat",
                ),
                Panel(
                    3,
                    5,
                    "To come later",
                    "Messages in the delay queues.",
                    "short",
                    [Query('sum(rabbitmq_detailed_queue_messages{queue=~".*delay.*"})')],
                    kind="stat",
                ),
                Panel(
                    4,
                    5,
                    "Dead letters in RabbitMQ",
                    "The writer archives them within seconds: some for long means that it does"
                    " not run.",
                    "short",
                    [Query('sum(rabbitmq_detailed_queue_messages{queue=~".*XQ"})')],
                    kind="stat",
                    levels=NONE_IS_GOOD,
                ),
                Panel(
                    5,
                    9,
                    "Consumers",
                    "Connections that take messages from each work queue: one for each replica.",
                    "none",
                    [
                        Query(
                            f"sum by (queue) (rabbitmq_detailed_queue_consumers{{{_WORK}}})",
                            "{{queue}}",
                        )
                    ],
                    kind="stat",
                    levels=Levels(((None, "red"), (1, "green"))),
                ),
            ],
        )
    ],
)

_QUEUES = Row(
    20,
    "Queues",
    [
        Line(
            8,
            [
                Panel(
                    21,
                    12,
                    "Ready",
                    "Messages that no worker has yet.",
                    "short",
                    [
                        Query(
                            f"sum by (queue) (rabbitmq_detailed_queue_messages_ready{{{_WORK}}})",
                            "{{queue}}",
                        )
                    ],
                ),
                Panel(
                    22,
                    12,
                    "In the hands of workers",
                    "Messages that were delivered and are not acknowledged yet.",
                    "short",
                    [
                        Query(
                            f"sum by (queue) (rabbitmq_detailed_queue_messages_unacked{{{_WORK}}})",
                            "{{queue}}",
                        )
                    ],
                ),
            ],
        ),
        Line(
            8,
            [
                Panel(
                    23,
                    12,
                    "Delayed",
                    "Messages that come again, by how long they wait.",
                    "short",
                    [
                        Query(
                            "sum by (delay) (label_replace("
                            'rabbitmq_detailed_queue_messages{queue=~".*delay.*"},'
                            ' "delay", "$1", "queue", ".*delay[.](.*)"))',
                            "{{delay}}",
                        )
                    ],
                ),
                Panel(
                    24,
                    12,
                    "Published and delivered",
                    "Messages a second of the whole broker, and confirms that publishers wait for.",
                    "mps",
                    [
                        Query(
                            f"sum(rate(rabbitmq_global_messages_received_total[{_RATE}]))",
                            "published",
                        ),
                        Query(
                            f"sum(rate(rabbitmq_global_messages_confirmed_total[{_RATE}]))",
                            "confirmed",
                        ),
                        Query(
                            f"sum(rate(rabbitmq_global_messages_delivered_total[{_RATE}]))",
                            "delivered",
                        ),
                        Query(
                            f"sum(rate(rabbitmq_global_messages_redelivered_total[{_RATE}]))",
                            "delivered again",
                        ),
                    ],
                ),
            ],
        ),
    ],
)

_ROOM = Row(
    40,
    "Room",
    [
        Line(
            8,
            [
                Panel(
                    41,
                    8,
                    "Memory",
                    "Of the node, and the mark at which it stops publishers.",
                    "bytes",
                    [
                        Query("sum(rabbitmq_process_resident_memory_bytes)", "used"),
                        Query("sum(rabbitmq_resident_memory_limit_bytes)", "mark"),
                    ],
                ),
                Panel(
                    42,
                    8,
                    "Disk",
                    "Free space, and the mark below which it stops publishers.",
                    "bytes",
                    [
                        Query("min(rabbitmq_disk_space_available_bytes)", "free"),
                        Query("max(rabbitmq_disk_space_available_limit_bytes)", "mark"),
                    ],
                ),
                Panel(
                    43,
                    8,
                    "Connections and channels",
                    "Of all services. A number that only grows is a leak.",
                    "none",
                    [
                        Query("sum(rabbitmq_connections)", "connections"),
                        Query("sum(rabbitmq_channels)", "channels"),
                    ],
                ),
            ],
        )
    ],
)

QUEUES = Board(
    uid="sirenade-queues",
    title="Sirenade / Queues",
    text="RabbitMQ: what waits where, who takes it, and how much room is left.",
    rows=(_GLANCE, _QUEUES, _ROOM),
)
