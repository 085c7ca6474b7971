"""Metrics of each service keep the rules of Prometheus."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from services.fetcher import main as fetcher
from services.fetcher.settings import FetcherSettings
from services.operator import main as operator
from services.operator.settings import OperatorSettings
from services.reviewer import main as reviewer
from services.reviewer.settings import ReviewerSettings
from services.writer import main as writer
from services.writer.settings import WriterSettings
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.metrics import Metrics
from shared.runtime.middleware import ActorMetrics
from shared.runtime.service import Running
from tests.servers.monitoring_binaries import find_or_fetch

_PROVIDERS = """
[[provider]]
name = "mistral"
base_url = "http://127.0.0.1:9/v1"
model = "m"
price = { input_eur_per_million = 0.1, output_eur_per_million = 0.3 }
"""
_BUILDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "fetcher": (fetcher, FetcherSettings, {"insee_url": "http://127.0.0.1:9", "insee_key": "k"}),
    "writer": (writer, WriterSettings, {}),
    "reviewer": (reviewer, ReviewerSettings, {}),
    "operator": (operator, OperatorSettings, {}),
}
# Labels of a scrape: a metric with the same label would be renamed.
_LABELS_OF_A_SCRAPE = {"job", "instance", "service"}


@pytest.fixture(params=sorted(_BUILDS))
def page(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """Return a service's name and its /metrics before any work."""
    name = request.param
    module, settings_class, own = _BUILDS[name]
    if name == "reviewer":
        own = {"avis_providers_file": tmp_path / "providers.toml"}
        own["avis_providers_file"].write_text(_PROVIDERS)
    settings = settings_class(
        database_url=SecretStr(database_url), broker_url=SecretStr("memory://"), **own
    )
    metrics = Metrics(of={name}, version="1.2.3")
    broker = make_broker("memory://", extra_middleware=[ActorMetrics(metrics)])
    engine = make_engine(database_url, application_name="test")
    metrics.pools.watch("control", engine)
    clock = Clock()
    service = module.build(settings, engine=engine, broker=broker, clock=clock, metrics=metrics)
    Running([service], broker, clock, metrics)
    yield name, generate_latest(metrics.registry).decode()
    broker.close()
    engine.dispose()


def test_each_metric_has_help_a_unit_and_labels_that_a_scrape_leaves_alone(
    page: tuple[str, str],
) -> None:
    name, shown = page
    for metric in text_string_to_metric_families(shown):
        assert metric.documentation, metric.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        samples = {sample.name for sample in metric.samples}
        if metric.type == "counter":
            # The operator has no actors.
            has_children = name != "operator" or metric.name != "sirenade_messages"
            assert samples == ({f"{metric.name}_total"} if has_children else set())
        elif metric.type == "gauge":
            assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))
        # Names use Prometheus' base units.
        assert not set(metric.name.split("_")) & {"ms", "milliseconds", "minutes", "hours", "mb"}
        labels = {label for sample in metric.samples for label in sample.labels}
        assert not labels & _LABELS_OF_A_SCRAPE
    values = {
        sample.name: sample.value
        for metric in text_string_to_metric_families(shown)
        for sample in metric.samples
    }
    assert values["process_resident_memory_bytes"] > 0
    assert values["sirenade_pool_connections_limit"] > 0
    assert 'sirenade_build_info{version="1.2.3"} 1.0' in shown
    assert len(values) < 200
    own = {"fetcher": "quota_wait", "writer": "slice_write", "reviewer": "gate", "operator": "job"}
    assert [each for each in own if f"sirenade_{own[each]}" in shown] == [name]


def test_promtool_finds_no_fault(page: tuple[str, str]) -> None:
    name, shown = page
    result = subprocess.run(
        [str(find_or_fetch("promtool")), "check", "metrics"],
        input=shown,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, ""), name
