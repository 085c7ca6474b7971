"""What the whole system has done, from PostgreSQL to /metrics: true whatever replicas come and go.

Each operator shows the same: take the max over operators, never the sum.
"""

from services.operator.exporter.collector import DatabaseCollector
from services.operator.exporter.log_size import LogSizeCollector

__all__ = ["DatabaseCollector", "LogSizeCollector"]
