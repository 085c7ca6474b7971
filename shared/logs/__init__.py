"""JSON lines on standard output, and into files that are bounded: one event a line.

They hold no secret and no personal data. An exception is logged by its class, its SQLSTATE
and its places, never by its text: a driver's text quotes rows, a library's quotes URLs. A message
is logged by its actor and id.
"""

from shared.logs.files import LogFile, log_bytes_cap
from shared.logs.places import name_of, places_of, sqlstate
from shared.logs.redaction import secrets_of
from shared.logs.setup import configure_logs

__all__ = [
    "LogFile",
    "configure_logs",
    "log_bytes_cap",
    "name_of",
    "places_of",
    "secrets_of",
    "sqlstate",
]
