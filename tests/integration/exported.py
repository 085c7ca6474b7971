"""Samples that an operator's /metrics shows of a database."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from services.operator.exporter.collector import DatabaseCollector

Exported = Callable[..., float | None]


def exported(control: Engine, *shards: Engine) -> Exported:
    """`exported(engine)("import_rows", outcome="inserted")`: read now, None where it is absent."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(control, shards or (control,)))

    def value(name: str, /, **labels: str) -> float | None:
        return registry.get_sample_value(f"sirenade_{name}", labels)

    return value


def gaps(engine: Engine) -> tuple[float | None, ...]:
    """Missing, surplus and altered, by the certificates."""
    value = exported(engine)
    name = "certificate_gap_establishments"
    return tuple(value(name, side=side) for side in ("missing", "surplus", "altered"))
