"""Totals of the whole system, from PostgreSQL to /metrics.

They stay true while replicas come and go. All operators show the same: take the max, never the sum.
"""

from services.operator.exporter.collector import DatabaseCollector
from services.operator.exporter.log_size import LogSizeCollector

__all__ = ["DatabaseCollector", "LogSizeCollector"]
