"""The parameters of each connection: its limits on the server, and when it counts as lost."""

from collections.abc import Mapping
from typing import Any

IDLE_SECONDS, INTERVAL_SECONDS, PROBES = 30, 10, 3
LOST_AFTER_SECONDS = IDLE_SECONDS + INTERVAL_SECONDS * PROBES
"""Time after which a connection counts as lost, at both ends, whose other end says nothing."""

# The server, too: it would hold the locks of a machine that lost its power for two hours.
_KEEPALIVES: Mapping[str, object] = {
    "tcp_keepalives_idle": IDLE_SECONDS,
    "tcp_keepalives_interval": INTERVAL_SECONDS,
    "tcp_keepalives_count": PROBES,
    "tcp_user_timeout": f"{LOST_AFTER_SECONDS}s",
}


def parameters(application_name: str, settings: Mapping[str, object]) -> dict[str, Any]:
    """Return the parameters of a connection whose session has these settings."""
    options = {**_KEEPALIVES, **settings}
    return {
        "application_name": application_name,
        "connect_timeout": 5,
        "keepalives_idle": IDLE_SECONDS,
        "keepalives_interval": INTERVAL_SECONDS,
        "keepalives_count": PROBES,
        # In milliseconds; it counts where data is on its way, which keepalives do not look at.
        "tcp_user_timeout": LOST_AFTER_SECONDS * 1000,
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }
