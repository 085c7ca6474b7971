"""The size of the folder for the log files of all services."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class LogSizeCollector(Collector):
    """Shows the size of a folder; a folder that does not exist has no size."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self._directory.is_dir():
            yield GaugeMetricFamily(
                "sirenade_log_bytes",
                "Size of the log files that are kept.",
                value=sum(_size_bytes(path) for path in self._directory.rglob("*")),
            )


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # the file was rotated or archived meanwhile
        return 0
