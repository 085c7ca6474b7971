"""A sender in a process of its own, which says when it is ready."""

import sys

from services.portal.webhooks.sender import WebhookDatabases, WebhookSender
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.http.egress import Egress
from shared.metrics import Metrics

if __name__ == "__main__":
    engines = [make_engine(url, application_name="test", pool_size=4) for url in sys.argv[1:]]
    clock = Clock()
    databases = WebhookDatabases(engines[0], engines)
    sender = WebhookSender(databases, Egress(), clock, Metrics(), interval_seconds=0.05)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        sender.step()
        clock.wait(0.05)
