"""Replicas that only ask a chat server for texts, each in a process of its own.

The argument is one JSON object: database_url, provider, processes, threads, seconds. Each process
names itself by the model that it asks for: m0, m1 and so on. It ends after `seconds`.
"""

import sys
import threading
import time
from typing import Any

from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.providers.call import CallWindow, ProviderClient
from services.reviewer.providers.chat import Chat
from services.reviewer.providers.gate import Gate
from services.reviewer.providers.settings import Provider, StructuredOutput
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import SlowDown
from shared.metrics import Metrics
from tests.integration.reviewer.money.forks import run_forks


def write(_: StructuredOutput) -> list[dict[str, str]]:
    return [{"role": "user", "content": "Rédige."}]


def call(order: dict[str, Any], number: int) -> None:
    provider = Provider.model_validate({**order["provider"], "model": f"m{number}"})
    clock, metrics = Clock(), Metrics()
    engine = make_engine(order["database_url"], application_name="caller", pool_size=2)
    meter = SharedMeter(engine, [provider], clock, metrics)
    meter.open()
    gate = Gate(provider.name, most=order["threads"], clock=clock, metrics=metrics)
    line = ProviderClient(Chat(provider), gate, meter, clock, metrics)
    end = time.monotonic() + order["seconds"]

    def ask() -> None:
        while time.monotonic() < end:
            try:
                line.ask(write, CallWindow(begin_by=end, finish_by=end + 60), first=True)
            except SlowDown:
                return  # It comes at the end only.

    threads = [threading.Thread(target=ask) for _ in range(order["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(run_forks(call))
