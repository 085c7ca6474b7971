"""RabbitMQ: what waits where, who takes it, and how much room is left."""

from deploy.grafana.layout import Board, PanelLine, PanelRow
from deploy.grafana.panels import NONE_IS_GOOD, Levels, Panel, PanelQuery

_RATE = "$__rate_interval"
_WORK = 'queue!~".*(delay|XQ).*"'

_GLANCE = PanelRow(
    1,
    "At a glance",
    [
        PanelLine(
            4,
            [
                Panel(
                    2,
                    5,
                    "Waiting for work",
                    "Messages in the work queues, those in a worker's hands included.",
                    "short",
                    [PanelQuery(f"sum(rabbitmq_detailed_queue_messages{{{_WORK}}})")],
                    kind="stat",
                ),
                Panel(
                    3,
                    5,
                    "To come later",
                    "Messages in the delay queues.",
                    "short",
                    [PanelQuery('sum(rabbitmq_detailed_queue_messages{queue=~".*delay.*"})')],
                    kind="stat",
                ),
                Panel(
                    4,
                    5,
                    "Dead letters in RabbitMQ",
                    "The writer archives them within seconds: some for long means that it does"
                    " not run.",
                    "short",
                    [PanelQuery('sum(rabbitmq_detailed_queue_messages{queue=~".*XQ"})')],
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
                        PanelQuery(
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

_QUEUES = PanelRow(
    20,
    "Queues",
    [
        PanelLine(
            8,
            [
                Panel(
                    21,
                    12,
                    "Ready",
                    "Messages that no worker has yet.",
                    "short",
                    [
                        PanelQuery(
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
                        PanelQuery(
                            f"sum by (queue) (rabbitmq_detailed_queue_messages_unacked{{{_WORK}}})",
                            "{{queue}}",
                        )
                    ],
                ),
            ],
        ),
        PanelLine(
            8,
            [
                Panel(
                    23,
                    12,
                    "Delayed",
                    "Messages that come again, by how long they wait.",
                    "short",
                    [
                        PanelQuery(
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
                        PanelQuery(
                            f"sum(rate(rabbitmq_global_messages_received_total[{_RATE}]))",
                            "published",
                        ),
                        PanelQuery(
                            f"sum(rate(rabbitmq_global_messages_confirmed_total[{_RATE}]))",
                            "confirmed",
                        ),
                        PanelQuery(
                            f"sum(rate(rabbitmq_global_messages_delivered_total[{_RATE}]))",
                            "delivered",
                        ),
                        PanelQuery(
                            f"sum(rate(rabbitmq_global_messages_redelivered_total[{_RATE}]))",
                            "delivered again",
                        ),
                    ],
                ),
            ],
        ),
    ],
)

_ROOM = PanelRow(
    40,
    "Room",
    [
        PanelLine(
            8,
            [
                Panel(
                    41,
                    8,
                    "Memory",
                    "Of the node, and the mark at which it stops publishers.",
                    "bytes",
                    [
                        PanelQuery("sum(rabbitmq_process_resident_memory_bytes)", "used"),
                        PanelQuery("sum(rabbitmq_resident_memory_limit_bytes)", "mark"),
                    ],
                ),
                Panel(
                    42,
                    8,
                    "Disk",
                    "Free space, and the mark below which it stops publishers.",
                    "bytes",
                    [
                        PanelQuery("min(rabbitmq_disk_space_available_bytes)", "free"),
                        PanelQuery("max(rabbitmq_disk_space_available_limit_bytes)", "mark"),
                    ],
                ),
                Panel(
                    43,
                    8,
                    "Connections and channels",
                    "Of all services. A number that only grows is a leak.",
                    "none",
                    [
                        PanelQuery("sum(rabbitmq_connections)", "connections"),
                        PanelQuery("sum(rabbitmq_channels)", "channels"),
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
