"""A real Prometheus takes the rules, and real exporters have the metrics that they name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from deploy.grafana.check import PrometheusApi
from deploy.local.processes import free_port
from deploy.prometheus.rules import ALERTS
from shared.messages import WRITE_QUEUE
from tests.servers.rabbitmq import RunningRabbitmq, start_rabbitmq
from tests.system.conftest import wait_for
from tests.system.monitored import Target, exporter_of_postgres, prometheus_over
from tests.unit.deploy.prometheus.rules import OF_OTHERS, read_alerts

DETAILED = "/metrics/detailed?family=queue_coarse_metrics&family=queue_consumer_count"


@pytest.fixture
def node(servers_directory: Path) -> Iterator[RunningRabbitmq]:
    running = start_rabbitmq(
        servers_directory / "rabbitmq-alerts", end_with_parent=True, with_metrics=True
    )
    yield running
    running.kill()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_prometheus_evaluates_every_rule_over_real_exporters(
    database_url: str, node: RunningRabbitmq, tmp_path: Path
) -> None:
    with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
        connection.channel().queue_declare(
            WRITE_QUEUE, durable=True, arguments={"x-queue-type": "quorum"}
        )
    with exporter_of_postgres(database_url, tmp_path / "pg.log") as postgres:
        targets: list[Target] = [
            ("postgres", postgres, "/metrics"),
            ("rabbitmq", node.ports.metrics, "/metrics"),
            ("rabbitmq-detailed", node.ports.metrics, DETAILED),
            # No process listens there.
            ("writer", free_port(), "/metrics"),
        ]
        with prometheus_over(targets, tmp_path / "prometheus", rules=ALERTS) as url:
            prometheus = PrometheusApi(url)
            wait_for(lambda: not _missing(prometheus), seconds=60, what="the exporters' metrics")
            # No metric exists before the first scrape.
            wait_for(lambda: _pending(prometheus) == _SPOKEN, seconds=60, what="alerts")
            assert {rule["name"]: rule["health"] for rule in _rules(prometheus)} == dict.fromkeys(
                (alert.name for alert in read_alerts()), "ok"
            )


_SPOKEN = {
    *(("SirenadeServiceDown", job) for job in ("fetcher", "writer", "reviewer", "operator")),
    ("SirenadeNoConsumers", WRITE_QUEUE),
}


def _missing(prometheus: PrometheusApi) -> set[str]:
    return {
        name
        for name, labels in OF_OTHERS.items()
        if not any(labels <= each["metric"].keys() for each in prometheus.series(name))
    }


def _rules(prometheus: PrometheusApi) -> list[dict[str, Any]]:
    groups = prometheus.get("rules", type="alert")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _pending(prometheus: PrometheusApi) -> set[tuple[str, str]]:
    """Return alerts whose condition holds, with their service or queue."""
    return {
        (alert["labels"]["alertname"], alert["labels"].get("job", alert["labels"].get("queue", "")))
        for alert in prometheus.get("alerts", state="any")["data"]["alerts"]
        # The disk of the test machine may be full.
        if alert["labels"]["alertname"] != "SirenadeDiskLow"
    }
