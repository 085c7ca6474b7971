"""The monitor reads alerts from a real Prometheus."""

import json
import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from services.operator.monitoring.outside import Prometheus
from shared.alerts import Alert
from shared.http.egress import Egress
from tests.system.conftest import wait_for
from tests.system.monitored import prometheus_over

# JSON is YAML.
_RULES = {
    "groups": [
        {
            "name": "tests",
            "rules": [
                {
                    "alert": "SirenadeFires",
                    "expr": "vector(1)",
                    "labels": {"severity": "critical"},
                    "annotations": {"summary": "It {{ $value }} fires."},
                },
                {"alert": "SirenadeWaits", "expr": "vector(1)", "for": "1h"},
            ],
        }
    ]
}


@pytest.mark.slow
def test_memory_and_firing_alerts_are_those_of_prometheus(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    rules = tmp_path / "rules.yml"
    rules.write_text(json.dumps(_RULES))
    port = server.server_port
    with prometheus_over([("writer", port, "/metrics")], tmp_path / "data", rules=rules) as url:
        prometheus = Prometheus(url, Egress())
        wait_for(prometheus.memory, seconds=60, what="a scrape")
        wait_for(prometheus.alerts, seconds=60, what="an evaluation")
        (memory,) = prometheus.memory()
        assert (memory.service, memory.process) == ("writer", f"127.0.0.1:{port}")
        assert 1 << 20 < memory.rss_bytes < os.sysconf("SC_PAGE_SIZE") * 10**7
        assert prometheus.alerts() == [Alert("SirenadeFires", "critical", "It 1 fires.")]
    server.shutdown()
    server.server_close()
    thread.join()
