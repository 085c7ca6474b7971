"""Reviewer processes, and what their metrics and the kernel say of them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.processes import free_port
from tests.benchmarks.writer_runs import cpu_seconds
from tests.integration.reviewer.llmock_server import Llmock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sample:
    at: float
    answered: float
    throttled: float
    inside: float
    rss_mb: float
    cpu_seconds: float


def sample(process: "subprocess.Popen[bytes]", port: int) -> Sample | None:
    assert process.poll() is None, "the reviewer ended"
    try:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except requests.RequestException:
        return None
    found = {
        (each.name, each.labels.get("outcome")): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }
    status = Path(f"/proc/{process.pid}/status").read_text()
    rss_kb = int(status.partition("VmRSS:")[2].split()[0])
    return Sample(
        time.monotonic(),
        found.get(("sirenade_chat_calls_total", "answered"), 0),
        found.get(("sirenade_chat_calls_total", "throttled"), 0),
        found.get(("sirenade_gate_inside", None), 0),
        rss_kb / 1024,
        cpu_seconds(process.pid),
    )


@contextmanager
def reviewing(
    llmock: Llmock | None,
    directory: Path,
    *,
    generators: int,
    database_url: str,
    rabbitmq_url: str,
    limit: str = "",
) -> Iterator[Callable[[], Sample | None]]:
    """A reviewer process; the callable reads its metrics, None before it serves them.

    Without a chat server the template writes.
    """
    port = free_port()
    settings = {
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_BROKER_URL": rabbitmq_url,
        "SIRENADE_METRICS_PORT": str(port),
        "SIRENADE_REVIEWER_GENERATORS": str(generators),
    }
    if llmock is not None:
        providers = directory / "providers.toml"
        providers.write_text(
            f"[[provider]]\nname = 'llmock'\nbase_url = '{llmock.base_url}'\nmodel = 'm'\n"
            f"max_parallel = {generators}\n{limit}\n"
            "price = { input_eur_per_million = 0, output_eur_per_million = 0 }\n"
        )
        settings["SIRENADE_AVIS_PROVIDERS_FILE"] = str(providers)
    process = subprocess.Popen(
        [sys.executable, "-m", "services.reviewer", "run"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield lambda: sample(process, port)
    finally:
        process.kill()
        process.wait()


def added(samples: list[Sample]) -> Sample:
    """Adds up processes that run side by side; the memory is that of the largest."""
    return Sample(
        samples[-1].at,
        sum(each.answered for each in samples),
        sum(each.throttled for each in samples),
        sum(each.inside for each in samples),
        max(each.rss_mb for each in samples),
        sum(each.cpu_seconds for each in samples),
    )
