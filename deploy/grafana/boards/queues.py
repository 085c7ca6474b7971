"""RabbitMQ: messages, consumers, and the room that is left."""

from deploy.grafana.layout import Board, Row
from deploy.grafana.panels import NONE_IS_BAD, NONE_IS_GOOD, graph, stat
from deploy.grafana.queries import RATE

_WORK = '{queue!~".*(delay|XQ).*"}'

_GLANCE = Row(1, "At a glance").line(
    stat(2, "Waiting for work", "short", width=5).shows(
        "Messages in the work queues, with those that a worker has.",
        f"sum(rabbitmq_detailed_queue_messages{_WORK})",
    ),
    stat(3, "Delayed", "short", width=5).shows(
        "Messages in the delay queues.", 'sum(rabbitmq_detailed_queue_messages{queue=~".*delay.*"})'
    ),
    stat(4, "Dead letters in RabbitMQ", "short", width=5, levels=NONE_IS_GOOD).shows(
        "The writer archives them within seconds: some for long means that it does not run.",
        'sum(rabbitmq_detailed_queue_messages{queue=~".*XQ"})',
    ),
    stat(5, "Consumers", "none", width=9, levels=NONE_IS_BAD).shows(
        "Connections that take messages from each work queue: one for each replica.",
        {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_consumers{_WORK})"},
    ),
    height=4,
)

_QUEUES = (
    Row(20, "Queues")
    .line(
        graph(21, "Ready", "short").shows(
            "Messages that no worker has yet.",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_ready{_WORK})"},
        ),
        graph(22, "In the hands of workers", "short").shows(
            "Messages that were delivered and are not acknowledged yet.",
            {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_unacked{_WORK})"},
        ),
    )
    .line(
        graph(23, "Delayed", "short").shows(
            "Messages that come again, by the length of their delay.",
            {
                "{{delay}}": "sum by (delay) (label_replace("
                'rabbitmq_detailed_queue_messages{queue=~".*delay.*"},'
                ' "delay", "$1", "queue", ".*delay[.](.*)"))'
            },
        ),
        graph(24, "Published and delivered", "mps").shows(
            "Messages a second of the whole broker, and confirms that publishers wait for.",
            {
                "published": f"sum(rate(rabbitmq_global_messages_received_total[{RATE}]))",
                "confirmed": f"sum(rate(rabbitmq_global_messages_confirmed_total[{RATE}]))",
                "delivered": f"sum(rate(rabbitmq_global_messages_delivered_total[{RATE}]))",
                "redelivered": f"sum(rate(rabbitmq_global_messages_redelivered_total[{RATE}]))",
            },
        ),
    )
)

_ROOM = Row(40, "Room").line(
    graph(41, "Memory", "bytes").shows(
        "Memory of the node, and the mark at which it stops publishers.",
        {
            "used": "sum(rabbitmq_process_resident_memory_bytes)",
            "mark": "sum(rabbitmq_resident_memory_limit_bytes)",
        },
    ),
    graph(42, "Disk", "bytes").shows(
        "Free space, and the mark below which it stops publishers.",
        {
            "free": "min(rabbitmq_disk_space_available_bytes)",
            "mark": "max(rabbitmq_disk_space_available_limit_bytes)",
        },
    ),
    graph(43, "Connections and channels", "none").shows(
        "Connections and channels of all services. A number that only grows is a leak.",
        {"connections": "sum(rabbitmq_connections)", "channels": "sum(rabbitmq_channels)"},
    ),
)

QUEUES = Board(
    "Queues", "RabbitMQ: messages, consumers, and the room that is left.", (_GLANCE, _QUEUES, _ROOM)
)
