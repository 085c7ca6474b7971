"""Queues of RabbitMQ, and what could not be worked on."""

from collections.abc import Iterator

from shared.alerts.condition import ConditionFacts, severities
from shared.terminal.words import thousands


def _failed_items(facts: ConditionFacts) -> Iterator[str]:
    if facts.failed_items:
        yield f"{thousands(facts.failed_items)} failed items are open: ./sirenade failed list"


def _dead_letters(facts: ConditionFacts) -> Iterator[str]:
    if facts.dead_letters:
        yield f"{thousands(facts.dead_letters)} dead letters wait: ./sirenade dead-letters list"


critical, warning = severities("sirenade-queues")

CONDITIONS = (
    critical(
        "SirenadeNoConsumers",
        expression='sum by (queue) (rabbitmq_detailed_queue_consumers{queue!~".*(delay|XQ).*"})'
        " == 0",
        hold="5m",
        summary="Nobody takes messages from {{ $labels.queue }}.",
    ),
    # Publishers wait at about 100 messages (SIRENADE_FETCHER_MAX_SLICES_READY).
    warning(
        "SirenadeQueueGrowing",
        expression="""
            sum by (queue) (rabbitmq_detailed_queue_messages_ready{queue!~".*(delay|XQ).*"}) > 200
            and
            sum by (queue) (rabbitmq_detailed_queue_messages_ready{queue!~".*(delay|XQ).*"})
              >= sum by (queue) (
                rabbitmq_detailed_queue_messages_ready{queue!~".*(delay|XQ).*"} offset 15m)
        """,
        hold="10m",
        summary="{{ $value }} messages wait in {{ $labels.queue }}, and they do not get fewer.",
    ),
    # RabbitMQ tells no age of a quorum queue's messages. Messages that ran say how long they
    # waited; the table of avis says it of those that did not run. The relay sends these again after
    # 15 minutes, so that they look young: twice in a row is no lost message.
    warning(
        "SirenadeOldestMessageTooOld",
        expression="""
            histogram_quantile(0.95, sum by (le, actor) (
              rate(sirenade_message_wait_seconds_bucket[15m]))) > 3600
            or
            label_replace(
              time() - min(sirenade_avis_oldest_published_timestamp_seconds) > 1800
              or 1800 * (sum(increase(sirenade_avis_unclaimed_total[16m])) > bool 0)
                * (sum(increase(sirenade_avis_unclaimed_total[16m] offset 16m)) > bool 0) > 0,
              "actor", "review", "", "")
        """,
        hold="5m",
        summary="Messages for {{ $labels.actor }} are {{ $value | humanizeDuration }} old.",
    ),
    # Prometheus looks at their growth: SirenadeFailedItemsGrowing.
    warning("SirenadeFailedItems", faults=_failed_items),
    warning(
        "SirenadeDeadLetters",
        expression="""
            max(sirenade_dead_letters_waiting) > 0
            or sum(rabbitmq_detailed_queue_messages{queue=~".*XQ"}) > 0
        """,
        hold="1m",
        summary="{{ $value }} messages were given up and wait for a decision.",
        faults=_dead_letters,
    ),
    critical(
        "SirenadeRabbitmqAlarm",
        expression="""
            max(rabbitmq_alarms_memory_used_watermark) == 1
            or max(rabbitmq_alarms_free_disk_space_watermark) == 1
        """,
        hold="1m",
        summary="RabbitMQ is in an alarm of memory or disk and takes no messages.",
    ),
)
