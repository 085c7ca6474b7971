"""RabbitMQ: messages, consumers, and the room that is left."""

from deploy.grafana.layout import Board, line, row
from deploy.grafana.panels import NONE_IS_GOOD, Levels, Panel

_RATE = "$__rate_interval"
_WORK = 'queue!~".*(delay|XQ).*"'

_GLANCE = row(
    1,
    "At a glance",
    line(
        4,
        Panel(
            2,
            "Waiting for work",
            "Messages in the work queues, with those that a worker has.",
            "short",
            {"": f"sum(rabbitmq_detailed_queue_messages{{{_WORK}}})"},
            width=5,
            kind="stat",
        ),
        Panel(
            3,
            "Delayed",
            "Messages in the delay queues.",
            "short",
            {"": 'sum(rabbitmq_detailed_queue_messages{queue=~".*delay.*"})'},
            width=5,
            kind="stat",
        ),
        Panel(
            4,
            "Dead letters in RabbitMQ",
            "The writer archives them within seconds: some for long means that it does not run.",
            "short",
            {"": 'sum(rabbitmq_detailed_queue_messages{queue=~".*XQ"})'},
            width=5,
            kind="stat",
            levels=NONE_IS_GOOD,
        ),
        Panel(
            5,
            "Consumers",
            "Connections that take messages from each work queue: one for each replica.",
            "none",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_consumers{{{_WORK}}})"},
            width=9,
            kind="stat",
            levels=Levels(((None, "red"), (1, "green"))),
        ),
    ),
)

_QUEUES = row(
    20,
    "Queues",
    line(
        8,
        Panel(
            21,
            "Ready",
            "Messages that no worker has yet.",
            "short",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_ready{{{_WORK}}})"},
        ),
        Panel(
            22,
            "In the hands of workers",
            "Messages that were delivered and are not acknowledged yet.",
            "short",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_unacked{{{_WORK}}})"},
        ),
    ),
    line(
        8,
        Panel(
            23,
            "Delayed",
            "Messages that come again, by the length of their delay.",
            "short",
            {
                "{{delay}}": (
                    "sum by (delay) (label_replace("
                    'rabbitmq_detailed_queue_messages{queue=~".*delay.*"},'
                    ' "delay", "$1", "queue", ".*delay[.](.*)"))'
                )
            },
        ),
        Panel(
            24,
            "Published and delivered",
            "Messages a second of the whole broker, and confirms that publishers wait for.",
            "mps",
            {
                "published": f"sum(rate(rabbitmq_global_messages_received_total[{_RATE}]))",
                "confirmed": f"sum(rate(rabbitmq_global_messages_confirmed_total[{_RATE}]))",
                "delivered": f"sum(rate(rabbitmq_global_messages_delivered_total[{_RATE}]))",
                "redelivered": f"sum(rate(rabbitmq_global_messages_redelivered_total[{_RATE}]))",
            },
        ),
    ),
)

_ROOM = row(
    40,
    "Room",
    line(
        8,
        Panel(
            41,
            "Memory",
            "Memory of the node, and the mark at which it stops publishers.",
            "bytes",
            {
                "used": "sum(rabbitmq_process_resident_memory_bytes)",
                "mark": "sum(rabbitmq_resident_memory_limit_bytes)",
            },
        ),
        Panel(
            42,
            "Disk",
            "Free space, and the mark below which it stops publishers.",
            "bytes",
            {
                "free": "min(rabbitmq_disk_space_available_bytes)",
                "mark": "max(rabbitmq_disk_space_available_limit_bytes)",
            },
        ),
        Panel(
            43,
            "Connections and channels",
            "Connections and channels of all services. A number that only grows is a leak.",
            "none",
            {
                "connections": "sum(rabbitmq_connections)",
                "channels": "sum(rabbitmq_channels)",
            },
        ),
    ),
)

QUEUES = Board(
    uid="sirenade-queues",
    title="Sirenade / Queues",
    text="RabbitMQ: messages, consumers, and the room that is left.",
    rows=(_GLANCE, _QUEUES, _ROOM),
)
