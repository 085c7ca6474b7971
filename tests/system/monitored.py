"""Prometheus over services that run, with the exporters of RabbitMQ and PostgreSQL beside them."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.processes import free_port
from shared.db_url import normalise_url
from tests.servers.monitoring_binaries import find_or_fetch
from tests.system.conftest import wait_for

Target = tuple[str, int, str]
"""Job, port and path."""


@contextmanager
def exporter_of_postgres(database_url: str, log: Path) -> Iterator[int]:
    port = free_port()
    with _running(
        [
            str(find_or_fetch("prometheus-postgres-exporter")),
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        log,
        {"DATA_SOURCE_NAME": _plain(database_url)},
    ):
        wait_for(lambda: answers(port, "/metrics"), seconds=30, what="postgres_exporter")
        yield port


@contextmanager
def prometheus_over(
    targets: list[Target], directory: Path, *, rules: Path | None = None
) -> Iterator[str]:
    """Yields its URL. A scrape a second, so that a short run has long curves."""
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "prometheus.yml"
    files = [] if rules is None else [str(rules)]
    config.write_text(json.dumps(_config(targets) | {"rule_files": files}))
    port = free_port()
    command = [
        str(find_or_fetch("prometheus")),
        f"--config.file={config}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with _running(command, directory / "prometheus.log", {}):
        wait_for(lambda: answers(port, "/-/ready"), seconds=60, what="Prometheus")
        yield f"http://127.0.0.1:{port}"


def _config(targets: list[Target]) -> dict[str, object]:
    """JSON is YAML. The labels are those of deploy/prometheus."""
    jobs: dict[tuple[str, str], list[str]] = {}
    for job, port, path in targets:
        jobs.setdefault((job, path), []).append(f"127.0.0.1:{port}")
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "scrape_configs": [
            {
                "job_name": job,
                "metrics_path": path.partition("?")[0],
                "params": _parameters(path.partition("?")[2]),
                "static_configs": [{"targets": places, "labels": {"service": job}}],
            }
            for (job, path), places in jobs.items()
        ],
    }


def _parameters(query: str) -> dict[str, list[str]]:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return {name: [value for other, _, value in pairs if other == name] for name, _, _ in pairs}


def _plain(url: str) -> str:
    """Return the URL as a driver reads it that is not SQLAlchemy's."""
    without_tls = normalise_url(url).set(drivername="postgresql", query={"sslmode": "disable"})
    return without_tls.render_as_string(hide_password=False)


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _running(command: list[str], log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, env={**os.environ, **environment}
        )
    try:
        yield
    finally:
        process.kill()
        process.wait(timeout=10)
