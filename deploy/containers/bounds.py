"""The most memory, logs and connections of all containers, added up from a compose configuration.

`services` is the object of that name in the output of `docker compose config --format json`.
"""

import re
from typing import Any

MOST_LOG_BYTES = 1_500_000_000

# The volume `logs` holds an active and two closed files of each service; its replicas share them.
LOG_FILE_BYTES = 3 * 50_000_000
_WRITING_FILES = ("fetcher", "writer", "reviewer", "operator", "console", "portal", "indexer")

# Connections to PostgreSQL of one replica; tests/unit/deploy/test_compose.py compares them with the
# code. A fetcher has these at the public quota, a reviewer with chat servers.
CONNECTIONS = {
    "fetcher": 2,
    "writer": 2,
    "reviewer": 4,
    "operator": 2,
    # Two for people, one that looks at everything.
    "console": 3,
    "portal": 4,
    "indexer": 2,
    "roles": 1,
    "migrate": 1,
    "postgres-exporter": 1,
}
_WITHOUT_SCALING = 1
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def replicas_of(service: dict[str, Any]) -> int:
    return int(service.get("deploy", {}).get("replicas", _WITHOUT_SCALING))


def size_bytes(text: str) -> int:
    """Read a size like `5m`, `1g` or `268435456`."""
    found = re.fullmatch(r"(\d+)([bkmg]?)b?", str(text).lower())
    assert found is not None, text
    return int(found[1]) * _UNITS[found[2]]


def connections_of(name: str, service: dict[str, Any]) -> int:
    return CONNECTIONS.get(name, 0) * replicas_of(service)


def postgres_connections(service: dict[str, Any]) -> int:
    [most] = [
        int(word.partition("=")[2])
        for word in service["command"]
        if word.startswith("-cmax_connections=")
    ]
    return most


def memory_bytes(services: dict[str, Any]) -> int:
    return sum(
        size_bytes(service["deploy"]["resources"]["limits"]["memory"]) * replicas_of(service)
        for service in services.values()
    )


def log_bytes(services: dict[str, Any], replicas: dict[str, int] | None = None) -> int:
    """Add up the most bytes of container logs and the volume; `replicas` wins over the files."""
    most = replicas or {}
    in_engine = 0
    for name, service in services.items():
        options = service["logging"]["options"]
        one = size_bytes(options["max-size"]) * int(options["max-file"])
        in_engine += one * most.get(name, replicas_of(service))
    return in_engine + LOG_FILE_BYTES * sum(name in services for name in _WRITING_FILES)
